"""Stories of a customer who is erased: nothing older than that is sent any more, by any way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from streams.delivery.known import Erasure, Known, Parked, erased_key, parked_key
from streams.delivery.retry import Schedule
from streams.model.fact import CUSTOMER_ERASED
from streams.model.ids import customer_hash
from tests.support.delivery import Stage, identity, tell, until
from tests.support.delivery_vendor import Answer, Gate, Seen, event

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.model.enriched import EnrichedEvent

QUICK = Schedule(base=0.004, cap=0.004)
LATER = Schedule(base=1e6, cap=1e6)  # jitter makes any part of it: a minute may be a moment
AT_ONCE = 1e-9


def erase(number: int, customer: str = "slow") -> EnrichedEvent:
    """The fact that a customer was erased: after all events of smaller numbers."""
    return event(CUSTOMER_ERASED, customer=customer, number=number)


def failing(stage: Stage, *stuck: str) -> Callable[[Seen], Answer]:
    """The vendor fails for these events; for others it works."""
    return lambda seen: Answer(500 if seen.event in stuck and not stage.well else 202)


def table(stage: Stage) -> Known:
    """What the changelog says in the end."""
    known = Known()
    for record in stage.of("profiles"):
        known.note(record.key or b"", record.value["version"])
    return known


def final(stage: Stage) -> list[tuple[str, str]]:
    """Event → final outcome, in order."""
    told = [(id_, outcome) for id_, _, outcome in stage.outcomes()]
    return [each for each in told if each[1] not in {"retrying", "unauthorized"}]


def changes(stage: Stage, key: bytes) -> list[object]:
    """What the changelog was told of a key, in order."""
    return [each.value["version"] for each in stage.of("profiles") if each.key == key]


def parked(offset: int, number: int) -> Parked:
    """A delivery as an earlier run parked it."""
    value = msgspec.json.encode(event(customer="slow", number=number))
    return Parked(low=False, offset=offset, timestamp=1, key=b"slow", value=value)


def test_what_waits_is_concluded_at_once() -> None:
    """A parked queue too, whose next attempt is a minute away; nobody else's."""

    async def story(stage: Stage) -> None:
        stage.server.answer = failing(stage, "slow-1", "other-1")
        await stage.feed(*(event(customer="slow", number=n) for n in (1, 2)))
        await stage.feed(event(customer="other"))
        await until(lambda: stage.handler.statistics.parked == 3)
        await stage.feed(erase(3))
        await until(lambda: stage.handler.statistics.parked == 1)
        await stage.until_offset(4)

    stage = tell(story, schedule=LATER, park_after=AT_ONCE)

    assert [("slow-1", "erased"), ("slow-2", "erased"), ("slow-3", "delivered")] == final(stage)
    assert {"slow-1", "other-1"} == set(stage.server.events[:2])  # two people's, at once
    assert ["slow-3"] == stage.server.events[2:]
    assert [parked_key((False, 2))] == [parked_key(place) for place in table(stage).parked]
    assert [] == stage.of("dead-letters")


def test_a_request_under_way_is_the_last() -> None:
    """Its answer is written down, nothing of it is tried again; then the vendor is asked."""

    async def story(stage: Stage) -> None:
        gate = Gate()
        stage.server.answer = gate
        await stage.feed(*(event(customer="slow", number=n) for n in (1, 2)))
        await until(lambda: len(stage.server.seen) == 1)
        await stage.feed(erase(3))
        stage.server.answer = lambda _: Answer(202)
        gate.open.set()
        await stage.until_offset(3)

    stage = tell(story)

    outcomes = ["delivered", "erased", "delivered"]
    assert outcomes == [outcome for _, _, outcome in stage.outcomes()]
    assert ["slow-1", "slow-3"] == stage.server.events


def test_a_request_that_fails_meanwhile_is_not_tried_again() -> None:
    """However long its backoff."""

    async def story(stage: Stage) -> None:
        gate = Gate()

        async def answer(seen: Seen) -> Answer:
            await gate(seen)
            return Answer(500 if seen.event == "slow-1" else 202)

        stage.server.answer = answer
        await stage.feed(event(customer="slow", number=1))
        await until(lambda: len(stage.server.seen) == 1)
        await stage.feed(erase(2))
        gate.open.set()
        await stage.until_offset(2)

    stage = tell(story, schedule=LATER)

    assert "erased" in [outcome for id_, _, outcome in stage.outcomes() if id_ == "slow-1"]
    assert ["slow-1", "slow-2"] == stage.server.events


def test_what_waits_for_a_slot_is_concluded_at_once() -> None:
    """Rendered or not: while somebody else's request holds the only slot."""

    async def story(stage: Stage) -> None:
        gate = Gate()
        stage.server.answer = gate
        await stage.feed(event(customer="other"))
        await until(lambda: len(stage.server.seen) == 1)
        await stage.feed(*(event(customer="slow", number=n) for n in (1, 2)), erase(3))
        await until(lambda: len(stage.outcomes()) == 2)
        assert ["erased", "erased"] == [outcome for _, _, outcome in stage.outcomes()]
        gate.open.set()
        await stage.until_offset(4)

    stage = tell(story, concurrency=1)

    assert ["other-1", "slow-3"] == stage.server.events


