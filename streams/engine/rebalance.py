"""What happens when the group gives and takes partitions; called by librdkafka on the poll thread.

Rebalances are incremental: partitions that stay keep flowing. Gained partitions are fetched once
their state is loaded. Partitions to be given up are first brought to a clean end: the handler's
barrier, bounded; work that outlasts it is fenced by the next generation.
"""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TYPE_CHECKING, Protocol

from streams.engine.failure import describe

if TYPE_CHECKING:
    from collections.abc import Collection

    from confluent_kafka import Consumer, TopicPartition

    from streams.engine.batch import Batch
    from streams.engine.lane_state import LaneState
    from streams.engine.loading import Loader

__all__ = ["Rebalance", "Shell"]

_BARRIER_SECONDS = 4.0
_LAST_BARRIER_SECONDS = 3.0
_SHELL_SECONDS = 30.0
_LOOK_SECONDS = 0.02

log = logging.getLogger(__name__)


class Shell(Protocol):
    """What surrounds a poller: the Faust app, or a test."""

    def received(self, topic: str, batch: Batch) -> None:
        """Take a batch, on the event loop."""

    async def changed(self, topic: str, gained: Collection[int], lost: Collection[int]) -> None:
        """Take note of the assignment's change, on the event loop."""

    def failed(self, error: BaseException) -> None:
        """End the process: going on would lose or repeat something (any thread)."""


class Rebalance:
    """The callbacks of one lane's consumer."""

    def __init__(self, state: LaneState, loader: Loader) -> None:
        self._lane = state.lane
        self._ownership = state.ownership
        self._membership = state.membership
        self._commits = state.commits
        self._fetching = state.fetching
        self._stopping = state.stopping
        self._loader = loader

    def attach(self, loop: asyncio.AbstractEventLoop, shell: Shell) -> None:
        """Take the event loop and what surrounds the poller."""
        self._loop = loop
        self._shell = shell

    def assigned(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        """Own these, not fetched yet; their state is loaded aside."""
        gained = [place.partition for place in places]
        shares = self._ownership.gain(gained)
        self._fetching.start(consumer, {})
        self._membership.refresh(consumer)
        log.info("%s: gained partitions %s", self._lane.name, gained)
        self._tell(gained, [])
        if shares:
            self._loader.start(shares)

    def revoked(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        """Bring these to a clean end and give them up."""
        going = [place.partition for place in places]
        self._ownership.revoke(going)
        self._membership.refresh(consumer)
        self._barrier(consumer, going)
        self._drop(going)
        log.info("%s: gave up partitions %s", self._lane.name, going)
        self._fetching.stop(consumer, going)

    def lost(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        """Forget these: the membership is gone, others may own them already."""
        gone = [place.partition for place in places]
        self._drop(gone)
        log.warning("%s: lost partitions %s", self._lane.name, gone)
        self._fetching.stop(consumer, gone)

    def _barrier(self, consumer: Consumer, going: Collection[int]) -> None:
        barrier = asyncio.run_coroutine_threadsafe(self._lane.handler.barrier(going), self._loop)
        last = self._stopping.is_set()
        deadline = time.monotonic() + (_LAST_BARRIER_SECONDS if last else _BARRIER_SECONDS)
        while time.monotonic() < deadline:
            # only this thread may use the consumer: the work under way needs fresh metadata and
            # its commits, or it cannot come to its end
            self._membership.refresh(consumer)
            self._commits.finish(consumer)
            try:
                barrier.result(_LOOK_SECONDS)
            except FutureTimeout:
                continue
            except Exception as error:  # noqa: BLE001 - what it left is fenced, like late work
                log.warning("%s: the barrier failed: %s", self._lane.name, describe(error))
            self._commits.finish(consumer)
            return
        barrier.cancel()
        log.warning("%s: work on %s abandoned at a rebalance", self._lane.name, going)

    def _drop(self, gone: Collection[int]) -> None:
        self._ownership.lose(gone)
        self._loop.call_soon_threadsafe(self._lane.handler.drop, gone)
        self._tell([], gone)

    def _tell(self, gained: Collection[int], lost: Collection[int]) -> None:
        telling = self._shell.changed(self._lane.topic, gained, lost)
        asyncio.run_coroutine_threadsafe(telling, self._loop).result(_SHELL_SECONDS)
