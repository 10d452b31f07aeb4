"""A simulated Klaviyo and somebody who talks to it over a real socket.

`tell` runs a story, an async function that gets an `Account`, against a fresh simulator with a
clock that stands still until it is moved. `event`, `profile` and their like compose the requests of
contracts/klaviyo.md; `changed` spoils them in one place.
"""

from __future__ import annotations

import asyncio
import copy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import httpx2

from streams.simulators import SIMULATORS, Options, Simulator

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from streams.simulators.faults import Fault

__all__ = [
    "ABSENT", "BULK", "DELETIONS", "EVENTS", "IMPORT", "JOBS", "NOW", "Account", "bulk", "changed",
    "event", "job", "profile", "tell",
]  # fmt: skip

JSON = dict[str, Any]
Told = TypeVar("Told")

NOW = datetime(2026, 10, 1, 12, 0, tzinfo=UTC).timestamp()
EVENTS = "/api/events"
BULK = "/api/event-bulk-create-jobs"
IMPORT = "/api/profile-import"
JOBS = "/api/profile-bulk-import-jobs"
DELETIONS = "/api/data-privacy-deletion-jobs"

ABSENT = object()
"""A value for `changed`: the field is taken away."""


class Account:
    """A client of one simulated account; what it sends is well formed unless told otherwise."""

    def __init__(self, simulator: Simulator, client: httpx2.AsyncClient) -> None:
        self.simulator = simulator
        self.client = client
        self.now = NOW
        self.headers = {
            "authorization": "Klaviyo-API-Key pk_test",
            "revision": "2026-07-15",
            "content-type": "application/vnd.api+json",
        }

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

    async def state(self) -> Any:
        """What the account knows, by the control route."""
        return (await self.client.get("/_control/state")).json()


def tell(
    story: Callable[[Account], Awaitable[Told]],
    *,
    limits: float | None = None,
    record: Path | None = None,
    faults: tuple[Fault, ...] = (),
    **switches: object,
) -> Told:
    """Run a story to its end against a fresh simulator, without limits unless asked for."""

    async def run() -> Told:
        accounts: list[Account] = []
        options = Options(
            limits=limits,
            record=record,
            faults=faults,
            switches=switches,
            clock=lambda: accounts[0].now,
        )
        async with (
            SIMULATORS["klaviyo"](options) as simulator,
            httpx2.AsyncClient(base_url=simulator.url, trust_env=False) as client,
        ):
            accounts.append(Account(simulator, client))
            return await story(accounts[0])

    return asyncio.run(run())


def event(email: str = "kim@shop-demo.io", **attributes: object) -> JSON:
    """The body of `POST /api/events`; attributes beside metric and profile can be given."""
    return {"data": _event(attributes, _profile({"email": email}))}


def bulk(*groups: tuple[str, list[JSON]]) -> JSON:
    """The body of a bulk request: for each e-mail address, the attributes of its events."""
    rows = [
        {
            "type": "event-bulk-create",
            "attributes": {
                "profile": {"data": _profile({"email": email})},
                "events": {"data": [_event(each, None) for each in events]},
            },
        }
        for email, events in groups
    ]
    attributes = {"events-bulk-create": {"data": rows}}
    return {"data": {"type": "event-bulk-create-job", "attributes": attributes}}


def profile(**attributes: object) -> JSON:
    """The body of `POST /api/profile-import`."""
    return {"data": _profile(attributes)}


def job(*profiles: JSON) -> JSON:
    """The body of `POST /api/profile-bulk-import-jobs`, of the attributes of its profiles."""
    rows = [_profile(attributes) for attributes in profiles]
    attributes = {"profiles": {"data": rows}}
    return {"data": {"type": "profile-bulk-import-job", "attributes": attributes}}


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


def _event(attributes: dict[str, Any], owner: JSON | None) -> JSON:
    metric = attributes.get("metric", "ordergroove.subscription.cancel")
    whole = {
        "properties": {"product_sku": "SKU-1", "quantity": 2},
        "time": "2026-10-01T11:59:58+00:00",
        **attributes,
        "metric": {"data": {"type": "metric", "attributes": {"name": metric}}},
    }
    if owner is not None:
        whole["profile"] = {"data": owner}
    return {"type": "event", "attributes": whole}


def _profile(attributes: dict[str, Any]) -> JSON:
    return {"type": "profile", "attributes": attributes}
