"""`data.object` of each event type, as contracts/ordergroove.md §1.3 describes it.

`Objects` writes what `streams.demo.entities` holds, with the quirks of §2.1: money as text,
`extra_data` in four forms, "True" for true, phones as people write them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from streams.demo.catalog import COMPONENTS
from streams.demo.world import MERCHANT

if TYPE_CHECKING:
    from streams.demo.entities import Customer, Item, Order, Subscription
    from streams.demo.world import World

Json = dict[str, Any]

_PERIODS = {1: "Days", 2: "Weeks", 3: "Months", 4: "Years"}


class Objects:
    """Writes objects; draws from the world's chance which form a quirky field takes."""

    def __init__(self, world: World) -> None:
        self._world = world

    def flag(self, value: bool) -> bool | str:  # noqa: FBT001
        """A boolean, now and then as the text "True" or "False"."""
        return str(value) if self._world.chance(0.05) else value

    def email(self, customer: Customer) -> str | None:
        """The address, now and then with blanks around it; "" or null where there is none."""
        if customer.email is None:
            return self._world.rng.choice((None, ""))
        return f" {customer.email} " if self._world.chance(0.03) else customer.email

    def phone(self, customer: Customer) -> str | None:
        """The number in one of the forms that people in the US use, or as E.164."""
        number = customer.phone
        if number is None or not number.startswith("+1") or self._world.chance(0.4):
            return number
        area, exchange, line = number[2:5], number[5:8], number[8:]
        return self._world.rng.choice(
            (
                f"{area}-{exchange}-{line}",
                f"({area}) {exchange}-{line}",
                f"{area}.{exchange}.{line}",
                f"1-{area}-{exchange}-{line}",
                f"+1 {area} {exchange} {line}",
                number[2:],
            )
        )

    def subscriber(self, customer: Customer, now: int, about: str, several: list[str]) -> Json:
        """Of `subscriber.*`: `about` is the subscription of create and cancel, else ""."""
        customer.last_updated = now
        return {
            "object": {
                "type": "subscriber",
                "merchant": MERCHANT,
                "merchant_user_id": customer.id,
                "subscription": about,
                "subscriptions": several,
                "session_id": None,
                "first_name": customer.first_name,
                "last_name": customer.last_name,
                "email": self.email(customer),
                "phone_number": self.phone(customer),
                "phone_type": 2,
                "phone_type_display": "mobile",
                "live": bool(customer.live),
                "created": customer.created,
                "last_updated": now,
                "extra_data": {},
                "locale": 1,
                "locale_display": "en-us",
            }
        }

    def subscription(self, one: Subscription) -> Json:
        """Of `subscription.*`."""
        days, every, period = one.frequency
        reason, code = one.reason
        written = {
            "type": "subscription",
            "merchant": MERCHANT,
            "public_id": one.id,
            "customer": one.customer.id,
            "product": one.product,
            "components": self.components(one.product),
            "extra_data": one.extra,
            "quantity": one.quantity,
            "price": None,
            "frequency_days": days,
            "reminder_days": 5,
            "every": every,
            "every_period": period,
            "every_period_display": _PERIODS[period],
            "cancelled": one.cancelled,
            "cancel_reason": reason,
            "cancel_reason_code": code,
            "session_id": one.session,
            "merchant_order_id": one.checkout or self._world.rng.choice(("", None)),
            "live": self.flag(one.live),
            "external_id": None,
            "created": one.created,
            "start_date": self._world.day(one.created),
            "offer": None,
            "payment": one.payment.id,
            "shipping_address": one.address.id,
            "updated": one.updated,
            "prepaid_subscription_context": one.prepaid,
        }
        if one.told_currency:
            written["currency_code"] = one.customer.currency
        return {"object": written}

    @staticmethod
    def components(product: str) -> list[Json]:
        """Of a bundle, else none."""
        return [
            {"product": part, "public_id": f"{number:032x}", "quantity": None if number else 1}
            for number, part in enumerate(COMPONENTS.get(product, ()))
        ]

    def order(self, one: Order) -> Json:
        """Of `order.*`."""
        sub_total = sum(item.total for item in one.items)
        written = {
            "type": "order",
            "merchant": MERCHANT,
            "public_id": one.id,
            "customer": one.customer.id,
            "payment": one.payment.id,
            "shipping_address": one.address.id,
            "sub_total": str(sub_total),
            "tax_total": "0.00",
            "shipping_total": str(one.shipping),
            "discount_total": str(one.discount),
            "total": str(sub_total + one.shipping - one.discount),
            "created": one.created,
            "place": f"{one.place} 00:00:00" if self._world.chance(0.05) else one.place,
            "cancelled": None,
            "tries": one.tries,
            "generic_error_count": one.errors,
            "status": one.status[0],
            "status_display": one.status[1],
            "order_merchant_id": one.placed_as,
            "rejected_message": one.rejected_message,
            "extra_data": self._world.rng.choice(({}, "{}", "", None, {"gift": "yes"})),
        }
        if one.told_currency:
            written["currency_code"] = one.customer.currency
        return {"object": written}

    @staticmethod
    def item(one: Item, order: Order) -> Json:
        """Of `item.*`."""
        return {
            "object": {
                "type": "item",
                "merchant": MERCHANT,
                "public_id": one.id,
                "customer": order.customer.id,
                "product": one.product,
                "order": order.id,
                "subscription": one.subscription.id if one.subscription else None,
                "offer": None,
                "quantity": one.quantity,
                "price": str(one.price),
                "total_price": str(one.total),
                "first_placed": None,
                "components": Objects.components(one.product),
            }
        }

    @staticmethod
    def entitlements(customer: Customer, several: list[Json]) -> Json:
        """Of `entitlement.*`."""
        return {
            "object": {
                "type": "entitlement",
                "merchant": MERCHANT,
                "customer": customer.id,
                "entitlements": several,
            }
        }

    def communication(self, customer: Customer, key: str) -> Json:
        """Of `workflow.send_communication`; what it says stands beside the object, too.

        No document shows where such a webhook names merchant and customer, so both places do.
        """
        spoken = {
            "key": key,
            "subscriber": {
                "merchant": MERCHANT,
                "merchant_user_id": customer.id,
                "email": self.email(customer),
                "phone_number": self.phone(customer),
                "first_name": customer.first_name,
                "last_name": customer.last_name,
            },
            "execution_context": {"node": key, "attempt": 1},
        }
        whose = {"type": "workflow", "merchant": MERCHANT, "customer": customer.id}
        return {"object": {**whose, **spoken}, **spoken}
