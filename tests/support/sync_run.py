"""A run of a sync against a simulated API over real sockets; what it writes is kept in a list.

Without a broker: an append is one transaction, which is there or is not.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from streams.avro import codec
from streams.ingest.ordergroove_api import OrdergrooveApi
from streams.ingest.ordergroove_requests import Manners
from streams.simulators import SIMULATORS, Options
from streams.simulators.faults import read_faults
from streams.sources.ordergroove import WebhookOptions
from streams.sync.run import Place, Sync
from streams.sync.standing import Run, Standing, decode_standing
from streams.sync.telling import Telling, Topics
from tests.support.sync_world import IDS, MERCHANT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from streams.replay.transaction import Appended
    from streams.simulators.server import Simulator

CHICAGO = ZoneInfo("America/Chicago")
STARTED = 1_795_000_000_000
NEW = Standing(run=Run(id="a-run", started=STARTED, topic="events"))


class SyncRun:
    """A merchant's account and what was read from it so far.

    Attributes:
        standing: what the control topic would say.
        records: of the source topic: (key, what it says).
        letters: dead letters.
        counts: (list, outcome) → entities.
        asked: paths and queries of the API.
    """

    def __init__(self, simulator: Simulator, api: OrdergrooveApi) -> None:
        self.simulator = simulator
        self.standing = NEW
        self.records: list[tuple[bytes | None, dict[str, Any]]] = []
        self.letters: list[dict[str, Any]] = []
        self.counts: Counter[tuple[str, str]] = Counter()
        self._api = api

    @property
    def entities(self) -> Counter[tuple[str, str]]:
        """(list, id) of every record but marks → how often."""
        told = [json.loads(said["raw"]) for _, said in self.records if said["raw"]]
        return Counter(
            (each["entity"], str(each["object"][IDS.get(each["entity"], "public_id")]))
            for each in told
        )

    @property
    def asked(self) -> list[tuple[str, Mapping[str, str]]]:
        """Path and query of each request."""
        return [(each.path, each.query) for each in self.simulator.received]

    async def go(
        self,
        *,
        pages: int | None = None,
        hides: Callable[[str, str, int], bool] = lambda *_: False,
        left_out: AbstractSet[str] = frozenset(),
    ) -> bool:
        """Read on from the standing, as a new process; stop behind so many written pages."""
        source, letter = codec("sources/ordergroove"), codec("dead_letter")
        since = None if self.standing.run is None else self.standing.run.since
        topics = Topics("events", "letters", source.encode, letter.encode)
        telling = Telling(MERCHANT, topics, hides, WebhookOptions(), self.counts, since)
        place = Place(self._append, "control", topics, 3)
        sync = Sync(MERCHANT, self.standing, self._api, telling, place, CHICAGO)
        stopping, left = asyncio.Event(), pages

        def heard(_: object) -> None:
            nonlocal left
            left = None if left is None else left - 1
            if left is not None and left <= 0:
                stopping.set()

        return await sync.go(stopping, heard, left_out)

    def _append(self, records: Iterable[Appended]) -> None:
        for each in records:
            value = each.value or b""
            if each.topic == "control":
                self.standing = decode_standing(MERCHANT, value)
            elif each.topic == "events":
                self.records.append((each.key, codec("sources/ordergroove").decode(value)))
            else:
                self.letters.append(codec("dead_letter").decode(value))


class _NoPace:
    """No limit."""

    def take(self, _endpoint: str) -> float:
        return 0.0

    def throttled(self, _endpoint: str, _seconds: float, _latency: float = 0.0) -> bool:
        return True


def tell(
    story: Callable[[SyncRun], Awaitable[None]],
    *,
    faults: Sequence[Mapping[str, object]] = (),
    put: Mapping[str, Sequence[Mapping[str, object]]] | None = None,
    **switches: object,
) -> SyncRun:
    """Run a story against a fresh simulator; `put` are entities beside the generated ones."""

    async def run() -> SyncRun:
        options = Options(limits=None, faults=read_faults(list(faults)), switches=switches)
        simulator: Any = SIMULATORS["ordergroove"](options)
        await simulator.start("127.0.0.1", 0)
        for kind, entities in (put or {}).items():
            for entity in entities:
                simulator.ordergroove.shelves.put(kind, dict(entity), 1_789_000_000)
        manners = Manners(_NoPace(), lambda *_: 0.01, lambda _: None, lambda: 0.5)
        try:
            async with OrdergrooveApi(simulator.url, "a-key", MERCHANT, manners) as api:
                found = SyncRun(simulator, api)
                await story(found)
                return found
        finally:
            await simulator.stop()

    return asyncio.run(run())


def truth(simulator: Simulator) -> set[tuple[str, str]]:
    """(list, id) of everything that the merchant has there but products."""
    shelves: Any = simulator.ordergroove.shelves  # type: ignore[attr-defined]  # its own
    return {
        (kind, row.id)
        for kind in shelves.counts()
        if kind != "products"
        for row in shelves[kind].some(0, 1 << 40)
    }
