"""What Kafka says of people and secrets beside the records themselves.

What Kafka holds of people is by design: events, rows, the bytes of dead letters, and whose an
outcome is, are what the program is for. What our own code says about them in words is not. No
secret is allowed anywhere.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from confluent_kafka import Consumer, TopicPartition

from streams.avro import codec, registry
from streams.engine.admin import partition_count
from streams.model.dead_letter import header_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from streams.demo.observation import Topics
    from streams.engine.kafka import KafkaSettings

RECORDS: Final = frozenset({"key", "value", "headers", "customer_id"})
"""Fields that hold the record itself, or say whose it was."""

_SECONDS: Final = 10.0
_HEAD: Final = struct.Struct(">bI")
_SCHEMAS: Final = Path(__file__).parents[2] / "avro_schemas"
_NOTHING: Final[dict[str, Any]] = {
    "string": "", "bytes": b"", "boolean": False, "null": None, "map": {}, "array": [],
}  # fmt: skip


def words(topics: Topics, topic: str, schema: str) -> str:
    """All fields of a topic's records but those that hold records, a line each.

    Args:
        topics: of the broker.
        topic: of outcomes or dead letters.
        schema: its name, under which any registry's id stands for ours.
    """
    decode, head = codec(schema).decode, _HEAD.pack(0, registry().ids[schema])
    lines = []
    for message in topics.records(topic):
        value = message.value()
        if value is not None:
            record: dict[str, Any] = decode(head + value[_HEAD.size :])
            lines.append(repr({name: record[name] for name in record.keys() - RECORDS}))
    return "\n".join(lines)


def raw(topics: Topics, topic: str) -> bytes:
    """Keys, values and headers of a topic's records, as they are."""
    parts: list[bytes] = []
    for message in topics.records(topic):
        parts += [message.key() or b"", message.value() or b""]
        parts += header_bytes(message.headers()).values()
    return b"\n".join(parts)


def positions(kafka: KafkaSettings, places: Iterable[tuple[str, str]]) -> str:
    """What groups committed beside the offsets of topics: (group, topic) of each."""
    return "\n".join(f"{each.metadata}" for each in _committed(kafka, places))


def _committed(kafka: KafkaSettings, places: Iterable[tuple[str, str]]) -> Iterator[TopicPartition]:
    for group, topic in places:
        reader = Consumer(kafka.observer(group))
        try:
            numbers = range(partition_count(kafka, topic))
            yield from reader.committed([TopicPartition(topic, n) for n in numbers], _SECONDS)
        finally:
            reader.close()


def blank(schema: str) -> dict[str, Any]:
    """A record of a schema that says nothing."""
    declared = json.loads((_SCHEMAS / f"{schema}.avsc").read_text(encoding="utf-8"))
    return {field["name"]: _nothing(field["type"]) for field in declared["fields"]}


def _nothing(kind: Any) -> Any:
    if isinstance(kind, list):
        return _nothing(kind[0])
    if isinstance(kind, dict):
        return _nothing(kind["type"])
    return _NOTHING.get(kind, 0)
