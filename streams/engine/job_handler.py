"""The handler that runs a job with a table: restore, compute, publish, one batch ahead.

While a batch is published in a thread, the next one is computed on the event loop. Whatever fails,
nothing uncommitted stays: the partitions concerned are set back to what Kafka holds.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from confluent_kafka import KafkaException

from streams.breaker import DEFAULT_RULE
from streams.engine.breakers import Breakers
from streams.engine.compute import Poisoned, Work, compute
from streams.engine.failure import describe
from streams.engine.open_transactions import settle
from streams.engine.ownership import Share
from streams.engine.rows import Shard
from streams.engine.state.memory import MemoryStore
from streams.engine.state.store import TableSource
from streams.engine.underway import Underway, earliest
from streams.errors import EngineFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from streams.breaker import Rule
    from streams.engine.batch import Batch, Part, Position
    from streams.engine.job import Job
    from streams.engine.kafka import KafkaSettings
    from streams.engine.poller import Poller
    from streams.engine.preparation import Preparation
    from streams.engine.publication import Publication
    from streams.engine.rows import Table
    from streams.engine.state.store import StateStore

__all__ = ["JobHandler"]


class JobHandler:
    """Runs one job on one lane."""

    def __init__(  # noqa: PLR0913 - all that a lane with a table is made of
        self,
        kafka: KafkaSettings,
        job: Job,
        changelog: str | None,
        publication: Publication,
        *,
        rule: Rule = DEFAULT_RULE,
        preparation: Preparation | None = None,
        store: StateStore | None = None,
    ) -> None:
        """Prepare.

        Args:
            kafka: the connection.
            job: what is done with records and timers.
            changelog: the compacted topic of the table, with the source's number of partitions;
                None for a job that keeps no rows.
            publication: `Transactional` or `AtLeastOnce`.
            rule: when a partition stops whose records fail alike.
            preparation: awaited before a batch is computed.
            store: where the rows are, of this handler alone; None: in memory.
        """
        self._kafka = kafka
        self._job = job
        self._changelog = changelog
        self._publication = publication
        self._breakers = Breakers(rule)
        self._preparation = preparation
        self._store: StateStore = MemoryStore() if store is None else store
        self._shards: dict[int, Shard] = {}
        self._feeding = asyncio.Lock()
        self._publisher = ThreadPoolExecutor(1, "publish")
        self._in_flight: Future[None] | None = None
        self._underway, self._publications = Underway(), Underway()

    def attach(self, poller: Poller) -> None:
        """Take the lane's poller."""
        self._poller = poller
        self._publication.attach(poller, self._changelog)
        if self._changelog is not None:
            source = TableSource(self._kafka, self._changelog, self._job.due, poller.statistics)
            self._store.attach(source)

    def settle(self, partitions: AbstractSet[int], alive: Callable[[], AbstractSet[int]]) -> None:
        """Wait for our own publication under way, then for transactions of former owners.

        Our own one may have begun under the epoch that just ended: position and changelog are only
        read when it is over.
        """
        in_flight = self._in_flight
        self._publisher.submit(self._prepare)
        if in_flight is not None:
            wait([in_flight])
        if self._changelog is not None:
            with self._underway.beating(alive) as still, self._suspecting():
                settle(self._kafka, self._changelog, partitions, still)

    def load(
        self, positions: Mapping[int, Position], alive: Callable[[], AbstractSet[int]]
    ) -> Mapping[int, Shard]:
        """Restore the tables."""
        if self._changelog is None:
            return {p: Shard({}, self._job.due, position) for p, position in positions.items()}
        self._publication.at("restoring")
        try:
            with self._underway.beating(alive) as still, self._suspecting():
                return self._store.load(positions, still)
        finally:
            self._publication.at("restored")

    def install(self, owned: Sequence[Share], loaded: Mapping[int, Shard]) -> None:
        """Go on from what was restored."""
        for partition, _ in owned:
            self._shards[partition] = loaded[partition]

    def drop(self, partitions: Collection[int]) -> None:
        """Forget the tables."""
        for partition in partitions:
            self._shards.pop(partition, None)
        self._store.drop(partitions)
        self._breakers.keep(self._poller.owned)
        self._show()

    def next_due(self, partition: int) -> int:
        """Return the partition's earliest timer."""
        shard = self._shards.get(partition)
        return shard.timers.earliest if shard is not None else 0

    def table(self, partition: int) -> Table | None:
        """The rows of a partition as the batches before left them, None where it is not ours.

        For a preparation: until it is over nothing is computed.
        """
        shard = self._shards.get(partition)
        return None if shard is None else shard.rows

    async def feed(self, batch: Batch) -> None:
        """Compute the batch, then begin to publish it as soon as the one before is out."""
        seconds = self._poller.statistics.seconds
        done: Callable[[], None] | None = batch.done
        try:
            if self._preparation is not None:  # not while feeding: a barrier need not wait for it
                await self._preparation(batch.parts, self._poller)
            async with self._feeding:
                began = time.perf_counter()
                with self._underway.piece():
                    works = [work for part in batch.parts if (work := await self._compute(part))]
                works, stopped = self._breakers.sort(works)
                self._show()
                computed = time.perf_counter()
                try:
                    await self._published()
                finally:  # only now: the batch before, under the same epoch, is good
                    self._stop(stopped)
                seconds["compute"] += computed - began
                seconds["wait"] += time.perf_counter() - computed
                if works:
                    endings = [partial(self._publications.end, self._publications.begin())]
                    if batch.quiet:  # what comes meanwhile is one batch, made when this one is out
                        endings.append(partial(batch.done))
                        done = None
                    self._in_flight = self._publisher.submit(self._publish, works, endings)
        finally:
            if done is not None:
                done()

    async def barrier(self, partitions: Collection[int]) -> None:  # noqa: ARG002 - all go together
        """Wait until what was computed is published."""
        async with self._feeding:
            await self._published()

    def runnable_since(self) -> float | None:
        """The oldest batch being computed or published, or load that gives no sign of life.

        A publication counts as a whole, while the broker is there. Before it is known to be away, a
        publication may wait for it: each call is bounded, and all together take less than a minute
        and a half (`transactional`).
        """
        publication = None if self._poller.away else self._publications.since
        return earliest(self._underway.since, publication)

    def close(self) -> None:
        """End the publishing thread."""
        self._publisher.shutdown(wait=False, cancel_futures=True)
        self._publication.close()
        self._store.close()

    async def _published(self) -> None:
        if self._in_flight is not None:
            # shielded: who waits may be cancelled, the publication may not
            await asyncio.shield(asyncio.wrap_future(self._in_flight))

    async def _compute(self, part: Part) -> Work | None:
        share = Share(part.partition, part.epoch)
        if not self._poller.accepts(*share):
            return None
        shard = self._shards[part.partition]
        if part.previous != shard.previous:
            self._poller.reset([share], f"a batch was lost after offset {shard.previous}")
            return None
        try:
            work = await compute(self._job, shard, part)
        except Poisoned as error:
            self._poller.reset([share], str(error), poison=True)
            return None
        if work is not None:
            self._store.computed(shard, work)
        return work

    def _stop(self, works: Sequence[Work]) -> None:
        """Throw work away that the breaker holds back; later its records are read again."""
        for partition, epoch in ((work.partition, work.epoch) for work in works):
            cause, wait = self._breakers.cause(partition), self._breakers.rule.retry
            self._poller.reset([Share(partition, epoch)], cause, wait=wait)

    def _show(self) -> None:
        self._poller.unready(self._breakers.reason, about="breaker")
        self._poller.statistics.breakers = self._breakers.states

    def _prepare(self) -> None:
        """Connect while the tables are restored; what fails here is tried again by `publish`."""
        with suppress(KafkaException), self._suspecting():
            self._publication.prepare()

    @contextmanager
    def _suspecting(self) -> Iterator[None]:
        """Let the lane know of a failure that may mean that the broker is away."""
        try:
            yield
        except KafkaException as error:
            self._poller.suspect(error)
            raise

    def _publish(self, works: Sequence[Work], endings: Sequence[Callable[[], None]]) -> None:
        """Publish in the publishing thread, then call these; never raises."""
        try:
            self._publish_all(works)
        finally:
            for end in endings:
                end()

    def _publish_all(self, works: Sequence[Work]) -> None:
        began = time.time()
        try:
            with self._suspecting():
                published = self._publication.publish(works)
        except BaseException as error:  # noqa: BLE001 - fenced, unknown outcome, bug: all alike
            self._publication.at("aborted")
            # forget everything that is not committed, before anything else is published
            self._poller.reset([Share(w.partition, w.epoch) for w in works], describe(error))
            return
        statistics = self._poller.statistics
        statistics.transactions += bool(published)
        for work in published:
            statistics.records += work.records
            statistics.fired += work.fired
            statistics.outputs += len(work.outputs)
            statistics.changes += len(work.changes)
        self._poller.committed({w.partition: w.position.offset for w in published})
        self._keep(published, began)

    def _keep(self, published: Sequence[Work], began: float) -> None:
        since = time.perf_counter()
        try:
            self._store.published(published, began)
        except EngineFailed as error:
            self._poller.fail(error)
        self._poller.statistics.seconds["keep"] += time.perf_counter() - since
