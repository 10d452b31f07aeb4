"""A changelog becomes a table again: bulk reading, partition by partition, last row wins."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeAlias

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from streams.engine.statistics import RestoreProgress
from streams.engine.watermarks import Watermarks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from confluent_kafka import Message

    from streams.engine.kafka import KafkaSettings
    from streams.engine.statistics import LaneStatistics

__all__ = ["Taker", "replay", "restore"]

_WAIT_SECONDS = 0.05
_BATCH = 2_000
"""Records at a time: few enough that the fetch never waits for room behind them."""

Table = dict[bytes, bytes]

Taker: TypeAlias = "Callable[[int, Sequence[Message], int], None]"
"""Takes records of one partition in order, and the offset behind them."""


def restore(
    kafka: KafkaSettings,
    changelog: str,
    partitions: AbstractSet[int],
    alive: Callable[[], AbstractSet[int]],
    statistics: LaneStatistics,
) -> dict[int, Table]:
    """Return the tables of these changelog partitions, up to their last stable offset now.

    `open_transactions.settle` comes before it, so that this is the end of all that counts. What
    is no longer `alive()` is left unfinished.

    Raises:
        KafkaException: the broker does not answer.
    """
    watermarks = Watermarks(kafka, changelog)
    targets, starts = watermarks.stable(partitions), watermarks.first(partitions)
    tables: dict[int, Table] = {partition: {} for partition in partitions}

    def take(partition: int, messages: Sequence[Message], _position: int) -> None:
        table = tables[partition]
        for message in messages:
            row = message.value()
            if row is None:
                table.pop(message.key(), None)  # type: ignore[arg-type]
            else:
                table[message.key()] = row  # type: ignore[index]

    spans = {p: RestoreProgress(starts[p], starts[p], targets[p]) for p in partitions}
    replay(kafka, changelog, spans, alive, statistics, take)
    return tables


def replay(  # noqa: PLR0913 - what, how far, for whom
    kafka: KafkaSettings,
    changelog: str,
    spans: Mapping[int, RestoreProgress],
    alive: Callable[[], AbstractSet[int]],
    statistics: LaneStatistics,
    take: Taker,
    *,
    ahead_kib: int = 32 << 10,
) -> None:
    """Hand over the committed records of these spans; moves their positions on.

    Args:
        kafka: the connection.
        changelog: the topic.
        spans: partition → from where to where; shown in the statistics meanwhile.
        alive: the partitions that still matter; asked all the time.
        statistics: count it.
        take: gets the records.
        ahead_kib: how much is fetched ahead.

    Raises:
        KafkaException: the broker does not answer.
    """
    began = time.perf_counter()
    statistics.restoring.update(spans)
    rows = 0
    reader: Consumer | None = None
    try:
        while unfinished := {p for p, s in spans.items() if s.position < s.target} & alive():
            if reader is None:
                reader = _reader(kafka, changelog, spans, unfinished, ahead_kib)
            for partition, messages in _sorted(reader.consume(_BATCH, _WAIT_SECONDS), spans):
                rows += len(messages)
                position: int = messages[-1].offset() + 1  # type: ignore[operator]
                take(partition, messages, position)
                spans[partition].position = position
    finally:
        if reader is not None:
            reader.close()
        for partition in spans:
            statistics.restoring.pop(partition, None)
        statistics.add_restore(rows, time.perf_counter() - began)


def _reader(
    kafka: KafkaSettings,
    changelog: str,
    spans: Mapping[int, RestoreProgress],
    partitions: Iterable[int],
    ahead_kib: int,
) -> Consumer:
    bulk: dict[str, Any] = {
        "queued.min.messages": 1_000_000,
        "queued.max.messages.kbytes": ahead_kib,
        "fetch.message.max.bytes": 2 << 20,  # larger answers cost page faults, not round trips
        "fetch.queue.backoff.ms": 1,  # a full queue stops the fetch for so long; 1 s by default
        "check.crcs": False,  # TCP's and the broker's own do; ours cost a tenth of the rate
    }
    reader = Consumer(kafka.reader(isolation="read_committed") | bulk)
    # explicit offsets: looking up a logical one costs half a second
    reader.assign([TopicPartition(changelog, p, spans[p].position) for p in sorted(partitions)])
    return reader


def _sorted(
    messages: Iterable[Message], spans: Mapping[int, RestoreProgress]
) -> Iterable[tuple[int, list[Message]]]:
    """Yield records by partition, in order; after them, note where partitions ended."""
    parts: dict[int, list[Message]] = {}
    ends: dict[int, int] = {}
    for message in messages:
        partition: int = message.partition()  # type: ignore[assignment]
        error = message.error()
        if error is None:
            parts.setdefault(partition, []).append(message)
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
            ends[partition] = message.offset()  # type: ignore[assignment]
        else:
            raise KafkaException(error)
    yield from parts.items()
    for partition, offset in ends.items():
        spans[partition].position = max(spans[partition].position, offset)
