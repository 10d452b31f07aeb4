"""`streams sync` without Kafka: what may be asked for, and what is said of a run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from streams.cli import main
from streams.cli.progress import duration_text
from streams.cli.sync.lines import advice, ended_lines, plan_lines
from streams.cli.sync.progress import progress_line
from streams.cli.sync.syncing import Ended, Prepared
from streams.sync.forecast import Forecast
from streams.sync.gauges import SyncCounts, sync_metrics
from streams.sync.planning import FirstPage
from streams.sync.standing import Reach, Run, Standing

if TYPE_CHECKING:
    from pathlib import Path

CHICAGO = ZoneInfo("America/Chicago")
MERCHANT = "5b1e9c0a7d3f4e2b8a6c1d0e9f8b7a65"
SET_UP = f"[ordergroove.api.{MERCHANT}]\nurl = 'http://127.0.0.1:9'\n"
NOON = 1_790_874_000_000
"""2026-10-01, 12:00 in Chicago."""
HOUR = 3_600_000


@pytest.mark.parametrize(
    ("settings", "options", "said"),
    [
        ("", (), "ordergroove.api: no merchant is set"),
        (SET_UP, ("--merchant", "another"), "--merchant: there is no [ordergroove.api.another]"),
        (SET_UP, ("--since", "last year"), "--since: not a date that was"),
        (SET_UP, ("--since", "0001-01-01"), "--since: not a date that was"),
        (SET_UP, ("--since", "2999-01-01"), "--since: not a date that was"),
        (SET_UP, ("--every", "hourly"), "--every: not a duration"),
        (SET_UP, ("--every", "0s"), "--every: not a duration"),
        (SET_UP, ("--behind", "-5m"), "--behind: not a duration"),
    ],
)
def test_what_is_wrong_is_said_at_once(
    settings: str,
    options: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With the setting's or option's name, and exit status 2, before anybody is asked."""
    (tmp_path / "streams.toml").write_text(settings)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["streams", "sync", "ordergroove", *options])
    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def prepared(*, is_all: bool = True, marked: bool = True, **told: Any) -> Prepared:
    """A run that is about to begin."""
    run = Run(id="r", started=NOON, topic="t", ends_marked=marked, **told)
    return Prepared(MERCHANT, Standing(), run, resumed=False, is_all=is_all)


def test_a_plan_says_what_is_certain() -> None:
    """Whole lists where one page is all of them; else that there is more, and of which time."""
    pages = [
        FirstPage("customers", [{"last_updated": "2026-01-02 00:00:00"}] * 2, more=False),
        FirstPage(
            "orders",
            [{"updated": "2026-01-02 00:00:00"}, {"updated": "2026-02-02 00:00:00"}, {}],
            more=True,
        ),
        FirstPage("items", [], more=False),
    ]
    lines = list(plan_lines(prepared(since=NOON), pages, CHICAGO, "og.events"))

    assert lines == [
        f"merchant {MERCHANT}: changes since 2026-10-01T12:00:00 (America/Chicago) → og.events",
        "  list         entities  last changed",
        "  customers           2  2026-01-02 00:00:00 to 2026-01-02 00:00:00",
        "  orders     3 and more  2026-01-02 00:00:00 to 2026-02-02 00:00:00",
        "  items               0  -",
        "  this is all that Ordergroove has: at its end derive's `history = synced` begins",
    ]


@pytest.mark.parametrize(
    ("is_all", "marked", "said"),
    [
        (True, True, "this is all that Ordergroove has"),
        (False, True, "--complete: derive's"),
        (False, False, "the history of customers is not whole"),
    ],
)
def test_a_plan_says_what_history_will_be(said: str, *, is_all: bool, marked: bool) -> None:
    """Whole, taken to be whole, or not."""
    lines = plan_lines(prepared(is_all=is_all, marked=marked), [], CHICAGO, "t")

    assert said in list(lines)[-1]


def test_the_end_says_what_came() -> None:
    """By list, and what this process read of it a second."""
    reached = {
        "customers": Reach(read=1_500, written=1_499),
        "orders": Reach(read=500, written=500),
    }
    lines = list(ended_lines(MERCHANT, Ended(reached, NOON), 1_000, 10.0))

    assert lines == [
        f"merchant {MERCHANT}: 2,000 entities, 1,000 of them before, in 10.0 s: 100/s",
        "  list            read  written",
        "  customers      1,500    1,499",
        "  subscriptions      0        0",
        "  orders           500      500",
        "  items              0        0",
        "  payments           0        0",
        "  addresses          0        0",
        "  the next run reads what changed since 2026-10-01T17:00:00Z",
    ]


@pytest.mark.parametrize(("hours", "is_said"), [(-1, True), (0, False), (7, False), (8, True)])
def test_the_vendors_hours_are_said(hours: int, *, is_said: bool) -> None:
    """From noon to eight in Chicago nothing; where times are another zone's nothing is known."""
    assert is_said == (advice(NOON + hours * HOUR, CHICAGO) is not None)
    assert advice(NOON - HOUR, ZoneInfo("Europe/Paris")) is None


def test_progress_is_a_line() -> None:
    """How many of how many, how fast, how long, and by what."""
    run = Run(id="r", started=NOON, topic="t", reached={"orders": Reach(read=100, done=True)})
    lists = ("customers", "subscriptions", "items", "payments", "addresses")
    known = Forecast(run, dict.fromkeys(lists, 180), CHICAGO, NOON, reads_all=True)
    known.note("customers", [{}] * 90, last=False)
    unknown = Forecast(run, {}, CHICAGO, NOON, reads_all=True)

    assert progress_line(known, 3.0) == (
        "190 entities of about 1,000 (19%), 30/s, about 27 s left"
        " (by what the last whole sync counted)"
    )
    assert "100 entities of about" in progress_line(unknown, 3.0)
    assert ["119 s", "12 min", "3.5 h"] == [duration_text(each) for each in (119, 720, 12_600)]


def test_metrics_name_merchants_and_lists() -> None:
    """And what became of entities; nobody's id."""
    counts = SyncCounts((MERCHANT,))
    counts.entities[MERCHANT]["orders", "written"] += 2
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in sync_metrics(counts)
        for sample in family.samples
    }

    assert samples == {
        ("streams_sync_entities_total", MERCHANT, "orders", "written"): 2,
        ("streams_sync_under_way", MERCHANT): 0,
        ("streams_sync_failures_total", MERCHANT): 0,
    }
