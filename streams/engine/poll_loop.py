"""The poll thread's turns: records into batches, while slots are free; everything else between.

Without a free slot it goes on serving the group and pauses the consumer only after a while, because
a pause throws away what was fetched ahead.
"""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import TYPE_CHECKING

from confluent_kafka import Consumer, KafkaError, KafkaException, Message
from confluent_kafka.admin import AdminClient

from streams.engine.away import BrokerWatch
from streams.engine.batch import Batch, Part
from streams.engine.broker_clock import BrokerClock
from streams.engine.gather import Gatherer
from streams.engine.idle import IdleWatch
from streams.engine.last_stamps import LastStamps
from streams.engine.left_to_do import LeftToDo
from streams.engine.underway import Underway
from streams.errors import ConfigurationError, EngineFailed

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping, Sequence

    from streams.engine.lane_state import LaneState
    from streams.engine.loading import Loaded, Loader
    from streams.engine.ownership import Share
    from streams.engine.rebalance import Rebalance, Shell

__all__ = ["PollLoop"]

_SLOT_SECONDS = 0.1
_PAUSE_AFTER_SECONDS = 2.0
_METADATA_SECONDS = 5.0
_NOT_ALONE = tuple(
    KafkaError(code).str()
    for code in (KafkaError.FENCED_INSTANCE_ID, KafkaError.UNRELEASED_INSTANCE_ID)
)
"""How the client says that the older member is refused (classic), or the newer one (KIP-848)."""

log = logging.getLogger(__name__)


