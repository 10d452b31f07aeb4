"""What a sync reckons: windows of a vendor without zones, marks, plans, forecasts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pytest

from streams.engine.partitioning import partition_of
from streams.errors import ConfigurationError
from streams.model.ids import is_nobody, sync_mark
from streams.sources.ordergroove.state import FORMS
from streams.sync.forecast import Forecast, Outlook
from streams.sync.lists import LISTS, PRODUCTS, filters_of
from streams.sync.marks import marks
from streams.sync.owners import Owners
from streams.sync.planning import Asked, begun, goes_on, of_turn, since_of
from streams.sync.run import ended
from streams.sync.standing import (
    Reach,
    Run,
    Standing,
    decode_standing,
    encode_standing,
)
from streams.sync.window import OVERLAP, Window, earliest, filter_text

CHICAGO = ZoneInfo("America/Chicago")
MERCHANT = "5b1e9c0a7d3f4e2b8a6c1d0e9f8b7a65"
HOUR = 3_600_000


def utc(text: str) -> int:
    """Epoch milliseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000)


@pytest.mark.parametrize(
    ("at", "text"),
    [
        pytest.param("2026-07-01T17:00:00", "2026-07-01T12:00:00", id="summer"),
        pytest.param("2026-01-10T18:00:00", "2026-01-10T12:00:00", id="winter"),
        pytest.param("2026-03-08T07:59:59", "2026-03-08T01:59:59", id="before spring's gap"),
        pytest.param("2026-03-08T08:00:00", "2026-03-08T03:00:00", id="behind spring's gap"),
        pytest.param("2026-11-01T05:59:59", "2026-11-01T00:59:59", id="before autumn's hour"),
        pytest.param("2026-11-01T06:00:00", "2026-11-01T00:59:00", id="its beginning"),
        pytest.param("2026-11-01T06:30:10", "2026-11-01T00:59:10", id="the first time"),
        pytest.param("2026-11-01T07:30:10", "2026-11-01T00:59:10", id="the second time"),
        pytest.param("2026-11-01T07:59:59", "2026-11-01T00:59:59", id="its end"),
        pytest.param("2026-11-01T08:00:00", "2026-11-01T02:00:00", id="behind autumn's hour"),
    ],
)
def test_a_filter_names_no_doubtful_time(at: str, text: str) -> None:
    """Wall time; of the hour that comes twice neither reading, but the last time before it."""
    assert text == filter_text(utc(at), CHICAGO)


@pytest.mark.parametrize("day", ["2026-03-08", "2026-11-01"])
@pytest.mark.parametrize("compares", ["wall", "earlier", "later"])
def test_no_change_after_a_watermark_is_left_out(day: str, compares: str) -> None:
    """However the vendor reads a filter: as text, as the earlier time or as the later one.

    Every ten minutes of a day on which the clock is turned, for every ten minutes after it.
    """
    begin = utc(f"{day}T00:00:00")
    moments = range(begin, begin + 24 * HOUR, HOUR // 6)

    def told(at: int) -> str:
        wall = datetime.fromtimestamp(at / 1_000, UTC).astimezone(CHICAGO)
        return wall.replace(tzinfo=None).isoformat()

    def takes(text: str, changed: int) -> bool:
        if compares == "wall":
            return text <= told(changed)
        fold = int(compares == "later")
        wall = datetime.fromisoformat(text).replace(tzinfo=CHICAGO, fold=fold)
        return wall.timestamp() * 1_000 <= changed

    for watermark in moments:
        text = filter_text(watermark, CHICAGO)
        assert all(takes(text, changed) for changed in moments if changed >= watermark)
        assert earliest(datetime.fromisoformat(text), CHICAGO) >= watermark - 2 * HOUR


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-07-01", "2026-07-01T05:00:00"),
        ("2026-11-01T01:30:00", "2026-11-01T06:30:00"),
        ("2026-03-08T02:30:00", "2026-03-08T07:30:00"),
        ("2026-07-01T00:00:00+00:00", "2026-07-01T00:00:00"),
    ],
)
def test_a_date_is_read_in_the_vendors_zone(text: str, at: str) -> None:
    """The earlier reading of what the clock made doubtful; a zone that is told counts."""
    assert utc(at) == earliest(datetime.fromisoformat(text), CHICAGO)


