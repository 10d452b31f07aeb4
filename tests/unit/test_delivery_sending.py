"""Stories of one connection: deliveries become requests over a real socket, answers outcomes."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from streams.model.rules import Limit
from tests.support.delivery import FAST, SECRET, Stage, identity, tell, until
from tests.support.delivery_vendor import Answer, Seen, event

if TYPE_CHECKING:
    from collections.abc import Callable


def once(first: Answer, then: Answer | None = None) -> Callable[[Seen], Answer]:
    """The vendor answers each event's first request so, and all further ones well."""
    met: Counter[str] = Counter()

    def answer(seen: Seen) -> Answer:
        met[seen.event] += 1
        return first if met[seen.event] == 1 else then or Answer()

    return answer


def test_a_delivery_is_sent_and_its_offset_committed() -> None:
    """One request with the delivery's id and the credentials, one outcome, one offset."""

    async def story(stage: Stage) -> None:
        await stage.feed(event())
        await stage.until_offset(1)

    stage = tell(story)
    [seen] = stage.server.seen

    assert ("events", identity("c1-1"), "c1-1") == (seen.endpoint, seen.body["id"], seen.event)
    assert SECRET == seen.headers["Authorization"]
    assert [("c1-1", "event", "delivered", 1, 202)] == stage.outcomes("attempts", "status")
    assert (1, None, None) == (stage.batches, stage.poller.reason, stage.poller.failure)


def test_one_customer_in_order_the_others_at_once() -> None:
    """A customer's deliveries go one after the other; different customers' share the slots."""
    at_once: Counter[str] = Counter()
    most: Counter[str] = Counter()

    async def answer(seen: Seen) -> Answer:
        customer = seen.event.partition("-")[0]
        at_once[customer] += 1
        most[customer] = max(most[customer], at_once[customer])
        await asyncio.sleep(0.002)
        at_once[customer] -= 1
        return Answer()

    async def story(stage: Stage) -> None:
        stage.server.answer = answer
        people = [f"c{each}" for each in range(8)]
        await stage.feed(*(event(customer=c, number=n) for n in range(5) for c in people))
        await stage.until_offset(40)

    stage = tell(story, concurrency=4)
    sent = {c: [e for e in stage.server.events if e.startswith(c)] for c in most}

    assert {f"c{each}": 1 for each in range(8)} == most
    assert {c: [f"{c}-{n}" for n in range(5)] for c in most} == sent
    assert 4 == stage.server.most_at_once


@pytest.mark.parametrize(
    ("answer", "outcome", "requests"),
    [
        pytest.param(Answer(202, {"note": "phone_number"}), ("delivered", "phone_number", None), 1,
                     id="accepted in part"),
        pytest.param(Answer(400), ("rejected", "invalid", "email"), 1, id="rejected"),
        pytest.param(Answer(422), ("delivered", "email_dropped", None), 2, id="repaired"),
        pytest.param(Answer(503), ("delivered", None, None), 2, id="the vendor's trouble"),
        pytest.param(Answer(429), ("delivered", None, None), 2, id="throttled"),
        pytest.param(Answer(429, {"Retry-After": "0"}), ("delivered", None, None), 2,
                     id="throttled for zero seconds"),
        pytest.param(Answer(cut=True), ("delivered", None, None), 2, id="cut off"),
        pytest.param(Answer(418), ("rejected", "unreadable_answer", None), 1, id="our own bug"),
    ],
)  # fmt: skip
def test_every_answer_has_its_outcome(
    answer: Answer, outcome: tuple[str, Any, Any], requests: int
) -> None:
    """Accepted, rejected, repaired once, or tried again until accepted: the offset moves on."""

    async def story(stage: Stage) -> None:
        stage.server.answer = once(answer)
        await stage.feed(event(), event(number=2))
        await stage.until_offset(2)

    stage = tell(story)
    final = [each for each in stage.outcomes("reason", "field") if each[2] != "retrying"]

    assert ("c1-1", "event", *outcome) == final[0]
    assert requests == stage.server.events.count("c1-1")
    assert ["c1-1"] * requests == stage.server.events[:requests]


