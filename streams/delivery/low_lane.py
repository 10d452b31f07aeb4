"""The low lane: replays, backfills and repairs, delivered where live work leaves room (DESIGN §7).

`deliveries.<connection>.low` has the live topic's partitions. It is nobody's subscription: whoever
owns a live partition reads its twin by hand, under the same ownership epoch, and keeps how far it
is in the connection's changelog. So one limiter, one circuit and one order serve both.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, Protocol

from streams.delivery.ledger import Ledger
from streams.delivery.reader import KafkaException

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from confluent_kafka import Message

    from streams.delivery.ledger import Memory, Window
    from streams.engine.batch import Position
    from streams.engine.ownership import Share

log = logging.getLogger(__name__)

_WAIT_SECONDS: Final = 0.5
_RETRY_SECONDS: Final = 1.0


class LowSource(Protocol):
    """Where its records come from (`low_reader.LowReader`, or what stands for it in tests)."""

    async def assign(self, positions: Mapping[int, int]) -> None:
        """Read these partitions from these offsets from now on, and no others."""

    async def read(self, count: int, seconds: float) -> Sequence[Message]:
        """At most so many records; waits so long for the first."""

    async def close(self) -> None:
        """Stop."""


class LowLane:
    """One connection's low lane. For one event loop.

    Attributes:
        ledgers: by partition.
    """

    def __init__(
        self,
        source: LowSource,
        keep: Callable[[int, Position], None],
        take: Callable[..., None],
        failed: Callable[[BaseException], None],
        window: Window,
    ) -> None:
        """Take what it works with.

        Args:
            source: its records.
            keep: writes a partition's position down.
            take: queues a record as a delivery: its ledger, the message, and `low=True`.
            failed: told of failures of our own.
            window: its room: what is read and not finished.
        """
        self._source = source
        self._keep = keep
        self._take = take
        self._failed = failed
        self._window = window
        self.ledgers: dict[int, Ledger] = {}
        self._changed = asyncio.Event()
        self._space = asyncio.Event()
        self._assigned: dict[int, Share] = {}
        self._task: asyncio.Task[None] | None = None

    def install(self, share: Share, memory: Memory) -> Ledger:
        """Read a partition from where an earlier owner left it."""
        ledger = Ledger(share, memory, self._window, memory.position.offset - 1)
        self.ledgers[share.partition] = ledger
        self._changed.set()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())
        return ledger

    def drop(self, partitions: Collection[int]) -> None:
        """Read these no more."""
        for partition in partitions:
            ledger = self.ledgers.pop(partition, None)
            if ledger is not None:
                ledger.close()
        self._changed.set()
        self._space.set()

    def progressed(self) -> None:
        """There may be room again."""
        self._space.set()

    def commit(self, partitions: Collection[int]) -> None:
        """Write down how far these are, where that has changed."""
        for partition in partitions:
            ledger = self.ledgers.get(partition)
            position = ledger.due() if ledger is not None else None
            if ledger is not None and position is not None:
                ledger.committed(position)
                self._keep(partition, position)

    def close(self) -> None:
        """Stop reading."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        try:
            while True:
                try:
                    await self._round()
                except KafkaException as error:
                    log.warning("the low lane is read again later: %s", error)
                    self._changed.set()
                    await asyncio.sleep(_RETRY_SECONDS)
        except Exception as error:  # noqa: BLE001 - nobody awaits this task
            self._failed(error)
        finally:
            await self._source.close()

    async def _round(self) -> None:
        if self._changed.is_set():
            self._changed.clear()
            owned = {p: ledger.share for p, ledger in self.ledgers.items()}
            # from where each is now: what was fetched ahead before is forgotten with the assignment
            self._assigned = {}
            await self._source.assign({p: self.ledgers[p].last + 1 for p in owned})
            self._assigned = owned
        if not self.ledgers:
            await self._changed.wait()
            return
        while self._window.full:
            self._space.clear()
            await self._space.wait()
        reading = dict(self._assigned)
        free = self._window.count - self._window.statistics.waiting
        for message in await self._source.read(max(1, free), _WAIT_SECONDS):
            partition = message.partition() or 0
            ledger = self.ledgers.get(partition)
            if ledger is not None and reading.get(partition) == ledger.share:
                self._take(ledger, message, low=True)
