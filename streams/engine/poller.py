"""A lane's poller: the thread that owns its consumer, and what others may ask of it.

Only the poll thread touches the consumer (`poll_loop`); a call from another thread during a
rebalance would block for seconds. Everything public here may be called from any thread.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from streams.engine.lane_state import LaneState
from streams.engine.loading import Loader
from streams.engine.ownership import Share
from streams.engine.poll_loop import PollLoop
from streams.engine.rebalance import Rebalance, Shell
from streams.engine.underway import earliest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from concurrent.futures import Future

    from streams.engine.commits import Progress
    from streams.engine.kafka import KafkaSettings
    from streams.engine.lane import Lane
    from streams.engine.statistics import LaneStatistics
    from streams.histogram import Histogram

__all__ = ["Poller"]

_LEAVE_SECONDS = 3.7

log = logging.getLogger(__name__)


class Poller:
    """One lane's consumer and its thread.

    Attributes:
        lane: what it serves.
        statistics: what it counts, shared with the handler and its publication.
        stalled: what of it stands, once the watchdog has found that; None before.
    """

    stalled: str | None = None

    def __init__(self, lane: Lane, kafka: KafkaSettings) -> None:
        state = LaneState(lane, kafka)
        self.lane = lane
        self.statistics: LaneStatistics = state.statistics
        self._reasons: dict[str, str] = {}
        self._feeding = False
        self._fed_at = 0.0
        self._ownership = state.ownership
        self._membership = state.membership
        self._cursors = state.cursors
        self._slots = state.slots
        self._commits = state.commits
        self._stopping = state.stopping
        self._loop = PollLoop(state)
        self._loader = Loader(state, loaded=self._loop.loaded, failed=self.fail)
        self._rebalance = Rebalance(state, self._loader)
        self._thread = threading.Thread(target=self._run, name=f"poll-{lane.name}", daemon=True)
        lane.handler.attach(self)

    def owns(self, partition: int, epoch: int) -> bool:
        """Whether work of this epoch may still take effect."""
        return self._ownership.owns(partition, epoch)

    def accepts(self, partition: int, epoch: int) -> bool:
        """Whether work of this epoch may still be begun."""
        return self._ownership.accepts(partition, epoch)

    @property
    def owned(self) -> frozenset[int]:
        """The partitions owned now."""
        return self._ownership.owned()

    @property
    def loading(self) -> frozenset[int]:
        """The partitions owned now whose state is not there yet."""
        return self._ownership.loading()

    @property
    def lag(self) -> Mapping[int, int]:
        """Records not yet committed, by partition; looked at once a second while it runs."""
        return self._loop.left.lag

    @property
    def oldest(self) -> Mapping[int, int]:
        """The time of the oldest record handed over and not committed: epoch ms, by partition.

        Of one that does not run (a breaker has stopped it) as it was when it last did.
        """
        loading = self._ownership.loading()
        stopped = {p: time for p, time in self._loop.left.oldest.items() if p in loading}
        return stopped | self._cursors.oldest()

    @property
    def waited(self) -> Histogram:
        """Seconds from records' own time until their effects were committed."""
        return self._cursors.waited

    @property
    def ticked(self) -> float:
        """`time.monotonic()` of the thread's last turn; 0 before the first."""
        return self._loop.ticked

    @property
    def runnable_since(self) -> float | None:
        """`time.monotonic()` since when the oldest runnable work waits, None when there is none.

        A batch behind the one that is being handled waits for its turn.
        """
        handed_over = None if self._feeding else self._loop.handed_over.since
        turn = None if handed_over is None else max(handed_over, self._fed_at)
        return earliest(turn, self.lane.handler.runnable_since())

    @property
    def away(self) -> str | None:
        """Why the broker is taken to be away; None while it is not."""
        return self._loop.broker.reason

    @property
    def committed_at(self) -> float:
        """Wall clock of the last commit, 0 before the first."""
        return self._cursors.committed_at

    @property
    def group_metadata(self) -> bytes | None:
        """The newest real metadata of the membership; None before the first join.

        Read it before `owns`: then a newer generation comes with its newer epochs.
        """
        return self._membership.metadata

    @property
    def not_ready(self) -> str | None:
        """Why the lane is not ready; None when it is, also without any partition."""
        reasons = [self.stalled, self.away, *self._reasons.values()]
        if any(reasons):
            return "; ".join(reason for reason in reasons if reason)
        if not self._membership.stable:
            return "not a member of its group yet"
        loading = self.loading
        return f"loading partitions {sorted(loading)}" if loading else None

    def unready(self, reason: str | None, *, about: str = "") -> None:
        """Mark the lane unready with a reason; None takes the mark away.

        There is one mark for each thing that a reason may be about.
        """
        others = {name: text for name, text in self._reasons.items() if name != about}
        self._reasons = others if reason is None else others | {about: reason}

    def suspect(self, error: BaseException) -> None:
        """Take note of a failure that may mean that the broker is away."""
        self._loop.broker.suspect(error)

    @contextmanager
    def feeding(self) -> Iterator[None]:
        """Say that the handler has a batch for as long as the block lasts (the event loop)."""
        self._feeding = True
        try:
            yield
        finally:
            self._fed_at = time.monotonic()
            self._feeding = False

    def commit(self, progress: Progress) -> Future[frozenset[int]]:
        """Commit positions, partition → (epoch of the work, position), by the consumer.

        Returns:
            A future of the partitions committed: those whose epoch still holds. It raises
            `KafkaException` when the broker refused (a rebalance goes on): try again later.
        """
        future = self._commits.submit(progress)
        self._slots.ask(lambda: None)
        return future

    def committed(self, offsets: Mapping[int, int]) -> None:
        """Take note of offsets that were committed in a transaction."""
        self._cursors.commit(offsets)

    def reset(
        self,
        shares: Iterable[Share],
        cause: str,
        *,
        poison: bool = False,
        wait: float | None = None,
    ) -> None:
        """Give up these epochs at once, and go on from the committed positions.

        Args:
            shares: (partition, epoch) of the failed work.
            cause: for the log and, in the end, the error; without personal data.
            poison: the records themselves make the work fail, so the tries are limited.
            wait: seconds until they go on, as often as it takes; None: longer each time.
        """
        again = self._ownership.reset(Share(*share) for share in shares)
        if again:
            self._slots.ask(lambda: self._loop.set_back(again, cause, poison=poison, wait=wait))

    def fail(self, error: BaseException) -> None:
        """End the process: going on would lose or repeat something."""
        self.unready(f"failed: {error}", about="failure")
        self._shell.failed(error)

    def start(self, loop: asyncio.AbstractEventLoop, shell: Shell) -> None:
        """Join the group and begin to hand over batches; once."""
        self._shell = shell
        self._rebalance.attach(loop, shell)
        self._loop.attach(loop, shell, self._rebalance, self._loader)
        self._thread.start()

    async def stop(self) -> None:
        """Bring work under way to its end, leave the group, close the handler.

        Leaving is not waited for beyond a few seconds: librdkafka's request to leave may be stuck
        behind its request to join a rebalance. The others then wait until the session is over.
        """
        self._stopping.set()
        self._slots.ask(lambda: None)
        if self._thread.ident is not None:
            await asyncio.to_thread(self._thread.join, _LEAVE_SECONDS)
            if self._thread.is_alive():
                log.warning("%s: the group is left without a word", self.lane.name)
        self.lane.handler.close()

    def _run(self) -> None:
        try:
            self._loop.run()
        except BaseException as error:
            log.exception("%s: the poll thread ends", self.lane.name)
            if not self._stopping.is_set():
                self.fail(error)
