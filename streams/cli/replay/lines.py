"""A replay's plan and report for people and programs. Nobody's id is in either."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from streams.cli.progress import duration_text
from streams.replay.report import deviation, planned_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.cli.replay.replaying import Prepared
    from streams.model.replayed import Mode
    from streams.replay.prospects import Expected, Prospect
    from streams.replay.report import Happened
    from streams.replay.runs import Run

_PATHS = 20
"""Field paths that are listed, at most."""
_SENT = frozenset({"delivered", "delivered_no_trigger"})


def plan_lines(prepared: Prepared) -> Iterator[str]:
    """The plan of one connection."""
    plan, rules = prepared.plan, prepared.terms.destination.rules
    count, gate = plan.selected.total(), prepared.terms.gate
    whose = f"{prepared.connection} ({prepared.terms.destination.name}, {gate.mode})"
    yield f"{whose}: {count:,} deliveries of {prepared.places.source}"
    for number, why in (
        (plan.erased, "of erased customers"),
        (plan.unreadable, "unreadable"),
        (plan.copies, "the same once more, as redriven letters are"),
    ):
        if number:
            yield f"  left out: {number:,} {why}"
    if not count:
        return
    had = ", ".join(f"{what} {n:,}" for what, n in plan.standing.most_common())
    yield f"  {plan.concluded.total():,} have a final outcome already{': ' if had else ''}{had}"
    yield from _table(_rows(prepared), texts=1)
    for mode, found in plan.prospects.items():
        yield from _mode_lines(prepared, mode, found)
    if rules.repeated == "unproven" and any(each.again for each in plan.prospects.values()):
        yield "  whether the vendor knows an id again is not known: taken for new"
    yield from _difference_lines(prepared)


def _table(rows: list[tuple[str, ...]], *, texts: int) -> Iterator[str]:
    """Columns as wide as they must be: so many texts, then numbers, which are flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            f"{cell:{width}}" if place < texts else f"{cell:>{width}}"
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def _rows(prepared: Prepared) -> list[tuple[str, ...]]:
    plan = prepared.plan
    modes = list(plan.prospects)
    head = ["  event type", "deliveries", "concluded"]
    head += [f"{mode}: {what}" for mode in modes for what in ("flows", "data", "not sent")]
    rows = [tuple(head)]
    for kind in sorted(plan.selected):
        row = [f"  {kind}", f"{plan.selected[kind]:,}", f"{plan.concluded[kind]:,}"]
        for mode in modes:
            found = plan.prospects[mode]
            data, refused = _counted(found, kind)
            row += [f"{found.starts[kind]:,}", f"{data:,}", f"{refused:,}"]
        rows.append(tuple(row))
    return rows


def _counted(found: Prospect, kind: str) -> tuple[int, int]:
    """Parts that are data and start nothing, and parts that are not sent."""
    sent = sum(n for what, n in found.parts.items() if what.type == kind and what.outcome in _SENT)
    together = sum(n for what, n in found.parts.items() if what.type == kind)
    return sent - found.starts[kind], together - sent


def _mode_lines(prepared: Prepared, mode: Mode, found: Prospect) -> Iterator[str]:
    takes = duration_text(prepared.seconds(mode))
    messaged = f"{found.customers:,} customers will be messaged"
    yield f"  {mode}: {found.deliveries:,} deliveries, {messaged}, {takes}"
    yield from (f"    {each}" for each in rate_lines(prepared, mode))
    for text, number in sorted(_by_outcome(found.parts).items()):
        yield f"    {text}: {number:,}"
    if found.ignored:
        other = "another " if prepared.terms.new_ids is not None else ""
        why = f"it has their ids; {other}--new-ids LABEL"
        yield f"    ignored by vendor: {found.ignored:,} ({why})"
    if found.again:
        yield f"    of ids that the vendor has: {found.again:,}"
    if found.left_out:
        yield f"    left out, since the same profile is sent: {found.left_out:,}"


def _by_outcome(parts: Counter[Expected]) -> Counter[str]:
    found: Counter[str] = Counter()
    for what, number in parts.items():
        reason = f": {what.reason}" if what.reason else ""
        found[f"{what.part} {what.outcome}{reason}"] += number
    return found


