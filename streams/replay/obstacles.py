"""Where a dead letter goes back to, and why some cannot: said before anything is written. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from streams.names import LARGEST

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from streams.replay.letters import Letter

_BESIDE = 1 << 10
"""Bytes that a record takes beyond key, value and headers, with the header that a redrive adds."""

NEVER_A_RECORD = (
    "never was a record: write its bytes (`streams dead-letters show ID --bytes`), mended, by"
    " `streams produce`, then purge it"
)
TOO_LARGE = "larger than its topic takes: it would fail again"
WRONG_KEY = (
    "its key is not its customer's: it would fail again; have it written under the right key, or"
    " use `rekey.topic`"
)
REDRIVEN = "redriven before and not settled yet: --again"


class Ways(NamedTuple):
    """Where letters go back to.

    Attributes:
        deliveries: a connection → its delivery topic.
        sources: a source → its topic.
        rekey: the topic that the role rekey reads, if there is one.
        mapped: whether a mapping says what keys mean.
    """

    deliveries: Callable[[str], str]
    sources: Mapping[str, str]
    rekey: str | None = None
    mapped: bool = False


def target_of(letter: Letter, ways: Ways) -> str | None:
    """The topic that a letter goes back to; None: there is none."""
    if letter.is_delivery:
        return ways.deliveries(letter.of)
    known = {ways.sources[letter.of], *([ways.rekey] if ways.rekey else [])}
    return letter.origin if letter.origin in known else None


def obstacle(letter: Letter, ways: Ways, *, again: bool) -> str | None:
    """Why a letter cannot be redriven, for people; None: it can.

    Args:
        letter: not settled.
        ways: where it may go.
        again: whether one that was redriven and is not settled goes once more.
    """
    if not letter.is_delivery:
        never = _obstacle_of_source(letter, ways)
        if never is not None:
            return never
    ours = target_of(letter, ways) != ways.rekey
    if letter.reason == "too_large" or (ours and letter.size + _BESIDE > LARGEST):
        return TOO_LARGE
    return REDRIVEN if letter.redriven_at is not None and not again else None


def _obstacle_of_source(letter: Letter, ways: Ways) -> str | None:
    if letter.origin is None:
        return NEVER_A_RECORD
    target = target_of(letter, ways)
    if target is None:
        return (
            f"it came from {letter.origin}, which is neither the source's topic nor `rekey.topic`:"
            " set `rekey.topic` or the `prefix` that it had"
        )
    if letter.reason == "wrong_key" and target != ways.rekey and not ways.mapped:
        return WRONG_KEY
    return None
