"""Options → which dead letters are meant; what is wrong is said before Kafka is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from streams.cli.explain import moment
from streams.errors import ConfigurationError
from streams.replay.letters import Filter
from streams.settings.values import Duration

if TYPE_CHECKING:
    from collections.abc import Iterable

_duration = TypeAdapter(Duration)


def filter_of(  # noqa: PLR0913 - one for each option
    *,
    now: int,
    ids: Iterable[str] = (),
    reasons: Iterable[str] = (),
    types: Iterable[str] = (),
    customer: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> Filter:
    """The filter that options ask for; `now` is epoch milliseconds.

    Raises:
        ConfigurationError: a time or a customer that is none, or nothing can be meant.
    """
    begin, end = instant(since, "--since", now), instant(until, "--until", now)
    if begin is not None and end is not None and begin >= end:
        raise ConfigurationError("--until", "is not after --since", "Give a later time")
    return Filter(
        ids=frozenset(ids),
        reasons=frozenset(reasons),
        types=frozenset(types),
        customer=None if customer is None else _key(customer),
        since=begin,
        until=end,
    )


def instant(text: str | None, option: str, now: int) -> int | None:
    """Epoch milliseconds of a time with its zone, or of so long ago: `24h`."""
    if text is None:
        return None
    try:
        ago = _duration.validate_python(text)
    except ValidationError:
        pass
    else:
        return now - int(ago.total_seconds() * 1_000)
    try:
        return moment(text, option)
    except ConfigurationError:
        raise ConfigurationError(
            option,
            "neither a time with its zone nor a duration",
            "Write it like 2026-10-01T12:00:00Z, or 24h",
        ) from None


def _key(customer: str) -> bytes:
    merchant, colon, id_ = customer.partition(":")
    if not (merchant and colon and id_):
        raise ConfigurationError("--customer", "not a customer's key", "Write it MERCHANT:ID")
    return customer.encode()
