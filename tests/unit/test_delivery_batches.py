"""Stories of records that travel together: how many, when, and what becomes of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from streams.delivery.batching import parted
from streams.delivery.known import Things
from streams.model.delivery import Accepted, Rejected, Spared
from streams.model.rules import Batch
from tests.support.delivery import Stage, tell, until
from tests.support.delivery_vendor import Answer, Gate, event

if TYPE_CHECKING:
    from streams.model.delivery import Verdict
    from streams.model.enriched import EnrichedEvent

LONG = Batch("many", count=3, bytes=10_000, seconds=60.0, source="")
SHORT = Batch("many", count=100, bytes=10_000, seconds=0.05, source="")


def of(customer: str, number: int = 1, kind: str = "together", version: int = 0) -> EnrichedEvent:
    """An event of a customer."""
    return event(kind, customer=customer, number=number, version=version)


def results(stage: Stage) -> list[tuple[str, str, str | None]]:
    """(event, outcome, reason), by event."""
    return sorted((e, what, why) for e, _, what, why in stage.outcomes("reason"))


def test_a_full_batch_goes_at_once() -> None:
    """It waits for nobody when it is full; each record has an outcome of its own."""

    async def story(stage: Stage) -> None:
        await stage.feed(of("a"), of("b"), of("c"))
        await stage.until_offset(3)

    stage = tell(story, travels=(LONG,))

    assert ["a-1+b-1+c-1"] == stage.server.events
    assert [(f"{c}-1", "delivered", None) for c in "abc"] == results(stage)


def test_what_is_not_full_waits_for_its_age() -> None:
    """Two of a hundred go together when the first has waited long enough."""

    async def story(stage: Stage) -> None:
        await stage.feed(of("a"), of("b"))
        await stage.until_offset(2)

    assert ["a-1+b-1"] == tell(story, travels=(SHORT,)).server.events


def test_a_batch_has_a_size() -> None:
    """What would make it larger than the vendor takes goes in the next one."""
    size = Batch("many", count=100, bytes=250, seconds=0.0, source="")

    async def story(stage: Stage) -> None:
        await stage.feed(of("a"), of("b"), of("c"), of("d"), of("e"))
        await stage.until_offset(5)

    seen = tell(story, travels=(size,), concurrency=1).server.events

    assert "a-1 b-1 c-1 d-1 e-1" == " ".join(seen).replace("+", " ")
    assert {2, 1} == {each.count("+") + 1 for each in seen}


def test_one_customer_stays_in_order() -> None:
    """Two records of a customer never travel together: the second goes when the first has."""

    async def story(stage: Stage) -> None:
        await stage.feed(of("a", 1), of("a", 2), of("b", 1))
        await stage.until_offset(3)

    assert ["a-1+b-1", "a-2"] == tell(story, travels=(SHORT,)).server.events


def test_a_record_that_the_vendor_names_is_refused_alone() -> None:
    """A 200 may refuse some: the others are delivered."""

    async def story(stage: Stage) -> None:
        stage.server.answer = lambda _: Answer(200, body=b'["b-1"]')
        await stage.feed(of("a"), of("b"), of("c"))
        await stage.until_offset(3)

    stage = tell(story, travels=(LONG,))

    assert [
        ("a-1", "delivered", None),
        ("b-1", "rejected", "named"),
        ("c-1", "delivered", None),
    ] == (results(stage))
    assert [("rejected",)] == stage.dead_letters("reason")


EIGHT = Batch("many", count=8, bytes=10_000, seconds=60.0, source="")


def test_a_call_refused_as_a_whole_is_halved_until_the_fault_is_found() -> None:
    """One record spoils it for all: only it is given up, and whole halves go together."""

    async def story(stage: Stage) -> None:
        stage.server.answer = lambda seen: Answer(400 if "c-1" in seen.event else 200)
        await stage.feed(*map(of, "abcdefgh"))
        await stage.until_offset(8)

    stage = tell(story, travels=(EIGHT,))

    assert ["a-1+b-1", "a-1+b-1+c-1+d-1", "c-1", "c-1+d-1", "d-1", "e-1+f-1+g-1+h-1"] == sorted(
        each for each in stage.server.events if each.count("+") < 7
    )
    assert ["c-1"] == [each for each, what, _ in results(stage) if what == "rejected"]
    assert 7 == len([what for _, what, _ in results(stage) if what == "delivered"])


def test_a_call_of_which_all_are_refused_gives_up_all() -> None:
    """Halving ends."""

    async def story(stage: Stage) -> None:
        stage.server.answer = lambda _: Answer(400)
        await stage.feed(of("a"), of("b"), of("c"))
        await stage.until_offset(3)

    assert ["rejected"] * 3 == [what for _, what, _ in results(tell(story, travels=(LONG,)))]


SPARING = [Rejected("named"), Spared(), Spared(), Spared()]


@pytest.mark.parametrize(
    ("verdicts", "again", "groups"),
    [
        (SPARING, False, [[1, 2, 3]]),
        (SPARING, True, [[1, 2], [3]]),
        ([Spared(), Spared()], False, [[0], [1]]),
        ([Rejected("a"), Rejected("b")], False, []),
        ([Rejected("a")], True, []),
        ([Accepted(), Rejected("a")], False, []),
        ([Rejected("a")] * 3, True, [[0, 1], [2]]),
    ],
)
def test_who_goes_again_with_whom(
    verdicts: list[Verdict], again: bool, groups: list[list[int]]
) -> None:
    """Those who are not at fault go together once; a refusal that names nobody is halved."""
    assert groups == parted(verdicts, again=again)


def test_a_batch_that_fails_is_tried_again() -> None:
    """An answer that passes concerns all of them."""

    async def story(stage: Stage) -> None:
        stage.server.answer = lambda _: Answer(503 if len(stage.server.seen) < 3 else 200)
        await stage.feed(of("a"), of("b"), of("c"))
        await stage.until_offset(3)

    stage = tell(story, travels=(LONG,))

    assert ["delivered"] * 3 == [what for _, what, _ in results(stage) if what != "retrying"]
    assert 3 <= len(stage.server.seen)


def test_a_partition_that_goes_takes_only_its_records() -> None:
    """A call under way for two partitions goes on for the one that stays."""

    async def story(stage: Stage) -> None:
        stage.own(1)
        stage.server.answer = gate = Gate()
        await stage.feed(of("a"), partition=0)
        await stage.feed(of("b"), partition=1)
        await until(lambda: len(stage.server.seen) == 1)
        stage.poller.epochs.pop(1)
        stage.handler.drop([1])
        gate.open.set()
        await stage.until_offset(1)

    stage = tell(story, travels=(SHORT,))

    assert ["a-1+b-1"] == stage.server.events
    assert [("a-1", "delivered", None)] == results(stage)


def test_a_call_that_nobody_waits_for_is_broken_off() -> None:
    """All its records' partitions are gone."""

    async def story(stage: Stage) -> None:
        stage.server.answer = Gate()
        await stage.feed(of("a"), of("b"), of("c"))
        await until(lambda: len(stage.server.seen) == 1)
        stage.poller.epochs.clear()
        stage.handler.drop([0])
        await until(lambda: not stage.handler.statistics.in_flight)

    assert [] == tell(story, travels=(LONG,)).outcomes()


