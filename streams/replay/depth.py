"""How many dead letters stand, and since when the oldest: a thread that follows their topics.

Of each letter it keeps a hash of the key, its place and its time. Nothing waits for it: a topic
that was not read to its end yet has no figures, and a broker that is away is asked again.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from confluent_kafka import KafkaException

from streams.engine.admin import partition_count
from streams.engine.restore import replay
from streams.engine.statistics import LaneStatistics, RestoreProgress
from streams.engine.watermarks import Watermarks
from streams.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from confluent_kafka import Message

    from streams.engine.kafka import KafkaSettings

__all__ = ["Depths", "Standing"]

_EVERY_SECONDS: Final = 5.0
_END_SECONDS: Final = 5.0
"""For the thread, which may ask a broker that does not answer; the process can end without."""
_AHEAD_KIB: Final = 4 << 10

log = logging.getLogger(__name__)


class _Entry(NamedTuple):
    """A letter that stands: its offset, and its record's time in epoch milliseconds."""

    offset: int
    at: int


class Standing(NamedTuple):
    """What stands on a topic: how many letters, and seconds since the oldest was written."""

    letters: int
    oldest_age: float


class _Topic:
    """One topic as far as it was read; of one thread."""

    def __init__(self, kafka: KafkaSettings, name: str) -> None:
        self._kafka = kafka
        self._name = name
        self._partitions = frozenset(range(partition_count(kafka, name)))
        self._watermarks = Watermarks(kafka, name)
        self._entries: dict[int, dict[int, _Entry]] = {p: {} for p in self._partitions}
        self._positions: dict[int, int] = dict.fromkeys(self._partitions, 0)
        self._firsts: dict[int, int] = {}
        self._found: tuple[int, int | None] = (0, None)

    def look(self) -> tuple[int, int | None]:
        """Read what is new; how many letters stand, and the oldest's time. Epoch milliseconds."""
        firsts = self._watermarks.first(self._partitions)
        ends = self._watermarks.stable(self._partitions)
        spans = {}
        for partition in self._partitions:
            start = max(self._positions[partition], firsts[partition])
            if ends[partition] < self._positions[partition]:  # the topic was made anew
                self._entries[partition].clear()
                start = firsts[partition]
            if start < ends[partition]:
                spans[partition] = RestoreProgress(start, start, ends[partition])
            self._positions[partition] = ends[partition]
        if spans:
            self._read(spans)
        if spans or firsts != self._firsts:
            self._forget_before(firsts)
            times = [each.at for entries in self._entries.values() for each in entries.values()]
            self._found = len(times), min(times, default=None)
            self._firsts = firsts
        return self._found

    def _read(self, spans: Mapping[int, RestoreProgress]) -> None:
        def take(partition: int, messages: Sequence[Message], _position: int) -> None:
            entries = self._entries[partition]
            for message in messages:
                key = hash(message.key())
                if message.value() is None:
                    entries.pop(key, None)
                else:
                    entries[key] = _Entry(message.offset() or 0, message.timestamp()[1])

        alive, statistics = spans.keys(), LaneStatistics()
        try:
            replay(
                self._kafka, self._name, spans, lambda: alive, statistics, take,
                ahead_kib=_AHEAD_KIB,
            )  # fmt: skip
        finally:  # what was not read is read next time
            for partition, span in spans.items():
                self._positions[partition] = span.position

    def _forget_before(self, firsts: Mapping[int, int]) -> None:
        """Forget letters whose time is over: no tombstone says so, the records are just gone."""
        for partition, entries in self._entries.items():
            for key in [k for k, each in entries.items() if each.offset < firsts[partition]]:
                del entries[key]


class Depths:
    """Follows dead-letter topics."""

    def __init__(
        self,
        kafka: KafkaSettings,
        topics: Collection[str],
        *,
        every: float = _EVERY_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Prepare.

        Args:
            kafka: the connection.
            topics: dead-letter topics.
            every: seconds between two looks.
            clock: epoch seconds.
        """
        self._kafka = kafka
        self._names = list(topics)
        self._every = every
        self._clock = clock
        self._topics: dict[str, _Topic] = {}
        self._found: dict[str, tuple[int, int | None]] = {}
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="dead-letters", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def close(self) -> None:
        """End the thread, after what it reads now."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(_END_SECONDS)

    def __call__(self) -> Mapping[str, Standing]:
        """What stands on each topic that was read to its end; from any thread."""
        now = self._clock()
        return {
            name: Standing(count, 0.0 if oldest is None else max(0.0, now - oldest / 1_000))
            for name, (count, oldest) in self._found.copy().items()
        }

    def _follow(self) -> None:
        failing = False
        while not self._closing.is_set():
            problem = self._look_at_all()
            if problem is not None and not failing:  # once, until it works again
                log.warning("dead letters are not counted for now: %s", problem)
            failing = problem is not None
            self._closing.wait(self._every)

    def _look_at_all(self) -> Exception | None:
        problem = None
        for name in self._names:
            if self._closing.is_set():
                break
            try:
                if name not in self._topics:
                    self._topics[name] = _Topic(self._kafka, name)
                self._found[name] = self._topics[name].look()
            except (KafkaException, ConfigurationError) as error:
                problem = error
        return problem
