"""Composes enriched events by hand: as little as may be known, and what a case adds."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from streams.destinations import DESTINATIONS
from streams.model.delivery import Options, Part, Refusal
from streams.model.enriched import (
    EnrichedEvent,
    ItemView,
    OrderView,
    ProfileView,
    SubscriptionView,
)
from tests.support.webhooks import CUSTOMER, MERCHANT, START

KLAVIYO = DESTINATIONS["klaviyo"]
AT = START * 1000
"""Epoch milliseconds of the events made here."""

NOBODY = ProfileView(0, 0, ever_subscribed=False, version=1)
KNOWN = replace(NOBODY, email="noor@shop-demo.io")
"""A profile of which only the address is known."""


def bare(event_type: str, profile: ProfileView = KNOWN, **more: Any) -> EnrichedEvent:
    """An event of which only the ids are known; `more` sets its other fields."""
    subject, action = event_type.split(".")
    known: dict[str, Any] = {}
    if subject == "subscription":
        known["subscription"] = SubscriptionView("a1", live=True)
    elif subject == "subscriber":
        known["subscriptions"] = [SubscriptionView("a1", live=action != "cancel")]
    elif subject == "order":
        known["order"] = OrderView("o1")
    elif subject == "item":
        known["item"] = ItemView("i1")
    return EnrichedEvent(
        event_id="7c1f3a5b",
        type=event_type,
        occurred_at=AT,
        merchant=MERCHANT,
        customer_id=CUSTOMER,
        source_event_id="7c1f3a5b",
        profile=profile,
        **(known | more),
    )


def render(event: EnrichedEvent, now: int = AT, options: Options | None = None) -> Part | Refusal:
    """The one part that Klaviyo is asked for."""
    [part] = KLAVIYO.render(event, "6f1d2a52", now, options or Options())
    return part


def attributes(event: EnrichedEvent, options: Options | None = None) -> dict[str, Any]:
    """The attributes of the request's body."""
    part = render(event, options=options)
    assert isinstance(part, Part), part
    found: dict[str, Any] = part.request.body["data"]["attributes"]
    return found


def properties(event: EnrichedEvent, options: Options | None = None) -> dict[str, Any]:
    """The properties of the event in the request's body."""
    found: dict[str, Any] = attributes(event, options)["properties"]
    return found