def test_a_repair_is_tried_once() -> None:
    """The repaired request goes without the field; refused again, the part is given up."""

    async def story(stage: Stage) -> None:
        stage.server.answer = lambda _: Answer(422)
        await stage.feed(event())
        await stage.until_offset(1)

    stage = tell(story)

    assert [True, False] == ["email" in seen.body for seen in stage.server.seen]
    assert [("c1-1", "event", "rejected", "email_dropped", 2)] == stage.outcomes(
        "reason", "attempts"
    )
    assert [(f"{identity('c1-1')}:event", "rejected", 422)] == stage.dead_letters(
        "id", "reason", "status"
    )


def test_a_customers_next_delivery_waits_for_the_retries() -> None:
    """Order holds through retries, and nobody else waits for them."""
    failures = 0

    def answer(seen: Seen) -> Answer:
        nonlocal failures
        failing = seen.event == "c1-1" and failures < 5
        failures += failing
        return Answer(500 if failing else 202)

    async def story(stage: Stage) -> None:
        stage.server.answer = answer
        await stage.feed(event(), event(number=2), event(customer="c2"))
        await until(lambda: ("c2-1", "event", "delivered") in stage.outcomes())
        await stage.until_offset(3)

    stage = tell(story, concurrency=1)
    mine = [each for each in stage.server.events if each.startswith("c1")]

    assert ["c1-1"] * 6 + ["c1-2"] == mine
    assert ("c1-1", "event", "delivered", 6) in stage.outcomes("attempts")


def test_waiting_for_the_next_attempt_holds_no_slot() -> None:
    """With one slot, a customer in a long backoff holds back nobody; the offset waits for it."""

    async def story(stage: Stage) -> None:
        stage.server.answer = lambda seen: Answer(500 if seen.event == "c1-1" else 202)
        await stage.feed(event(), *(event(customer=f"x{each}") for each in range(20)))
        await until(lambda: len(stage.outcomes()) == 21)
        await stage.handler._commits.commit([0])

    slow = replace(FAST, base=1e6, cap=1e6)
    stage = tell(story, concurrency=1, schedule=slow, park_after=float("inf"))

    assert Counter({"delivered": 20, "retrying": 1}) == Counter(o[2] for o in stage.outcomes())
    assert [] == stage.poller.committed


def test_a_part_expires_when_its_time_is_spent() -> None:
    """Failing for longer than the budget is the end: outcome and dead letter `expired`."""

    async def story(stage: Stage) -> None:
        stage.server.answer = lambda _: Answer(500)
        await stage.feed(event())
        await stage.until_offset(1)

    stage = tell(story, schedule=replace(FAST, budget=0.02))

    assert ("c1-1", "event", "expired", "http_500", True) == stage.outcomes("reason", "final")[-1]
    assert [("expired", 500)] == stage.dead_letters("reason", "status")


def test_throttling_pauses_the_endpoint() -> None:
    """After a 429 nobody asks again before Retry-After is over; other endpoints go on."""
    times: list[float] = []

    def answer(seen: Seen) -> Answer:
        if seen.endpoint == "events":
            times.append(asyncio.get_running_loop().time())
        throttled = len(times) == 1 and seen.endpoint == "events"
        return Answer(429, {"Retry-After": "1"}) if throttled else Answer()

    async def story(stage: Stage) -> None:
        stage.server.answer = answer
        await stage.feed(event())
        await until(lambda: stage.handler.statistics.attempts["throttled"] == 1)
        profiles = [event("profile.changed", customer=f"x{each}") for each in range(3)]
        await stage.feed(event(customer="c2"), *profiles)
        await stage.until_offset(5)

    stage = tell(story)

    assert ["events", *["profiles"] * 3, *["events"] * 2] == [s.endpoint for s in stage.server.seen]
    assert times[1] - times[0] >= 1.0
    assert {"throttled": 1, "accepted": 5} == dict(stage.handler.statistics.attempts)
    assert 5 == len(stage.outcomes())