def test_what_waits_for_a_vendor_that_is_down_is_concluded_at_once() -> None:
    """Nothing of it is tried out again; the vendor is asked when it is back."""

    async def story(stage: Stage) -> None:
        stage.server.answer = lambda _: Answer(503)
        await stage.feed(*(event(customer=f"c{n}") for n in range(20)))
        await stage.feed(*(event(customer="slow", number=n) for n in (1, 2)))
        await until(lambda: stage.handler.statistics.down is not None)
        await stage.feed(erase(3))
        await until(lambda: final(stage)[:2] == [("slow-1", "erased"), ("slow-2", "erased")])
        stage.server.answer = lambda _: Answer(202)
        await stage.until_offset(23)

    stage = tell(story, schedule=QUICK)

    assert ("slow-3", "delivered") in final(stage)


def test_the_connection_forgets_the_customer() -> None:
    """The version at the vendor is no more: the next is the first; a hash stays."""

    async def story(stage: Stage) -> None:
        await stage.feed(event("both", customer="slow", number=9))
        await stage.until_offset(1)
        await stage.feed(erase(10))
        await stage.feed(replace(event("both", customer="slow", number=11), profile=profile(1)))
        await stage.until_offset(3)

    def profile(version: int) -> Any:
        return event(customer="slow", number=11, version=version).profile

    stage = tell(story)

    last = [each for each in stage.outcomes() if each[0] == "slow-11"]
    assert [("slow-11", "event", "delivered"), ("slow-11", "profile", "delivered")] == last
    assert [b"0:9", None, b"0:1"] == changes(stage, b"m1:slow")
    name = customer_hash(b"key", b"slow")
    assert changes(stage, erased_key(name))
    assert {name: 1_790_000_000_010} == {k: v.at for k, v in table(stage).erased.items()}


def test_what_comes_by_another_way_is_judged_by_its_time() -> None:
    """The low lane, and a redrive: what happened before is erased, what is new goes."""

    async def story(stage: Stage) -> None:
        await stage.feed(erase(5))
        await stage.until_offset(1)
        for number in (3, 7):
            stage.low.put(msgspec.json.encode(event(customer="slow", number=number)), b"slow")
        await until(lambda: len(stage.outcomes()) == 3)

    stage = tell(story)

    assert {("slow-3", "event", "erased"), ("slow-7", "event", "delivered")} <= set(
        stage.outcomes()
    )


def test_an_erase_is_not_asked_for_again_by_a_replay() -> None:
    """Whoever came back since is somebody new, whom the vendor must keep."""

    async def story(stage: Stage) -> None:
        stage.low.put(msgspec.json.encode(erase(5)), b"slow")
        await until(lambda: bool(stage.outcomes()))

    stage = tell(story)

    assert [("slow-5", "event", "filtered", "erased_before")] == stage.outcomes("reason")
    assert [] == stage.server.events


def test_a_restart_knows_who_was_erased() -> None:
    """Parked deliveries that an earlier run had no time to conclude are not sent."""

    async def story(stage: Stage) -> None:
        stage.erased[0] = {customer_hash(b"key", b"slow"): Erasure(12, 1_790_000_000_005)}
        stage.parked[0] = {(False, 9): parked(9, 4)}
        stage.own(0, epoch=2)
        await until(lambda: bool(stage.outcomes()))

    stage = tell(story)

    assert [("slow-4", "event", "erased")] == stage.outcomes()
    assert [] == stage.server.events


def test_a_profile_that_waits_for_its_time_waits_no_more() -> None:
    """It is erased, and leaves the table."""

    async def story(stage: Stage) -> None:
        await stage.feed(event("both", customer="slow", number=1))
        await until(lambda: len(stage.outcomes()) == 1)
        await stage.feed(erase(2))
        await stage.until_offset(2)

    stage = tell(story, sync_profiles_every=3_600.0)

    assert ("slow-1", "profile", "erased") in stage.outcomes()
    assert {} == table(stage).waiting


def test_an_erase_goes_whatever_else_is_wanted() -> None:
    """Neither a choice of event types nor a decision to skip what waited keeps it."""

    async def story(stage: Stage) -> None:
        await stage.feed(erase(1))
        await stage.until_offset(1)

    stage = tell(story, events=frozenset({"order.success"}))

    assert [("slow-1", "event", "delivered")] == stage.outcomes()


def test_a_redriven_delivery_is_judged_by_its_time() -> None:
    """A letter that was appended again just after the erase."""

    async def story(stage: Stage) -> None:
        await stage.feed(erase(5))
        await stage.until_offset(1)
        stage.headers = (("redrive_of", f"{identity('slow-3')}:event".encode()),)
        await stage.feed(event(customer="slow", number=3))
        await stage.until_offset(2)

    stage = tell(story)

    assert ("slow-3", "event", "erased") in stage.outcomes()
