"""What the topics still hold of somebody who was erased, topic by topic, and why. Pure."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from streams.replay.certificate import Kept

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_RULES: Final[tuple[tuple[re.Pattern[str], str, str], ...]] = tuple(
    (re.compile(pattern), what, why)
    for pattern, what, why in (
        (
            r"\.(?:subscribers|members|entities)\.changelog(?:\.\d+)?$",
            "former versions of the row; then its key and the time of the erase",
            "until the broker compacts; the mark keeps what is older away for good",
        ),
        (r"\.profiles\..+\.changelog$", "former versions, parked deliveries", "until it compacts"),
        (r"\.dead-letters\.", "letters that were settled", "until the broker compacts"),
        (
            r"\.deliveries\.",
            "deliveries of before, and the erase itself with the address to be forgotten",
            "it is a queue: nothing can be taken out of it",
        ),
        (
            r"\.outcomes$",
            "customer id, masked excerpts, and keyed hashes of what was sent",
            "the record of what was delivered",
        ),
        (r"\.(?:audit|erased)$", "a keyed hash and the time of the erase", "proof, and its effect"),
        (r"\.control$", "nothing, unless somebody is named in a promotion's allowlist", "settings"),
    )
)
_SOURCE: Final = (
    "the events of before, and the erase record",
    "nothing can be taken out of a log: `streams topics rewrite` copies it without them",
)


_REKEYED: Final = (
    "the events of before, as they were written there",
    "rekey only reads it: nothing can be taken out of a log, and no command copies it",
)
_STANDING: Final = "the whole row"


def remaining(
    configs: Mapping[str, Mapping[str, str]],
    rekeyed: str | None = None,
    standing: Mapping[str, str] = MappingProxyType({}),
) -> list[Kept]:
    """What remains in each of these topics.

    Args:
        configs: their settings.
        rekeyed: the one that rekey reads.
        standing: topics of tables with a row that nothing erases → the command that discards them.
    """
    return list(_each(configs, rekeyed, standing))


def _each(
    configs: Mapping[str, Mapping[str, str]], rekeyed: str | None, standing: Mapping[str, str]
) -> Iterator[Kept]:
    for topic, config in configs.items():
        if topic in standing:
            yield Kept(topic, _STANDING, f"until `{standing[topic]}`", {})
            continue
        found = next(((what, why) for rule, what, why in _RULES if rule.search(topic)), _SOURCE)
        yield Kept(topic, *(_REKEYED if topic == rekeyed else found), config)
