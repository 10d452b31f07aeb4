"""What is done to the index in small steps between batches: old days go, chunks are joined.

A customer of whom something comes every minute would have a chunk for each, and a page as many
reads. So many chunks of one day are joined to one, which is smaller, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from streams.console.index_rows import drop_unknown, replace_chunks, transaction
from streams.console.kept import DAY_MS, HISTORY, RECENT, unpacked

if TYPE_CHECKING:
    import sqlite3

    from streams.console.index_writing import Writer

_STEP: Final = 500
"""Chunks that one step deletes, at most."""
_CUSTOMERS: Final = 2_000
"""Customers that one step looks at."""
_MANY: Final = 8
"""Chunks of one customer's day that are not joined yet."""
_LARGE: Final = 64 << 10
"""Bytes of a chunk that is left as it is."""


class Tidying:
    """Tidies one index, by its writer's connection."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._next = 0

    def step(self) -> bool:
        """Do a little; whether something was found to do."""
        self._writer.settle()
        with transaction(self._writer.file) as file:
            deleted = sum([self._delete(file, kind) for kind in (HISTORY, RECENT)])
            return self._join(file) + deleted > 0

    def _delete(self, file: sqlite3.Connection, kind: int) -> int:
        """Delete chunks of days that are over; customers of whom nothing is left go with them."""
        day = self._writer.limits.since(kind, self._writer.now)
        if kind == RECENT:
            file.execute("DELETE FROM minute WHERE at < ?", (day * DAY_MS,))
        old = file.execute(
            "SELECT id, customer FROM chunk WHERE class = ? AND day < ? LIMIT ?", (kind, day, _STEP)
        ).fetchall()
        file.executemany("DELETE FROM chunk WHERE id = ?", [(chunk,) for chunk, _ in old])
        if drop_unknown(file, sorted({customer for _, customer in old})):
            self._writer.forget_numbers()
        return len(old)

    def _join(self, file: sqlite3.Connection) -> int:
        """Join chunks of the next customers; begins anew after the last."""
        first, self._next = self._next, self._next + _CUSTOMERS
        many = file.execute(
            "SELECT customer, class, day FROM chunk WHERE customer >= ? AND customer < ?"
            " GROUP BY customer, class, day HAVING count(*) > ?",
            (first, self._next, _MANY),
        ).fetchall()
        joined = sum([_joined(file, *place) for place in many])
        (last,) = file.execute("SELECT max(id) FROM customer").fetchone()
        if last is None or self._next > last:
            self._next = 0
        return joined


def _joined(file: sqlite3.Connection, customer: int, kind: int, day: int) -> int:
    rows = file.execute(
        "SELECT id, body FROM chunk WHERE customer = ? AND class = ? AND day = ?"
        " AND length(body) < ?",
        (customer, kind, day, _LARGE),
    ).fetchall()
    if len(rows) <= _MANY:
        return 0
    records = [each for _, body in rows for each in unpacked(body)]
    replace_chunks(file, [chunk for chunk, _ in rows], (customer, kind, day), records)
    return len(rows)
