"""How far a partition is: the committed offset never passes a delivery without its outcomes.

What is committed with it says where in the outcomes topic a successor finds everything that was
concluded beyond the offset (`recall`), so that only what was in flight is sent again.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from streams.delivery.pending import Delivery, Recalled
    from streams.delivery.statistics import Room
    from streams.engine.batch import Position
    from streams.engine.ownership import Share

_PREFIX: Final = "outcomes="


def read_from(metadata: str) -> int | None:
    """The offset in the outcomes partition that was committed along, if it was."""
    text = metadata.removeprefix(_PREFIX)
    return int(text) if text != metadata and text.isdecimal() else None


class Memory(NamedTuple):
    """What a partition starts from.

    Attributes:
        position: the committed position.
        outcomes_end: the end of its outcomes partition, when that was read.
        recalled: final outcomes beyond the position, by the delivery record's offset.
    """

    position: Position
    outcomes_end: int
    recalled: Mapping[int, tuple[Recalled, ...]]


@dataclass(slots=True)
class Window:
    """Room for deliveries in memory, shared by a connection's partitions.

    Attributes:
        count: deliveries not yet behind a committed offset, at most.
        size: bytes of the unfinished ones among them, at most.
        statistics: where both are counted.
    """

    count: int
    size: int
    statistics: Room

    @property
    def full(self) -> bool:
        """Whether another delivery must wait; one alone is always let in, whatever its size."""
        waiting = self.statistics.waiting
        too_big = waiting > 0 and self.statistics.waiting_bytes >= self.size
        return waiting >= self.count or too_big


@dataclass(slots=True)
class Ledger:
    """One partition under one ownership epoch: its deliveries in order of their offsets.

    Attributes:
        share: the partition and the epoch.
        memory: what it started from.
        window: shared room.
        last: the offset of the record taken last; the engine's `FIRST` before there is one.
    """

    share: Share
    memory: Memory
    window: Window
    last: int
    _entries: deque[Delivery] = field(default_factory=deque)
    _parked: dict[Delivery, None] = field(default_factory=dict)
    _offset: int = 0
    _committed: int = 0
    _outcomes_end: int = 0

    def __post_init__(self) -> None:
        self._offset = self._committed = self.memory.position.offset
        self._outcomes_end = self.memory.outcomes_end

    def __iter__(self) -> Iterator[Delivery]:
        """All that the offset has not passed, and what is parked."""
        yield from self._entries
        yield from self._parked

    @property
    def busy(self) -> bool:
        """Whether a request, or a record for the broker, is under way."""
        return any(each.task is not None or each.unacknowledged for each in self)

    def add(self, delivery: Delivery) -> None:
        """Take the partition's next delivery."""
        self._entries.append(delivery)
        self.last = delivery.offset
        self.window.statistics.waiting += 1
        self.window.statistics.waiting_bytes += delivery.size

    def finish(self, delivery: Delivery) -> None:
        """Let the offset pass a delivery, as soon as it may pass all before it."""
        if delivery in self._parked:
            del self._parked[delivery]
            self.window.statistics.parked -= 1
        self._pass(delivery)
        delivery.forget()

    def park(self, delivery: Delivery) -> None:
        """Let the offset pass one that goes on from the connection's table, until it finishes."""
        if delivery not in self._parked:
            self._parked[delivery] = None
            self.window.statistics.parked += 1
            self._pass(delivery)

    def _pass(self, delivery: Delivery) -> None:
        if delivery.finished:
            return
        delivery.finished = True
        self.window.statistics.waiting_bytes -= delivery.size
        self.window.statistics.finished += 1
        while self._entries and self._entries[0].finished:
            first = self._entries.popleft()
            self.window.statistics.waiting -= 1
            self._offset = first.offset + 1
            self._heard(first)

    def close(self) -> None:
        """Give the room back; the partition is no longer ours."""
        self.window.statistics.waiting -= len(self._entries)
        left = sum(each.size for each in self._entries if not each.finished)
        self.window.statistics.waiting_bytes -= left
        self.window.statistics.parked -= len(self._parked)
        self._entries.clear()
        self._parked.clear()

    def due(self) -> Position | None:
        """The position to commit; None when it has not moved since the last commit."""
        if self._offset == self._committed:
            return None
        firsts = [each.first_outcome for each in self if each.first_outcome is not None]
        for each in self:
            self._heard(each)
        # What is not acknowledged yet comes later than all that is: outcomes of one partition are
        # written in order.
        start = min(firsts, default=self._outcomes_end)
        position = self.memory.position
        return position._replace(offset=self._offset, metadata=f"{_PREFIX}{start}")

    def committed(self, position: Position) -> None:
        """Note that the broker has this position."""
        self._committed = position.offset

    def _heard(self, delivery: Delivery) -> None:
        if delivery.last_outcome is not None:
            self._outcomes_end = max(self._outcomes_end, delivery.last_outcome + 1)
