"""Holds what the program says came of each part of each delivery beside what the books expect."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from streams.demo.ledger import ExpectedPart, Ledger


class Verdict(NamedTuple):
    """A final outcome of the outcomes topic; `recorded_at` in epoch milliseconds."""

    outcome: str
    reason: str | None
    recorded_at: int


def differing_verdicts(
    ledger: Ledger, verdicts: Mapping[tuple[str, str], Verdict]
) -> Iterator[str]:
    """What is missing, too many or otherwise, for people.

    Args:
        ledger: of all bodies fed.
        verdicts: of its connection: (delivery id, part) → the last one.
    """
    for name, one in ledger.parts.items():
        got = verdicts.get(name)
        if got is None:
            yield f"outcome of {_part(name, one)}: missing"
        elif (got.outcome, got.reason) not in (wanted := _wanted(one, got.recorded_at)):
            shown = " or ".join(map(str, wanted))
            yield f"outcome of {_part(name, one)}: expected {shown}, got {got[:2]}"
    for name in verdicts.keys() - ledger.parts.keys():
        yield f"outcome of {' '.join(name)}: {verdicts[name].outcome}, not expected"


def _part(name: tuple[str, str], one: ExpectedPart) -> str:
    return f"{one.type} {' '.join(name)}"


def _wanted(one: ExpectedPart, recorded_at: int) -> list[tuple[str, str | None]]:
    """What may have come of it: it was judged between when it was told of and `recorded_at`."""
    part = one.part
    aged = ("delivered_no_trigger", part.reason)
    if part.fresh_until is None or recorded_at <= part.fresh_until:
        return [(part.outcome, part.reason)]
    return [aged] if one.told_at > part.fresh_until else [(part.outcome, part.reason), aged]
