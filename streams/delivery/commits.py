"""Offsets to the group, as deliveries are finished: twice a second, and when partitions go."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from streams.delivery.reader import KafkaException

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from streams.delivery.ledger import Ledger
    from streams.delivery.low_lane import LowLane
    from streams.engine.poller import Poller

log = logging.getLogger(__name__)

_EVERY_SECONDS: Final = 0.5


class Commits:
    """One connection's commits. For one event loop, not used before it runs."""

    def __init__(
        self,
        name: str,
        ledgers: Mapping[int, Ledger],
        low: LowLane,
        failed: Callable[[BaseException], None],
    ) -> None:
        """Take what it works with: the ledgers of the live topic, which come and go, by partition.

        `failed` is told of failures of our own.
        """
        self._name = name
        self._ledgers = ledgers
        self._low = low
        self._failed = failed
        self.task: asyncio.Task[None] | None = None

    def start(self, poller: Poller) -> None:
        """Begin, once."""
        if self.task is None:
            self._poller = poller
            self.task = asyncio.get_running_loop().create_task(self._run())

    def stop(self) -> None:
        """End."""
        if self.task is not None:
            self.task.cancel()

    async def commit(self, partitions: Collection[int]) -> None:
        """Commit what has moved; what the broker refuses is committed again later."""
        self._low.commit(partitions)
        ledgers = {each: self._ledgers[each] for each in partitions if each in self._ledgers}
        due = {
            partition: (ledger.share.epoch, position)
            for partition, ledger in ledgers.items()
            if (position := ledger.due()) is not None
        }
        if not due:
            return
        try:
            committed = await asyncio.wrap_future(self._poller.commit(due))
        except KafkaException as error:
            log.warning("%s: a commit is tried again: %s", self._name, error)
            return
        for partition in committed:
            ledgers[partition].committed(due[partition][1])

    async def _run(self) -> None:
        try:
            while True:
                await asyncio.sleep(_EVERY_SECONDS)
                await self.commit(list(self._ledgers))
        except Exception as error:  # noqa: BLE001 - nobody awaits this task
            self._failed(error)
