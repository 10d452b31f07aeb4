"""Stories of profile versions: an older profile is never sent, and none is sent twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from msgspec.structs import replace

from streams.delivery.known import decode, encode
from streams.delivery.pending import Recalled
from streams.delivery.profiles import version_of
from streams.model.delivery import Outcome
from tests.support.delivery import Stage, identity, tell, until
from tests.support.delivery_vendor import Answer, event

if TYPE_CHECKING:
    from streams.model.enriched import EnrichedEvent

REFUSED = KafkaException(KafkaError(KafkaError.NOT_LEADER_FOR_PARTITION))
WHO = b"m1:c1"
SUPERSEDED = ("superseded", None)
UNCHANGED = ("duplicate", "unchanged")
DELIVERED = ("delivered", None)


def of(kind: str, number: int, version: int, generation: int = 0) -> EnrichedEvent:
    """The customer's event with a profile of this version."""
    made = event(kind, number=number)
    profile = replace(made.profile, version=version, generation=generation)
    return replace(made, profile=profile)


def outcomes(stage: Stage) -> list[tuple[Any, ...]]:
    """(event's number, part, (outcome, reason)) of all outcomes; by number, the event first."""
    told = stage.outcomes("reason")
    return sorted((int(e.split("-")[1]), part, (what, why)) for e, part, what, why in told)


def written(stage: Stage) -> list[tuple[bytes | None, bytes, int | None]]:
    """Key, value and partition of what was written to the changelog."""
    return [(each.key, each.value["version"], each.partition) for each in stage.of("profiles")]


@pytest.mark.parametrize(
    ("generation", "version", "part"),
    [
        pytest.param(0, 4, SUPERSEDED, id="older"),
        pytest.param(0, 5, UNCHANGED, id="the same"),
        pytest.param(0, 6, DELIVERED, id="newer"),
        pytest.param(1, 1, DELIVERED, id="of a newer generation"),
    ],
)
@pytest.mark.parametrize("kind", ["both", "profile.changed"])
def test_a_profile_part_goes_only_if_it_is_new(
    kind: str, generation: int, version: int, part: tuple[str, str | None]
) -> None:
    """Older: superseded; the same: unchanged; the event part beside goes out as always."""

    async def story(stage: Stage) -> None:
        await stage.feed(of("profile.changed", 1, 5), of(kind, 2, version, generation))
        await stage.until_offset(2)

    stage = tell(story)
    event_part = [(2, "event", DELIVERED)] if kind == "both" else []

    assert [(1, "profile", DELIVERED), *event_part, (2, "profile", part)] == outcomes(stage)
    assert [] == stage.dead_letters("id")
    sent = [each.endpoint for each in stage.server.seen if each.event == "c1-2"]
    assert ["events"] * len(event_part) + ["profiles"] * (part == DELIVERED) == sent


def test_an_older_generation_is_older_whatever_its_count() -> None:
    """A table built anew counts from the beginning; what the old one said is over."""

    async def story(stage: Stage) -> None:
        await stage.feed(of("both", 1, 3, generation=2), of("both", 2, 900, generation=1))
        await stage.until_offset(2)

    assert (2, "profile", SUPERSEDED) == outcomes(tell(story))[-1]


def test_an_event_that_carries_a_profile_carries_no_older_one() -> None:
    """The vendor gets the event without it, and the outcome says so; else nothing changes."""

    async def story(stage: Stage) -> None:
        versions = (5, 4, 5, 6, 5)
        await stage.feed(*(of("with_profile", n, v) for n, v in enumerate(versions, 1)))
        await stage.until_offset(5)

    stage = tell(story)

    assert [5, None, 5, 6, None] == [each.body["version"] for each in stage.server.seen]
    without = ("delivered", "profile_superseded")
    assert [DELIVERED, without, DELIVERED, DELIVERED, without] == [e[2] for e in outcomes(stage)]
    assert [(WHO, b"0:5", 0), (WHO, b"0:6", 0)] == written(stage)


def test_what_the_vendor_does_not_have_does_not_count() -> None:
    """A rejected profile was not applied: the same version goes again, an older one too."""

    async def story(stage: Stage) -> None:
        stage.server.answer = lambda seen: Answer(400 if seen.event == "c1-1" else 202)
        await stage.feed(*(of("profile.changed", n, v) for n, v in ((1, 5), (2, 4), (3, 5))))
        await stage.until_offset(3)

    stage = tell(story)
    rejected = (1, "profile", ("rejected", "invalid"))

    assert [rejected, (2, "profile", DELIVERED), (3, "profile", DELIVERED)] == outcomes(stage)
    assert [b"0:4", b"0:5"] == [value for _, value, _ in written(stage)]


def test_a_plain_event_brings_no_profile() -> None:
    """Where the profile goes apart, an event alone says nothing of what the vendor has."""

    async def story(stage: Stage) -> None:
        await stage.feed(of("order.success", 1, 5), of("profile.changed", 2, 4))
        await stage.until_offset(2)

    stage = tell(story)

    assert [(1, "event", DELIVERED), (2, "profile", DELIVERED)] == outcomes(stage)


