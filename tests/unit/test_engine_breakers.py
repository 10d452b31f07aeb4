"""The breaker of a lane with a table: what it throws away, when, and what it leaves alone."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from streams.breaker import Kind, Rule
from streams.engine.batch import FIRST, Batch, Part, Position
from streams.engine.breakers import Breakers
from streams.engine.compute import Work
from streams.engine.job_handler import JobHandler
from streams.engine.kafka import KafkaSettings
from streams.engine.ownership import Share
from streams.engine.publication import do_nothing
from streams.engine.rows import Rows, Shard
from streams.engine.statistics import LaneStatistics

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from streams.engine.job import Outputs

MALFORMED: Kind = ("malformed", None)
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


class Record:
    """A record as far as the engine and `Refusing` look."""

    def __init__(self, offset: int, value: bytes) -> None:
        self._offset, self._value = offset, value

    def offset(self) -> int:
        """Return the offset."""
        return self._offset

    def timestamp(self) -> tuple[int, int]:
        """Return a time."""
        return (2, 1)

    def value(self) -> bytes:
        """Return the value."""
        return self._value


class Refusing:
    """A job that gives up on every record whose value is `bad`."""

    def apply(self, message: Any, rows: Rows, outputs: Outputs) -> None:
        """Write a letter, dead or not."""
        outputs.append(("out", None, message.value(), None))
        if message.value() == b"bad":
            rows.gave_up(*MALFORMED)

    def fire(self, key: bytes, due: int, now: int, rows: Rows, outputs: Outputs) -> None:
        """No timers."""

    def due(self, row: bytes) -> int:
        """No timers."""
        del row
        return 0


class Poller:
    """What the handler asks of its poller, and what it told it."""

    def __init__(self) -> None:
        self.statistics = LaneStatistics()
        self.owned = frozenset({0, 1})
        self.told: list[object] = []
        self.reason: str | None = None

    def accepts(self, partition: int, epoch: int) -> bool:
        """Everything is ours."""
        del partition, epoch
        return True

    def reset(self, shares: Sequence[Share], cause: str, *, wait: float) -> None:
        """Note a reset."""
        self.told.append(([share.partition for share in shares], cause, wait))

    def committed(self, offsets: Mapping[int, int]) -> None:
        """Note a commit."""
        self.told.append(dict(offsets))

    def unready(self, reason: str | None, *, about: str) -> None:
        """Note the reason."""
        assert about == "breaker"
        self.reason = reason


class Publication:
    """Publishes when it is let."""

    def __init__(self) -> None:
        self.at: Callable[[str], None] = do_nothing
        self.may = threading.Event()
        self.published: list[list[bytes | None]] = []

    def attach(self, poller: Any, changelog: str | None) -> None:
        """Nothing is needed."""

    def prepare(self) -> None:
        """Nothing is connected."""

    def publish(self, works: Sequence[Work]) -> Sequence[Work]:
        """Wait, then take note."""
        assert self.may.wait(10)
        self.published.append([value for each in works for _, _, value, _ in each.outputs])
        return works

    def close(self) -> None:
        """Nothing is open."""


def feed(handler: JobHandler, *parts: tuple[int, int, bytes, int]) -> Any:
    """Feed a batch of parts: partition, first offset, value, number of records."""
    made = [
        Part(p, 1, start - 1 if start else FIRST, [Record(start + n, value) for n in range(count)])  # type: ignore[misc]
        for p, start, value, count in parts
    ]
    return handler.feed(Batch(made, lambda: None))


def test_only_the_batch_that_fails_is_thrown_away() -> None:
    """The one before, still being published, is good; another partition's share goes out."""
    poller, publication = Poller(), Publication()
    told: list[list[object]] = []

    async def scenario() -> None:
        job: Any = Refusing()
        handler = JobHandler(
            KafkaSettings(bootstrap="nowhere"),
            job,
            "log",
            publication,
            rule=RULE,
        )
        handler.attach(poller)  # type: ignore[arg-type]
        shards = {p: Shard({}, job.due, Position(0)) for p in (0, 1)}
        handler.install([Share(0, 1), Share(1, 1)], shards)
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
