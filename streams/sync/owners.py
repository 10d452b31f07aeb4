"""Whose an item is: the API's items name their order, and only the order names the customer.

In memory for the length of a run, some 150 bytes an order. A run that goes on after a crash learns
it again from what it wrote to the topic before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.engine.admin import partition_count
from streams.engine.restore import replay
from streams.engine.statistics import LaneStatistics, RestoreProgress
from streams.engine.watermarks import Watermarks
from streams.errors import BadRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from confluent_kafka import Message

    from streams.engine.kafka import KafkaSettings
    from streams.model.events import Event

__all__ = ["Owners", "learn"]

_TYPE = b"order.state"
_HEAD = 80
"""Bytes of a record within which its type stands: ahead of it is only its id."""


class Owners:
    """Order → customer."""

    def __init__(self) -> None:
        self._of: dict[bytes, str] = {}
        self._ids: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._of)

    def note(self, order: str, customer_id: str) -> None:
        """Remember whose an order is."""
        self._of[_short(order)] = self._ids.setdefault(customer_id, customer_id)

    def of(self, order: str | None) -> str | None:
        """Whose an order is; None where nobody said."""
        return None if order is None else self._of.get(_short(order))


def _short(order: str) -> bytes:
    """16 bytes for an id of 32 hexadecimal digits; another one as it is."""
    try:
        packed = bytes.fromhex(order)
    except ValueError:
        return order.encode()
    return packed if packed.hex() == order else order.encode()


def learn(
    owners: Owners,
    kafka: KafkaSettings,
    topic: str,
    begins: Mapping[int, int],
    merchant: str,
    event_of: Callable[[bytes | None], Event],
) -> None:
    """Learn from the orders that a topic has since a run began.

    Args:
        owners: are told.
        kafka: the connection.
        topic: that the run writes to.
        begins: partition → where it ended when the run began.
        merchant: whose orders count.
        event_of: a record's event; raises `BadRecord`.

    Raises:
        KafkaException: the broker does not answer.
    """

    def take(_partition: int, messages: Sequence[Message], _position: int) -> None:
        for message in messages:
            value = message.value() or b""
            if _TYPE not in value[:_HEAD]:
                continue
            try:
                event = event_of(value)
            except BadRecord:
                continue
            if event.merchant == merchant:
                owners.note(getattr(event.subject, "public_id", ""), event.customer_id)

    partitions = frozenset(range(partition_count(kafka, topic)))
    watermarks = Watermarks(kafka, topic)
    first, ends = watermarks.first(partitions), watermarks.stable(partitions)
    starts = {p: max(first[p], begins.get(p, 0)) for p in partitions}
    spans = {p: RestoreProgress(starts[p], starts[p], ends[p]) for p in partitions}
    replay(kafka, topic, spans, lambda: partitions, LaneStatistics(), take)
