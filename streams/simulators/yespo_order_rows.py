"""How requests to Yespo describe orders: read and examined, not yet kept.

Contract: contracts/yespo.md §2 (fields; what is required by the specification and by the older
page).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from streams.simulators.yespo_errors import BadRow, Refused
from streams.simulators.yespo_fields import Fields

if TYPE_CHECKING:
    from streams.simulators.shapes import JSON
    from streams.simulators.yespo_switches import Switches

__all__ = ["STATUSES", "OrderRow", "read_order", "read_orders"]

STATUSES = ("INITIALIZED", "IN_PROGRESS", "DELIVERED", "CANCELLED", "ABANDONED_SHOPPING_CART")
"""The only ones that an order can have."""

_MOST = 1_000
_TEXTS = (
    "firstName", "lastName", "restoreUrl", "statusDescription", "storeId", "source",
    "deliveryMethod", "paymentMethod", "deliveryAddress",
)  # fmt: skip
_NUMBERS = ("shipping", "discount", "taxes")
_FIELDS = frozenset({
    "externalOrderId", "externalCustomerId", "totalCost", "status", "date", "currency", "email",
    "phone", "additionalInfo", "items", *_TEXTS, *_NUMBERS,
})  # fmt: skip
_SEED_TEXTS = ("name", "url", "imageUrl")
_ITEM_TEXTS = ("category", "description")
_ITEM_FIELDS = frozenset({"externalItemId", "quantity", "cost", *_SEED_TEXTS, *_ITEM_TEXTS})
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_HALF_A_CENT = 0.005


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order, after examination; `sent` is all of it; `notes` say what is odd about it."""

    external_order_id: str
    status: str
    total_cost: float
    currency: str
    external_customer_id: str | None
    email: str | None
    phone: str | None
    sent: JSON
    notes: tuple[str, ...] = ()


def read_orders(document: object, switches: Switches) -> list[object]:
    """The orders of a body, unexamined; raises Refused with 400 or 413."""
    orders = document.get("orders") if isinstance(document, dict) else None
    if not isinstance(orders, list):
        raise Refused(400, "/orders", "orders is required.")
    if not 0 < len(orders) <= _MOST:
        status = switches.too_many if orders else 400
        raise Refused(status, "/orders", f"Send 1 to {_MOST} orders.")
    return orders


def read_order(value: object, switches: Switches) -> OrderRow:
    """Examine one order; raises BadRow for the first thing that is wrong with it."""
    fields = Fields(value, "", switches)
    fields.only(_FIELDS)
    strict = switches.seed_strict
    external_order_id = fields.required_text("externalOrderId")
    total_cost = fields.required_number("totalCost")
    status, currency = _status(fields), _currency(fields, switches)
    fields.time("date")
    external_customer_id = fields.text("externalCustomerId", required=strict)
    email, phone = fields.email("email"), fields.phone("phone")
    if not (email or phone) and (strict or not external_customer_id):
        wanted = "email or phone" if strict else "externalCustomerId, email or phone"
        raise BadRow("externalCustomerId", f"One of {wanted} is required")
    for name in _TEXTS:
        fields.text(name)
    numbers = {name: fields.number(name) or 0 for name in _NUMBERS}
    _check_additional_info(fields)
    goods = _goods(fields, switches)
    fits = goods is None or _adds_up(total_cost, goods, numbers["shipping"], numbers["taxes"])
    if not fits and switches.wrong_total == "refuse":
        raise fields.bad("totalCost", "must be the sum of the items")
    return OrderRow(
        external_order_id,
        status,
        total_cost,
        currency,
        external_customer_id,
        email,
        phone,
        fields.value,
        () if fits else ("prices",),
    )


def _status(fields: Fields) -> str:
    status = fields.required_text("status")
    if status not in STATUSES:
        raise fields.bad("status", f"must be one of {', '.join(STATUSES)}")
    return status


def _currency(fields: Fields, switches: Switches) -> str:
    currency = fields.required_text("currency")
    known = currency in switches.currencies if switches.currencies else True
    if not known or not _CURRENCY.fullmatch(currency):
        raise fields.bad("currency", "is not a currency")
    return currency


def _check_additional_info(fields: Fields) -> None:
    """A flat map of texts; pitfall 6 is to send a text that holds JSON."""
    info = fields.given("additionalInfo", required=False)
    if info is None:
        return
    if not isinstance(info, dict):
        raise fields.bad("additionalInfo", "must be an object")
    for name, value in info.items():
        if not isinstance(value, str):
            raise BadRow(f"additionalInfo/{name}", f"additionalInfo: {name} must be a string")


def _goods(fields: Fields, switches: Switches) -> float | None:
    """Examine the items; what they cost together, None where not all have a cost."""
    items = fields.given("items", required=False)
    if items is None:
        return None
    if not isinstance(items, list):
        raise fields.bad("items", "must be a list")
    costs = [_item(item, f"items/{index}/", switches) for index, item in enumerate(items)]
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known and len(known) == len(costs) else None


def _item(value: object, place: str, switches: Switches) -> float | None:
    fields = Fields(value, place, switches)
    fields.only(_ITEM_FIELDS)
    fields.required_text("externalItemId")
    quantity = fields.required_number("quantity")
    cost = fields.number("cost", required=switches.seed_strict)
    for name in _SEED_TEXTS:
        fields.text(name, required=switches.seed_strict)
    for name in _ITEM_TEXTS:
        fields.text(name)
    return None if cost is None else cost * quantity


def _adds_up(total: float, goods: float, shipping: float, taxes: float) -> bool:
    """Whether prices add up to the total, with or without shipping and taxes.

    They must, and yet it is evidently not enforced (§2).
    """
    sums = (goods, goods + shipping, goods + taxes, goods + shipping + taxes)
    return any(abs(total - each) < _HALF_A_CENT for each in sums)
