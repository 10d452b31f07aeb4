"""Where a merchant's first sync ended, as derive meets it: a mark in every partition of the source.

The mark is a record of the source topic itself, and is kept as a row of the table: so a rebuild or
a replay of the topic concludes what was concluded the first time. Before it nobody's past is known,
however much of it a sync has told already, and nobody is told what a sync says of people of whom
nothing else is known. From its time on all is known of those whom a sync told of, and with
`history = "synced"` who is not among the rows is new.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from streams.model.ids import synced_by, synced_row
from streams.model.row_bytes import decode_row, encode_row
from streams.model.subscriber import Subscriber

if TYPE_CHECKING:
    from streams.engine.rows import Rows
    from streams.pipeline import Pipeline


_STATE: Final = b".state"
"""The types of all that a sync says of entities end with it (`sources.ordergroove.types`)."""


def mark_synced(key: bytes, at: int, rows: Rows) -> None:
    """Keep a mark as a row; the first one counts, and what else has no owner is left alone.

    Args:
        key: of the record.
        at: when it was recorded, epoch milliseconds.
        rows: of its partition.
    """
    kept_under = synced_by(key)
    if kept_under is not None and rows.get(kept_under) is None:
        rows.put(kept_under, encode_row(Subscriber(begun=at)))


class History:
    """Which pipeline handles a record, where it depends on whether its merchant was synced yet."""

    def __init__(self, pipeline: Pipeline[Any], *, awaited: bool) -> None:
        """`awaited`: marks say when the past was told; not where options say it, or all is."""
        self._synced = pipeline
        self._awaited = awaited
        self._before = pipeline.under(seeding=True)
        self._since: dict[bytes, Pipeline[Any]] = {}

    def of(self, key: bytes, value: bytes | None, rows: Rows) -> Pipeline[Any]:
        """The pipeline for a record under this key."""
        if not self._awaited and _STATE not in (value or b""):  # nearly always: no row is needed
            return self._synced
        mark = rows.get(synced_row(key))
        if mark is None:
            return self._before
        if not self._awaited:
            return self._synced
        found = self._since.get(mark)
        if found is None:
            at = decode_row(mark).begun or 0
            found = self._since[mark] = self._synced.under(synced_at=at)
        return found
