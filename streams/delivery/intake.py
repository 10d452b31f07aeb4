"""How deliveries come in: from a consumed record, or from what an earlier run parked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from streams.delivery.parking import outcomes_of
from streams.delivery.pending import Delivery
from streams.model.dead_letter import header_bytes
from streams.model.delivery import Outcome

if TYPE_CHECKING:
    from confluent_kafka import Message

    from streams.delivery.known import Parked
    from streams.delivery.ledger import Ledger

LOW: Final = 1 << 60
"""Added to the numbers of the low lane's deliveries: whatever is live goes before them."""


def of_record(message: Message, ledger: Ledger, topic: str, number: int, *, low: bool) -> Delivery:
    """A record's delivery.

    Args:
        message: from Kafka.
        ledger: of its partition.
        topic: that it came from.
        number: greater than those of all before.
        low: whether that is the low lane.
    """
    offset = message.offset() or 0
    delivery = Delivery(
        sequence=number + LOW if low else number,
        topic=topic,
        partition=message.partition() or 0,
        epoch=ledger.share.epoch,
        offset=offset,
        timestamp=message.timestamp()[1],
        key=message.key(),
        value=message.value() or b"",
        headers=header_bytes(message.headers()),
        recalled=ledger.memory.recalled.get(offset, ()),
        low=low,
    )
    for outcome in delivery.recalled:
        delivery.heard(outcome.offset)
    return delivery


def of_parked(parked: Parked, ledger: Ledger, topic: str, number: int) -> Delivery:
    """What an earlier run parked, to go on from there; arguments as above."""
    recalled = ledger.memory.recalled.get(parked.offset, ())
    delivery = Delivery(
        sequence=number + LOW if parked.low else number,
        topic=topic,
        partition=ledger.share.partition,
        epoch=ledger.share.epoch,
        offset=parked.offset,
        timestamp=parked.timestamp,
        key=parked.key,
        value=parked.value,
        headers=parked.headers,
        recalled=(*recalled, *outcomes_of(parked)),
        concluded={part: Outcome(what) for part, what in parked.concluded.items()},
        resumed=(parked.failures, parked.under_attempt),
        low=parked.low,
        finished=True,  # the offset has nothing to wait for
    )
    for outcome in recalled:
        delivery.heard(outcome.offset)
    return delivery
