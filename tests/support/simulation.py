"""A simulated vendor, and somebody who talks to it over a real socket.

`tell` runs a story, an async function that gets an `Account`, against a fresh simulator with a
clock that stands still until it is moved. `changed` spoils a request in one place.
"""

from __future__ import annotations

import asyncio
import copy
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import httpx2
from typing_extensions import override

from streams.simulators import SIMULATORS, Options, Simulator

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

JSON = dict[str, Any]
Told = TypeVar("Told")

NOW = datetime(2026, 10, 1, 12, 0, tzinfo=UTC).timestamp()


class _Absent:
    """Stands for what is left out. A word, not an address: names of tests are made of it."""

    @override
    def __repr__(self) -> str:
        return "absent"


ABSENT: object = _Absent()
"""A value for `changed`: the field is taken away."""


class Account:
    """A client of one simulated account; what it sends has the vendor's headers unless told."""

    def __init__(
        self, simulator: Simulator, client: httpx2.AsyncClient, headers: Mapping[str, str]
    ) -> None:
        self.simulator = simulator
        self.client = client
        self.now = NOW
        self.headers = dict(headers)

    async def post(self, path: str, document: object, **headers: str | None) -> httpx2.Response:
        """Send a body as JSON; headers given as None are left out, `_` in names stands for `-`."""
        merged: dict[str, str | None] = {**self.headers}
        merged |= {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in merged.items() if value is not None}
        if isinstance(document, bytes):
            return await self.client.post(path, content=document, headers=sent)
        return await self.client.post(path, json=document, headers=sent)

    async def get(self, path: str) -> httpx2.Response:
        """Ask for something with the account's key."""
        return await self.client.get(path, headers=self.headers)

    @property
    def fates(self) -> list[str]:
        """What became of each request so far."""
        return [record.fate for record in self.simulator.received]

    async def state(self, kind: str = "") -> Any:
        """What the account knows, by the control route; all, or of one kind."""
        return (await self.client.get(f"/_control/state/{kind}".rstrip("/"))).json()


def tell(
    vendor: str,
    headers: Mapping[str, str],
    story: Callable[[Account], Awaitable[Told]],
    options: Options,
) -> Told:
    """Run a story to its end against a fresh simulator; its clock is the account's."""

    async def run() -> Told:
        accounts: list[Account] = []
        clocked = replace(options, clock=lambda: accounts[0].now)
        async with (
            SIMULATORS[vendor](clocked) as simulator,
            httpx2.AsyncClient(base_url=simulator.url, trust_env=False) as client,
        ):
            accounts.append(Account(simulator, client, headers))
            return await story(accounts[0])

    return asyncio.run(run())


def changed(document: JSON, path: str, value: object) -> JSON:
    """A copy with another value (or none) at a JSON pointer; what is missing on the way is made."""
    result = copy.deepcopy(document)
    *way, last = path.strip("/").split("/")
    place: Any = result
    for name in way:
        place = place[int(name)] if isinstance(place, list) else place.setdefault(name, {})
    if value is ABSENT:
        del place[last]
    elif isinstance(place, list):
        place[int(last)] = value
    else:
        place[last] = value
    return result
