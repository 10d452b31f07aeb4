"""The consumer's group metadata, which fences what a zombie would publish (KIP-447).

A member that lost its membership reports generation -1 and an empty member id, and the broker
would take offsets with such metadata unfenced. So only metadata with a positive generation and a
member is ever kept or given out.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from confluent_kafka import Consumer

__all__ = ["Membership", "is_real"]

_MAGIC = b"CGMDv2:"


def is_real(metadata: bytes) -> bool:
    """Whether the metadata names a generation and a member.

    The bytes are librdkafka's (`rd_kafka_consumer_group_metadata_write`): `CGMDv2:`, the
    generation as a native 32-bit integer, then group id and member id, each ended by a zero byte.

    Raises:
        ValueError: the bytes have another form; guessing would be unsafe.
    """
    if not metadata.startswith(_MAGIC):
        message = "librdkafka's group metadata has an unknown form"
        raise ValueError(message)
    (generation,) = struct.unpack_from("=i", metadata, len(_MAGIC))
    _group, member, *_ = metadata[len(_MAGIC) + 4 :].split(b"\0")
    return generation > 0 and bool(member)


class Membership:
    """The newest real metadata of one consumer; refreshed by the poll thread, read by any.

    Attributes:
        metadata: for `send_offsets_to_transaction`; None before the first join.
        stable: whether the latest look showed a real membership.
    """

    def __init__(self) -> None:
        self.metadata: bytes | None = None
        self.stable = False

    def refresh(self, consumer: Consumer) -> None:
        """Look at the consumer's metadata now (the poll thread only)."""
        metadata: bytes = consumer.consumer_group_metadata()
        self.stable = is_real(metadata)
        if self.stable:
            self.metadata = metadata
