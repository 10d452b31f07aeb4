"""Stories of the circuit: a vendor that fails is asked now and then, and nothing is lost."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any, cast

from streams.breaker import DEFAULT_RULE
from streams.delivery.circuit import IN_A_ROW, Circuit
from streams.delivery.clock import Clock
from streams.delivery.guard import Guard
from streams.delivery.retry import Schedule
from streams.model.delivery import Retry
from tests.support.delivery import FAST, Stage, tell, until
from tests.support.delivery_vendor import Answer, event

MANY = [f"c{each}" for each in range(30)]
LATER = Schedule(base=60.0, cap=60.0)
"""No second try while the test lasts, unless the circuit's own."""


def down(stage: Stage) -> bool:
    """Whether the circuit is open."""
    return stage.handler.statistics.down is not None


def test_it_opens_when_calls_fail_in_a_row() -> None:
    """Different customers' calls fail: the rest waits, and the worker stays ready."""

    async def story(stage: Stage) -> None:
        stage.server.answer = lambda _: Answer(503)
        await stage.feed(*(event(customer=each) for each in MANY))
        await until(lambda: down(stage))
        asked = set(stage.server.events)
        await until(lambda: len(set(stage.server.events)) > len(asked))  # probes take others

    stage = tell(story, concurrency=IN_A_ROW, schedule=LATER)

    assert stage.handler.statistics.openings == 1
    assert not any(outcome == "delivered" for *_, outcome in stage.outcomes())
    assert 0 == stage.offset
    assert stage.poller.reason is None


def test_it_closes_at_the_first_good_answer() -> None:
    """A probe finds the vendor well again: everything goes, in order, and once."""

    async def story(stage: Stage) -> None:
        stage.server.answer = lambda _: Answer(503 if len(stage.server.seen) <= 20 else 202)
        for number in (1, 2):
            await stage.feed(*(event(customer=each, number=number) for each in MANY))
        await stage.until_offset(2 * len(MANY))

    stage = tell(story, concurrency=IN_A_ROW)

    assert not down(stage)
    delivered = [each for each, _, outcome in stage.outcomes() if outcome == "delivered"]
    assert set(Counter(delivered).values()) == {1}
    assert all(delivered.index(f"{each}-1") < delivered.index(f"{each}-2") for each in MANY)


def test_while_it_is_open_one_call_goes_at_a_time() -> None:
    """A sick vendor is not stormed by probes."""

    async def story(stage: Stage) -> None:
        stage.server.answer = lambda _: Answer(503)
        await stage.feed(*(event(customer=each) for each in MANY))
        await until(lambda: down(stage) and not stage.handler.statistics.in_flight)
        stage.server.most_at_once = 0
        seen = len(stage.server.seen)
        await until(lambda: len(stage.server.seen) >= seen + 5)
        assert stage.server.most_at_once == 1
        stage.server.answer = lambda _: Answer()
        await stage.until_offset(len(MANY))

    tell(story)


def test_refusals_are_answers() -> None:
    """A vendor that refuses records, or says that it is too much, works."""
    for status in (400, 429):

        async def story(stage: Stage, status: int = status) -> None:
            stage.server.answer = lambda _: Answer(status if len(stage.server.seen) < 10 else 202)
            await stage.feed(*(event(customer=each) for each in MANY))
            await stage.until_offset(len(MANY))

        assert tell(story).handler.statistics.openings == 0


def spent(stage: Stage) -> float:
    """Seconds under attempt of all that waits."""
    return sum(step.under_attempt for each in stage.handler._ledgers[0] for step in each.steps)


def test_an_outage_counts_against_nobody() -> None:
    """The time budget is for failures of a delivery's own: it stands still while it is open."""

    async def story(stage: Stage) -> None:
        stage.server.answer = lambda _: Answer(503)
        await stage.feed(*(event(customer=each) for each in MANY))
        await until(lambda: down(stage))
        before, seen = spent(stage), len(stage.server.seen)
        await until(lambda: len(stage.server.seen) > seen + 50)
        assert down(stage)
        assert before == spent(stage) > 0

    tell(story, concurrency=1)


def test_one_customer_s_failures_say_nothing_of_the_vendor() -> None:
    """Their delivery fails again and again; with one good answer in between, it stays closed."""

    async def story(stage: Stage) -> None:
        def answer(seen: object) -> Answer:
            bad = getattr(seen, "event", "") == "c0-1" and len(stage.server.seen) < 60
            return Answer(500 if bad else 202)

        stage.server.answer = answer
        await stage.feed(*(event(customer=each) for each in MANY))
        await stage.until_offset(len(MANY))

    assert tell(story).handler.statistics.openings == 0


def test_unanswered_calls_of_one_delivery_are_enough() -> None:
    """Nobody answers: there is no need to ask for others."""
    circuit = Circuit(Schedule(base=1.0, cap=8.0))
    opened = [circuit.failed(7, "unreachable") for _ in range(IN_A_ROW)]

    assert [False] * (IN_A_ROW - 1) + [True] == opened
    assert [1.0, 2.0, 4.0, 8.0, 8.0] == [_next_wait(circuit) for _ in range(5)]
    assert circuit.answered()
    assert not circuit.answered()


def _next_wait(circuit: Circuit) -> float:
    seconds = circuit.wait(1.0)
    circuit.failed(7, "unreachable")
    return seconds


def test_good_answers_between_failures_keep_it_closed() -> None:
    """However many have failed in all."""
    circuit = Circuit(Schedule())
    for delivery in range(3 * IN_A_ROW):
        assert not circuit.failed(delivery, "server_error")
        circuit.answered()

    assert circuit.reason is None


def test_a_record_that_is_locked_says_nothing_of_the_vendor() -> None:
    """Whoever it is for: the vendor answers, and others may go."""
    guard = Guard(DEFAULT_RULE, FAST, Clock(), cast("Any", None))
    for number in range(3 * IN_A_ROW):
        guard.heard(cast("Any", SimpleNamespace(sequence=number)), Retry("locked"))

    assert not guard.down
