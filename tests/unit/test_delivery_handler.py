"""Stories of one connection on its lane: what is taken, when offsets move, what is sent again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from streams.delivery.ledger import read_from
from streams.delivery.pending import Recalled
from streams.model.delivery import Outcome
from tests.support.delivery import Stage, identity, tell, until
from tests.support.delivery_vendor import Answer, Gate, event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.delivery.pending import Step
    from streams.model.delivery import Verdict

REFUSED = KafkaException(KafkaError(KafkaError.NOT_LEADER_FOR_PARTITION))


def test_off_takes_nothing() -> None:
    """The batch stays where it is, nothing is committed, and that is no fault."""

    async def story(stage: Stage) -> None:
        feeding = asyncio.create_task(stage.feed(event()))
        await asyncio.sleep(0)
        taken.append(stage.batches)
        stage.poller.epochs.clear()
        stage.handler.drop([0])
        await feeding

    taken: list[int] = []
    stage = tell(story, mode="off")

    assert [0] == taken
    assert ([], [], []) == (stage.server.seen, stage.producer.records, stage.poller.committed)
    assert None is stage.poller.reason


def test_refused_credentials_pause_the_connection() -> None:
    """After a 401 nothing is sent, consumed or given up; what was under way counts."""

    async def story(stage: Stage) -> None:
        stage.server.answer = lambda s: Answer(401 if s.event == "c3-1" else 202)
        people = [event(customer=f"c{each}") for each in range(1, 8)]
        await stage.feed(*people)
        await until(lambda: stage.poller.reason is not None)
        feeding = asyncio.create_task(stage.feed(event(customer="later")))
        await until(lambda: not stage.handler.statistics.in_flight)
        await stage.until_offset(2)
        stage.poller.epochs.clear()
        stage.handler.drop([0])
        await feeding

    stage = tell(story, concurrency=1)

    assert "paused: key_refused" == stage.poller.reason
    assert ["c1-1", "c2-1", "c3-1"] == stage.server.events
    assert ("c3-1", "event", "unauthorized", False) == stage.outcomes("final")[-1]
    assert [] == stage.dead_letters("id")


def test_who_is_paused_by_decision_is_ready() -> None:
    """Else a roll-out, or a machine's end, would wait until somebody lets it go on."""

    async def story(stage: Stage) -> None:
        stage.handler.pause("by kim: wrong template")
        feeding = asyncio.create_task(stage.feed(event()))
        await until(lambda: stage.handler.statistics.paused is not None)
        reasons.append(stage.poller.reason)
        stage.handler.resume()
        await feeding
        await stage.until_offset(1)

    reasons: list[str | None] = []
    stage = tell(story)

    assert [None] == reasons
    assert ["c1-1"] == stage.server.events


def test_the_offset_waits_for_the_acknowledgement() -> None:
    """Delivered is not finished: only the outcome in the broker's hands moves the offset."""

    async def story(stage: Stage) -> None:
        stage.producer.hold = True
        await stage.feed(event(), event(number=2), event(customer="c2"))
        await until(lambda: len(stage.outcomes()) == 3)
        await stage.handler._commits.commit([0])
        before.append(list(stage.poller.committed))
        stage.producer.release()
        await stage.until_offset(3)

    before: list[Any] = []
    tell(story)

    assert [[]] == before


@pytest.mark.parametrize("error", [REFUSED, BufferError("queue full")], ids=["refused", "full"])
def test_a_refused_outcome_is_produced_again(error: Exception) -> None:
    """The broker's trouble repeats the record, never the request; meanwhile we are unready."""

    async def story(stage: Stage) -> None:
        stage.producer.refusals = [error] * 3
        await stage.feed(event())
        await stage.until_offset(1)

    stage = tell(story)

    assert (["c1-1"], 1) == (stage.server.events, len(stage.outcomes()))
    assert [False, True] == [stage.poller.reasons[0] is None, stage.poller.reason is None]


def test_an_offset_is_committed_once() -> None:
    """While nothing moves, nothing is committed."""

    async def story(stage: Stage) -> None:
        await stage.feed(event())
        await stage.until_offset(1)
        await until(lambda: stage.handler._ledgers[0].due() is None)
        await stage.handler._commits.commit([0])

    assert [{0: (1, "outcomes=1")}] == tell(story).poller.committed


def test_a_refused_commit_is_made_again() -> None:
    """While a rebalance goes on the broker refuses commits; they come later."""

    async def story(stage: Stage) -> None:
        stage.poller.refuses = REFUSED
        await stage.feed(event())
        await until(lambda: len(stage.outcomes()) == 1)
        await stage.handler._commits.commit([0])
        stage.poller.refuses = None
        await stage.until_offset(1)

    assert 1 == tell(story).offset


def test_commits_that_end_end_the_process() -> None:
    """An error that is none of the broker's is not swallowed while offsets stand still."""

    async def story(stage: Stage) -> None:
        stage.poller.refuses = RuntimeError()
        await stage.feed(event())
        await until(lambda: stage.poller.failure is not None)

    assert isinstance(tell(story).poller.failure, RuntimeError)


def test_what_an_earlier_run_concluded_is_not_sent() -> None:
    """Recalled parts are skipped, others sent; an outcome of another delivery means nothing."""

    async def story(stage: Stage) -> None:
        stage.recalled[0] = {
            0: (Recalled(identity("c1-1"), "event", 90, Outcome.DELIVERED),),
            1: (Recalled(identity("c1-2", "both"), "event", 91, Outcome.REJECTED),),
            2: (Recalled("of another topic", "event", 92, Outcome.DELIVERED),),
        }
        stage.own(0, epoch=2)
        await stage.feed(event(), event("both", number=2), event(number=3))
        await stage.until_offset(3)

    stage = tell(story)

    assert [("c1-2", "profile"), ("c1-3", "event")] == [each[:2] for each in stage.outcomes()]
    assert 93 == read_from(stage.metadata)


