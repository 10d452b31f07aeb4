"""What the tests that hold a destination beside its vendor's page share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from streams.model.enriched import Because, EnrichedEvent, ProfileView, SubscriptionView
from streams.model.events import Product
from streams.model.ids import fact_id
from tests.support.samples import CUSTOMER, MERCHANT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


CHECKOUT = 1_785_264_517_000
"""2026-07-28 18:48:37Z."""


BARE: Mapping[str, Any] = {
    "subscriber": {"email": "noor@shop-demo.io", "subscriptions_subset": [{"id": "a1"}]},
    "subscription": {"id": "a1"},
    "order": {},
    "item": {},
}
"""What an event of which only the ids and an address are known tells, by its subject."""


class Row(NamedTuple):
    """One event of a page: the name it prints and the path of every field."""

    name: str
    fields: tuple[str, ...]


def paths(value: Any, at: str = "") -> Iterator[str]:
    """The path of every field below a value, `[]` after what is a list."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from paths(each, f"{at}.{name}" if at else name)
    elif isinstance(value, list):
        for each in value:
            yield from paths(each, f"{at}[]")
    else:
        yield at


def checkout() -> EnrichedEvent:
    """A checkout of two subscriptions, made by hand: the samples' year has none."""
    espresso = SubscriptionView(
        id="c5a1e0d47b924f3e8d61f0a2b79c3e58",
        live=True,
        quantity=2,
        frequency_days=28,
        every=4,
        every_period=2,
        product=Product(
            "44120991",
            "Night Owl Espresso, 1 kg",
            "NOE-1KG",
            "https://img.shop-demo.io/noe-1kg.png",
            "https://shop-demo.io/coffee/night-owl-espresso",
        ),
        currency_code="USD",
        prepaid=True,
        prepaid_orders_remaining=2,
        prepaid_orders_per_billing=3,
        prepaid_renewal_behavior="autorenew",
        created=CHECKOUT,
    )
    decaf = SubscriptionView(
        id="1e6b8f03d5c74a92b0e7d4f8a3c95b16",
        live=True,
        quantity=1,
        frequency_days=60,
        every=2,
        every_period=3,
        product=Product("44121007"),
        prepaid=False,
        created=CHECKOUT,
    )
    return EnrichedEvent(
        event_id=fact_id("subscriber.subscriptions_created", MERCHANT, CUSTOMER, "70441"),
        type="subscriber.subscriptions_created",
        occurred_at=CHECKOUT,
        merchant=MERCHANT,
        customer_id=CUSTOMER,
        source_event_id="d43c8a5be6f14a0793b2c8e0f7d61a95",
        profile=ProfileView(
            active_subscriptions=2,
            total_subscriptions=2,
            ever_subscribed=True,
            version=2,
            email="ines.marlow@shop-demo.io",
            phone_number="+16125550148",
            first_name="Ines",
            last_name="Marlow",
            status="active",
        ),
        because=Because("d43c8a5be6f14a0793b2c8e0f7d61a95", 0, 2, "one checkout"),
        subscriptions=[espresso, decaf],
        subscriptions_count=2,
        prepaid=True,
    )
