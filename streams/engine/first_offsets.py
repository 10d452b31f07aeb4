"""Where a group begins, once: explicit offsets at its first start, a record of it ever after.

From then on no position is ever guessed: `auto.offset.reset=error`, and a group that once had
offsets and has none stops and asks (DESIGN §3). Before subscribing, and before any other worker of
the group is running with records: the broker refuses these commits to a group with members. The
record also holds the number of partitions: with another one, keys lie elsewhere than before.
"""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING, Any, Literal

from confluent_kafka import KafkaError, KafkaException, Producer

from streams.engine.admin import partition_count
from streams.engine.group_offsets import commit_offsets, committed_positions
from streams.engine.patience import patiently
from streams.engine.publication import flush
from streams.engine.stretch import newest
from streams.engine.watermarks import Watermarks
from streams.errors import ConfigurationError

if TYPE_CHECKING:
    from streams.engine.kafka import KafkaSettings

__all__ = ["Start", "ensure_first_offsets", "first_start"]

Start = Literal["beginning", "end"] | int
"""Where a group begins; a number is a time, epoch milliseconds: the first record since."""

_PATIENCE_SECONDS = 30.0
_FLUSH_SECONDS = 30.0
_AGAIN_SECONDS = 0.2
_OTHERS_RUN = {KafkaError.UNKNOWN_MEMBER_ID, KafkaError.ILLEGAL_GENERATION}

log = logging.getLogger(__name__)


def ensure_first_offsets(
    kafka: KafkaSettings,
    group: str,
    topic: str,
    *,
    start: Start,
    control: str,
    may_grow: bool = False,
) -> int:
    """Give the group an offset in every partition if it starts for the first time.

    Safe when two workers start at once: both would commit the same, and the later one is refused
    or finds nothing missing.

    Args:
        kafka: the connection.
        group: the consumer group.
        topic: that it consumes.
        start: where it begins, if nothing is recorded of it.
        control: the compacted topic on which first starts are recorded.
        may_grow: nothing rests on the place of a key; partitions that the topic got since are read
            from their beginning.

    Returns:
        When the group started for the first time, epoch milliseconds.

    Raises:
        ConfigurationError: a topic is missing, or it is recorded that the group started and offsets
            are missing, or the topic had another number of partitions then.
        KafkaException: the broker does not answer.
    """
    partitions = range(partition_count(kafka, topic))
    key = _key(group, topic)
    recorded = _recorded(kafka, control, key)
    if recorded is None:
        _begin(kafka, group, topic, partitions, start)
        return _record(kafka, control, key, {"start": start, "partitions": len(partitions)})
    had = recorded.get("partitions", len(partitions))
    if len(partitions) < had or (len(partitions) > had and not may_grow):
        raise ConfigurationError(
            f"topic {topic}",
            f"it had {had} partitions when group {group} began with it and has {len(partitions)}"
            " now: records of one customer may lie in two of them",
            "Go on under a new prefix; where it is a source topic, with `rekey.topic` set to it",
        )
    missing = _missing(kafka, group, topic, range(had))
    if missing:
        raise ConfigurationError(
            f"group {group}",
            f"it started before, but has no offset for {topic} {missing}",
            "Where to go on cannot be guessed: set its offsets with"
            " `kafka-consumer-groups --reset-offsets` while no worker runs",
        )
    if len(partitions) > had:
        _begin(kafka, group, topic, partitions, "beginning")
        _record(kafka, control, key, recorded | {"partitions": len(partitions)})
    return int(recorded["at"])


def first_start(kafka: KafkaSettings, group: str, topic: str, *, control: str) -> int | None:
    """Return when the group started for the first time, epoch milliseconds; None: it never did.

    Raises:
        ConfigurationError: the control topic is missing.
        KafkaException: the broker does not answer.
    """
    recorded = _recorded(kafka, control, _key(group, topic))
    return None if recorded is None else int(recorded["at"])


def _key(group: str, topic: str) -> bytes:
    return f"first-offsets:{group}:{topic}".encode()


def _begin(kafka: KafkaSettings, group: str, topic: str, partitions: range, start: Start) -> None:
    """Commit explicit offsets where there are none."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while missing := _missing(kafka, group, topic, partitions):
        offsets = _offsets(Watermarks(kafka, topic), missing, start)
        try:
            commit_offsets(kafka, group, topic, offsets)
        except KafkaException as error:
            # a worker that started with us is in the group already: it has committed before
            if error.args[0].code() not in _OTHERS_RUN or time.monotonic() > deadline:
                raise
            time.sleep(_AGAIN_SECONDS)
        else:
            log.info("group %s begins %s at %s: %s", group, topic, start, offsets)


def _offsets(watermarks: Watermarks, partitions: list[int], start: Start) -> dict[int, int]:
    if isinstance(start, int):
        return watermarks.since(partitions, start)
    return watermarks.first(partitions) if start == "beginning" else watermarks.stable(partitions)


def _missing(kafka: KafkaSettings, group: str, topic: str, partitions: range) -> list[int]:
    """Return the partitions in which the group has no offset."""
    positions = patiently(
        lambda: committed_positions(kafka, group, topic, partitions), _PATIENCE_SECONDS
    )
    return [partition for partition, position in positions.items() if position is None]


def _recorded(kafka: KafkaSettings, control: str, key: bytes) -> dict[str, Any] | None:
    """Return what is recorded of the first start."""
    value = newest(kafka, control).get(key)
    recorded: dict[str, Any] | None = None if value is None else json.loads(value)
    return recorded


def _record(kafka: KafkaSettings, control: str, key: bytes, told: dict[str, Any]) -> int:
    """Record a first start, which is now unless it says when."""
    recorded = {"at": int(time.time() * 1_000)} | told
    producer = Producer(kafka.producer())
    producer.produce(control, json.dumps(recorded).encode(), key)
    flush(producer, _FLUSH_SECONDS)
    return int(recorded["at"])
