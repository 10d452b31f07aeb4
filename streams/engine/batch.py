"""What the poll thread hands to a lane's handler: batches of records, by partition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from confluent_kafka import Message

__all__ = ["FIRST", "Batch", "Part", "Position"]

FIRST = -1
"""`Part.previous` of the first part of an ownership epoch."""


class Position(NamedTuple):
    """A committed position of a partition.

    Attributes:
        offset: the next record to read.
        metadata: the text committed with it.
    """

    offset: int
    metadata: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One partition's share of a batch.

    Attributes:
        partition: its number.
        epoch: the ownership epoch under which it was read (`Poller.owns`).
        previous: the offset of the last record handed over before it in this epoch, or `FIRST`:
            a handler that remembers another one has missed a part.
        messages: the records in order; none in an idle tick.
        stream_time: epoch milliseconds, in an idle tick only: no record appended before it is
            unread.
    """

    partition: int
    epoch: int
    previous: int
    messages: Sequence[Message]
    stream_time: int | None = None


class Batch:
    """Parts handed over together; holds one of the lane's slots until it is done.

    Attributes:
        parts: at most one a partition.
        size: records in all parts.
        quiet: the topic was quiet when it was made: there was nothing more.
    """

    __slots__ = ("_free", "parts", "quiet", "size")

    def __init__(
        self, parts: Sequence[Part], free: Callable[[], None], *, quiet: bool = False
    ) -> None:
        self.parts = parts
        self.quiet = quiet
        self.size = sum(len(part.messages) for part in parts)
        self._free: Callable[[], None] | None = free

    def done(self) -> None:
        """Free the slot, so that another batch may be handed over. Calling twice is harmless."""
        free, self._free = self._free, None
        if free is not None:
            free()

    def __del__(self) -> None:
        # Faust clears its queues without a word: a dropped batch must not keep its slot.
        self.done()
