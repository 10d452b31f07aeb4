"""The rows of one partition on disk, seen through what is not committed yet.

A batch is computed while the one before is published, and only committed rows are on disk. So up to
two batches' changes lie in memory, one layer each, the newest on top; a layer goes when its rows
have been written. Deletions are part of a layer.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["LocalRows"]

Changes = dict[bytes, bytes | None]


class LocalRows:
    """A `rows.Table`. Its rows change on the event loop, its layers also go in another thread."""

    __slots__ = ("_layers", "_lock", "_read")

    def __init__(self, read: Callable[[bytes], bytes | None]) -> None:
        """Begin with what is on disk.

        Args:
            read: key → row on disk, None where there is none.
        """
        self._read = read
        self._lock = threading.Lock()
        self._layers: tuple[Mapping[bytes, bytes | None], ...] = ({},)

    def get(self, key: bytes, /) -> bytes | None:
        """Return the row, None where there is none."""
        # this order: a layer goes only after its rows can be read on disk
        for layer in self._layers:
            if key in layer:
                return layer[key]
        return self._read(key)

    def __setitem__(self, key: bytes, row: bytes, /) -> None:
        """Replace the row."""
        self._present[key] = row

    def pop(self, key: bytes, _default: None, /) -> bytes | None:
        """Delete the row; what it was is not looked up."""
        self._present[key] = None
        return None

    def seal(self, changes: Mapping[bytes, bytes | None]) -> None:
        """End the present batch, whose changes these are, and begin another."""
        with self._lock:
            _, *older = self._layers
            sealed = [changes] if changes else []
            self._layers = ({}, *sealed, *older)

    def written(self, changes: Mapping[bytes, bytes | None]) -> None:
        """Let the layer of a batch go (the very mapping that sealed it): its rows are on disk."""
        with self._lock:
            self._layers = tuple(layer for layer in self._layers if layer is not changes)

    @property
    def _present(self) -> Changes:
        return self._layers[0]  # type: ignore[return-value]  # the only one that changes
