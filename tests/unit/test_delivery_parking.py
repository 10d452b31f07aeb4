"""Stories of customers who are stuck for reasons of their own: they hold nobody back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from streams.delivery.known import Known, Parked, encode_kept, parked_key
from streams.delivery.pending import Recalled
from streams.delivery.retry import Schedule
from streams.model.delivery import Outcome
from tests.support.delivery import Stage, identity, tell, until
from tests.support.delivery_vendor import Answer, Seen, event

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.delivery.known import Place

QUICK = Schedule(base=0.004, cap=0.004)
AT_ONCE = 1e-9
OTHERS = [f"c{each}" for each in range(20)]
LATER = Schedule(base=60.0, cap=60.0)


def refusing(stage: Stage, *stuck: str) -> Callable[[Seen], Answer]:
    """The vendor fails for these events until `stage.well` is set; for others it works."""
    return lambda seen: Answer(500 if seen.event in stuck and not stage.well else 202)


def delivered(stage: Stage) -> list[str]:
    """The ids of events with a final outcome, in order."""
    return [each for each, _, outcome in stage.outcomes() if outcome == "delivered"]


def kept(stage: Stage) -> list[bytes | None]:
    """The keys of what is parked, in the order of the changelog."""
    return [each.key for each in stage.of("profiles") if (each.key or b"").startswith(b"\0parked")]


def table(stage: Stage) -> dict[Place, Parked]:
    """What the changelog holds of what is parked."""
    known = Known()
    for record in stage.of("profiles"):
        if (record.key or b"").startswith(b"\0parked"):
            known.note(record.key or b"", record.value["version"])
    return known.parked


def parked(offset: int, number: int, **more: object) -> Parked:
    """A delivery as an earlier run parked it."""
    value = msgspec.json.encode(event(customer="slow", number=number))
    return Parked(low=False, offset=offset, timestamp=1, key=b"slow", value=value, **more)  # type: ignore[arg-type]


def test_the_offset_passes_a_customer_who_is_stuck() -> None:
    """All that is theirs moves to the table, in order; it goes on, and leaves the table."""

    async def story(stage: Stage) -> None:
        stage.server.answer = refusing(stage, "slow-1")
        await stage.feed(*(event(customer="slow", number=n) for n in (1, 2)))
        await stage.feed(*(event(customer=each) for each in OTHERS))
        await stage.until_offset(2 + len(OTHERS))
        assert not {"slow-1", "slow-2"} & set(delivered(stage))
        await stage.feed(event(customer="slow", number=3))
        await stage.until_offset(3 + len(OTHERS))
        assert stage.handler.statistics.parked == 3
        stage.well = True
        await until(lambda: stage.handler.statistics.parked == 0)

    stage = tell(story, schedule=QUICK, park_after=AT_ONCE)

    assert ["slow-1", "slow-2", "slow-3"] == delivered(stage)[-3:]
    keys = [parked_key((False, offset)) for offset in (0, 1, 22)]
    assert set(keys) == set(kept(stage))
    left = Known()
    for record in stage.of("profiles"):
        left.note(record.key or b"", record.value["version"])
    assert {} == left.parked


def test_who_is_not_stuck_is_not_parked() -> None:
    """A failure that passes soon costs the table nothing."""

    async def story(stage: Stage) -> None:
        stage.server.answer = lambda _: Answer(500 if len(stage.server.seen) < 4 else 202)
        await stage.feed(event(customer="slow"))
        await stage.until_offset(1)

    assert [] == kept(tell(story, schedule=QUICK))


def test_an_outage_parks_nobody() -> None:
    """That is the vendor's failure: what waits stays in its topic."""

    async def story(stage: Stage) -> None:
        stage.server.answer = lambda _: Answer(503)
        await stage.feed(*(event(customer=each) for each in OTHERS))
        await until(lambda: stage.handler.statistics.down is not None)
        before = len(kept(stage))
        seen = len(stage.server.seen)
        await until(lambda: len(stage.server.seen) > seen + 40)
        assert before == len(kept(stage))
        stage.server.answer = lambda _: Answer()
        await stage.until_offset(len(OTHERS))

    tell(story, schedule=QUICK, park_after=0.05)


def test_what_the_table_has_no_room_for_waits_in_the_topic() -> None:
    """Nothing is lost, and nothing overtakes."""

    async def story(stage: Stage) -> None:
        stage.server.answer = refusing(stage, "slow-1")
        feeding = asyncio.create_task(
            stage.feed(*(event(customer="slow", number=n) for n in range(1, 9)))
        )
        await until(lambda: stage.handler.statistics.parked > 0)
        await until(lambda: len(stage.server.seen) > 20)
        assert stage.offset < 8
        stage.well = True
        await stage.until_offset(8)
        await feeding

    stage = tell(story, schedule=QUICK, park_after=AT_ONCE, window_bytes=3_000)

    assert [f"slow-{n}" for n in range(1, 9)] == delivered(stage)
    assert 0 == stage.handler.statistics.parked


