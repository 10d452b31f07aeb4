"""The generated shop: everything about customer number N, made anew whenever it is asked for.

Nothing of it is kept but ids and times (`ordergroove_shelves.py`), so that 100,000 subscriptions
take little memory. Entities are told plainly here, times as epoch seconds: what they look like in
answers is for `ordergroove_forms.py`. Contract: contracts/ordergroove.md §2.2, §2.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from streams.simulators.ordergroove_catalog import (
    FIRST_NAMES,
    LAST_NAMES,
    REASONS,
    SCHEDULES,
    TOWNS,
    WARES,
    product_of,
)
from streams.simulators.ordergroove_times import moment_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.simulators.shapes import JSON

__all__ = ["Shop"]

_DAY = 86_400
_YEARS = 2 * 365 * _DAY
_IMPORTED = 400 * _DAY
"""So long ago many customers were imported, all in one second."""

_Household = dict[str, list["JSON"]]


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop of so many customers, as it stood at one moment (epoch seconds)."""

    merchant: str
    customers: int
    seed: int
    as_of: int
    zone: str

    def households(self) -> Iterator[_Household]:
        """Everything about each customer, by kind."""
        return map(self.household, range(self.customers))

    def household(self, number: int) -> _Household:
        """Everything about one customer; the same whenever it is asked for."""
        return _Maker(self, number).made

    def products(self) -> list[JSON]:
        """What it sells, hidden products among it."""
        since = self.as_of - _YEARS - _DAY
        return [product_of(ware, self.merchant, since) for ware in WARES]


