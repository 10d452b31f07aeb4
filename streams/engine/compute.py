"""A part of a batch becomes work to publish: timers and records applied in order."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from streams.engine.batch import Position
from streams.engine.failure import describe
from streams.engine.rows import Rows
from streams.errors import StreamsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confluent_kafka import Message

    from streams.breaker import Failures
    from streams.engine.batch import Part
    from streams.engine.job import Job, Outputs
    from streams.engine.rows import Shard

__all__ = ["Poisoned", "Work", "compute"]

_CHUNK = 200
"""Records applied between two turns of the event loop."""


class Poisoned(StreamsError):
    """The job raised; the text says at which offset and what, without the record's data."""


@dataclass(frozen=True, slots=True)
class Work:
    """What one part came to; published as a whole or not at all.

    Attributes:
        partition: of the source.
        epoch: the ownership epoch under which it was computed.
        position: to commit with it.
        outputs: records for output topics, in order.
        changes: records for the changelog.
        records: source records in it.
        fired: timers in it.
        failures: the records among them that the job gave up on, by kind.
        end: the changelog's offset behind its last change; None while nobody has told it.
    """

    partition: int
    epoch: int
    position: Position
    outputs: Outputs
    changes: dict[bytes, bytes | None]
    records: int
    fired: int
    failures: Failures
    end: int | None = None


async def compute(job: Job, shard: Shard, part: Part) -> Work | None:
    """Apply a part to its shard; None when it changes nothing (a tick without a due timer).

    Stream time is the largest record timestamp so far. Before a record is applied, the timers that
    are due by its stream time fire, and after it those that it set for a time already past.

    Raises:
        Poisoned: the job raised. The shard is then between two states and must be loaded anew.
    """
    run = _Run(job, shard)
    try:
        run.advance(part.stream_time or 0)
        for start in range(0, len(part.messages), _CHUNK):
            if start:
                await asyncio.sleep(0)
            run.apply(part.messages[start : start + _CHUNK])
    except Exception as error:
        text = f"offset {run.offset}: {describe(error)}"
        raise Poisoned(text) from error
    shard.stream_time = run.rows.now
    if part.messages:
        shard.previous = run.offset
        shard.offset = run.offset + 1
    elif not run.fired:
        return None
    return Work(
        partition=part.partition,
        epoch=part.epoch,
        position=Position(shard.offset, str(shard.stream_time)),
        outputs=run.outputs,
        changes=run.rows.changes,
        records=len(part.messages),
        fired=run.fired,
        failures=run.rows.failures,
    )


class _Run:
    """One part on its way through a job.

    Attributes:
        rows: the job's view of the shard.
        outputs: what it produced so far.
        offset: the record being applied.
        fired: timers so far.
    """

    __slots__ = ("_job", "_timers", "fired", "offset", "outputs", "rows")

    def __init__(self, job: Job, shard: Shard) -> None:
        self._job = job
        self._timers = shard.timers
        self.rows = Rows(shard)
        self.outputs: Outputs = []
        self.offset = shard.offset
        self.fired = 0

    def advance(self, stream_time: int) -> None:
        """Move stream time, never back, and fire what is due by then."""
        self.rows.now = max(self.rows.now, stream_time)
        if 0 < self._timers.earliest <= self.rows.now:
            self._fire()

    def apply(self, messages: Sequence[Message]) -> None:
        """Apply records in order."""
        apply, rows, outputs, timers = self._job.apply, self.rows, self.outputs, self._timers
        for message in messages:
            self.offset = message.offset()  # type: ignore[assignment]
            stamp = message.timestamp()[1]
            if stamp > rows.now:
                self.advance(stamp)
            apply(message, rows, outputs)
            if 0 < timers.earliest <= rows.now:
                self._fire()

    def _fire(self) -> None:
        rows, timers = self.rows, self._timers
        while (timer := timers.pop(rows.now)) is not None:
            due, key = timer
            rows.changes.pop(key, None)
            self._job.fire(key, due, rows.now, rows, self.outputs)
            if key not in rows.changes:
                raise StreamsError("fire() left its timer standing: it must put the row again")
            if 0 < timers.of(key) <= due:
                raise StreamsError("fire() set a timer that is not later than the one that fired")
            self.fired += 1
