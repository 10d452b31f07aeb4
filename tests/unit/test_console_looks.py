"""Looks that pages share: one at a time; a broker that is away holds up only who looks."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import KafkaError, KafkaException

from streams.cli.console.looks import Looks
from streams.engine.kafka import KafkaSettings
from streams.errors import StreamsError
from streams.replay.depth import Depths

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 30.0
KEPT = 2.0


class Vendor:
    """What is looked at: answers are numbered, take `lasts` seconds, and wait while told to."""

    def __init__(self) -> None:
        self.now = 0.0
        self.lasts = 0.0
        self.looks = 0
        self.fails: Exception | None = None
        self.begun = threading.Semaphore(0)
        self.goes = threading.Event()
        self.goes.set()
        self.all = Looks(self._look, KEPT, clock=lambda: self.now)

    def _look(self) -> int:
        self.looks += 1
        self.begun.release()
        assert self.goes.wait(PATIENCE)
        self.now += self.lasts
        if self.fails is not None:
            raise self.fails
        return self.looks


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Return threads, as many as may wait."""
    with ThreadPoolExecutor(8) as threads:
        yield threads


def test_what_was_seen_is_good_for_a_while_however_long_the_look_took() -> None:
    """Counted from its end; then it is looked anew, and so it is after a decision."""
    seen = Vendor()
    seen.lasts = 9.0
    first, again = seen.all.now(), seen.all.now()
    seen.now += KEPT + 0.1
    later = seen.all.now()
    seen.all.forget()

    assert (1, 1, 2, 3) == (first, again, later, seen.all.now())


@pytest.mark.parametrize(
    "trouble", [KafkaException(KafkaError(KafkaError._TRANSPORT)), StreamsError("away")]
)
def test_a_broker_that_is_away_is_asked_once_for_all_that_wait(
    trouble: Exception, pool: ThreadPoolExecutor
) -> None:
    """They fail together; so do those that come in the next seconds."""
    seen = Vendor()
    seen.fails, seen.lasts = trouble, 30.0
    seen.goes.clear()
    first = pool.submit(seen.all.now)
    assert seen.begun.acquire(timeout=PATIENCE)
    waiting = [pool.submit(seen.all.now) for _ in range(5)]
    seen.goes.set()

    assert [trouble] * 6 == [each.exception(PATIENCE) for each in (first, *waiting)]
    with pytest.raises(type(trouble)):
        seen.all.now()
    assert 1 == seen.looks
    seen.fails, seen.now = None, seen.now + KEPT + 0.1
    assert 2 == seen.all.now()


def test_while_somebody_looks_the_others_have_what_was_seen_last(pool: ThreadPoolExecutor) -> None:
    """None of them waits, so pages that ask something else have their threads."""
    seen = Vendor()
    seen.all.now()
    assert seen.begun.acquire(timeout=PATIENCE)
    seen.now += KEPT + 0.1
    seen.goes.clear()
    looking = pool.submit(seen.all.now)
    assert seen.begun.acquire(timeout=PATIENCE)
    others = [seen.all.now() for _ in range(5)]
    seen.goes.set()

    assert [1] * 5 == others
    assert 2 == looking.result(PATIENCE)


def test_what_was_seen_long_ago_is_waited_for(pool: ThreadPoolExecutor) -> None:
    """By those, too, that come while somebody looks."""
    seen = Vendor()
    seen.all.now()
    assert seen.begun.acquire(timeout=PATIENCE)
    seen.now += 61.0
    seen.goes.clear()
    looking = [pool.submit(seen.all.now)]
    assert seen.begun.acquire(timeout=PATIENCE)
    looking.append(pool.submit(seen.all.now))
    seen.goes.set()

    assert [2, 2] == [each.result(PATIENCE) for each in looking]


def test_a_thread_that_is_to_end_asks_the_broker_nothing_more() -> None:
    """Neither for the next of its topics, nor for the first: nobody listens there."""
    depths = Depths(KafkaSettings(bootstrap="127.0.0.1:1"), ["a", "b"])
    depths.close()

    assert None is depths._look_at_all()
