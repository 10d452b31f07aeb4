"""An order as Yespo is expected to get it: contracts/yespo.md §2, seed 004, written again.

Both documents' required fields must be there, else the order goes nowhere. Each order that arrives
starts a workflow, so one that was sent in the same status and with the same content is not sent
again: how it was told of (`date`, `additionalInfo`) is no content.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from streams.demo import page_fields, reading
from streams.demo.parts import Call, Part, Thing
from streams.demo.reading import known

if TYPE_CHECKING:
    from streams.demo.conclusions import Fact
    from streams.demo.reading import Webhook
    from streams.demo.truth import Truth

Json = dict[str, Any]

ORDERS = "/api/v1/orders"

STATUSES = {
    "order.success": "INITIALIZED",
    "order.cancel": "CANCELLED",
    "order.skip_order": "CANCELLED",
    "order.reject": "CANCELLED",
}
"""Event type → the order's status."""

_NEEDED = ("externalOrderId", "externalCustomerId", "totalCost", "status", "date", "currency")
_NEEDED_OF_ITEMS = ("externalItemId", "name", "quantity", "cost", "url", "imageUrl")
_TOLD = {"date", "additionalInfo"}
"""What says how an order was told of."""


def identity(truth: Truth) -> Json:
    """Who the customer is to Yespo: the shop's id, and what reaches them; a phone is digits."""
    phone = truth.person.get("phone_number")
    return known(
        externalCustomerId=truth.customer,
        email=page_fields.email(truth),
        phone=phone.removeprefix("+") if phone else None,
    )


def order(fact: Fact, truth: Truth) -> Part:
    """The order in the status that the event means, or why it is given up."""
    one = _written(fact, truth)
    if not one.keys() & {"email", "phone"}:
        return Part("event", "rejected", "no_identifier")
    whole = one.keys() >= set(_NEEDED)
    if not whole or any(not line.keys() >= set(_NEEDED_OF_ITEMS) for line in one.get("items", [])):
        return Part("event", "rejected", "missing_field")
    content = {name: one[name] for name in one.keys() - _TOLD}
    thing = Thing(f"order {one['externalOrderId']} {one['status']}", content)
    return Part("event", "delivered", call=Call(ORDERS, {"orders": [one]}), thing=thing)


def _written(fact: Fact, truth: Truth) -> Json:
    hook = fact.hook
    raw, lines = hook.object, page_fields.lines_of(hook)
    held = [page_fields.held(line, hook, truth) for line in lines]
    code, text = reading.refusal(raw.get("rejected_message"))
    money = page_fields.money(raw, "total", "shipping_total", "discount_total", "tax_total")
    told = known(
        event_type=fact.type,
        merchant_order_id=raw.get("order_merchant_id"),
        place_date=page_fields.place(hook).get("place_date"),
        rejected_code=code,
        subscription_id=",".join(dict.fromkeys(one["id"] for one in held if one)),
    )
    return known(
        externalOrderId=raw["public_id"],
        **identity(truth),
        firstName=truth.person.get("first_name"),
        lastName=truth.person.get("last_name"),
        totalCost=money.get("total"),
        status=STATUSES[fact.type],
        date=datetime.fromtimestamp(fact.at, UTC).isoformat(),
        currency=page_fields.currency(raw, held),
        shipping=money.get("shipping_total"),
        discount=money.get("discount_total"),
        taxes=money.get("tax_total"),
        statusDescription=text,
        deliveryAddress=_address(hook),
        additionalInfo=told,
        items=[_item(line, hook, truth) for line in lines] or None,
    )


def _item(line: Json, hook: Webhook, truth: Truth) -> Json:
    words = page_fields.shown(line, hook, truth)
    return known(
        externalItemId=words.get("id"),
        name=words.get("name"),
        quantity=line.get("quantity"),
        cost=_cost(line),
        url=words.get("detail_url"),
        imageUrl=words.get("image_url"),
    )


def _cost(line: Json) -> float | None:
    """What one of it costs after discounts: the lines are to add up to the order's total."""
    whole, quantity = line.get("total_price"), line.get("quantity")
    if whole and quantity:
        return float(round(Decimal(whole) / quantity, 2))
    return page_fields.money(line, "price").get("price")


def _address(hook: Webhook) -> str | None:
    """In one line: house, flat, town, state, code, country."""
    told = page_fields.address(hook).get("shipping_address", {})
    return ", ".join(told.values()) or None