def test_each_list_is_asked_by_its_own_filter() -> None:
    """Items by their order's change; payments and products have none."""
    window = Window(utc("2026-07-01T17:00:00"), utc("2026-07-02T17:00:00"))
    asked = {each.entity: sorted(filters_of(each, window, CHICAGO)) for each in LISTS}
    whole = {each.entity: filters_of(each, Window(None), CHICAGO) for each in LISTS}

    updated = ["updated_end", "updated_start"]
    assert {
        "customers": updated,
        "subscriptions": updated,
        "orders": updated,
        "items": ["order_updated_end", "order_updated_start"],
        "payments": [],
        "addresses": updated,
    } == asked
    assert [{}] * 6 == list(whole.values())
    assert {"autoship_enabled": "all", "allow_discontinued": "true"} == filters_of(
        PRODUCTS, window, CHICAGO
    )


@pytest.mark.parametrize("partitions", [1, 3, 12, 64])
def test_there_is_a_mark_for_each_partition(partitions: int) -> None:
    """Under the smallest number whose key the default partitioner puts there; nobody's keys."""
    found = {partition: (number, key) for partition, number, key in marks(MERCHANT, partitions)}

    assert set(range(partitions)) == set(found)
    for partition, (number, key) in found.items():
        assert is_nobody(key)
        assert partition == partition_of(key, partitions)
        assert all(
            partition != partition_of(sync_mark(MERCHANT, smaller), partitions)
            for smaller in range(number)
        )


def a_run(since: int | None = 1_000, **changes: Any) -> Run:
    """A run that has read some."""
    told: dict[str, Any] = {"reached": {"customers": Reach("c=1", read=100, written=99)}}
    return Run(id="run", started=5_000_000, since=since, topic="t", begins={0: 7}, **told | changes)


def test_a_standing_is_what_was_written() -> None:
    """Also of a run under way; another version's record is said to be one."""
    standing = Standing(watermark=4, marked=3, whole={"orders": 2}, run=a_run())

    assert standing == decode_standing(MERCHANT, encode_standing(standing))
    assert Standing() == decode_standing(MERCHANT, None)
    with pytest.raises(ConfigurationError, match="version"):
        decode_standing(MERCHANT, b'{"watermark": "yesterday"}')


@pytest.mark.parametrize(
    ("since", "asked", "same"),
    [
        (1_000, Asked(), True),
        (1_000, Asked(1_000), True),
        (1_000, Asked(2_000), False),
        (1_000, Asked("beginning"), False),
        (None, Asked("beginning"), True),
        (None, Asked(1_000), False),
    ],
)
def test_a_run_that_was_cut_short_goes_on(since: int | None, asked: Asked, *, same: bool) -> None:
    """Unless another window is asked for."""
    run = a_run(since)

    assert (run if same else None) == goes_on(Standing(run=run), asked)
    assert goes_on(Standing(), asked) is None


def test_the_next_window_begins_before_the_last_run_did() -> None:
    """A little before its start, as clocks differ; the first one somebody must say."""
    assert 5_000_000 - OVERLAP == since_of(Standing(watermark=5_000_000), Asked(), MERCHANT)
    assert since_of(Standing(watermark=5_000_000), Asked("beginning"), MERCHANT) is None
    with pytest.raises(ConfigurationError, match="--since"):
        since_of(Standing(), Asked(), MERCHANT)


@pytest.mark.parametrize(
    ("run", "watermark", "marked", "whole"),
    [
        (a_run(None, ends_marked=True), 5_000_000, 5_000_000, {"customers": 100}),
        (a_run(), 5_000_000, 1, {"orders": 2}),
        (a_run(until=4_000_000), 4_000_000, 1, {"orders": 2}),
    ],
)
def test_the_watermark_is_the_start_of_the_run(
    run: Run, watermark: int, marked: int, whole: dict[str, int]
) -> None:
    """Not its end: what changed meanwhile is read again. Where the window has an end, that."""
    before = Standing(watermark=3_000_000, marked=1, whole={"orders": 2}, run=run)

    assert Standing(watermark=watermark, marked=marked, whole=whole) == ended(before)


