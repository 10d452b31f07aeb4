"""What a scene's delivery topics hold: customers' events of all ages, some late, some repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from streams.destinations import DESTINATIONS
from streams.model.enriched import ItemView, OrderView, ProfileView, SubscriptionView
from tests.support.enriched import bare

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from streams.model.enriched import EnrichedEvent

HOUR_MS: Final = 3_600_000
AGES: Final = (0.01, 0.5, 2.0, 3.9, 4.2, 9.0, 11.9, 12.3, 20.0, 60.0)
"""Hours: on either side of each vendor's limit."""
TYPES: Final = (
    "subscriber.create", "subscriber.cancel", "subscription.create", "subscription.cancel",
    "subscription.reactivate", "order.reminder", "order.success", "order.cancel", "order.reject",
    "order.send_now", "item.out_of_stock",
)  # fmt: skip
MERCHANTS: Final = ("shop-a", "shop-b")


def stock(vendor: str, chance: Random, count: int, first: int, *, now: int) -> list[EnrichedEvent]:
    """So many deliveries, those of a customer in order.

    Args:
        vendor: who takes them.
        chance: of everything.
        count: of them.
        first: number of the first customer; nobody has more than eight.
        now: epoch milliseconds.
    """
    types = [each for each in TYPES if each in DESTINATIONS[vendor].takes]
    found: list[EnrichedEvent] = []
    customer = first
    while len(found) < count:
        found += _customer(f"c{customer:06}", chance, types, now)
        customer += 1
    return found[:count]


def _customer(name: str, chance: Random, types: Sequence[str], now: int) -> list[EnrichedEvent]:
    merchant = chance.choice(MERCHANTS)
    ages = sorted((chance.choice(AGES) for _ in range(chance.randint(1, 8))), reverse=True)
    events: list[EnrichedEvent] = []
    version = 1
    for number, hours in enumerate(ages):
        version += chance.random() < 0.6
        profile = ProfileView(
            active_subscriptions=version % 3,
            total_subscriptions=version,
            ever_subscribed=True,
            version=version,
            email=None if name.endswith("99") else f"{name}@shop-demo.io",
            first_name="Noor",
            status=("inactive", "active")[version % 2],
        )
        # some customers' orders come again as they were: of those each run sends one
        order = f"o-{name}-{0 if chance.random() < 0.3 else number}"
        event = bare(chance.choice(types), profile)
        events.append(
            replace(
                event,
                event_id=f"{name}-{number:03}",
                merchant=merchant,
                customer_id=name,
                occurred_at=now - int(hours * HOUR_MS) - chance.randrange(60_000),
                late=chance.random() < 0.1,
                subscription=SubscriptionView(f"s-{name}", live=True, quantity=1),
                order=_order(order, hours) if event.type.startswith("order.") else None,
                item=ItemView("i1", quantity=1, price="9.50") if event.item else None,
            )
        )
    return events


def _order(name: str, hours: float) -> OrderView:
    """An order; of one that is days old the place date has passed."""
    place = "2020-01-02" if hours > 48 else "2099-01-02"
    return OrderView(name, place=place, total="19.50", sub_total="19.50", currency_code="USD")
