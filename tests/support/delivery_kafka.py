"""Kafka played by fakes, for tests of delivery: a consumed record, a poller, a producer."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from streams.engine.statistics import LaneStatistics

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.engine.batch import Position
    from streams.engine.ownership import Share

JSON = dict[str, Any]


@dataclass
class Message:
    """A consumed record."""

    place: tuple[int, int]
    body: bytes
    customer: bytes | None
    beside: tuple[tuple[str, bytes], ...] = (("redrive_of", b"7"),)

    def partition(self) -> int:
        """Its partition."""
        return self.place[0]

    def offset(self) -> int:
        """Its offset."""
        return self.place[1]

    def key(self) -> bytes | None:
        """Its key."""
        return self.customer

    def value(self) -> bytes | None:
        """Its value."""
        return self.body

    def timestamp(self) -> tuple[int, int]:
        """The kind of time, and the time."""
        return 1, 1_790_000_000_000

    def headers(self) -> list[tuple[str, bytes]]:
        """Its headers."""
        return list(self.beside)


class Poller:
    """What a handler asks of its poller, and what it told it."""

    def __init__(self) -> None:
        self.epochs: dict[int, int] = {}
        self.revoking: set[int] = set()
        self.committed: list[dict[int, tuple[int, str]]] = []
        self.refuses: Exception | None = None
        self.resets: list[tuple[int, int]] = []
        self.reasons: list[str | None] = []
        self.failure: BaseException | None = None
        self.statistics = LaneStatistics()

    def owns(self, partition: int, epoch: int) -> bool:
        """Whether the epoch still holds."""
        return self.epochs.get(partition) == epoch

    def accepts(self, partition: int, epoch: int) -> bool:
        """Whether work of it may begin."""
        return self.owns(partition, epoch) and partition not in self.revoking

    def commit(
        self, progress: Mapping[int, tuple[int, Position]]
    ) -> concurrent.futures.Future[frozenset[int]]:
        """Note a commit, unless the broker refuses."""
        future: concurrent.futures.Future[frozenset[int]] = concurrent.futures.Future()
        if self.refuses is not None:
            future.set_exception(self.refuses)
            return future
        owned = {p: (at[0], at[1]) for p, (epoch, at) in progress.items() if self.owns(p, epoch)}
        self.committed.append(owned)
        future.set_result(frozenset(owned))
        return future

    def reset(self, shares: list[Share], cause: str, *, poison: bool = False) -> None:
        """Note a reset."""
        del cause, poison
        self.resets += [(partition, epoch) for partition, epoch in shares]

    @property
    def reason(self) -> str | None:
        """Why the lane is unready now."""
        return self.reasons[-1] if self.reasons else None

    def unready(self, reason: str | None) -> None:
        """Note the reason."""
        self.reasons.append(reason)

    def fail(self, error: BaseException) -> None:
        """Note the error."""
        self.failure = error


@dataclass(frozen=True)
class Record:
    """A produced record, its value decoded."""

    topic: str
    key: bytes | None
    value: JSON
    headers: dict[str, Any]
    partition: int | None


class Producer:
    """A producer whose broker acknowledges at once, or when told to (`hold`), or refuses.

    Of one topic only: `hold_topic`.
    """

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.hold = False
        self.hold_topic: str | None = None
        self.refusals: list[Exception] = []
        self._ends: defaultdict[tuple[str, int], int] = defaultdict(int)
        self._held: list[tuple[asyncio.Future[tuple[int, int]], Record]] = []

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: list[tuple[str, str | bytes | None]] | None = None,
        *,
        partition: int | None = None,
    ) -> asyncio.Future[tuple[int, int]]:
        """Note a record."""
        future: asyncio.Future[tuple[int, int]] = asyncio.get_running_loop().create_future()
        told = {"version": value} if topic == "profiles" else msgspec.json.decode(value or b"{}")
        record = Record(topic, key, told, dict(headers or ()), partition)
        if self.refusals:
            error = self.refusals.pop(0)
            if isinstance(error, BufferError):
                raise error
            future.set_exception(error)
            return future
        self.records.append(record)
        if self.hold or topic == self.hold_topic:
            self._held.append((future, record))
        else:
            future.set_result(self._receipt(record))
        return future

    def release(self) -> None:
        """Acknowledge everything held."""
        held, self._held = self._held, []
        for future, record in held:
            if not future.cancelled():
                future.set_result(self._receipt(record))

    def _receipt(self, record: Record) -> tuple[int, int]:
        partition = record.partition or 0
        offset = self._ends[record.topic, partition]
        self._ends[record.topic, partition] += 1
        return partition, offset


class Low:
    """A topic of the low lane: partitions that are read from where they are assigned."""

    def __init__(self) -> None:
        self.partitions: defaultdict[int, list[Message]] = defaultdict(list)
        self.positions: dict[int, int] = {}
        self.assigned: list[dict[int, int]] = []
        self.closed = False
        self._news = asyncio.Event()

    def put(self, value: bytes, customer: bytes, partition: int = 0) -> None:
        """Append a record."""
        there = self.partitions[partition]
        there.append(Message((partition, len(there)), value, customer))
        self._news.set()

    async def assign(self, positions: Mapping[int, int]) -> None:
        """Begin anew from these offsets."""
        self.positions = dict(positions)
        self.assigned.append(dict(positions))

    async def read(self, count: int, seconds: float) -> list[Any]:
        """What is there, or what comes soon."""
        del seconds
        if not self._left(count):
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(0.01):
                    await self._news.wait()
        found = self._left(count)
        for message in found:
            self.positions[message.partition()] = message.offset() + 1
        return found

    async def close(self) -> None:
        """Note it."""
        self.closed = True

    def _left(self, count: int) -> list[Message]:
        left = [m for p, at in self.positions.items() for m in self.partitions[p][at:]]
        return left[:count]