def test_a_restart_goes_on_from_the_table() -> None:
    """What was parked comes first, in order, and before what is new."""

    async def story(stage: Stage) -> None:
        stage.parked[0] = {(False, n): parked(n, n) for n in (9, 3)}
        stage.own(0, epoch=2)
        await stage.feed(event(customer="slow", number=20))
        await until(lambda: len(delivered(stage)) == 3)
        await until(lambda: stage.handler.statistics.parked == 0)

    assert ["slow-3", "slow-9", "slow-20"] == tell(story).server.events


def test_what_was_concluded_before_a_restart_is_not_sent_again() -> None:
    """By the table's word for a part, or by an outcome that was written last of all."""

    async def story(stage: Stage) -> None:
        both = msgspec.json.encode(event("both", customer="slow", number=1))
        first = msgspec.structs.replace(
            parked(3, 1),
            value=both,
            id=identity("slow-1", "both"),
            concluded={"event": "delivered"},
        )
        stage.parked[0] = {(False, 3): first, (False, 4): parked(4, 2)}
        heard = Recalled(identity("slow-2"), "event", 7, Outcome.DELIVERED)
        stage.recalled[0] = {4: (heard,)}
        stage.own(0, epoch=2)
        await until(lambda: stage.handler.statistics.parked == 0)

    stage = tell(story)

    assert ["profiles"] == [each.endpoint for each in stage.server.seen]
    assert {parked_key((False, 3)), parked_key((False, 4))} == set(kept(stage))


def test_a_record_that_is_parked_already_is_not_taken_twice() -> None:
    """The process ended between the table and the offset."""

    async def story(stage: Stage) -> None:
        stage.parked[0] = {(False, 0): parked(0, 1)}
        stage.own(0, epoch=2)
        await stage.feed(event(customer="slow", number=1), event(customer="slow", number=2))
        await stage.until_offset(2)

    assert ["slow-1", "slow-2"] == tell(story).server.events


def test_a_part_that_is_concluded_meanwhile_is_written_down() -> None:
    """The event is delivered, its profile fails on: a successor must know of the event."""

    async def story(stage: Stage) -> None:
        def answer(seen: Seen) -> Answer:
            event_fails = seen.endpoint == "events" and len(stage.server.seen) < 4
            return Answer(500 if event_fails or seen.endpoint == "profiles" else 202)

        stage.server.answer = answer
        await stage.feed(event("both", customer="slow"))
        await until(lambda: bool(stage.handler.statistics.parked))
        await until(lambda: bool(table(stage)[False, 0].concluded))

    found = table(tell(story, schedule=QUICK, park_after=AT_ONCE))[False, 0]

    assert {"event": "delivered"} == found.concluded
    assert identity("slow-1", "both") == found.id


def test_the_budget_survives_a_restart() -> None:
    """A day under attempt is a day, however often the worker is started anew."""

    async def story(stage: Stage) -> None:
        stage.server.answer = lambda _: Answer(500)
        stage.parked[0] = {(False, 3): parked(3, 1, failures=9, under_attempt=10.0)}
        stage.own(0, epoch=2)
        await until(lambda: stage.handler.statistics.parked == 0)

    stage = tell(story, schedule=Schedule(base=0.001, cap=0.001, budget=9.5))

    assert [("slow-1", "event", "expired")] == stage.outcomes()
    assert 1 == len(stage.server.seen)


def test_records_of_the_table_read_back() -> None:
    """Key and value say it all; a tombstone takes it out."""
    known, one, low = Known(), parked(7, 1), msgspec.structs.replace(parked(7, 2), low=True)
    for each in (one, low):
        known.note(parked_key(each.place), encode_kept(each))
    assert {(False, 7): one, (True, 7): low} == known.parked
    known.note(parked_key((True, 7)), None)
    assert {(False, 7): one} == known.parked


def test_the_offset_waits_for_the_table() -> None:
    """Until the broker has the parked delivery, the topic's record is the only one."""

    async def story(stage: Stage) -> None:
        stage.producer.hold_topic = "profiles"
        stage.server.answer = refusing(stage, "slow-1")
        await stage.feed(event(customer="slow"), event(customer="other"))
        await until(lambda: bool(kept(stage)) and len(stage.server.seen) > 6)
        assert 0 == stage.offset
        assert 0 == stage.handler.statistics.parked
        stage.producer.hold_topic = None
        stage.producer.release()
        await stage.until_offset(2)

    tell(story, schedule=QUICK, park_after=AT_ONCE)


def test_who_comes_after_is_parked_at_once() -> None:
    """Although the head of the queue is not tried for a long time."""

    async def story(stage: Stage) -> None:
        stage.server.answer = lambda _: Answer(503, {"retry-after": "600"})
        await stage.feed(event(customer="slow"))
        await stage.until_offset(1)
        await stage.feed(event(customer="slow", number=2))
        await stage.until_offset(2)

    assert ["slow-1"] == tell(story).server.events
