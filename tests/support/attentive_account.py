"""A simulated Attentive and somebody who talks to it over a real socket.

`tell` runs a story against a fresh simulator (see `simulation.py`). `event` and `attributes`
compose the requests of contracts/attentive.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.simulators import Options
from tests.support import simulation

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from streams.simulators.faults import Fault
    from tests.support.simulation import JSON, Account, Told

EVENTS = "/v1/events/custom"
ATTRIBUTES = "/v1/attributes/custom"
ME = "/v1/me"
STATUS = "Ordergroove Subscriber Status"
HEADERS = {"authorization": "Bearer tok", "content-type": "application/json"}
"""Those of a well formed request."""

PHONE = "+12065550123"
EMAIL = "kim@shop-demo.io"
KIM: JSON = {"phone": PHONE, "email": EMAIL}


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
    return simulation.tell("attentive", HEADERS, story, options)


def event(user: JSON | None = None, **fields: object) -> JSON:
    """The body of `POST /v1/events/custom`: Kim's two seconds ago, unless told otherwise."""
    return {
        "type": "ordergroove.subscription.cancel",
        "user": KIM if user is None else user,
        "occurredAt": "2026-10-01T11:59:58.000Z",
        "properties": {"product_sku": "SKU-1", "quantity": 2},
        **fields,
    }


def attributes(user: JSON | None = None, **values: object) -> JSON:
    """The body of `POST /v1/attributes/custom`: Kim's status, unless told otherwise."""
    return {"user": KIM if user is None else user, "properties": values or {STATUS: "active"}}


def status(value: str, user: JSON | None = None) -> JSON:
    """The body that sets the subscriber status."""
    return attributes(user, **{STATUS: value})


async def send(account: Account, documents: Sequence[JSON], bearer: str = "tok") -> list[int]:
    """Send events and attributes, each to its endpoint, by a token; returns the statuses."""
    statuses = []
    for document in documents:
        path = EVENTS if "type" in document else ATTRIBUTES
        response = await account.post(path, document, authorization=f"Bearer {bearer}")
        statuses.append(response.status_code)
    return statuses
