"""Stories of profiles that are sent at intervals: the newest of each customer, and each once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from streams.delivery.clock import Clock
from streams.delivery.known import Known, Waiting
from tests.support.delivery import Stage, tell, until
from tests.support.delivery_vendor import Answer, event

if TYPE_CHECKING:
    from streams.model.enriched import EnrichedEvent

WAITS = b"\0waiting\0"
SOON = 0.2
"""Seconds between two syncs: the stories wait for a sync, never for a time."""
HOURS = 36_000.0


def of(customer: str, number: int, version: int, kind: str = "both") -> EnrichedEvent:
    """A customer's event with a profile of this version."""
    made = event(kind, customer=customer, number=number)
    return replace(made, profile=replace(made.profile, version=version))


def sent(stage: Stage) -> list[str]:
    """The events whose profiles were sent, in order."""
    return [each.event for each in stage.server.seen if each.endpoint == "profiles"]


def profiles(stage: Stage) -> list[tuple[Any, ...]]:
    """(event, outcome, reason) of the profile parts, by event."""
    told = [(e, what, why) for e, part, what, why in stage.outcomes("reason") if part == "profile"]
    return sorted(told)


def waiting(stage: Stage) -> list[tuple[bytes, bool]]:
    """What was written of profiles that wait: (customer, whether one waits)."""
    return [
        (each.key.removeprefix(WAITS), each.value["version"] is not None)
        for each in stage.of("profiles")
        if each.key is not None and each.key.startswith(WAITS)
    ]


def test_the_event_does_not_wait_for_its_profile() -> None:
    """It goes at once and the offset passes it; the profile waits, and that is written down."""

    async def story(stage: Stage) -> None:
        await stage.feed(of("a", 1, 1))
        await stage.until_offset(1)

    stage = tell(story, sync_profiles_every=HOURS)

    assert ["events"] == [each.endpoint for each in stage.server.seen]
    assert [(b"m1:a", True)] == waiting(stage)
    assert [] == profiles(stage)


def test_the_newest_goes_when_its_time_comes() -> None:
    """One call for a customer, whatever happened in between; the older is superseded."""

    async def story(stage: Stage) -> None:
        await stage.feed(of("a", 1, 1), of("a", 2, 2), of("b", 1, 1))
        await stage.until_offset(3)
        now[0] += int(1_000 * SOON)
        await until(lambda: len(sent(stage)) == 2 and (b"m1:a", False) in waiting(stage))

    now = [1_795_000_000_001]  # an interval has just begun, and lasts until all are there
    stage = tell(story, sync_profiles_every=SOON, clock=Clock(now=lambda: now[0]))

    assert ["a-2", "b-1"] == sorted(sent(stage))
    assert [("a-1", "superseded", None), ("a-2", "delivered", None)] == profiles(stage)[:2]


def test_one_that_is_older_than_what_waits_is_not_sent() -> None:
    """A replay brings an old profile after a new one; the same again is no news."""

    async def story(stage: Stage) -> None:
        await stage.feed(of("a", 1, 5), of("a", 2, 4), of("a", 3, 5))
        await stage.until_offset(3)

    stage = tell(story, sync_profiles_every=HOURS)

    assert [("a-2", "superseded", None), ("a-3", "duplicate", "unchanged")] == profiles(stage)


def test_what_waits_survives_a_restart() -> None:
    """The next owner sends it; a record that comes again does not make it wait twice."""

    async def story(stage: Stage) -> None:
        value = msgspec.json.encode(of("a", 1, 3))
        stage.waiting[0] = {b"m1:a": Waiting(1, 3, 0, 1_790_000_000_000, value)}
        stage.own(0, epoch=2)
        await until(lambda: sent(stage) == ["a-1"] and (b"m1:a", False) in waiting(stage))

    stage = tell(story, sync_profiles_every=HOURS)

    assert [("a-1", "delivered", None)] == profiles(stage)
    assert [] == [each for each in stage.server.seen if each.endpoint == "events"]


def test_a_record_that_comes_again_waits_once() -> None:
    """The process ended between writing down that it waits and committing the offset."""

    async def story(stage: Stage) -> None:
        value = msgspec.json.encode(of("a", 1, 3))
        stage.waiting[0] = {b"m1:a": Waiting(1 << 50, 3, 0, 1_790_000_000_000, value)}
        stage.own(0, epoch=2)
        await stage.feed(of("a", 1, 3))
        await stage.until_offset(1)

    stage = tell(story, sync_profiles_every=HOURS)

    assert ([], []) == (profiles(stage), waiting(stage))


def test_a_vendor_that_fails_gets_it_later() -> None:
    """It is tried again as any other part, and rejected with a dead letter if it must be."""

    async def story(stage: Stage) -> None:
        stage.server.answer = lambda seen: (
            Answer(503 if len(sent(stage)) < 3 else 400)
            if seen.endpoint == "profiles"
            else Answer()
        )
        await stage.feed(of("a", 1, 1))
        await until(lambda: (b"m1:a", False) in waiting(stage))

    stage = tell(story, sync_profiles_every=SOON)

    assert ("a-1", "rejected", "invalid") in profiles(stage)
    assert [("rejected",)] == stage.dead_letters("reason")


def test_a_partition_that_goes_sends_no_more() -> None:
    """What waits is its next owner's."""

    async def story(stage: Stage) -> None:
        stage.own(1)
        await stage.feed(of("a", 1, 1), partition=0)
        await stage.feed(of("b", 1, 1), partition=1)
        await until(lambda: len(stage.server.seen) == 2 and not stage.handler.statistics.in_flight)
        stage.poller.epochs.pop(0)
        stage.handler.drop([0])
        sync = stage.handler._books.sync
        for there in sync._waiting.values():
            there.update({key: replace(each, due=0) for key, each in there.items()})
        sync._sync()
        await until(lambda: (b"m1:b", False) in waiting(stage))

    assert ["b-1"] == sent(tell(story, sync_profiles_every=HOURS))


def test_shadow_keeps_nothing_waiting() -> None:
    """It records what would be sent, at once."""

    async def story(stage: Stage) -> None:
        await stage.feed(of("a", 1, 1))
        await stage.until_offset(1)

    stage = tell(story, sync_profiles_every=HOURS, mode="shadow")

    assert [("a-1", "filtered", "shadow")] == profiles(stage)
    assert [] == waiting(stage)


def test_of_a_changelog_the_last_word_counts() -> None:
    """A tombstone ends the waiting; versions and things that come late change nothing."""
    known = Known()
    wait = msgspec.msgpack.encode(Waiting(1, 2, 3, 4, b"5"))
    for key, value in (
        (WAITS + b"m:a", wait), (WAITS + b"m:b", wait), (WAITS + b"m:a", None),
        (b"m:a", b"0:7"), (b"m:a", b"0:6"),
        (b"\0things\0m:a", msgspec.msgpack.encode([9, {"x": b"1"}])),
        (b"\0things\0m:a", msgspec.msgpack.encode([8, {"x": b"0"}])),
    ):  # fmt: skip
        known.note(key, value)

    assert [b"m:b"] == list(known.waiting)
    assert ({b"m:a": 7}, {"x": b"1"}) == (known.versions, known.things[b"m:a"].digests)
