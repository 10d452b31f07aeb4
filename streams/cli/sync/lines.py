"""A sync before it begins and after it has ended, for people."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from streams.cli.dead_letters.lines import aligned
from streams.cli.table.row_lines import time_text
from streams.sources.ordergroove.state import FORMS
from streams.sync.standing import Reach
from streams.sync.window import filter_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from zoneinfo import ZoneInfo

    from streams.cli.sync.syncing import Ended, Prepared
    from streams.sync.planning import FirstPage

ADVISED = range(12, 20)
"""Hours of the day, Central time, in which the vendor advises to read (contract §3)."""

_VENDOR_ZONE = "America/Chicago"


def plan_lines(
    prepared: Prepared, pages: Sequence[FirstPage], zone: ZoneInfo, topic: str
) -> Iterator[str]:
    """What will be read and written; the lists' lengths are known only where one page is all."""
    run = prepared.run
    yield f"merchant {prepared.merchant}: {window_text(run.since, zone)} → {topic}"
    rows = [("list", "entities", "last changed")]
    for page in pages:
        number = f"{len(page.results):,}" + (" and more" if page.more else "")
        rows.append((page.entity, number, _span(page)))
    yield from (f"  {line}" for line in aligned(rows, right=1))
    if prepared.is_all:
        yield "  this is all that Ordergroove has: at its end derive's `history = synced` begins"
    elif run.ends_marked:
        yield "  --complete: derive's `history = synced` begins at its end, whatever is missing"
    else:
        yield (
            "  Ordergroove has what was last changed before: the history of customers is not whole"
            " with it (--complete says that it is)"
        )


def window_text(since: int | None, zone: ZoneInfo) -> str:
    """`everything`, or `changes since 2026-10-01T00:00:00 (America/Chicago)`."""
    if since is None:
        return "everything"
    return f"changes since {filter_text(since, zone)} ({zone.key})"


def ended_lines(merchant: str, ended: Ended, read_before: int, seconds: float) -> Iterator[str]:
    """What a run came to; `read_before`: entities that another process of it read."""
    reached = {name: ended.reached.get(name) or Reach() for name in FORMS}
    read = sum(each.read for each in reached.values())
    rate = (read - read_before) / max(seconds, 0.001)
    before = f", {read_before:,} of them before" if read_before else ""
    yield f"merchant {merchant}: {read:,} entities{before}, in {seconds:,.1f} s: {rate:,.0f}/s"
    told = [(name, f"{reached[name].read:,}", f"{reached[name].written:,}") for name in FORMS]
    width = max(len("read"), *(len(number) for _, number, _ in told))
    rows = [("list", "read".rjust(width), "written")]
    rows += [(name, number.rjust(width), written) for name, number, written in told]
    yield from (f"  {line}" for line in aligned(rows, right=2))
    yield f"  the next run reads what changed since {time_text(ended.watermark)}"


def _span(page: FirstPage) -> str:
    """The texts of the first and the last change of a page, as the API has them."""
    name = FORMS[page.entity].updated
    times = sorted(str(each[name]) for each in page.results if each.get(name))
    return f"{times[0]} to {times[-1]}" if times else "-"


def advice(now: int, zone: ZoneInfo) -> str | None:
    """What the vendor says of the hour, where it advises another one."""
    local = datetime.fromtimestamp(now / 1_000, UTC).astimezone(zone)
    if zone.key != _VENDOR_ZONE or local.hour in ADVISED:
        return None
    return "Ordergroove advises to read between 12:00 and 20:00 Central, when few orders are placed"
