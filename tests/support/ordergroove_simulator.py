"""A simulated Ordergroove REST API, and who asks it: by hand, or by our own client.

`tell` runs a story against a fresh simulator (see `simulation.py`). `client` is our client with a
clock of its own: what it waits for passes at once, and is remembered.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from streams.delivery.limits import Limiter
from streams.delivery.retry import Schedule
from streams.destinations.answers import retry_after
from streams.ingest.ordergroove_api import Manners, OrdergrooveApi
from streams.ingest.ordergroove_requests import ENDPOINT
from streams.model.rules import Limit
from streams.simulators import Options
from streams.simulators.ordergroove import OrdergrooveSimulator
from tests.support import simulation
from tests.support.simulation import JSON, NOW, Account, Told

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from streams.simulators.faults import Fault

__all__ = [
    "HEADERS", "JSON", "KEY", "MERCHANT", "NOW", "Account", "Waits", "client", "everything", "ids",
    "listed", "put", "shop", "tell", "walk",
]  # fmt: skip

KEY = "key-of-shop-demo"
MERCHANT = "5b1e9c0a7d3f4e2b8a6c1d0e9f8b7a65"
HEADERS = {"x-api-key": KEY, "x-og-api-version": "2"}
"""Those of a well formed request."""


def tell(
    story: Callable[[Account], Awaitable[Told]],
    *,
    limits: float | None = None,
    faults: tuple[Fault, ...] = (),
    **switches: object,
) -> Told:
    """Run a story to its end against a fresh simulator, without limits unless asked for."""
    options = Options(limits=limits, faults=faults, switches=switches)
    return simulation.tell("ordergroove", HEADERS, story, options)


def shop(account: Account) -> OrdergrooveSimulator:
    """The simulator itself."""
    assert isinstance(account.simulator, OrdergrooveSimulator)
    return account.simulator


async def put(account: Account, kind: str, *entities: JSON) -> None:
    """Put these into the shop."""
    path = f"/_control/entities/{kind}"
    answer = await account.client.put(path, json={"entities": entities})
    assert 204 == answer.status_code, answer.text


async def listed(account: Account, kind: str, **query: str) -> Any:
    """A list's first page."""
    answer = await account.get(f"/{kind}/?{urlencode(query)}")
    assert 200 == answer.status_code, answer.text
    return answer.json()


async def walk(account: Account, kind: str, **query: str) -> list[list[JSON]]:
    """All pages, as their own `next` leads from one to the next."""
    page = await listed(account, kind, **query)
    pages = [page["results"]]
    while page["next"] is not None:
        page = (await account.client.get(page["next"], headers=HEADERS)).json()
        pages.append(page["results"])
    return pages


async def everything(account: Account, kind: str, **query: str) -> list[JSON]:
    """The entities of all pages."""
    pages = await walk(account, kind, page_size="100", **query)
    return [each for page in pages for each in page]


def ids(entities: list[JSON]) -> list[Any]:
    """The ids of entities that have a public one."""
    return [each["public_id"] for each in entities]


class Waits:
    """A clock that moves only while somebody waits, and how long each wait was."""

    def __init__(self, account: Account | None = None) -> None:
        """Begin; the simulator's clock goes along with it, where there is one."""
        self.slept: list[float] = []
        self._account = account

    def now(self) -> float:
        """Seconds since the beginning."""
        return sum(self.slept)

    async def sleep(self, seconds: float) -> None:
        """Let so much time pass."""
        self.slept.append(seconds)
        if self._account is not None:
            self._account.now += seconds
        await asyncio.sleep(0)

    def manners(self, requests_per_minute: int | None = None) -> Manners:
        """Full waits (no jitter), on this clock."""
        limits = [] if requests_per_minute is None else [Limit(ENDPOINT, requests_per_minute, 60.0)]
        pace = Limiter(limits, factor=1.0, safety=0.955, clock=self.now)
        wait = Schedule(base=0.5, cap=30.0).wait
        return Manners(pace, wait, retry_after, lambda: 0.999, self.now, self.sleep)


def client(
    url: str, manners: Manners | None = None, *, key: str = KEY, timeout: float = 3.0
) -> OrdergrooveApi:
    """Our own client."""
    return OrdergrooveApi(url, key, MERCHANT, manners or Waits().manners(), timeout=timeout)
