"""Two tables of one moment, row by row: equal, different, missing, extra. Pure.

Rows are held against each other field by field as they are decoded, so neither the order in which a
mapping was filled counts, nor whether an older version of the program left out a field's default.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

import msgspec

from streams.model.ids import is_nobody

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Row = TypeVar("Row", bound=msgspec.Struct)

NOT_STATE: Final = frozenset({"version"})
"""Fields that say nothing of a customer: the version counts a table's own changes, to put profiles
of one generation in order. Nothing is concluded from it, and generations come before it."""
UNREADABLE: Final = "(not a row of this version)"
"""Stands for a field where one of the two cannot be decoded."""


class Example(NamedTuple):
    """A row that differs.

    Attributes:
        key: its key.
        kind: `different`, `missing` from the rebuilt table, or `extra` in it.
        fields: those that differ.
    """

    key: bytes
    kind: str
    fields: tuple[str, ...] = ()


@dataclass(slots=True)
class Comparison:
    """What came of it so far.

    Attributes:
        equal: rows that say the same.
        recounted: those among them with another version.
        different: rows of one key that do not.
        missing: rows that only the live table has.
        extra: rows that only the rebuilt table has.
        markers: rows of the rebuilt table that are no customer's; they are not compared.
        fields: in how many rows each field differs.
        examples: the first that differ of each kind.
    """

    equal: int = 0
    recounted: int = 0
    different: int = 0
    missing: int = 0
    extra: int = 0
    markers: int = 0
    fields: Counter[str] = field(default_factory=Counter)
    examples: list[Example] = field(default_factory=list)

    @property
    def unequal(self) -> int:
        """Rows that are not the same in both."""
        return self.different + self.missing + self.extra

    def counts(self) -> dict[str, int]:
        """What is to be kept of it, in numbers."""
        names = ("equal", "different", "missing", "extra", "markers")
        return {name: getattr(self, name) for name in names}


class Comparer(Generic[Row]):
    """Compares tables of one kind of row, partition by partition.

    Attributes:
        found: the result.
    """

    def __init__(self, decode: Callable[[bytes], Row], examples: int) -> None:
        """Take how rows are decoded, and how many examples of each kind are kept."""
        self.found = Comparison()
        self._decode = decode
        self._examples = examples
        self._shown: Counter[str] = Counter()

    def compare(self, live: Mapping[bytes, bytes], rebuilt: Mapping[bytes, bytes]) -> None:
        """Hold one partition's rows against each other."""
        for key, mine in rebuilt.items():
            if is_nobody(key):
                self.found.markers += 1
            elif key in live:
                self._pair(key, live[key], mine)
            else:
                self.found.extra += 1
                self._show(Example(key, "extra"))
        for key in live:
            if key not in rebuilt and not is_nobody(key):
                self.found.missing += 1
                self._show(Example(key, "missing"))

    def _pair(self, key: bytes, live: bytes, rebuilt: bytes) -> None:
        differing = () if live == rebuilt else self._differing(live, rebuilt)
        state = tuple(name for name in differing if name not in NOT_STATE)
        if state:
            self.found.different += 1
            self.found.fields.update(state)
            self._show(Example(key, "different", state))
        else:
            self.found.equal += 1
            self.found.recounted += bool(differing)

    def _differing(self, live: bytes, rebuilt: bytes) -> tuple[str, ...]:
        try:
            theirs, mine = self._decode(live), self._decode(rebuilt)
        except msgspec.DecodeError:
            return (UNREADABLE,)
        names = mine.__struct_fields__
        return tuple(name for name in names if getattr(theirs, name) != getattr(mine, name))

    def _show(self, example: Example) -> None:
        if self._shown[example.kind] < self._examples:
            self._shown[example.kind] += 1
            self.found.examples.append(example)
