"""What a handler may await before it begins with a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.engine.batch import Part
    from streams.engine.poller import Poller

__all__ = ["Preparation"]


class Preparation(Protocol):
    """Awaited with the parts of a batch, before the first of their records is looked at.

    It may take as long as it must: the poll thread keeps the membership meanwhile. It returns at
    once when none of the parts is accepted any more (`Poller.accepts`), and says why it waits
    (`Poller.unready`). What escapes it sets the batch's partitions back as poisoned.
    """

    async def __call__(self, parts: Sequence[Part], poller: Poller) -> None:
        """Return when the parts can be handled."""
