"""Where each partition of a rebuild begins: where it was, with a snapshot, or with the topic.

Judged before anything is written: what is gone from a topic cannot be made up for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from streams.engine.state.changelog import describe_changelog
from streams.errors import ConfigurationError
from streams.rebuild.snapshot import Origin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.engine.batch import Position
    from streams.engine.kafka import KafkaSettings
    from streams.rebuild.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class SourceTopic:
    """A source topic as it is now.

    Attributes:
        origin: which one it is.
        starts: partition → the first offset still held.
        ends: partition → the end of all that is decided.
    """

    origin: Origin
    starts: Mapping[int, int]
    ends: Mapping[int, int]

    @classmethod
    def of(cls, kafka: KafkaSettings, topic: str, partitions: int) -> Self:
        """Ask the broker; raises `KafkaException`."""
        found = describe_changelog(kafka, topic, range(partitions))
        origin = Origin(cluster=found.cluster, topic=topic, topic_id=found.topic_id)
        return cls(origin, found.starts, found.ends)

    def check(self, snapshot: Snapshot, source: str, fields: tuple[str, ...]) -> None:
        """Check that a snapshot is of this topic, and its rows of this version.

        Args:
            snapshot: read, and whole.
            source: whose table it must be.
            fields: of a row today, in order.

        Raises:
            ConfigurationError: it is not.
        """
        manifest = snapshot.manifest
        mine, theirs = self.origin, manifest.origin
        problem = None
        if manifest.source != source:
            problem = f"it is of the source {manifest.source}, not {source}"
        elif theirs.topic != mine.topic:
            problem = f"it is of the topic {theirs.topic}, not {mine.topic}"
        elif theirs.cluster != mine.cluster:
            problem = f"it is of another cluster ({theirs.cluster}), where offsets are others"
        elif theirs.topic_id != mine.topic_id:
            problem = f"{mine.topic} was made anew since, so its offsets are others"
        elif {each.partition for each in manifest.partitions} != self.starts.keys():
            problem = f"it has {len(manifest.partitions)} partitions, the topic {len(self.starts)}"
        elif manifest.row != fields[: len(manifest.row)]:
            problem = "its rows have fields that this version does not know"
        if problem is not None:
            raise ConfigurationError("--from-snapshot", problem, "Take another snapshot")

    def check_start(self, partition: int, known: Position | None, snapshot: Snapshot | None) -> int:
        """Where a partition goes on; raises `ConfigurationError` where the topic cannot tell it.

        `known` is where an earlier run of this rebuild left off.
        """
        first, end = self.starts[partition], self.ends[partition]
        if known is None and snapshot is not None:
            start = snapshot.position(partition).offset
            if start < first:
                raise ConfigurationError(
                    "--from-snapshot",
                    f"it ends at offset {start} of {self.origin.topic}[{partition}], and the topic"
                    f" begins at {first}: what lay between is gone",
                    "Take a later snapshot",
                )
            if start > end:
                raise ConfigurationError(
                    "--from-snapshot",
                    f"it ends at offset {start} of {self.origin.topic}[{partition}], and the topic"
                    f" ends at {end}: it has lost records",
                    "Restore the topic, or take another snapshot",
                )
            return start
        start = 0 if known is None else known.offset
        if start < first:
            raise ConfigurationError(
                f"topic {self.origin.topic}",
                f"its beginning is gone: partition {partition} begins at offset {first},"
                f" and {start} is needed",
                "Begin with a table snapshot that reaches there: --from-snapshot DIR"
                " (`streams table snapshot --to DIR` takes one of the table as it is)",
            )
        return start