def test_the_newest_of_a_thing_stands_for_those_that_wait() -> None:
    """The same order in the same status twice in a row: one call, the older is superseded."""

    async def story(stage: Stage) -> None:
        await stage.feed(
            of("a", 1, "thing_o1-DONE"), of("a", 2, "thing_o1-DONE"), of("a", 3, "thing_o1-OPEN")
        )
        await stage.until_offset(3)

    stage = tell(story, travels=(SHORT,))

    assert ["a-2", "a-3"] == stage.server.events
    assert ["superseded", "delivered", "delivered"] == [what for _, what, _ in results(stage)]


def test_a_thing_that_did_not_change_is_not_sent_again() -> None:
    """Whatever event tells of it; in another status, or changed, it goes."""

    async def story(stage: Stage) -> None:
        for number, (kind, version) in enumerate(
            [("o1-DONE", 7), ("o1-DONE", 7), ("o1-DONE", 8), ("o1-OPEN", 7), ("o2-DONE", 7)], 1
        ):
            await stage.feed(of("a", number, f"thing_{kind}", version))
            await stage.until_offset(number)

    stage = tell(story, travels=(SHORT,))

    assert ["a-1", "a-3", "a-4", "a-5"] == stage.server.events
    assert ("a-2", "duplicate", "unchanged") == results(stage)[1]


def test_what_was_sent_of_things_is_remembered() -> None:
    """After a restart too; and the offset waits for that to be written down."""

    async def story(stage: Stage) -> None:
        stage.things[0] = {b"m1:a": Things(1, {"o1-DONE": b"7"})}
        stage.own(0, epoch=2)
        for number, version in ((1, 7), (2, 8)):
            await stage.feed(of("a", number, "thing_o1-DONE", version))
            await stage.until_offset(number)

    stage = tell(story, travels=(SHORT,))

    assert ["a-2"] == stage.server.events
    assert [(b"\0things\0m1:a", 0)] == [(each.key, each.partition) for each in stage.of("profiles")]


def test_what_is_told_of_again_and_again_is_not_forgotten() -> None:
    """A few things of a customer are remembered: those that were asked for last."""

    async def story(stage: Stage) -> None:
        kinds = ("thing_lasting" if n % 3 == 1 else f"thing_o{n}" for n in range(1, 60))
        await stage.feed(*(of("a", n, kind, 7) for n, kind in enumerate(kinds, 1)))
        await stage.until_offset(59)

    stage = tell(story, travels=(Batch("many", 1, 10_000, 0.0, ""),))
    again = range(4, 60, 3)

    assert not {f"a-{number}" for number in again} & set(stage.server.events)
    assert "a-1" in stage.server.events


@pytest.mark.parametrize("status", [400, 500])
def test_a_thing_that_was_not_taken_is_not_remembered(status: int) -> None:
    """Only what the vendor accepted counts."""

    async def story(stage: Stage) -> None:
        stage.server.answer = lambda _: Answer(status if len(stage.server.seen) == 1 else 200)
        await stage.feed(of("a", 1, "thing_o1-DONE", 7))
        await until(lambda: len(stage.server.seen) >= 1)
        await stage.feed(of("a", 2, "thing_o1-DONE", 7))
        await stage.until_offset(2)

    stage = tell(story, travels=(SHORT,))

    assert 2 == len(stage.server.seen)
