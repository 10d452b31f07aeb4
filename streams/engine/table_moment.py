"""A table of one moment: which end of its changelog belongs to which position of its source.

A worker commits rows and position in one transaction, but nobody can ask for both at once. So the
position is asked for before and after the changelog's end. If it is the same, and every transaction
that had written by then is decided, the changelog ends with exactly that position: the broker
answers for a position only when no transaction holds it, and a later one would have moved it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NamedTuple

from streams.engine.group_offsets import GroupOffsets
from streams.engine.patience import patiently
from streams.engine.stretch import Stretch, look_through
from streams.engine.watermarks import Watermarks
from streams.errors import ConfigurationError

if TYPE_CHECKING:
    from confluent_kafka import Message

    from streams.engine.batch import Position
    from streams.engine.kafka import KafkaSettings

__all__ = ["Moment", "TableMoments"]

_PATIENCE_SECONDS: Final = 60.0
_CALL_SECONDS: Final = 30.0
"""Longer than a transaction of a worker that was killed holds its position."""


class Moment(NamedTuple):
    """One partition's table.

    Attributes:
        position: of its source: the next record, and stream time as metadata.
        end: the changelog's offset behind the last change before it.
    """

    position: Position
    end: int


class TableMoments:
    """Finds moments of one table, and reads its rows as they were then.

    Methods raise `KafkaException` where the broker does not answer.
    """

    def __init__(self, kafka: KafkaSettings, group: str, topic: str, changelog: str) -> None:
        """Take the names: of the group that keeps the table, its source and its changelog."""
        self._kafka = kafka
        self._group = group
        self._topic = topic
        self._changelog = changelog
        self._offsets = GroupOffsets(kafka, group, topic)
        self._watermarks = Watermarks(kafka, changelog)

    def close(self) -> None:
        """Let go of the connection."""
        self._offsets.close()

    def of(self, partition: int, patience: float = _PATIENCE_SECONDS) -> Moment:
        """A moment of a partition, now.

        Raises:
            ConfigurationError: the group never began, or does not rest for the time of a look.
        """
        deadline = time.monotonic() + patience
        while True:
            before = self._position(partition)
            end = self._watermarks.decided(partition, deadline - time.monotonic())
            if end is not None and before == self._position(partition):
                return Moment(before, end)
            if time.monotonic() > deadline:
                raise ConfigurationError(
                    f"group {self._group}",
                    f"it commits {self._topic}[{partition}] faster than its table can be looked at",
                    "Try again when less arrives, or stop the workers of derive meanwhile",
                )

    def rows(self, partition: int, moment: Moment) -> dict[bytes, bytes]:
        """The rows of a moment that is not long ago: compaction forgets what was in between."""
        rows: dict[bytes, bytes] = {}

        def take(message: Message) -> None:
            key, row = message.key() or b"", message.value()
            if row is None:
                rows.pop(key, None)
            else:
                rows[key] = row

        starts = self._watermarks.first([partition])
        look_through(self._kafka, Stretch(self._changelog, starts, {partition: moment.end}), take)
        return rows

    def _position(self, partition: int) -> Position:
        found = patiently(lambda: self._offsets.positions([partition]), _CALL_SECONDS)[partition]
        if found is None:
            raise ConfigurationError(
                f"group {self._group}",
                f"it has no offset for {self._topic}[{partition}]: there is no table yet",
                "Let `streams worker derive` begin first",
            )
        return found
