"""What a vendor took lately and may still refuse: its outcome, by the record's id at the vendor.

Bounded, and in memory only: what is refused later than that, or after a restart, is told without
its delivery, as is whatever the vendor's list does not name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST: Final = 5_000
"""Records remembered, about 4 MB: at Ometria's full rate six seconds, usually some hours."""


class Told(NamedTuple):
    """An outcome that says that the vendor took something.

    Attributes:
        outcome: as it was written, without the hashes.
        key: of its record …
        partition: … and its partition …
        offset: … and offset: what a correction refers to.
    """

    outcome: Mapping[str, Any]
    key: bytes | None
    partition: int
    offset: int


class LatelySent:
    """What one connection sent lately. For one event loop."""

    def __init__(self, most: int = MOST) -> None:
        """Begin with nothing; the oldest is forgotten for what is one too many."""
        self._most = most
        self._told: dict[str, Told] = {}

    def note(self, record: str, told: Told) -> None:
        """Remember the outcome of a record, by its id at the vendor; of one id the last."""
        self._told.pop(record, None)
        self._told[record] = told
        if len(self._told) > self._most:
            del self._told[next(iter(self._told))]

    def named(self, record: str | None) -> Told | None:
        """The outcome of the record that a vendor names; None where nobody knows it."""
        return None if record is None else self._told.get(record)
