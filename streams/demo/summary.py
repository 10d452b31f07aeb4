"""The summary: what went in, was concluded and arrived, and whether that is exactly right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from rich.table import Table

from streams.demo.compare import compare
from streams.demo.observation import dead_letters, derived, outcomes
from streams.demo.stage import CONNECTION, LIMITS, Stage

if TYPE_CHECKING:
    from collections import Counter

    from rich.console import Console

    from streams.demo.shopkeeping import Books


class Summary(msgspec.Struct, frozen=True):
    """What `--json` writes. Rates are a second, durations seconds; `differences` are for people."""

    ok: bool
    seed: int
    bodies: int
    records: int
    derived: dict[str, int]
    deliveries: int
    outcomes: dict[str, int]
    dead_letters: dict[str, int]
    requests: int
    accepted: int
    expected: int
    repeats: int
    seconds: float
    events_per_second: float
    limits_factor: int
    differences: list[str]


def summarize(stage: Stage, books: Books, seed: int, seconds: float) -> Summary:
    """Read everything back and compare it with the books."""
    names, topics = stage.names, stage.topics
    received = stage.vendor.accepted()
    report = compare(books.expected, received)
    letters = {
        of: dead_letters(topics, names.dead_letters(of)) for of in ("ordergroove", CONNECTION)
    }
    told = derived(topics, names.deliveries(CONNECTION))
    came = outcomes(topics, names.outcomes)
    differences = list(map(str, report.differences))
    differences += _differing("derived", books.expected.deliveries, told)
    differences += _differing("outcomes", books.expected.outcomes, came)
    differences += _differing("dead letters", books.dead_letters(), letters["ordergroove"])
    fed = books.expected.bodies + len(books.broken)
    return Summary(
        ok=report.ok and not differences,
        seed=seed,
        bodies=fed,
        records=books.expected.records,
        derived=_sorted(told),
        deliveries=told.total(),
        outcomes=_sorted(came),
        dead_letters=_sorted(letters["ordergroove"] + letters[CONNECTION]),
        requests=stage.vendor.requests,
        accepted=len(received),
        expected=report.expected,
        repeats=report.repeats,
        seconds=round(seconds, 2),
        events_per_second=round(fed / seconds, 1),
        limits_factor=LIMITS,
        differences=differences[:20],
    )


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items()))


def _differing(what: str, wanted: Counter[str], found: Counter[str]) -> list[str]:
    """What the books say differently; a count of nothing is no difference."""
    return [
        f"{what} {name}: expected {wanted[name]}, got {found[name]}"
        for name in sorted(wanted.keys() | found.keys())
        if wanted[name] != found[name]
    ]


def show(summary: Summary, console: Console) -> None:
    """The summary for people."""
    table = Table(title="A day of the shop", show_header=False, title_justify="left")
    table.add_row("webhooks in", f"{summary.bodies:,} (seed {summary.seed})")
    table.add_row("records on the source topic", f"{summary.records:,}")
    table.add_row("events delivered to klaviyo's topic", f"{summary.deliveries:,}")
    for name, count in summary.derived.items():
        table.add_row(f"  {name}", f"{count:,}")
    for name, count in summary.outcomes.items():
        table.add_row(f"outcome {name}", f"{count:,}")
    for name, count in summary.dead_letters.items():
        table.add_row(f"dead letter {name}", f"{count:,}")
    table.add_row(
        "arrived at the simulator", f"{summary.accepted:,} of {summary.expected:,} expected"
    )
    table.add_row(
        "rate, webhook to vendor",
        f"{summary.events_per_second:,.0f} events/s over {summary.seconds:.1f} s "
        f"(vendor's limits times {summary.limits_factor})",
    )
    console.print(table)
    if summary.ok:
        console.print("[green]exact[/]: every request body is the one that the books expect")
    else:
        console.print("[red]not exact[/]:")
        for difference in summary.differences:
            console.print(f"  {difference}", markup=False)
