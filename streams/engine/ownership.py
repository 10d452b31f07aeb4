"""Which partitions this member owns now, and since which event: the ownership epochs.

Every gain, loss and reset of a partition begins a new epoch. Work carries the epoch under which it
was read; work of an old epoch is dropped wherever it is met. All methods may be called from any
thread, and take effect at once.
"""

from __future__ import annotations

import enum
import threading
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Ownership", "Share"]


class Share(NamedTuple):
    """One partition under one epoch."""

    partition: int
    epoch: int


class _State(enum.Enum):
    LOADING = enum.auto()
    RUNNING = enum.auto()
    REVOKING = enum.auto()


class Ownership:
    """The partitions of one consumer and their epochs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owned: dict[int, tuple[int, _State]] = {}
        self._last_epoch = 0

    def gain(self, partitions: Iterable[int]) -> list[Share]:
        """Own these, their state still to be loaded."""
        with self._lock:
            return [self._begin(partition, _State.LOADING) for partition in sorted(partitions)]

    def run(self, shares: Iterable[Share]) -> list[Share]:
        """Let those of the shares run that are still owned and loading; return them."""
        with self._lock:
            ready = [share for share in shares if self._state(share) is _State.LOADING]
            for partition, epoch in ready:
                self._owned[partition] = (epoch, _State.RUNNING)
            return ready

    def reset(self, shares: Iterable[Share]) -> list[Share]:
        """End these epochs because their work failed; return the shares to load again.

        A partition that is being revoked only gets a new epoch: it is about to go anyway.
        """
        with self._lock:
            again = []
            for share in shares:
                state = self._state(share)
                if state is _State.REVOKING:
                    self._begin(share.partition, _State.REVOKING)
                elif state is not None:
                    again.append(self._begin(share.partition, _State.LOADING))
            return again

    def revoke(self, partitions: Iterable[int]) -> None:
        """Take no new work of these; what is under way may finish under their epochs."""
        with self._lock:
            for partition in partitions:
                if partition in self._owned:
                    self._owned[partition] = (self._owned[partition][0], _State.REVOKING)

    def lose(self, partitions: Iterable[int]) -> None:
        """Own these no more."""
        with self._lock:
            for partition in partitions:
                self._owned.pop(partition, None)

    def owns(self, partition: int, epoch: int) -> bool:
        """Whether work of this epoch may still take effect."""
        return self._state(Share(partition, epoch)) is not None

    def accepts(self, partition: int, epoch: int) -> bool:
        """Whether work of this epoch may still be begun."""
        return self._state(Share(partition, epoch)) is _State.RUNNING

    def running(self) -> dict[int, int]:
        """The partitions whose records are consumed now, each with its epoch."""
        with self._lock:
            return {
                p: epoch for p, (epoch, state) in self._owned.items() if state is _State.RUNNING
            }

    def owned(self) -> frozenset[int]:
        """All partitions owned now, in whatever state."""
        with self._lock:
            return frozenset(self._owned)

    def loading(self) -> frozenset[int]:
        """The partitions owned now whose state is not there yet."""
        with self._lock:
            return frozenset(p for p, (_, state) in self._owned.items() if state is _State.LOADING)

    def _begin(self, partition: int, state: _State) -> Share:
        self._last_epoch += 1
        self._owned[partition] = (self._last_epoch, state)
        return Share(partition, self._last_epoch)

    def _state(self, share: Share) -> _State | None:
        entry = self._owned.get(share.partition)
        return entry[1] if entry is not None and entry[0] == share.epoch else None
