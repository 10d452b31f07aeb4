"""The lists are read at the same time, each page by page; what comes is handed over in batches.

While a batch is written the next pages come; no more than a few wait.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from streams.ingest.ordergroove_api import ApiUnexpected
from streams.sync.lists import CHAINS, PRODUCTS, filters_of

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterator,
        Awaitable,
        Callable,
        Mapping,
        Sequence,
    )
    from collections.abc import Set as AbstractSet
    from zoneinfo import ZoneInfo

    from streams.ingest.ordergroove_api import Entity, Page
    from streams.sync.lists import List
    from streams.sync.standing import Run

__all__ = ["Api", "Reader", "Taken", "read_products"]

log = logging.getLogger(__name__)

_WAITING: Final = 25
"""Pages that may wait to be written."""

_AT_ONCE: Final = 25
"""Pages of a batch at most: 2,500 entities."""


class Api(Protocol):
    """Who is asked (`ingest.ordergroove_api.OrdergrooveApi`)."""

    def pages(
        self, entity: Entity, filters: Mapping[str, str], cursor: str | None = None
    ) -> AsyncIterator[Page]:
        """The pages of a list, from its beginning or from a cursor on."""

    async def retrieve(self, entity: Entity, id_: str) -> dict[str, Any] | None:
        """One entity; None where there is none."""


class Taken(NamedTuple):
    """A page of a list.

    Attributes:
        entity: the list.
        results: entities.
        next: where it goes on; None: it is the last.
        again: the list was begun anew with it, so that nothing before it counts.
    """

    entity: str
    results: Sequence[dict[str, Any]]
    next: str | None
    again: bool = False


class _Ended(NamedTuple):
    """A chain has no more, or this keeps it from going on."""

    error: Exception | None = None


class Reader:
    """Reads what a run has not read yet."""

    def __init__(
        self,
        api: Api,
        run: Run,
        zone: ZoneInfo,
        before: Mapping[str, Callable[[Sequence[dict[str, Any]]], Awaitable[None]]],
        left_out: AbstractSet[str] = frozenset(),
    ) -> None:
        """Prepare.

        Args:
            api: is asked.
            run: how far it has come.
            zone: of the filters' times.
            before: list → what is done with a page's entities before it is handed over.
            left_out: lists that are taken to be read.
        """
        self._api = api
        self._run = run
        self._zone = zone
        self._before = before
        self._left_out = left_out
        self._pages: asyncio.Queue[Taken | _Ended] = asyncio.Queue(_WAITING)

    async def batches(self, stopping: asyncio.Event) -> AsyncGenerator[list[Taken]]:
        """Pages, in the order of each list, until all are read or somebody stops it.

        Raises:
            ApiRefused, ApiAway, ApiUnexpected: as the API's client.
        """
        chains = [asyncio.create_task(self._chain(chain)) for chain in CHAINS]
        stop = asyncio.create_task(stopping.wait())
        try:
            left = len(chains)
            while left and not stopping.is_set():
                batch: list[Taken] = []
                for each in await self._next(stop):
                    if isinstance(each, Taken):
                        batch.append(each)
                    elif each.error is not None:
                        raise each.error
                    else:
                        left -= 1
                if batch:
                    yield batch
        finally:
            for task in (*chains, stop):
                task.cancel()
            await asyncio.gather(*chains, stop, return_exceptions=True)

    async def _next(self, stop: asyncio.Task[Any]) -> list[Taken | _Ended]:
        """What waits, or comes first; nothing when it is to stop."""
        first = asyncio.create_task(self._pages.get())
        await asyncio.wait({first, stop}, return_when=asyncio.FIRST_COMPLETED)
        if not first.done():
            first.cancel()
            with suppress(asyncio.CancelledError):
                await first
            return []
        found = [first.result()]
        while len(found) < _AT_ONCE and not self._pages.empty():
            found.append(self._pages.get_nowait())
        return found

    async def _chain(self, chain: Sequence[List]) -> None:
        try:
            for told in chain:
                await self._list(told)
        except Exception as error:  # noqa: BLE001 - raised where batches are taken
            await self._pages.put(_Ended(error))
        else:
            await self._pages.put(_Ended())

    async def _list(self, told: List) -> None:
        reach = self._run.reach(told.entity)
        if reach.done:
            return
        if told.entity in self._left_out:
            await self._pages.put(Taken(told.entity, (), None))
            return
        came = reach.cursor is not None
        try:
            async for page in self._from(told, reach.cursor):
                await self._put(told, page)
                came = True
        except ApiUnexpected:
            if not came:
                raise
            log.warning(
                "%s: Ordergroove takes its cursor no more; begun again from the window's start",
                told.entity,
            )
            again = True
            async for page in self._from(told, None):
                await self._put(told, page, again=again)
                again = False

    def _from(self, told: List, cursor: str | None) -> AsyncIterator[Page]:
        filters = filters_of(told, self._run.window, self._zone)
        return self._api.pages(told.entity, filters, cursor)

    async def _put(self, told: List, page: Page, *, again: bool = False) -> None:
        before = self._before.get(told.entity)
        if before is not None:
            await before(page.results)
        await self._pages.put(Taken(told.entity, page.results, page.next, again))


async def read_products(api: Api, zone: ZoneInfo, run: Run) -> AsyncGenerator[dict[str, Any]]:
    """All products; raises as the API's client."""
    async for page in api.pages(PRODUCTS.entity, filters_of(PRODUCTS, run.window, zone)):
        for each in page.results:
            yield each
