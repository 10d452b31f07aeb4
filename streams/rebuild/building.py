"""A table computed anew, partition by partition, each held against the one that is kept.

First the live table's rows of one moment are read, then the rebuilt table is brought to the same
position of the source: so both are of one moment, also while derive goes on. No more than one
partition of both is in memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from streams.engine.batch import Position
from streams.errors import ConfigurationError
from streams.model.ids import is_nobody

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from streams.engine.offline import OfflineRun
    from streams.engine.table_moment import TableMoments
    from streams.rebuild.comparing import Comparer
    from streams.rebuild.snapshot import Snapshot

BEGINNING = Position(0)


class Building:
    """Brings one generation up to the live table, and compares.

    Attributes:
        reached: partition → the source's offset at which both were compared.
        rows: of the rebuilt table so far.
        left_out: rows of the snapshot that were not taken, since their customers were erased.
    """

    def __init__(
        self,
        run: OfflineRun,
        live: TableMoments,
        comparer: Comparer[Any],
        snapshot: Snapshot | None,
        hides: Callable[[str, str, int], bool],
    ) -> None:
        """Take what it works with; `hides`: who was erased (`ErasedList`)."""
        self.reached: dict[int, int] = {}
        self.rows = 0
        self.left_out = 0
        self._run = run
        self._live = live
        self._comparer = comparer
        self._snapshot = snapshot
        self._hides = hides

    def partition(self, partition: int) -> Iterator[int]:
        """Do one partition; yields how many offsets it went on by, as they go.

        Raises:
            ConfigurationError: the live table is behind the rebuilt one.
            EngineFailed: the derivation raised at a record.
        """
        moment = self._live.of(partition)
        kept = self._live.rows(partition, moment)
        position = self._run.position(partition)
        if position is None:
            position, rows = self._first(partition)
            for _ in self._run.seed(partition, rows, position):
                yield 0
        if position.offset > moment.position.offset:
            raise ConfigurationError(
                "streams rebuild",
                f"derive's group stands at offset {moment.position.offset} of partition"
                f" {partition}, before the {position.offset} that the rebuilt table begins with",
                "Was the group set back on purpose? Begin anew: --anew, without a later snapshot",
            )
        shard, rebuilt = self._run.restored(partition, position)
        yield from self._run.run(partition, shard, moment.position)
        self._comparer.compare(kept, rebuilt)
        self.reached[partition] = moment.position.offset
        self.rows += len(rebuilt)

    def _first(self, partition: int) -> tuple[Position, Iterable[tuple[bytes, bytes]]]:
        """Where the partition begins, and with which rows."""
        if self._snapshot is None:
            return BEGINNING, ()
        return self._snapshot.position(partition), self._seed(self._snapshot, partition)

    def _seed(self, snapshot: Snapshot, partition: int) -> Iterator[tuple[bytes, bytes]]:
        """The snapshot's rows, without those of customers who were erased after it."""
        taken_at = snapshot.manifest.taken_at
        for key, row in snapshot.rows(partition):
            merchant, _, customer = key.decode(errors="replace").partition(":")
            if not is_nobody(key) and self._hides(merchant, customer, taken_at):
                self.left_out += 1
            else:
                yield key, row