def rate_lines(prepared: Prepared, mode: Mode) -> Iterator[str]:
    """How fast a mode goes at each endpoint, beside live deliveries."""
    found, shares = prepared.plan.prospects[mode], prepared.terms.pace.shares
    for name in sorted({endpoint for endpoint, _ in found.records}):
        if name in shares:
            rate, allowed, live = shares[name]
            yield f"{name}: {_rate(rate)} of {_rate(allowed)}, live takes {_rate(live)}"


def _rate(a_second: float) -> str:
    return f"{a_second:,.0f}/s" if a_second >= 10 else f"{a_second:.2g}/s"


def _difference_lines(prepared: Prepared) -> Iterator[str]:
    found = prepared.plan.differences
    if not found.compared:
        yield "  nothing of it was sent, so nothing can be compared"
        return
    yield f"  of {found.compared:,} bodies that were sent, {found.different:,} would be others now"
    for (part, path, change), number in found.paths.most_common(_PATHS):
        yield f"    {part} {path}: {change} in {number:,}"
    if len(found.paths) > _PATHS:
        yield f"    and {len(found.paths) - _PATHS:,} more"


def plan_object(prepared: Prepared) -> dict[str, Any]:
    """The plan as a program reads it."""
    plan = prepared.plan
    return {
        "connection": prepared.connection,
        "from": prepared.source,
        "deliveries": plan.selected,
        "concluded": plan.concluded,
        "standing": plan.standing,
        "erased": plan.erased,
        "unreadable": plan.unreadable,
        "copies": plan.copies,
        "modes": {
            mode: {
                "deliveries": found.deliveries,
                "left_out": found.left_out,
                "customers": found.customers,
                "starts": found.starts,
                "ignored": found.ignored,
                "again": found.again,
                "parts": [[*what, n] for what, n in sorted(found.parts.items(), key=str)],
                "seconds": prepared.seconds(mode),
            }
            for mode, found in plan.prospects.items()
        },
        "compared": plan.differences.compared,
        "different": plan.differences.different,
        "differences": [[*what, n] for what, n in plan.differences.paths.most_common()],
    }


def report_lines(run: Run, happened: Happened) -> Iterator[str]:
    """What came of a run, beside what was planned."""
    planned = planned_of(run)
    label = f", new ids {run.new_ids}" if run.new_ids else ""
    yield f"{run.id}: {run.mode} to {run.connection}{label}"
    yet = "" if run.ended else ", not all yet"
    yield f"  {happened.records:,} deliveries appended{yet}, {happened.concluded:,} concluded"
    if run.gone:
        yield f"  {gone_text(run)}"
    rows: list[tuple[str, ...]] = [("  event type", "part", "outcome", "planned", "happened")]
    for what in sorted(planned.keys() | happened.parts.keys(), key=str):
        outcome = what.outcome + (f": {what.reason}" if what.reason else "")
        row = (f"  {what.type}", what.part, outcome)
        rows.append((*row, f"{planned[what]:,}", f"{happened.parts[what]:,}"))
    yield from _table(rows, texts=3)
    off = deviation(planned, happened.parts)
    yield f"  {off:.1%} of the parts came otherwise than planned"
    took = duration_text(_seconds(run, happened))
    yield f"  planned to take {duration_text(run.seconds)}, took {took}"
    if not happened.drained:
        yield "  the low lane has not passed all of it yet"
    elif happened.concluded < happened.records:
        left = happened.records - happened.concluded
        yield f"  {left:,} have no outcome: their customers are parked, or they became dead letters"


def gone_text(run: Run) -> str:
    """That retention was quicker than the run."""
    return f"{run.gone:,} offsets were past retention before their turn: nothing of them is sent"


def _seconds(run: Run, happened: Happened) -> float:
    return max(0, happened.last_at - run.begun_at) / 1_000


def report_object(run: Run, happened: Happened) -> dict[str, Any]:
    """The report as a program reads it."""
    planned = planned_of(run)
    return {
        "run": run.id,
        "connection": run.connection,
        "mode": run.mode,
        "new_ids": run.new_ids,
        "planned_deliveries": run.deliveries,
        "flows": run.flows,
        "customers": run.customers,
        "appended": happened.records,
        "concluded": happened.concluded,
        "drained": happened.drained,
        "ended": run.ended,
        "gone": run.gone,
        "parts": [
            [*what, planned[what], happened.parts[what]]
            for what in sorted(planned.keys() | happened.parts.keys(), key=str)
        ],
        "deviation": deviation(planned, happened.parts),
        "planned_seconds": run.seconds,
        "seconds": _seconds(run, happened),
    }
