"""Before a batch is computed: what its records lack is asked for, all at once.

No transaction is open meanwhile, and the poll thread keeps the membership: a slow API costs time
and nothing else. The batch goes on when everything is answered, or patience ends.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, Final

from streams.model.ids import customer_key, is_nobody

from .patience import Patience
from .row import decode_row
from .settling import settle

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from streams.delivery.clock import Clock
    from streams.engine.batch import Part
    from streams.engine.poller import Poller
    from streams.engine.preparation import Preparation
    from streams.engine.rows import Table

    from .asking import Asking
    from .counts import HydrateCounts
    from .entities import Record
    from .row import Row
    from .wants import Want

log = logging.getLogger(__name__)

_ROUNDS: Final = 3
"""An order, its items, their products."""
_SHOWN_AFTER_SECONDS: Final = 2.0
"""What takes longer is said on the health page."""


class Hydration:
    """Asks for what the records of a batch lack (`streams.engine.preparation`).

    Attributes:
        answers: what was answered, for the batch at hand.
    """

    def __init__(
        self,
        read: Callable[[bytes | None], Record | None],
        asking: Asking,
        counts: HydrateCounts,
        clock: Clock,
        *,
        patience: float,
        before: Preparation | None = None,
    ) -> None:
        """Prepare.

        Args:
            read: a value → what is looked at of it; None: nothing is filled in.
            asking: asks, and keeps what is answered.
            counts: are kept.
            clock: time.
            patience: seconds that a record waits at most while an API may be asked.
            before: awaited first.
        """
        self._read = read
        self.answers = asking.answers
        self._asking = asking
        self._counts = counts
        self._clock = clock
        self._patience = patience
        self._before = before
        self._table: Callable[[int], Table | None] = lambda _: None

    def attach(self, table: Callable[[int], Table | None]) -> None:
        """Take who knows the rows of a partition, as the batches before left them."""
        self._table = table

    async def __call__(self, parts: Sequence[Part], poller: Poller) -> None:
        """Return when nothing more will be answered."""
        if self._before is not None:
            await self._before(parts, poller)
        self.answers.begin()
        began, shown = self._clock.monotonic(), False

        def goes_on() -> bool:
            nonlocal shown
            if not shown and self._clock.monotonic() - began >= _SHOWN_AFTER_SECONDS:
                poller.unready("waits for Ordergroove's API", about="hydrate")
                shown = True
            return any(poller.accepts(part.partition, part.epoch) for part in parts)

        patience = defaultdict[str, Patience](
            partial(Patience, self._patience, self._clock.monotonic)
        )
        asked: set[tuple[str, Want]] = set()
        try:
            for _ in range(_ROUNDS):
                wanted = self._wanted(parts, poller) - asked
                if not wanted:
                    break
                await self._asking.ask(wanted, patience, goes_on)
                asked |= wanted
        finally:
            self._counts.waited += self._clock.monotonic() - began if asked else 0.0
            if shown:
                poller.unready(None, about="hydrate")

    def _wanted(self, parts: Sequence[Part], poller: Poller) -> set[tuple[str, Want]]:
        """What records lack that nobody was asked for, each over the row that those before left."""
        wanted: set[tuple[str, Want]] = set()
        for part in parts:
            table = self._table(part.partition)
            if table is None or not poller.accepts(part.partition, part.epoch):
                continue
            rows: dict[bytes, Row] = {}
            for message in part.messages:
                key = message.key()
                if isinstance(key, bytes) and not is_nobody(key):
                    self._look(key, message.value(), table, rows, wanted)
        return wanted

    def _look(
        self,
        key: bytes,
        value: bytes | None,
        table: Table,
        rows: dict[bytes, Row],
        wanted: set[tuple[str, Want]],
    ) -> None:
        record = self._read(value)
        if record is None or customer_key(record.merchant, record.customer_id) != key:
            return
        row = rows.pop(key, None) or decode_row(table.get(key))
        try:
            row, found = settle(row, record, lambda want: self.answers.of(record.merchant, want))
        except Exception as error:  # noqa: BLE001 - the job meets it again, and goes on
            log.error("nothing is asked for a record: %s", type(error).__name__)  # noqa: TRY400
        else:
            rows[key] = row
            wanted.update((record.merchant, want) for want in found.open)