@pytest.mark.parametrize(
    ("standing", "since", "complete"),
    [
        pytest.param(Standing(), "beginning", True, id="the first run"),
        pytest.param(Standing(run=a_run(None)), None, True, id="which was cut short"),
        pytest.param(Standing(watermark=5), None, True, id="runs before wrote no marks"),
        pytest.param(Standing(watermark=5, marked=5), None, False, id="a later run"),
        pytest.param(
            Standing(watermark=5, marked=5, run=a_run(5)), None, False, id="which was cut short"
        ),
    ],
)
def test_one_that_stays_marks_the_first_run_alone(
    standing: Standing, since: Literal["beginning"] | None, *, complete: bool
) -> None:
    """So later ones stay behind webhooks; who says nothing of it has no marks at all."""
    asked = Asked("beginning", complete=True, behind=300_000)

    assert asked._replace(since=since, complete=complete) == of_turn(standing, asked)
    assert not of_turn(standing, asked._replace(complete=False)).complete


def test_a_new_run_has_read_nothing() -> None:
    """And is done when all lists are."""
    run = begun("id", Window(1), 5, "t", {0: 1})
    done = {each.entity: Reach(done=True) for each in LISTS}

    assert not run.done
    assert a_run(reached=done).done
    assert not a_run(reached=done | {"items": Reach()}).done


def test_an_order_tells_whose_its_items_are() -> None:
    """Ids of 32 hexadecimal digits, and any other; nobody else's."""
    owners = Owners()
    for order in ("1a2b3c4d5e6f708192a3b4c5d6e7f809", "1A2B", "order 7"):
        owners.note(order, f"of {order}")

    assert "of order 7" == owners.of("order 7")
    assert "of 1A2B" == owners.of("1A2B")
    assert "of 1a2b3c4d5e6f708192a3b4c5d6e7f809" == owners.of("1a2b3c4d5e6f708192a3b4c5d6e7f809")
    assert [None, None] == [owners.of("1a2b"), owners.of(None)]


def forecast(
    whole: dict[str, int] | None = None, *, since: str | None = None, reads_all: bool = True
) -> Forecast:
    """A forecast in the middle of 2026."""
    begin = None if since is None else utc(since)
    run = Run(id="r", started=1, since=begin, topic="t")
    now = utc("2026-07-01T05:00:00")
    return Forecast(run, whole or {}, CHICAGO, now, reads_all=reads_all)


def changed(*days: str) -> list[dict[str, Any]]:
    """Subscriptions that changed on these days."""
    return [{"updated": f"{day} 00:00:00"} for day in days]


def test_a_whole_run_is_forecast_by_the_last_one() -> None:
    """So many entities as then; what is done is what it is."""
    counts: dict[str, int] = {each.entity: 100 for each in LISTS}
    found = forecast(counts)
    for each in LISTS[1:]:
        found.note(each.entity, [{}] * 50, last=True)
    found.note(LISTS[0].entity, [{}] * 50, last=False)
    outlook = found.whole()

    assert outlook == Outlook(300, 350, "counts")
    assert outlook.share == 300 / 350
    assert outlook.left(30, found.read_before) == 5


def test_changes_are_forecast_by_the_time_that_they_span() -> None:
    """Ninety of a hundred and eighty-one days, roughly: half of it."""
    found = forecast(since="2026-01-01T06:00:00", reads_all=False)
    found.note("subscriptions", changed("2026-01-05", "2026-02-01", "2026-04-01"), last=False)
    outlook = found.of("subscriptions")

    assert (3, 6, "time") == outlook


def test_a_list_that_waits_for_another_is_taken_to_be_as_long() -> None:
    """Items are read behind orders: until then all others say how many there may be."""
    found = forecast(since="2026-01-01T06:00:00")
    for each in LISTS:
        if each.entity != "items":
            updated = FORMS[each.entity].updated
            page = [{updated: one["updated"]} for one in changed("2026-01-05", "2026-04-01")]
            found.note(each.entity, page, last=False)

    assert found.whole() == Outlook(10, 24, "time")


def test_where_pages_are_in_no_order_nothing_is_forecast() -> None:
    """Nor where only some lists can be."""
    found = forecast(since="2026-01-01T06:00:00")
    found.note("subscriptions", changed("2026-04-01"), last=False)
    found.note("subscriptions", changed("2026-02-01"), last=False)

    assert (2, None, "nothing") == found.of("subscriptions")
    assert found.whole().total is None
    assert found.whole().left(10, 0) is None
