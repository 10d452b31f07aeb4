"""When each partition's offset was committed, as the broker tells anybody who asks."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from confluent_kafka import Consumer, KafkaException, TopicPartition

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

_LOOK_SECONDS: Final = 0.05
_CALL_SECONDS: Final = 1.0


class Commit(NamedTuple):
    """A partition's offset grew `after` one look and before `at`: monotonic times in seconds."""

    after: float
    at: float
    partition: int
    offset: int


class Resumption(NamedTuple):
    """Seconds from a fault to the first commit of any partition, and until each one has had one."""

    first: float
    whole: float


def resumption(commits: Iterable[Commit], fault: float) -> Resumption | None:
    """How soon commits came again, at most; None: there was none. Pure.

    A commit that may have come before the fault is none that came after.
    """
    seconds: dict[int, float] = {}
    for commit in commits:
        if commit.after >= fault:
            seconds.setdefault(commit.partition, commit.at - fault)
    return Resumption(min(seconds.values()), max(seconds.values())) if seconds else None


class Progress:
    """Looks at a group's offsets, many times a second, in a thread of its own.

    Attributes:
        commits: seen so far, in order of time.
    """

    def __init__(self, bootstrap: str, group: str, topic: str, partitions: int) -> None:
        self.commits: list[Commit] = []
        self._places = [TopicPartition(topic, number) for number in range(partitions)]
        self._offsets: dict[int, int] = defaultdict(int)
        # without isolation: else the answer waits for every transaction that holds an offset
        self._settings = {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "enable.auto.commit": False,
            "isolation.level": "read_uncommitted",
            "log_level": 0,
        }
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End."""
        self._ending.set()
        self._thread.join()

    def moved_since(self, moment: float) -> set[int]:
        """The partitions with a commit after a monotonic time."""
        return {commit.partition for commit in list(self.commits) if commit.after >= moment}

    def _run(self) -> None:
        reader = Consumer(self._settings)
        looked = 0.0
        try:
            while not self._ending.wait(_LOOK_SECONDS):
                asked = time.monotonic()
                try:
                    places = reader.committed(self._places, _CALL_SECONDS)
                except KafkaException:
                    continue  # the broker is away, which may be the very fault
                self._note(looked, time.monotonic(), places)
                looked = asked
        finally:
            reader.close()

    def _note(self, after: float, at: float, places: list[TopicPartition]) -> None:
        for place in places:
            if place.offset > self._offsets[place.partition]:
                self._offsets[place.partition] = place.offset
                self.commits.append(Commit(after, at, place.partition, place.offset))
