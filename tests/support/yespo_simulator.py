"""A simulated Yespo and somebody who talks to it over a real socket.

`tell` runs a story against a fresh simulator (see `simulation.py`). `order`, `event`, `contact` and
their like compose the requests of contracts/yespo.md; `changed` spoils them in one place.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from streams.simulators import Options
from tests.support import simulation
from tests.support.simulation import ABSENT, JSON, NOW, Account, Told, changed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from streams.simulators.faults import Fault

__all__ = [
    "ABSENT", "BOOKS", "CONTACT", "CONTACTS", "EVENT", "EVENT_V1", "HEADERS", "INFO", "JSON",
    "KIM", "LEE", "NOW", "ORDERS", "PHONE", "Account", "basic", "bulk", "changed", "contact",
    "event", "item", "order", "orders", "tell",
]  # fmt: skip

INFO = "/api/v1/account/info"
BOOKS = "/api/v1/addressbooks"
ORDERS = "/api/v1/orders"
EVENT_V1 = "/api/v1/event"
EVENT = "/api/v2/event"
CONTACT = "/api/v1/contact"
CONTACTS = "/api/v1/contacts"

KIM, LEE = "kim@shop-demo.io", "lee@shop-demo.io"
PHONE = "12065550123"


def basic(password: str, user: str = "streams") -> str:
    """The value of `Authorization` for an API key."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


HEADERS = {"authorization": basic("key-1"), "content-type": "application/json"}
"""Those of a well formed request."""


def tell(
    story: Callable[[Account], Awaitable[Told]],
    *,
    limits: float | None = None,
    record: Path | None = None,
    faults: tuple[Fault, ...] = (),
    **switches: object,
) -> Told:
    """Run a story to its end against a fresh simulator, without limits unless asked for."""
    options = Options(limits=limits, record=record, faults=faults, switches=switches)
    return simulation.tell("yespo", HEADERS, story, options)


def item(**fields: object) -> JSON:
    """One item of an order: 20 in all, unless told otherwise."""
    return {
        "externalItemId": "SKU-1",
        "name": "Oat bars",
        "quantity": 2,
        "cost": 10,
        "url": "https://shop-demo.io/p/1",
        "imageUrl": "https://shop-demo.io/p/1.jpg",
        **fields,
    }


def order(number: str = "OG-1", **fields: object) -> JSON:
    """One order, Kim's over 20 USD unless told otherwise; ABSENT takes a field away."""
    whole = {
        "externalOrderId": number,
        "externalCustomerId": "C-1",
        "totalCost": 20,
        "status": "INITIALIZED",
        "date": "2026-10-01T11:59:58+00:00",
        "currency": "USD",
        "email": KIM,
        "phone": PHONE,
        "items": [item()],
        **fields,
    }
    return {name: value for name, value in whole.items() if value is not ABSENT}


def orders(*rows: JSON) -> JSON:
    """The body of `POST /v1/orders`; Kim's one order where none are given."""
    return {"orders": list(rows or (order(),))}


def event(event_type: str = "ordergroove.subscription.cancel", **fields: object) -> JSON:
    """The body of `POST /v2/event` (v1 takes it too): Kim's, unless told otherwise."""
    params = [
        {"name": "externalCustomerId", "value": "C-1"},
        {"name": "email", "value": KIM},
        {"name": "product", "value": "Oat bars"},
    ]
    whole = {"eventTypeKey": event_type, "keyValue": "8f21-1", "params": params, **fields}
    return {name: value for name, value in whole.items() if value is not ABSENT}


def contact(email: str = KIM, **fields: Any) -> JSON:
    """One contact with an e-mail address and, as `sms`, a phone; the body of `POST /v1/contact`."""
    channels = [{"type": "email", "value": email}]
    if (sms := fields.pop("sms", None)) is not None:
        channels.append({"type": "sms", "value": sms})
    return {"channels": channels, **fields}


def bulk(*contacts: JSON, **fields: object) -> JSON:
    """The body of `POST /v1/contacts`, deduped on e-mail unless told otherwise."""
    return {"contacts": list(contacts), "dedupeOn": "email", **fields}