def test_shadow_applies_nothing() -> None:
    """Nothing was sent, so the vendor has nothing."""

    async def story(stage: Stage) -> None:
        await stage.feed(of("both", 1, 5), of("both", 2, 4))
        await stage.until_offset(2)

    stage = tell(story, mode="shadow")

    assert {("filtered", "shadow")} == {each[2] for each in outcomes(stage)}
    assert [] == written(stage)


def test_customers_have_versions_of_their_own() -> None:
    """One's newer profile supersedes nobody else's."""

    async def story(stage: Stage) -> None:
        await stage.feed(of("both", 1, 9), event("both", customer="c2", number=1))
        await stage.until_offset(2)

    assert {"delivered"} == {each[2] for each in tell(story).outcomes()}


def test_the_version_is_known_when_its_turn_comes() -> None:
    """Queued together, the second is judged after the first one's retries, not before."""
    failures = 0

    def answer(_: Any) -> Answer:
        nonlocal failures
        failures += 1
        return Answer(500 if failures < 4 else 202)

    async def story(stage: Stage) -> None:
        stage.server.answer = answer
        await stage.feed(of("profile.changed", 1, 5), of("profile.changed", 2, 4))
        await stage.until_offset(2)

    stage = tell(story)

    assert (2, "profile", SUPERSEDED) == outcomes(stage)[-1]
    assert ["c1-1"] * 4 == stage.server.events


def test_a_successor_goes_on_from_the_changelog() -> None:
    """What was restored at load counts; what was lost with a partition does not stay."""

    async def story(stage: Stage) -> None:
        stage.profiles[0] = {WHO: version_of(of("both", 1, 5).profile)}
        stage.own(0, epoch=2)
        await stage.feed(of("profile.changed", 1, 4))
        await stage.until_offset(1)
        stage.handler.drop([0])
        stage.profiles[0] = {}
        stage.own(0, epoch=3)
        await stage.feed(of("profile.changed", 2, 4))
        await until(lambda: len(stage.outcomes()) == 2)

    assert [SUPERSEDED, DELIVERED] == [each[2] for each in outcomes(tell(story))]


def test_an_outcome_that_is_recalled_counts() -> None:
    """The process died between the vendor's answer and the changelog: nothing is lost."""

    async def story(stage: Stage) -> None:
        stage.recalled[0] = {
            0: (Recalled(identity("c1-1", "profile.changed"), "profile", 90, Outcome.DELIVERED),)
        }
        stage.own(0, epoch=2)
        await stage.feed(of("profile.changed", 1, 5), of("both", 2, 4))
        await stage.until_offset(2)

    stage = tell(story)

    assert [(2, "event", DELIVERED), (2, "profile", SUPERSEDED)] == outcomes(stage)
    assert [(WHO, b"0:5", 0)] == written(stage)


@pytest.mark.parametrize("outcome", [Outcome.REJECTED, Outcome.SUPERSEDED, Outcome.FILTERED])
def test_a_recalled_outcome_that_applied_nothing_does_not_count(outcome: Outcome) -> None:
    """Only what the vendor accepted says what it has."""

    async def story(stage: Stage) -> None:
        stage.recalled[0] = {
            0: (Recalled(identity("c1-1", "profile.changed"), "profile", 90, outcome),)
        }
        stage.own(0, epoch=2)
        await stage.feed(of("profile.changed", 1, 5), of("profile.changed", 2, 4))
        await stage.until_offset(2)

    assert [(2, "profile", DELIVERED)] == outcomes(tell(story))


def test_the_offset_waits_for_the_changelog() -> None:
    """A version that the broker has not acknowledged yet is not committed past."""

    async def story(stage: Stage) -> None:
        stage.producer.hold_topic = "profiles"
        await stage.feed(of("profile.changed", 1, 5), event(customer="c2"))
        both = list(stage.handler._ledgers[0])
        await until(lambda: all(each.last_outcome is not None for each in both))
        await stage.handler._commits.commit([0])
        before.append(list(stage.poller.committed))
        stage.producer.release()
        await stage.until_offset(2)

    before: list[Any] = []
    tell(story)

    assert [[]] == before


def test_a_version_that_the_broker_refused_is_written_again() -> None:
    """As outcomes are; the request is not repeated."""

    async def story(stage: Stage) -> None:
        stage.producer.refusals = [REFUSED] * 2
        await stage.feed(of("profile.changed", 1, 5))
        await stage.until_offset(1)

    stage = tell(story)

    assert ([(WHO, b"0:5", 0)], 1) == (written(stage), len(stage.server.seen))


@pytest.mark.parametrize(
    ("value", "generation", "version"),
    [(b"0:1", 0, 1), (b"3:17", 3, 17), (b"2:1099511627775", 2, 2**40 - 1)],
)
def test_a_version_survives_the_changelog(value: bytes, generation: int, version: int) -> None:
    """Written as text, kept as one number whose order is that of the versions."""
    profile = of("both", 1, version, generation).profile

    assert value == encode(version_of(profile))
    assert version_of(profile) == decode(value)
