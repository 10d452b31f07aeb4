"""The breaker of a lane with a table: what it throws away, when, and what it leaves alone."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from streams.breaker import Kind, Rule
from streams.engine.batch import Position
from streams.engine.breakers import Breakers
from streams.engine.compute import Work
from tests.support.handled import MALFORMED, Poller, Publication, feed, handler_of

RULE = Rule(at_least=10, retry=7.0)


def work(records: int, bad: int, partition: int = 0, kind: Kind = MALFORMED) -> Work:
    """What a part came to of which so many were given up on."""
    failures = Counter({kind: bad} if bad else {})
    return Work(partition, 1, Position(records), [], {}, records, 0, failures)


def sizes(breakers: Breakers, *works: Work) -> tuple[list[int], list[int]]:
    """How many records each admitted and each stopped work has."""
    admitted, stopped = breakers.sort(works)
    return [each.records for each in admitted], [each.records for each in stopped]


def test_partitions_are_judged_alone() -> None:
    """One that fails stops, the others are admitted; it says which and why."""
    breakers = Breakers(RULE, lambda: 0.0)

    assert ([20, 9], [10]) == sizes(breakers, work(20, 4, 0), work(9, 9, 1), work(10, 3, 2))
    assert "partition 2 stopped, 3 of 10 failed alike: malformed" == breakers.reason
    assert {"0": 0, "1": 0, "2": 1} == breakers.states


def test_small_batches_add_up() -> None:
    """What was admitted before counts: the one that makes it too many is thrown away."""
    breakers = Breakers(RULE, lambda: 0.0)

    assert [([3], [])] * 3 == [sizes(breakers, work(3, 3)) for _ in range(3)]
    assert ([], [3]) == sizes(breakers, work(3, 3))


@pytest.mark.parametrize(
    ("trial", "admitted"),
    [
        pytest.param(work(1, 1), False, id="one bad one"),
        pytest.param(work(1, 0), True, id="one good one"),
        pytest.param(work(100, 20), True, id="a large one, not above the share"),
        pytest.param(work(100, 21), False, id="a large one above it"),
        pytest.param(work(4, 2, kind=("failed", None)), False, id="in another way"),
    ],
)
def test_the_next_batch_is_the_trial(trial: Work, *, admitted: bool) -> None:
    """Whatever its size, its own share decides; then it is as if nothing had been."""
    breakers = Breakers(RULE, lambda: 0.0)
    breakers.sort([work(10, 10)])

    assert (([trial], []) if admitted else ([], [trial])) == breakers.sort([trial])
    assert admitted is (breakers.reason is None)


def test_timers_pass_without_being_a_trial() -> None:
    """Work without records says nothing about records."""
    breakers = Breakers(RULE, lambda: 0.0)
    breakers.sort([work(10, 10)])

    assert ([0], []) == sizes(breakers, work(0, 0))
    assert breakers.reason is not None


def test_a_partition_that_is_gone_is_forgotten() -> None:
    """Its next owner begins with a closed one, also if that is this one again."""
    breakers = Breakers(RULE, lambda: 0.0)
    breakers.sort([work(10, 10, 0), work(10, 10, 1)])
    breakers.keep({1})

    assert "partition 1 stopped, 10 of 10 failed alike: malformed" == breakers.reason
    assert ([9], []) == sizes(breakers, work(9, 9, 0))


def test_only_the_batch_that_fails_is_thrown_away() -> None:
    """The one before, still being published, is good; another partition's share goes out."""
    poller, publication = Poller(), Publication()
    told: list[list[object]] = []

    async def scenario() -> None:
        handler = handler_of(poller, publication, RULE)
        await feed(handler, (0, 0, b"good", 3))
        second = asyncio.create_task(feed(handler, (0, 3, b"bad", 20), (1, 0, b"fine", 2)))
        async with asyncio.timeout(10):
            while poller.reason is None:  # noqa: ASYNC110 - the handler has no event for it
                await asyncio.sleep(0)
        told.append(list(poller.told))
        publication.may.set()
        await second
        await handler.barrier([0, 1])
        handler.close()

    asyncio.run(scenario())

    assert "partition 0 stopped, 20 of 23 failed alike: malformed" == poller.reason
    assert [[b"good"] * 3, [b"fine"] * 2] == publication.published
    stopped = ([0], "stopped, 20 of 23 failed alike: malformed", 7.0)
    assert ([[]], [{0: 3}, stopped, {1: 2}]) == (told, poller.told)
    assert {"0": 1, "1": 0} == poller.statistics.breakers
