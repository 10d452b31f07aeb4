"""One run: what the API has goes to the source topic, and how far it came to the control topic.

Both in one transaction, so that whoever kills it loses nothing and doubles nothing: the next one
goes on behind the last transaction that was committed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from streams.replay.transaction import Appended
from streams.sources.ordergroove.state import completion
from streams.sync.marks import marks
from streams.sync.reading import Reader, read_products
from streams.sync.standing import Reach, encode_standing, key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from collections.abc import Set as AbstractSet
    from zoneinfo import ZoneInfo

    from streams.sync.reading import Api, Taken
    from streams.sync.standing import Run, Standing
    from streams.sync.telling import Telling, Topics

__all__ = ["Place", "Sync"]

log = logging.getLogger(__name__)


class Place(NamedTuple):
    """Where a run writes.

    Attributes:
        append: all of these records or none; blocks.
        control: the topic of standings.
        topics: of records.
        partitions: of the intake.
    """

    append: Callable[[Iterable[Appended]], None]
    control: str
    topics: Topics
    partitions: int


class Sync:
    """One run of one merchant. On one event loop.

    Attributes:
        standing: what the control topic says, after each transaction.
        reached: list → how far this run came.
        owners: whose orders are.
    """

    def __init__(
        self,
        merchant: str,
        standing: Standing,
        api: Api,
        telling: Telling,
        place: Place,
        zone: ZoneInfo,
    ) -> None:
        """Prepare. `standing` holds the run, begun or cut short."""
        self.standing = standing
        self.reached = {} if standing.run is None else standing.run.reached
        self.owners = telling.owners
        self._merchant = merchant
        self._api = api
        self._telling = telling
        self._place = place
        self._zone = zone

    @property
    def under_way(self) -> Run:
        """The run; raises `ValueError` where it has ended."""
        if self.standing.run is None:
            raise ValueError("the run has ended")
        return self.standing.run

    async def go(
        self,
        stopping: asyncio.Event,
        heard: Callable[[Taken], None],
        left_out: AbstractSet[str] = frozenset(),
    ) -> bool:
        """Read and write until all is there; False where it was stopped before.

        Args:
            stopping: set to have it end behind the next transaction.
            heard: told of each page that is written.
            left_out: lists that are not read.

        Raises:
            ApiRefused, ApiAway, ApiUnexpected: as the API's client.
            TakenOver: another sync of this merchant has begun.
            KafkaException: the broker does not answer.
        """
        run = self.under_way
        if not run.done:
            if not self._telling.products:
                async for body in read_products(self._api, self._zone, run):
                    self._telling.note_product(body)
            before = {"orders": self._note_orders, "items": self._ask_orders}
            reader = Reader(self._api, run, self._zone, before, left_out)
            async for batch in reader.batches(stopping):
                await asyncio.to_thread(self._write, batch)
                for page in batch:
                    heard(page)
        if not self.under_way.done:
            return False
        await asyncio.to_thread(self._finish)
        return True

    def _write(self, batch: Sequence[Taken]) -> None:
        """Append the records of some pages, and how far their lists are read with them."""
        now = time.time_ns() // 1_000_000
        reached = dict(self.under_way.reached)
        records: list[Appended] = []
        for page in batch:
            had, known = len(records), reached.get(page.entity)
            known = Reach() if known is None or page.again else known
            records += self._telling.records(page, now)
            reached[page.entity] = Reach(
                cursor=page.next,
                done=page.next is None,
                read=known.read + len(page.results),
                written=known.written + len(records) - had,
            )
        run = replace(self.under_way, reached=reached)
        self._commit(records, replace(self.standing, run=run))
        self.reached = reached

    def _finish(self) -> None:
        """End the run: marks, where it ends with them, and what is known from now on."""
        run, merchant = self.under_way, self._merchant
        records = []
        if run.ends_marked:
            encode = self._place.topics.encode
            records = [
                Appended(
                    self._place.topics.intake,
                    key,
                    encode(completion(merchant, run.started, number)),
                    [],
                    partition,
                )
                for partition, number, key in marks(merchant, self._place.partitions)
            ]
        self._commit(records, ended(self.standing))

    def _commit(self, records: list[Appended], standing: Standing) -> None:
        key, value = key_of(self._merchant), encode_standing(standing)
        self._place.append([*records, Appended(self._place.control, key, value, [])])
        self.standing = standing

    async def _note_orders(self, orders: Sequence[dict[str, Any]]) -> None:
        """Remember whose these are: their items do not say."""
        for body in orders:
            order, customer = body.get("public_id"), body.get("customer")
            if isinstance(order, str) and isinstance(customer, str | int):
                self.owners.note(order, str(customer).strip())

    async def _ask_orders(self, items: Sequence[dict[str, Any]]) -> None:
        """Ask for the orders of items whose customer is not known: they changed meanwhile."""
        known = self.owners
        named = {body.get("order") for body in items if body.get("customer") is None}
        for order in named:
            if isinstance(order, str) and order and known.of(order) is None:
                found = await self._api.retrieve("orders", order)
                await self._note_orders([] if found is None else [found])


def ended(standing: Standing) -> Standing:
    """What is known once the run under way has come to its end.

    The next one begins where this one began: what changed while it was reading is read again.
    """
    run = standing.run
    if run is None:
        return standing
    whole = {name: each.read for name, each in run.reached.items()}
    return replace(
        standing,
        watermark=run.started if run.until is None else run.until,
        marked=run.started if run.ends_marked else standing.marked,
        whole=whole if run.since is None or run.ends_marked else standing.whole,
        run=None,
    )