def test_a_revoked_partition_comes_to_its_end() -> None:
    """At a barrier nothing new begins, what is under way is awaited, and its offset committed."""

    async def story(stage: Stage) -> None:
        stage.server.answer = gate = Gate()
        people = [event(customer=f"c{each}") for each in range(6)]
        await stage.feed(*people)
        await until(lambda: len(stage.server.seen) == 2)
        stage.poller.revoking.add(0)
        barrier = asyncio.create_task(stage.handler.barrier([0]))
        await asyncio.sleep(0)
        gate.open.set()
        await barrier
        stage.poller.epochs.clear()
        stage.handler.drop([0])

    stage = tell(story, concurrency=2)

    assert ["c0-1", "c1-1"] == sorted(stage.server.events)
    assert (2, 0) == (stage.offset, stage.handler.statistics.waiting)


def test_the_attempt_that_ended_does_not_hide_the_next() -> None:
    """A repaired request may start before its first attempt is tidied away; it is awaited too."""

    async def story(stage: Stage) -> None:
        sender, gate = stage.handler._sender, Gate()
        sent = sender._calls._attempt

        async def attempt(steps: Sequence[Step], trace: str | None) -> Sequence[Verdict]:
            verdicts = await sent(steps, trace)
            sender.wake()  # as another request's end would, just now
            return verdicts

        sender._calls._attempt = attempt
        stage.server.answer = lambda _: Answer(422) if len(stage.server.seen) == 1 else gate(_)
        await stage.feed(event())
        await until(lambda: len(stage.server.seen) == 2)
        busy.append(stage.handler._ledgers[0].busy)
        gate.open.set()
        await stage.until_offset(1)

    busy: list[bool] = []
    stage = tell(story)

    assert ([True], 0) == (busy, stage.handler.statistics.in_flight)


def test_a_barrier_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """A vendor that does not answer holds up no rebalance: the request is broken off."""
    monkeypatch.setattr("streams.delivery.handler._BARRIER_SECONDS", 0.05)

    async def story(stage: Stage) -> None:
        stage.server.answer = Gate()
        await stage.feed(event())
        await until(lambda: len(stage.server.seen) == 1)
        await stage.handler.barrier([0])
        stage.poller.epochs.clear()
        stage.handler.drop([0])
        await until(lambda: not stage.handler.statistics.in_flight)

    stage = tell(story)

    assert ([], []) == (stage.poller.committed, stage.outcomes())


def test_a_partition_that_comes_back_begins_anew() -> None:
    """After a reset its records come again, in order; other partitions go on undisturbed."""

    async def story(stage: Stage) -> None:
        stage.own(1)
        stage.server.answer = gate = Gate()
        await stage.feed(event(), event(number=2))
        await stage.feed(event(customer="other"), partition=1)
        await until(lambda: len(stage.server.seen) == 2)
        stage.handler.drop([0])
        stage.own(0, epoch=2)
        gate.open.set()
        await stage.feed(event(), event(number=2))
        await stage.until_offset(2)

    stage = tell(story)
    mine = [each for each in stage.server.events if each.startswith("c1")]

    assert (["c1-1", "c1-1", "c1-2"], 1) == (mine, stage.server.events.count("other-1"))
    assert 3 == len(stage.outcomes())


def test_a_lost_batch_is_noticed() -> None:
    """A gap in the chain of batches sets the partition back instead of skipping records."""

    async def story(stage: Stage) -> None:
        stage._previous[0] = 41
        await stage.feed(event())

    stage = tell(story)

    assert ([(0, 1)], [], 1) == (stage.poller.resets, stage.server.seen, stage.batches)


def test_records_of_an_old_epoch_are_skipped() -> None:
    """What is no longer ours is not begun."""

    async def story(stage: Stage) -> None:
        stage.poller.revoking.add(0)
        await stage.feed(event())
        waiting.append(stage.handler.statistics.waiting)

    waiting: list[int] = []
    stage = tell(story)

    assert ([0], [], 1) == (waiting, stage.server.seen, stage.batches)


def test_memory_is_bounded() -> None:
    """No more is taken than the window holds; it goes on when there is room."""

    async def story(stage: Stage) -> None:
        stage.server.answer = gate = Gate()
        people = [event(customer=f"c{each}") for each in range(30)]
        feeding = asyncio.create_task(stage.feed(*people))
        await until(lambda: len(stage.server.seen) == 4)
        taken.append((stage.handler.statistics.waiting, stage.batches))
        gate.open.set()
        await feeding
        await stage.until_offset(30)

    taken: list[tuple[int, int]] = []
    stage = tell(story, concurrency=4, window_count=10)

    assert ([(10, 0)], 1) == (taken, stage.batches)
    assert (0, 0) == (stage.handler.statistics.waiting, stage.handler.statistics.waiting_bytes)


def test_a_bug_of_ours_ends_the_process() -> None:
    """What must not fail and does is not swallowed."""

    async def story(stage: Stage) -> None:
        stage.handler._sender._books.outcomes.conclude = None  # type: ignore[method-assign, assignment]
        await stage.feed(event())
        await until(lambda: stage.poller.failure is not None)

    assert isinstance(tell(story).poller.failure, TypeError)
