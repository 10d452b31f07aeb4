"""The snapshot beside a webhook's object: entities in the shape of the source's REST API.

Contracts/ordergroove.md §1.1, §2.1, §2.2: naive times in America/Chicago, money as text, bundles
as a comma string, `extra_data` null. What a route adds is its own choice, so a snapshot may be
whole, in part, or empty.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from streams.demo.catalog import COMPONENTS, SAMPLES, SHOP_URL, WARES
from streams.demo.world import MERCHANT

if TYPE_CHECKING:
    from streams.demo.entities import Address, Customer, Item, Order, Payment, Subscription
    from streams.demo.objects import Objects
    from streams.demo.world import World

Json = dict[str, Any]

_SOURCE_ZONE = ZoneInfo("America/Chicago")
_BY_ID = {ware.id: ware for ware in (*WARES, *SAMPLES)}
_RENAMED = "44120991"
"""This product gets a new name at noon of the shop's day."""


def naive(moment: int) -> str:
    """Epoch seconds as the source's REST API writes them."""
    return datetime.fromtimestamp(moment, _SOURCE_ZONE).strftime("%Y-%m-%d %H:%M:%S")


class Snapshots:
    """Writes snapshots; draws from the world's chance what a route adds."""

    def __init__(self, world: World, objects: Objects) -> None:
        self._world = world
        self._objects = objects

    def of_subscription(self, one: Subscription, created: int) -> Json:
        """Beside `subscription.*`: never its orders or items, and not itself again."""
        if self._world.chance(0.15):
            return {}
        return {
            "customer": self.customer(one.customer),
            "products": [self.product(one.product, created)],
            "payments": [self.payment(one.payment, one.customer)],
        }

    def of_order(self, order: Order, created: int) -> Json:
        """Beside `order.*`: mostly everything, at times a part of it or nothing."""
        whole = self.whole_order(order, created)
        draw = self._world.rng.random()
        if draw < 0.05:
            return {}
        if draw < 0.17:
            return {name: value for name, value in whole.items() if self._world.chance(0.6)}
        return whole

    def whole_order(self, order: Order, created: int) -> Json:
        """Everything about an order; now and then a line of another order has slipped in."""
        customer = order.customer
        lines = [self.item(item, order) for item in order.items]
        others = [one for one in customer.orders if one is not order and one.items]
        if others and self._world.chance(0.05):
            lines.insert(0, self.item(others[0].items[0], others[0]))
        return {
            "customer": self.customer(customer),
            "orders": [self.order(order)],
            "items": lines,
            "subscriptions": [
                self.subscription(item.subscription) for item in order.items if item.subscription
            ],
            "payments": [self.payment(order.payment, customer)],
            "addresses": [self.address(order.address, customer)],
            "products": [self.product(item.product, created) for item in order.items],
        }

    def of_item(self, item: Item, order: Order, created: int) -> Json:
        """Beside `item.*`."""
        if self._world.chance(0.2):
            return {}
        known = [self.subscription(item.subscription)] if item.subscription else []
        return {
            "customer": self.customer(order.customer),
            "orders": [self.order(order)],
            "subscriptions": known,
            "products": [self.product(item.product, created)],
        }

    def customer(self, one: Customer) -> Json:
        """The person."""
        return {
            "merchant": MERCHANT,
            "merchant_user_id": one.id,
            "first_name": one.first_name,
            "last_name": one.last_name,
            "email": self._objects.email(one),
            "phone_number": self._objects.phone(one),
            "phone_type": 2,
            "live": bool(one.live),
            "created": naive(one.created),
            "last_updated": naive(one.last_updated),
            "extra_data": None,
            "locale": 1,
        }

    def subscription(self, one: Subscription) -> Json:
        """A subscription, with what only the REST API tells of it."""
        entity: Json = dict(self._objects.subscription(one)["object"])
        entity.pop("type")
        entity.update(
            created=naive(one.created),
            updated=naive(one.updated),
            cancelled=naive(one.cancelled) if one.cancelled else None,
            components=",".join(COMPONENTS.get(one.product, ())) or [],
            subscription_type="replenishment",
        )
        return entity

    def order(self, one: Order) -> Json:
        """An order; `place` is a full time here."""
        entity: Json = dict(self._objects.order(one)["object"])
        entity.pop("type")
        entity.update(
            created=naive(one.created), place=f"{one.place} 00:00:00", locked=False, cancelled=None
        )
        return entity

    def item(self, one: Item, order: Order) -> Json:
        """A line of an order."""
        return {
            "public_id": one.id,
            "order": order.id,
            "subscription": one.subscription.id if one.subscription else None,
            "offer": None,
            "product": one.product,
            "components": [],
            "quantity": one.quantity,
            "price": str(one.price),
            "extra_cost": "0.00",
            "total_price": str(one.total),
            "one_time": one.subscription is None,
            "frozen": False,
            "first_placed": None,
        }

    @staticmethod
    def payment(one: Payment, customer: Customer) -> Json:
        """A payment method."""
        return {
            "public_id": one.id,
            "customer": customer.id,
            "cc_number_ending": one.ending,
            "cc_type": one.card,
            "cc_exp_date": one.expires,
            "payment_method": "credit card" if one.card else "paypal",
            "live": True,
            "created": naive(one.created),
            "last_updated": naive(one.created),
        }

    @staticmethod
    def address(one: Address, customer: Customer) -> Json:
        """An address."""
        return {
            "public_id": one.id,
            "customer": customer.id,
            "first_name": customer.first_name,
            "last_name": customer.last_name,
            "address": one.street,
            "address2": one.second,
            "city": one.town.name,
            "state_province_code": one.town.state,
            "zip_postal_code": one.town.zip,
            "country_code": one.town.country,
            "live": True,
            "created": naive(one.created),
        }

    def product(self, product: str, created: int) -> Json:
        """A product as the shop described it at that moment."""
        ware = _BY_ID[product]
        renamed = product == _RENAMED and created >= self._world.opens + 43_200
        picture = f"{SHOP_URL}/img/{ware.picture}.png" if ware.picture else None
        return {
            "external_product_id": ware.id,
            "sku": ware.sku,
            "name": f"{ware.name}, new recipe" if renamed else ware.name,
            "price": ware.price,
            "image_url": picture,
            "detail_url": f"{SHOP_URL}/p/{ware.sku.lower()}",
            "product_type": "standard",
            "live": True,
            "discontinued": False,
            "autoship_enabled": True,
            "extra_data": None,
        }