def test_the_accounts_limit_is_kept() -> None:
    """No more requests than the window allows; all arrive in the end."""

    async def story(stage: Stage) -> None:
        await stage.feed(*(event(customer=f"c{each}") for each in range(25)))
        await stage.until_offset(25)

    stage = tell(story, limits=(Limit("events", 10, 0.2),), safety=1.0)

    assert (25, True) == (len(stage.server.seen), stage.handler.statistics.limiter_waits >= 2)


def test_parts_go_in_the_destinations_order() -> None:
    """The event, then the profile; one outcome each."""

    async def story(stage: Stage) -> None:
        await stage.feed(event("both"), event("both", number=2))
        await stage.until_offset(2)

    stage = tell(story)

    assert ["events", "profiles"] * 2 == [seen.endpoint for seen in stage.server.seen]
    assert [
        ("c1-1", "event", "delivered"),
        ("c1-1", "profile", "delivered"),
        ("c1-2", "event", "delivered"),
        ("c1-2", "profile", "delivered"),
    ] == stage.outcomes()


def test_a_failed_part_blocks_nothing() -> None:
    """A rejected event, or profile, is a dead letter of that part; the other part goes out."""

    async def story(stage: Stage) -> None:
        wrong = {"events": "c1-1", "profiles": "c1-2"}
        stage.server.answer = lambda s: Answer(400 if wrong[s.endpoint] == s.event else 202)
        await stage.feed(event("both"), event("both", number=2))
        await stage.until_offset(2)

    stage = tell(story)

    assert [
        ("c1-1", "event", "rejected"),
        ("c1-1", "profile", "delivered"),
        ("c1-2", "event", "delivered"),
        ("c1-2", "profile", "rejected"),
    ] == stage.outcomes()
    assert ["event", "profile"] == [part for (part,) in stage.dead_letters("part")]


def test_a_refusal_is_an_outcome() -> None:
    """What we ourselves do not send is recorded, with a dead letter where it is given up."""

    async def story(stage: Stage) -> None:
        await stage.feed(event("nobody"), event("nothing", number=2))
        await stage.until_offset(2)

    stage = tell(story)

    assert {
        ("c1-1", "event", "rejected", "no_identifier", "email"),
        ("c1-2", "event", "filtered", "nothing_to_send", None),
    } == set(stage.outcomes("reason", "field"))
    assert [("rejected", 0)] == stage.dead_letters("reason", "attempts")
    assert [] == stage.server.seen


@pytest.mark.parametrize(
    ("record", "reason", "outcomes"),
    [
        pytest.param(b"{", "malformed", [], id="undecodable"),
        pytest.param(b"bug", "failed", [], id="the decoder raises"),
        pytest.param(
            event("bug"), "failed", [("c1-1", "event", "rejected", "failed")], id="renderer raises"
        ),
    ],
)
def test_a_bad_record_stops_nothing(
    record: Any, reason: str, outcomes: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    """It becomes a dead letter, the next one is sent, and the log quotes no data."""

    async def story(stage: Stage) -> None:
        await stage.feed(record, event(number=2))
        await stage.until_offset(2)

    stage = tell(story)

    assert [(reason,)] == stage.dead_letters("reason")
    assert [*outcomes, ("c1-2", "event", "delivered", None)] == sorted(stage.outcomes("reason"))
    assert "shop-demo" not in caplog.text


def test_shadow_sends_nothing() -> None:
    """Everything is rendered and recorded as `filtered: shadow`, with hashes; nothing is sent."""

    async def story(stage: Stage) -> None:
        await stage.feed(event("both"), event("nobody", number=2), b"{")
        await stage.until_offset(3)

    stage = tell(story, mode="shadow")

    assert [] == stage.server.seen
    assert [
        ("c1-1", "event", "filtered", "shadow", 0),
        ("c1-1", "profile", "filtered", "shadow", 0),
        ("c1-2", "event", "rejected", "no_identifier", 0),
    ] == stage.outcomes("reason", "attempts")
    assert all(len(hashes) == 3 for *_, hashes in stage.outcomes("field_hashes")[:2])
