"""A job: the pure side of a lane with a table. The engine drives it; it knows no Kafka client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from confluent_kafka import Message

    from streams.engine.rows import Rows

__all__ = ["Headers", "Job", "Output", "Outputs"]

Headers = list[tuple[str, str | bytes | None]]

Output = tuple[str, bytes | None, bytes | None, Headers | None]
"""A record to produce: topic, key, value, headers. The key chooses the partition."""

Outputs = list[Output]


class Job(Protocol):
    """What is done with each record and each timer of a partition, in their order.

    An exception that escapes sets the partition back as poisoned, and after some tries stops the
    process: a job turns bad records into dead letters itself, and says so (`Rows.gave_up`).
    """

    def apply(self, message: Message, rows: Rows, outputs: Outputs) -> None:
        """Handle one record; `rows.now` is the stream time, this record's included."""

    def fire(self, key: bytes, due: int, now: int, rows: Rows, outputs: Outputs) -> None:
        """Handle a timer that is due by stream time `now` (epoch milliseconds).

        It must put the key's row again, with a later timer or none: the row is the timer's only
        memory, and would fire again after a restart.
        """

    def due(self, row: bytes) -> int:
        """Return the timer that a restored row asks for, 0 for none: what `put` was given."""
