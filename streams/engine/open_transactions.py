"""Transactions that a partition's former owner left open on the changelog.

An open transaction holds the changelog's last stable offset, so the restore would wait for its
timeout. The first record of each partition in a transaction names its producer; when the stable
offset has not moved for a moment, the successor fences that producer, which aborts the transaction.
A transaction that was still being committed is given that moment.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from confluent_kafka import Consumer, Producer, TopicPartition

from streams.engine.publication import OWNER_HEADER
from streams.engine.watermarks import Watermarks

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from streams.engine.kafka import KafkaSettings

__all__ = ["settle"]

_PATIENCE_SECONDS = 0.5
_LOOK_SECONDS = 0.05
_CALL_SECONDS = 10.0

log = logging.getLogger(__name__)


def settle(
    kafka: KafkaSettings,
    topic: str,
    partitions: AbstractSet[int],
    alive: Callable[[], AbstractSet[int]],
) -> None:
    """Return when no transaction that is open now is open any more; end those of the dead.

    Args:
        kafka: the connection.
        topic: the changelog.
        partitions: of the changelog.
        alive: the partitions that still matter.

    Raises:
        KafkaException: the broker does not answer.
    """
    watermarks = Watermarks(kafka, topic)
    targets = watermarks.high(partitions)
    seen: dict[int, tuple[int, float]] = {}
    while waiting := alive() & targets.keys():
        stable = watermarks.stable(waiting)
        now = time.monotonic()
        for partition, offset in stable.items():
            if offset >= targets[partition]:
                del targets[partition]
            elif seen.get(partition, (None, 0.0))[0] != offset:
                seen[partition] = (offset, now)
            elif now - seen[partition][1] > _PATIENCE_SECONDS:
                _fence_owner(kafka, topic, partition, offset)
                seen.clear()  # the same transaction may have held others: wait again
                break
        time.sleep(_LOOK_SECONDS if targets else 0)


def _fence_owner(kafka: KafkaSettings, topic: str, partition: int, offset: int) -> None:
    """Fence the producer of the record at this offset, if it is one of ours."""
    reader = Consumer(kafka.reader(isolation="read_uncommitted"))
    try:
        reader.assign([TopicPartition(topic, partition, offset)])
        message = reader.poll(_CALL_SECONDS)
    finally:
        reader.close()
    headers = message.headers() if message is not None and message.error() is None else None
    owner = dict(headers or ()).get(OWNER_HEADER)
    if owner is None:
        log.warning("%s[%d]: an open transaction, not of ours, is waited for", topic, partition)
        return
    name = owner.decode() if isinstance(owner, bytes) else str(owner)
    log.info("%s[%d]: ending the transaction that %s left open", topic, partition, name)
    producer = Producer(kafka.transactional(name))
    producer.init_transactions(_CALL_SECONDS)