class PollLoop:
    """What one poll thread does. `loaded` and `attach` may be called from outside it.

    Attributes:
        left: what is not yet committed.
        ticked: `time.monotonic()` of the last turn, 0 before the first.
        handed_over: batches that are not done.
        broker: whether it answers.
    """

    def __init__(self, state: LaneState) -> None:
        self.left = LeftToDo(state)
        self.ticked = 0.0
        self.handed_over = Underway()
        self.broker = BrokerWatch(state.lane.name)
        self._state = state
        self._lane = state.lane
        self._ownership = state.ownership
        self._cursors = state.cursors
        self._slots = state.slots
        self._statistics = state.statistics
        self._stash: list[tuple[int | None, Message]] = []
        self._has_slot = False
        self._blocked_since: float | None = None
        self._paused = False
        self._clock = BrokerClock()

    def attach(
        self, loop: asyncio.AbstractEventLoop, shell: Shell, rebalance: Rebalance, loader: Loader
    ) -> None:
        """Take what is only there once the process runs."""
        self._loop = loop
        self._shell = shell
        self._rebalance = rebalance
        self._loader = loader

    def loaded(self, loaded: Loaded) -> None:
        """Let loaded partitions run (called by the loading thread)."""
        self._slots.ask(lambda: self._install(loaded))

    def run(self) -> None:
        """Join the group, take turns until stopped, leave the group."""
        self.ticked = time.monotonic()
        options = self._lane.options
        properties = self._state.kafka.member(self._lane.group, prefetch=options.prefetch)
        calls = {"on_commit": self._state.commits.answered, "error_cb": self.broker.heard}
        self._consumer = Consumer(properties | calls)
        self._gatherer = Gatherer(
            self._consumer, max_batch=options.max_batch, gather_seconds=options.gather_ms / 1_000
        )
        self._admin = AdminClient(self._state.kafka.client())
        self.left.attach(self._consumer, self._admin)
        interval = options.idle_ms / 1_000
        self._idle = IdleWatch(
            self._admin, self._lane.topic, interval_seconds=interval, clock=self._clock.now
        )
        self._stamps = LastStamps(self._admin, self._lane.topic, self._clock)
        try:
            self._join()
            while not self._state.stopping.is_set():
                self._turn()
        finally:
            self._consumer.close()
            self._state.membership.stable = False
            self._state.commits.close()

    def set_back(
        self, shares: Sequence[Share], cause: str, *, poison: bool, wait: float | None
    ) -> None:
        """Load partitions anew whose work failed; later, the more often it failed in a row.

        A `wait` in seconds stands instead of that: such a setback counts for nothing.
        """
        self._statistics.resets += len(shares)
        partitions = [share.partition for share in shares]
        log.warning("%s: partitions %s are set back: %s", self._lane.name, partitions, cause)
        running = [share for share in shares if self._ownership.owns(*share)]
        self.left.keep(share.partition for share in running)
        self._state.fetching.stop(self._consumer, [share.partition for share in running])
        self._cursors.drop(share.partition for share in running)
        self._loop.call_soon_threadsafe(self._lane.handler.drop, partitions)
        for share in running:
            setbacks = self._state.setbacks
            delay = setbacks.note(share.partition, cause, poison=poison) if wait is None else wait
            self._loader.start([share], delay)

    def _join(self) -> None:
        try:  # leaders known before the first assignment; else it costs half a second later
            self._consumer.list_topics(self._lane.topic, timeout=_METADATA_SECONDS)
        except KafkaException as error:
            log.warning("%s: the broker does not answer yet: %s", self._lane.name, error)
        self._consumer.subscribe(
            [self._lane.topic],
            on_assign=self._rebalance.assigned,
            on_revoke=self._rebalance.revoked,
            on_lost=self._rebalance.lost,
        )

    def _turn(self) -> None:
        self.ticked = time.monotonic()
        self._slots.serve()
        self._state.commits.ask(self._consumer)
        self._state.membership.refresh(self._consumer)
        self.broker.look(self._admin, member=self._state.membership.stable)
        alone = self._lane.options.one_by_one and not self._gatherer.busy
        self._has_slot = self._has_slot or self._slots.take(_SLOT_SECONDS, alone=alone)
        if not self._has_slot:
            self._serve_without_slot()
            return
        self._flow()
        stashed = self._unstash()
        gathered = self._gatherer.gather(wait=not stashed)
        self._clock.heard(gathered)
        parts = self._parts(stashed + gathered)
        if parts:
            self._has_slot = False
            self._statistics.batches += 1
            free = partial(self._done, self.handed_over.begin())
            batch = Batch(parts, free, quiet=not self._gatherer.busy)
            self._loop.call_soon_threadsafe(self._shell.received, self._lane.topic, batch)
        self.left.look()

    def _done(self, piece: int) -> None:
        self.handed_over.end(piece)
        self._slots.free()

    def _serve_without_slot(self) -> None:
        now = time.monotonic()
        if self._blocked_since is None:
            self._blocked_since = now
        if not self._paused and now - self._blocked_since > _PAUSE_AFTER_SECONDS:
            self._paused = True
            self._statistics.pauses += 1
            self._state.fetching.pause(self._consumer)
        message = self._consumer.poll(0)
        if message is not None:
            epoch = self._ownership.running().get(message.partition() or 0)
            self._stash.append((epoch, message))
        if self._paused:
            self.left.look_idly()

    def _flow(self) -> None:
        self._blocked_since = None
        if self._paused:
            self._paused = False
            self._state.fetching.resume(self._consumer)

    def _unstash(self) -> list[Message]:
        """Return what came while there was no slot, less what ended meanwhile."""
        if not self._stash:
            return []
        running, stash = self._ownership.running(), self._stash
        self._stash = []
        return [m for epoch, m in stash if epoch == running.get(m.partition() or 0)]

    def _parts(self, messages: list[Message]) -> list[Part]:
        running = self._ownership.running()
        parts = self._cursors.parts(messages, running, self._event)
        with_records = {part.partition for part in parts}
        quiet = {p: epoch for p, epoch in running.items() if p not in with_records}
        return parts + self._ticks(quiet)

    def _ticks(self, quiet: Mapping[int, int]) -> list[Part]:
        """Return idle ticks for partitions with a due timer that are at their end."""
        if not self._stamps.known():
            return []
        answer = self._idle.answer()
        if answer is not None:
            until, marks = answer
            return [
                self._cursors.tick(p, quiet[p], until)
                for p, mark in marks.items()
                if p in quiet and self._cursors.position(p) == mark
            ]
        until_now = self._idle.until()
        if until_now is not None:
            next_due = self._lane.handler.next_due
            due = [p for p in quiet if 0 < next_due(p) <= until_now]
            if due:
                self._idle.ask(due)
        return []

    def _event(self, event: Message) -> None:
        """Judge what librdkafka reports instead of a record; the ends of partitions are not here.

        Raises:
            EngineFailed: records are gone that were not consumed, or the client is broken.
            ConfigurationError: another member of the group has our instance id.
        """
        error, partition = event.error(), event.partition()
        if error is None:
            return
        if error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 - its public name
            if partition not in self._ownership.running():
                return
            message = (
                f"{self._lane.topic}[{partition}] no longer holds the position of group"
                f" {self._lane.group}: unread records are gone; choose where to go on with"
                " kafka-consumer-groups --reset-offsets while no worker runs"
            )
            raise EngineFailed(message)
        if any(text in error.str() for text in _NOT_ALONE):
            raise ConfigurationError(
                "kafka.instance_id",
                f"another live process has {self._state.kafka.instance_id!r} too",
                "Give each process its own",
            )
        if error.fatal() or error.code() == KafkaError._FATAL:  # noqa: SLF001 - public, too
            raise EngineFailed(str(error))
        log.warning("%s: %s", self._lane.name, error)

    def _install(self, loaded: Loaded) -> None:
        """Let what was loaded run from its positions."""
        shares, positions, states = loaded
        owned = self._ownership.run(shares)
        offsets = {share.partition: positions[share.partition].offset for share in owned}
        self._loop.call_soon_threadsafe(self._lane.handler.install, owned, states)
        for partition, offset in offsets.items():
            self._cursors.start(partition, offset)
        if offsets:
            self._stamps.want(offsets)
            self._state.fetching.start(self._consumer, offsets)
            if self._paused:
                self._state.fetching.pause(self._consumer)
