"""A simulated Klaviyo and somebody who talks to it over a real socket.

`tell` runs a story against a fresh simulator (see `simulation.py`). `event`, `profile` and their
like compose the requests of contracts/klaviyo.md; `changed` spoils them in one place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from streams.simulators import Options
from tests.support import simulation
from tests.support.simulation import ABSENT, JSON, NOW, Account, Told, changed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from streams.simulators.faults import Fault

__all__ = [
    "ABSENT", "BULK", "DELETIONS", "EVENTS", "HEADERS", "IMPORT", "JOBS", "JSON", "NOW", "Account",
    "bulk", "changed", "event", "job", "profile", "tell",
]  # fmt: skip

EVENTS = "/api/events"
BULK = "/api/event-bulk-create-jobs"
IMPORT = "/api/profile-import"
JOBS = "/api/profile-bulk-import-jobs"
DELETIONS = "/api/data-privacy-deletion-jobs"
HEADERS = {
    "authorization": "Klaviyo-API-Key pk_test",
    "revision": "2026-07-15",
    "content-type": "application/vnd.api+json",
}
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
    return simulation.tell("klaviyo", HEADERS, story, options)


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
