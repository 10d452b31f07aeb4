"""The world of the demo: invents people and goods, and remembers who the customers are.

`streams.demo.stories` lets things happen to them, and `streams.demo.bodies` writes down what the
source's webhooks say of it. Everything comes of one seeded source of chance.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from streams.demo import catalog
from streams.demo.entities import Address, Customer, Item, Order, Payment, Subscription

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

T = TypeVar("T")

MERCHANT = "5b1e9c0a7d3f4e2b8a6c1d0e9f8b7a65"
"""The source's id of the shop."""

_PRICES = {ware.id: ware.price for ware in (*catalog.WARES, *catalog.SAMPLES)}


class World:
    """Invents people and goods from one seeded source of chance.

    Args:
        rng: the source of chance; who shares it shares the order of its draws.
        opens: when the shop's day begins.
    """

    def __init__(self, rng: Random, opens: int) -> None:
        self.rng = rng
        self.opens = opens
        self.customers: list[Customer] = []
        self._people = 0
        self._turns: Counter[tuple[object, ...]] = Counter()

    def hex(self) -> str:
        """A new id in the source's fashion: 32 hexadecimal digits."""
        return f"{self.rng.getrandbits(128):032x}"

    def chance(self, share: float) -> bool:
        """True in that share of the calls."""
        return self.rng.random() < share

    def turn(self, options: tuple[T, ...]) -> T:
        """The next of these options, in turn, so that each of them comes to pass soon."""
        place = self._turns[options]
        self._turns[options] += 1
        return options[place % len(options)]

    def pick(self, wanted: Callable[[Customer], object]) -> Customer | None:
        """A customer for whom `wanted` holds, those who came early far more often than others."""
        for _ in range(60):
            if not self.customers:
                break
            someone = self.customers[int(len(self.customers) * self.rng.random() ** 2.5)]
            if wanted(someone):
                return someone
        return None

    def day(self, now: int, later: int = 0) -> str:
        """The day `later` days after `now`, YYYY-MM-DD."""
        return (datetime.fromtimestamp(now, UTC) + timedelta(days=later)).date().isoformat()

    def person(self, now: int, *, listed: bool = True) -> Customer:
        """A new customer; only listed ones are returned to by `pick`."""
        rng = self.rng
        self._people += 1
        number = self._people
        first, last = rng.choice(catalog.FIRST_NAMES), rng.choice(catalog.LAST_NAMES)
        town = rng.choice(catalog.TOWNS)
        mail = f"{_plain(first)}.{_plain(last)}{number}@{rng.choice(catalog.DOMAINS)}"
        area = catalog.TOWNS[number % len(catalog.TOWNS)].area
        phone = f"+1{area}555{number // len(catalog.TOWNS):04d}"
        customer = Customer(
            id=rng.choice((f"{number:07d}", f"{number:08d}", f"11{number:03d}-C01", f"h{number}")),
            first_name=first,
            last_name=last,
            email=mail,
            phone=phone if number < 10_000 * len(catalog.TOWNS) else None,
            currency="CAD" if town.country == "CA" else "USD",
            created=now,
            last_updated=now,
            payment=self.payment(now),
            address=self.address(now, town),
        )
        self._gaps(customer)
        if listed:
            self.customers.append(customer)
        return customer

    def _gaps(self, customer: Customer) -> None:
        """Some customers leave something blank; very few leave no way to reach them."""
        draw = self.rng.random()
        if draw < 0.006:
            customer.email = customer.phone = None
        elif draw < 0.03:
            customer.email = None
        elif draw < 0.15:
            customer.phone = None
        elif draw < 0.18:
            customer.phone = self.rng.choice(("n/a", "unlisted", "", "-"))
        if self.chance(0.03):
            customer.last_name = self.rng.choice((None, "", "  "))

    def payment(self, now: int) -> Payment:
        """A card, sometimes PayPal."""
        rng = self.rng
        if self.chance(0.12):
            return Payment(self.hex(), None, "12/2099", None, now)
        expires = f"{rng.randint(1, 12):02d}/{rng.randint(2026, 2031)}"
        return Payment(self.hex(), f"{rng.randint(0, 9999):04d}", expires, rng.randint(1, 6), now)

    def address(self, now: int, town: catalog.Town | None = None) -> Address:
        """A house in one of the towns."""
        rng = self.rng
        street = f"{rng.randint(1, 420)} {rng.choice(catalog.STREETS)}"
        second = rng.choice((None, None, "", f"Apt {rng.randint(1, 40)}"))
        return Address(self.hex(), street, second, town or rng.choice(catalog.TOWNS), now)

    def session(self, now: int) -> str:
        """A visit to the shop's pages, as the source names it."""
        return f"{MERCHANT}.{self.rng.randint(100, 999)}.{now}"

    def subscription(
        self, customer: Customer, now: int, checkout: str, session: str | None = None
    ) -> Subscription:
        """A new subscription of a product that the customer has not had before, if there is one.

        `checkout` is the order's number at the shop, "" where there is none; a `session` is told
        only if it is given.
        """
        rng = self.rng
        fresh = [ware.id for ware in catalog.WARES if ware.id not in customer.products]
        product = rng.choice(fresh or [ware.id for ware in catalog.WARES])
        one = Subscription(
            id=self.hex(),
            customer=customer,
            product=product,
            quantity=rng.choice((1, 1, 1, 2, 2, 3, 6)),
            frequency=rng.choice(catalog.FREQUENCIES),
            created=now,
            updated=now,
            payment=customer.payment,
            address=customer.address,
            checkout=checkout,
            session=session,
            told_currency=self.chance(0.7),
            prepaid=self._prepayment(checkout) if self.chance(0.15) else rng.choice((None, {})),
            extra=rng.choice(({"pet": "Miso"}, '{"pet": "Miso"}', {}, "", None)),
        )
        customer.products.add(product)
        customer.subscriptions.append(one)
        return one

    def _prepayment(self, checkout: str) -> dict[str, Any]:
        billing = self.rng.choice((3, 4, 6, 12))
        return {
            "prepaid_orders_remaining": self.rng.randint(0, billing),
            "prepaid_orders_per_billing": billing,
            "renewal_behavior": self.rng.choice(("autorenew", "cancel", "downgrade")),
            "last_renewal_revenue": round(self.rng.uniform(30, 400), 2),
            "prepaid_origin_merchant_order_id": f"#{checkout}",
        }

    def item(self, subscription: Subscription) -> Item:
        """A line for what is subscribed to."""
        price = Decimal(price_of(subscription.product))
        return Item(self.hex(), subscription, subscription.product, subscription.quantity, price)

    def sample(self) -> Item:
        """A line for something bought once."""
        ware = self.rng.choice(catalog.SAMPLES)
        return Item(self.hex(), None, ware.id, 1, Decimal(ware.price))

    def order(self, customer: Customer, items: list[Item], now: int, due: int) -> Order:
        """An upcoming order, to be placed in `due` days."""
        rng = self.rng
        one = Order(
            id=self.hex(),
            customer=customer,
            items=items,
            payment=customer.payment,
            address=customer.address,
            created=now,
            place=self.day(now, due),
            told_currency=self.chance(0.4),
            shipping=rng.choice((Decimal("0.00"), Decimal("4.50"), Decimal("7.95"))),
            discount=rng.choice((Decimal("0.00"), Decimal("2.40"), Decimal("6.00"))),
        )
        customer.orders.append(one)
        return one


def price_of(product: str) -> str:
    """A product's unit price, as decimal text."""
    return _PRICES[product]


def _plain(name: str) -> str:
    """A name as it may stand in a mail address."""
    bare = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return "".join(c for c in bare.lower() if c.isalpha())
