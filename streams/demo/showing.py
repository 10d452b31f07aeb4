"""The summary for people: one column a vendor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from streams.demo.summary import Summary, Through


def show(summary: Summary, console: Console) -> None:
    """Print it: what went in, what went through, whether that is exact."""
    console.print(f"A day of the shop (seed {summary.seed})", style="bold")
    for name, one in summary.sources.items():
        console.print(f"{name}: webhooks in {one.webhooks:,}, on its topic {one.records:,}")
        console.print(f"  dead letters: {_counts(one.dead_letters)}", soft_wrap=True)
    told = summary.checkouts
    console.print(
        f"checkouts: {told['told']:,}, of several subscriptions {told['of_several']:,}, "
        f"told again {told['again']:,}, after the last webhook {told['last']:,}",
        soft_wrap=True,
    )
    console.print(_table(summary.connections))
    console.print(
        f"rate, webhook to vendors: {summary.events_per_second:,.0f} webhooks/s "
        f"over {summary.seconds:.1f} s (vendors' limits times {summary.limits_factor})"
    )
    if summary.ok:
        console.print("[green]exact[/]: every record and outcome is the one that the books expect")
        return
    console.print("[red]not exact[/]:")
    for difference in summary.differences:
        console.print(f"  {difference}", markup=False)


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items()) or "none"


def _table(through: dict[str, Through]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column()
    for name in through:
        table.add_column(name, justify="right")

    def add(label: str, value: Callable[[Through], str]) -> None:
        table.add_row(label, *map(value, through.values()))

    def add_counts(label: str, counts: Callable[[Through], dict[str, int]]) -> None:
        columns = [counts(one) for one in through.values()]
        for name in sorted({name for column in columns for name in column}):
            table.add_row(f"{label}{name}", *(f"{column.get(name, 0):,}" for column in columns))

    add("events on the delivery topic", lambda one: f"{one.deliveries:,}")
    add_counts("  ", lambda one: one.derived)
    add_counts("", lambda one: one.outcomes)
    add_counts("dead letter ", lambda one: one.dead_letters)
    add("calls to the simulator", lambda one: f"{one.requests:,}")
    add("records that it took", lambda one: f"{one.accepted:,}")
    add("records that the books expect", lambda one: f"{one.expected:,}")
    return table
