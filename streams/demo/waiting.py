"""What was fed and must be on a source topic: each customer's in the order of the feed.

A topic's records only lend their times: each must hold the very bytes that were fed, next in turn.
"""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from confluent_kafka import Message

Fed = TypeVar("Fed")


class Waiting(Generic[Fed]):
    """Fed, and not found on the topic yet.

    Attributes:
        strays: records that should not be on the topic, and those that should.
        last_at: the time of the newest record, epoch milliseconds.
    """

    def __init__(self) -> None:
        self._waiting: defaultdict[bytes, deque[tuple[bytes, Fed]]] = defaultdict(deque)
        self.strays: list[str] = []
        self.last_at = 0

    def __len__(self) -> int:
        """How many."""
        return sum(map(len, self._waiting.values()))

    def add(self, key: str, body: bytes, fed: Fed) -> None:
        """A record of that key with that body in it must come."""
        self._waiting[key.encode()].append((body, fed))

    def find(
        self, records: Iterable[Message], others: Collection[bytes | None] = ()
    ) -> Iterator[tuple[Fed, int]]:
        """What was fed, each with its record's time; `others`: keys of what else is there.

        Args:
            records: all of the topic, each partition's in order.
            others: keys of records that are none of ours.
        """
        for record in records:
            key, value, at = record.key() or b"", record.value() or b"", record.timestamp()[1]
            self.last_at = max(self.last_at, at)
            waiting = self._waiting.get(key)
            if waiting and waiting[0][0] in value:
                yield waiting.popleft()[1], at
            elif key not in others:
                place = f"{record.partition()}@{record.offset()}"
                self.strays.append(f"source record {place} is not the next of {key.decode()}")
        for key, left in self._waiting.items():
            self.strays += [f"a webhook of {key.decode()} is not on the source topic"] * len(left)
