"""What a delivery would say now beside what was sent, field by field, by keyed hashes. Pure.

Neither body is kept: an outcome has a hash for each field path (`delivery.fingerprints`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Change = Literal["changed", "added", "removed"]

_INDEX_BYTES: Final = 2
_HASH_BYTES: Final = 8
_ENTRY: Final = _INDEX_BYTES + _HASH_BYTES
_MOST_PATHS: Final = 0xFFFF


class Paths:
    """Hashes by path, in ten bytes each: as many bodies as a partition has must fit in memory."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._names: list[str] = []

    def packed(self, hashes: Mapping[str, bytes]) -> bytes:
        """The hashes of one body; what is beyond 65,535 different paths is left out."""
        found = bytearray()
        for path, hashed in hashes.items():
            number = self._numbers.get(path)
            if number is None:
                number = len(self._names)
                if number > _MOST_PATHS:
                    continue
                self._numbers[path] = number
                self._names.append(path)
            found += number.to_bytes(_INDEX_BYTES, "big") + hashed[:_HASH_BYTES]
        return bytes(found)

    def unpacked(self, packed: bytes) -> dict[str, bytes]:
        """Them again."""
        return {
            self._names[int.from_bytes(packed[at : at + _INDEX_BYTES], "big")]: packed[
                at + _INDEX_BYTES : at + _ENTRY
            ]
            for at in range(0, len(packed), _ENTRY)
        }


@dataclass(slots=True)
class Differences:
    """What differs, counted.

    Attributes:
        compared: bodies.
        different: of them.
        paths: (part, path, what) → bodies.
    """

    compared: int = 0
    different: int = 0
    paths: Counter[tuple[str, str, Change]] = field(default_factory=Counter)

    def note(self, part: str, sent: Mapping[str, bytes], now: Mapping[str, bytes]) -> None:
        """Compare the hashes of what was sent with those of what would be sent."""
        self.compared += 1
        if sent == now:
            return
        self.different += 1
        for path, hashed in now.items():
            if path not in sent:
                self.paths[part, path, "added"] += 1
            elif sent[path] != hashed:
                self.paths[part, path, "changed"] += 1
        for path in sent.keys() - now.keys():
            self.paths[part, path, "removed"] += 1
