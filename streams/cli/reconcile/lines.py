"""What a reconciliation found, for people and for programs; masked, unless that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from streams.cli.dead_letters.lines import aligned
from streams.reconcile.comparing import Difference, shown
from streams.reconcile.reasons import MEANING
from streams.replay.showing import masked_key, plain_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from streams.reconcile.findings import Drift, Findings

EXAMPLES = 20
"""Customers that are shown; a report has them all."""


def summary_lines(against: str, found: Findings) -> Iterator[str]:
    """How many, and why."""
    count, fields = len(found.drifts), found.fields
    who = "1 customer differs" if count == 1 else f"{count:,} customers differ"
    what = f"{who}, in {fields:,} field{'' if fields == 1 else 's'}" if count else "nobody differs"
    yield f"{against}: {found.rows:,} rows, {found.compared:,} compared: {what}"
    yield from (f"  {number:,} {what}" for number, what in _asides(found) if number)
    if count:
        rows = [(r.value, f"{n:,}", MEANING[r]) for r, n in found.reasons.most_common()]
        yield ""
        yield from aligned([("reason", "customers", "what it means"), *rows], 1)


def example_lines(found: Findings, *, unmasked: bool) -> Iterator[str]:
    """Some of those that differ, field by field."""
    rows = [
        (_whose(drift, unmasked=unmasked), field, _text(ours), _text(theirs), _reason(drift))
        for drift in found.drifts[:EXAMPLES]
        for field, ours, theirs in _differences(drift, unmasked=unmasked)
    ]
    if rows:
        yield ""
        yield from aligned([("customer", "field", "ours", "theirs", "reason"), *rows])
    if len(found.drifts) > EXAMPLES:
        yield f"and {len(found.drifts) - EXAMPLES:,} more customers: --report FILE has them all"


def write_report(file: Path, against: str, found: Findings, *, unmasked: bool) -> None:
    """Write one JSON object a line: each field that differs; raises OSError."""
    with file.open("wb") as opened:
        for drift in found.drifts:
            for field, ours, theirs in _differences(drift, unmasked=unmasked):
                line: dict[str, Any] = {
                    "against": against,
                    "customer": _whose(drift, unmasked=unmasked),
                    "field": field,
                    "ours": ours,
                    "theirs": theirs,
                    "reason": drift.why.reason.value,
                    "detail": drift.why.detail or None,
                }
                opened.write(msgspec.json.encode(line) + b"\n")


def _asides(found: Findings) -> Iterator[tuple[int, str]]:
    yield found.settled, "that differed at the first look, and agreed at the second"
    yield found.unaddressed, "of whom nothing is told there, or who have no good identifier"
    yield found.elsewhere, "of merchants that are not asked about here"
    yield found.erased, "erased since"
    yield found.unreadable, "that cannot be read: rows of another version, or odd answers"


def _differences(drift: Drift, *, unmasked: bool) -> Iterator[Difference]:
    for each in drift.differences:
        yield each if unmasked else shown(each)


def _whose(drift: Drift, *, unmasked: bool) -> str:
    return plain_key(drift.key) if unmasked else masked_key(drift.key) or ""


def _reason(drift: Drift) -> str:
    reason, detail = drift.why
    return f"{reason.value} ({detail})" if detail else reason.value


def _text(value: Any) -> str:
    return "-" if value is None else "".join(c if c.isprintable() else "?" for c in str(value))
