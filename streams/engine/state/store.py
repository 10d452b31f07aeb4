"""What keeps the rows of owned partitions; the two ways share this shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from streams.engine.batch import Position
    from streams.engine.compute import Work
    from streams.engine.kafka import KafkaSettings
    from streams.engine.rows import Shard
    from streams.engine.statistics import LaneStatistics

__all__ = ["StateStore", "TableSource"]


class TableSource(NamedTuple):
    """What a store restores from.

    Attributes:
        kafka: the connection.
        changelog: the table's topic.
        due: the timer that a row asks for (`Job.due`).
        statistics: of the lane.
    """

    kafka: KafkaSettings
    changelog: str
    due: Callable[[bytes], int]
    statistics: LaneStatistics


class StateStore(Protocol):
    """Keeps the tables of one lane."""

    def attach(self, source: TableSource) -> None:
        """Take what to restore from; once, before anything else."""

    def load(
        self, positions: Mapping[int, Position], alive: Callable[[], AbstractSet[int]]
    ) -> Mapping[int, Shard]:
        """Return the shards of these partitions as the changelog has them now (side thread).

        What is no longer `alive()` may be left out or unfinished.

        Raises:
            KafkaException: the broker does not answer.
            EngineFailed: the store is of no use any more.
        """

    def computed(self, shard: Shard, work: Work) -> None:
        """Take note that a part was applied to a shard (event loop).

        Raises:
            EngineFailed: the store failed meanwhile; the work must not be published.
        """

    def published(self, works: Sequence[Work], began: float) -> None:
        """Keep the changes of works whose transaction has committed (publishing thread).

        Args:
            works: with `Work.end`.
            began: epoch seconds before the publication.

        Raises:
            EngineFailed: they cannot be kept; in Kafka they are.
        """

    def drop(self, partitions: Collection[int]) -> None:
        """Forget what is not committed of these (event loop)."""

    def close(self) -> None:
        """Let go of files. What is not kept by then will be read from the changelog."""