class _Maker:
    """Draws one customer's entities, in a fixed order, from a chance of their own."""

    def __init__(self, shop: Shop, number: int) -> None:
        self._shop = shop
        self._rng = Random(f"{shop.seed}:{number}")
        imported = self._rng.random() < 0.15
        self._since = shop.as_of - (_IMPORTED if imported else self._rng.randrange(_DAY, _YEARS))
        self._customer = (f"{number:07d}", f"11100-C{number}", f"h{number}")[number % 3]
        self.made: _Household = {
            kind: []
            for kind in ("customers", "subscriptions", "orders", "items", "payments", "addresses")
        }
        self._person(number)
        for _ in range(self._rng.choices((0, 1, 2, 3), (3, 65, 22, 10))[0]):
            self._subscription()
        self._orders()

    def _id(self) -> str:
        return f"{self._rng.getrandbits(128):032x}"

    def _later(self, than: int) -> int:
        """A time since then; now and then in the second in which a night's placement ran."""
        if self._rng.random() < 0.2:
            night = self._shop.as_of - self._rng.randrange(7) * _DAY
            return max(than, night - night % _DAY)
        return self._rng.randint(than, self._shop.as_of)

    def _person(self, number: int) -> None:
        rng = self._rng
        first, last, town = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES), rng.choice(TOWNS)
        self.made["customers"].append(
            {
                "merchant": self._shop.merchant,
                "merchant_user_id": self._customer,
                "session_id": None,
                "user_token_id": None,
                "first_name": first,
                "last_name": last,
                "email": f"customer-{number}@shop-demo.io",
                "phone_number": f"+1{town[3]}555{number % 10_000:04d}",
                "phone_type": 2,
                "live": True,
                "created": self._since,
                "last_updated": self._later(self._since),
                "last_login": None,
                "extra_data": {},
                "locale": 1,
                "price_code": None,
            }
        )
        paypal = rng.random() < 0.1
        self.made["payments"].append(
            {
                "customer": self._customer,
                "billing_address": None,
                "cc_number_ending": None if paypal else f"{rng.randrange(10_000):04d}",
                "public_id": self._id(),
                "label": None,
                "token_id": self._id(),
                "cc_holder": f"{first} {last}",
                "cc_type": None if paypal else rng.randint(1, 4),
                "cc_exp_date": "12/2099"
                if paypal
                else f"{rng.randint(1, 12):02d}/{rng.choice((2026, 2027, 2029))}",
                "payment_method": "paypal" if paypal else "credit card",
                "live": True,
                "created": self._since,
                "last_updated": self._since,
            }
        )
        self.made["addresses"].append(
            {
                "customer": self._customer,
                "public_id": self._id(),
                "label": None,
                "first_name": first,
                "last_name": last,
                "company_name": None,
                "address": f"{rng.randint(1, 99)} Quay Rd",
                "address2": None,
                "city": town[0],
                "state_province_code": town[1],
                "zip_postal_code": town[2],
                "phone": None,
                "fax": None,
                "country_code": "US",
                "live": True,
                "created": self._since,
                "updated": self._since,
                "token_id": None,
                "store_public_id": None,
            }
        )

    def _subscription(self) -> None:
        rng, others = self._rng, self.made["subscriptions"]
        ware = rng.choice([each for each in WARES if each.shown])
        every, period, days = rng.choice(SCHEDULES)
        created = self._since if not others or rng.random() < 0.5 else self._later(self._since)
        updated, live = self._later(created), rng.random() < 0.78
        code, said = rng.choice(REASONS)
        prepaid = live and rng.random() < 0.05
        others.append(
            {
                "public_id": self._id(),
                "customer": self._customer,
                "merchant": self._shop.merchant,
                "product": ware.id,
                "payment": self.made["payments"][0]["public_id"],
                "shipping_address": self.made["addresses"][0]["public_id"],
                "offer": None,
                "subscription_type": "prepaid" if prepaid else "replenishment",
                "components": [
                    {"product": part, "public_id": self._id(), "quantity": 1} for part in ware.parts
                ],
                "extra_data": rng.choice(({}, {"pet": "Miso"})),
                "quantity": rng.choice((1, 1, 1, 2, 3)),
                "price": None,
                "frequency_days": days,
                "reminder_days": 5,
                "every": every,
                "every_period": period,
                "start_date": text_of(created, self._shop.zone)[:10],
                "cancelled": None if live else updated,
                "cancel_reason": None if live else f"{code}|{said}",
                "cancel_reason_code": None if live else code,
                "merchant_order_id": f"{rng.randrange(10**6)}",
                "created": created,
                "updated": updated,
                "live": live,
                "external_id": None,
                "currency_code": "USD",
                "prepaid_subscription_context": {
                    "prepaid_orders_remaining": 1,
                    "prepaid_orders_per_billing": 3,
                    "renewal_behavior": "autorenew",
                    "last_renewal_revenue": 129.6,
                    "prepaid_origin_merchant_order_id": "#70441",
                }
                if prepaid
                else None,
            }
        )

    def _orders(self) -> None:
        """The next shipment of all that is live, and an earlier one of the first."""
        subscriptions = self.made["subscriptions"]
        live = [each for each in subscriptions if each["live"]]
        if subscriptions and self._rng.random() < 0.4:
            draw = self._rng.random()
            status = 3 if draw < 0.05 else 4 if draw < 0.08 else 5
            self._order(subscriptions[:1], status, -self._rng.randint(1, 30))
        if live:
            self._order(live, 1, self._rng.randint(1, 60))

    def _order(self, subscriptions: list[JSON], status: int, days: int) -> None:
        prices = {ware.id: ware.price for ware in WARES}
        created = max(int(str(each["created"])) for each in subscriptions)
        updated, order = self._later(created), self._id()
        day = text_of(self._shop.as_of + days * _DAY, self._shop.zone)[:10]
        place = moment_of(day, self._shop.zone)
        total = 0
        for each in subscriptions:
            price, quantity = prices[str(each["product"])], int(str(each["quantity"]))
            cents = int(price.replace(".", "")) * quantity
            total += cents
            self.made["items"].append(
                {
                    "order": order,
                    "offer": None,
                    "subscription": each["public_id"],
                    "product": each["product"],
                    "components": each["components"],
                    "subscription_component": None,
                    "quantity": quantity,
                    "public_id": self._id(),
                    "price": price,
                    "extra_cost": "0.00",
                    "total_price": _money(cents),
                    "one_time": False,
                    "order_updated": updated,
                    "frozen": False,
                    "first_placed": place if status == 5 else None,
                }
            )
        self.made["orders"].append(
            {
                "merchant": self._shop.merchant,
                "public_id": order,
                "customer": self._customer,
                "payment": self.made["payments"][0]["public_id"],
                "shipping_address": self.made["addresses"][0]["public_id"],
                "sub_total": _money(total),
                "tax_total": "0.00",
                "shipping_total": "4.50",
                "discount_total": "0.00",
                "total": _money(total + 450),
                "created": created,
                "updated": updated,
                "place": place,
                "cancelled": updated if status == 4 else None,
                "tries": 1 if status in {3, 5} else 0,
                "generic_error_count": 0,
                "status": status,
                "type": 1,
                "order_merchant_id": f"{self._rng.randrange(10**6)}" if status == 5 else None,
                "rejected_message": '{"code": "120", "message": "Card has lapsed"}'
                if status == 3
                else None,
                "extra_data": {},
                "locked": False,
                "oos_free_shipping": False,
                "currency_code": "USD",
            }
        )


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
