"""Settings → a merchant's sync: what it asks, where it writes, and who may not be in it."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import uuid4
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from streams.cli.auditing import audit_of
from streams.cli.composition import intake_of, kafka_of, names_of, webhook_options_of
from streams.cli.ordergroove_access import api_of
from streams.engine.admin import partition_count
from streams.engine.watermarks import Watermarks
from streams.errors import StreamsError
from streams.names import ORDERGROOVE
from streams.replay.transaction import TakenOver, Transactions
from streams.sources.ordergroove import event_reader
from streams.sync.gauges import SyncCounts
from streams.sync.owners import learn
from streams.sync.planning import begun, goes_on, is_all, since_of
from streams.sync.run import Place, Sync
from streams.sync.standing import standing_of
from streams.sync.telling import Telling, Topics
from streams.sync.window import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from streams.ingest.ordergroove_api import OrdergrooveApi
    from streams.registry import Schemas
    from streams.settings import Settings
    from streams.sync.planning import Asked
    from streams.sync.reading import Taken
    from streams.sync.standing import Reach, Run, Standing

log = logging.getLogger(__name__)

NO_FILTER: Final = frozenset({"payments"})
"""Lists without a filter by time that `--changes-only` leaves out; products stay in memory."""


class SyncTakenOver(StreamsError):
    """Another sync of the merchant has begun; this one wrote nothing more."""


class Prepared(NamedTuple):
    """A run that may begin.

    Attributes:
        merchant: whose.
        standing: as the control topic had it.
        run: it.
        resumed: it was cut short before.
        is_all: nothing that the API has is older than its window.
    """

    merchant: str
    standing: Standing
    run: Run
    resumed: bool
    is_all: bool


class Ended(NamedTuple):
    """What a run came to: list → how far, and where the next one begins (epoch milliseconds)."""

    reached: Mapping[str, Reach]
    watermark: int | None


class Syncing:
    """Prepares and does runs, one at a time.

    Attributes:
        counts: what came of them.
        zone: of Ordergroove's times.
        topic: where they write.
    """

    def __init__(
        self,
        settings: Settings,
        schemas: Schemas,
        hides: Callable[[str, str, int], bool],
        merchants: tuple[str, ...],
        at: Callable[[str], None],
    ) -> None:
        """Prepare.

        Raises:
            ConfigurationError: the topic is missing.
            KafkaException: the broker does not answer.
        """
        names = names_of(settings)
        self.zone = ZoneInfo(settings.ordergroove.source_zone)
        self.topic = intake_of(settings)
        self.counts = SyncCounts(merchants)
        self._settings = settings
        self._kafka = kafka_of(settings, "streams-sync")
        self._control = names.control
        self._hides = hides
        self._at = at
        self._partitions = partition_count(self._kafka, self.topic)
        source = schemas.codec(f"sources/{ORDERGROOVE}")
        self._topics = Topics(
            self.topic,
            names.dead_letters(ORDERGROOVE),
            source.encode,
            schemas.codec("dead_letter").encode,
        )
        self._event_of = event_reader(source)
        self._products: dict[str, dict[str, dict[str, Any]]] = {}

    def standing(self, merchant: str) -> Standing:
        """What the control topic says of a merchant; its errors are `standing_of`'s."""
        return standing_of(self._kafka, self._control, merchant)

    def api(self, merchant: str) -> OrdergrooveApi:
        """Who is asked; raises `ConfigurationError`."""
        return api_of(self._settings, merchant)

    async def prepare(self, merchant: str, asked: Asked, api: OrdergrooveApi) -> Prepared:
        """The run that is next; nothing is written yet.

        Raises:
            ConfigurationError: nobody said since when, or the key is refused.
            ApiAway, ApiUnexpected: as the API's client.
            KafkaException: the broker does not answer.
        """
        standing = await asyncio.to_thread(self.standing, merchant)
        run = goes_on(standing, asked)
        if run is not None:
            return Prepared(merchant, standing, run, resumed=True, is_all=run.ends_marked)
        since = since_of(standing, asked, merchant)
        now = time.time_ns() // 1_000_000
        whole = asked.since is not None and await is_all(api, since, self.zone)
        marked = whole or asked.complete
        # whoever is not in a run that ends with marks is taken to be new: nothing may be left out
        until = now - asked.behind if asked.behind and not marked else None
        if until is not None and since is not None:
            until = max(since, until)
        begins = await asyncio.to_thread(self._ends)
        run = begun(uuid4().hex, Window(since, until), now, self.topic, begins)
        run = replace(run, ends_marked=marked)
        return Prepared(merchant, standing, run, resumed=False, is_all=whole)

    async def perform(
        self,
        prepared: Prepared,
        api: OrdergrooveApi,
        stopping: asyncio.Event,
        heard: Callable[[Taken], None],
        *,
        changes_only: bool = False,
    ) -> Ended | None:
        """Do a run; None where it was stopped.

        Raises:
            SyncTakenOver: another sync of this merchant has begun.
            ApiRefused, ApiAway, ApiUnexpected: as the API's client.
            KafkaException: the broker does not answer.
        """
        merchant = prepared.merchant
        name = f"{self._settings.prefix}-sync-{ORDERGROOVE}-{merchant}"
        transactions = await asyncio.to_thread(Transactions, self._kafka, name, self._at)
        # nobody else writes for this merchant any more: what it says now is what holds
        standing = await asyncio.to_thread(self.standing, merchant)
        asked_run = prepared.run
        if standing.run is not None and standing.run.id == asked_run.id:
            asked_run = replace(asked_run, reached=standing.run.reached)
        standing = replace(standing, run=asked_run)
        what = {"merchant": merchant, "since": asked_run.since, "marked": asked_run.ends_marked}
        self.counts.under_way[merchant] = 1
        try:
            with audit_of(self._settings).action("sync.ordergroove", what, asked_run.id) as entry:
                sync = self._sync(merchant, standing, api, transactions, changes_only=changes_only)
                await asyncio.to_thread(self._recall_orders, sync, asked_run, merchant)
                left_out = NO_FILTER if changes_only and not asked_run.ends_marked else frozenset()
                try:
                    done = await sync.go(stopping, heard, left_out)
                finally:
                    entry.result |= {n: [r.read, r.written] for n, r in sync.reached.items()}
                entry.result["done"] = done
        except TakenOver:
            raise SyncTakenOver(
                f"another sync of merchant {merchant} has begun, and goes on with this one's run"
            ) from None
        finally:
            self.counts.under_way[merchant] = 0
        watermark = sync.standing.watermark
        if watermark is not None:
            self.counts.watermarks[merchant] = watermark
        return Ended(sync.reached, watermark) if done else None

    def _sync(
        self,
        merchant: str,
        standing: Standing,
        api: OrdergrooveApi,
        transactions: Transactions,
        *,
        changes_only: bool,
    ) -> Sync:
        telling = Telling(
            merchant,
            self._topics,
            self._hides,
            webhook_options_of(self._settings),
            self.counts.entities[merchant],
            None if standing.run is None else standing.run.since,
        )
        if changes_only:
            telling.products = self._products.get(merchant, {})
        self._products[merchant] = telling.products
        place = Place(transactions.append, self._control, self._topics, self._partitions)
        return Sync(merchant, standing, api, telling, place, self.zone)

    def _recall_orders(self, sync: Sync, run: Run, merchant: str) -> None:
        """Whose the orders are that were read before this process began."""
        if run.reach("orders").read and not run.reach("items").done:
            learn(sync.owners, self._kafka, run.topic, run.begins, merchant, self._event_of)
            log.info("%s orders of the run so far are known again", f"{len(sync.owners):,}")

    def _ends(self) -> dict[int, int]:
        return Watermarks(self._kafka, self.topic).stable(range(self._partitions))
