"""What the vendors' pages have in common, as the demo's bookkeeping works it out.

Seeds 000 and 001 print the same products, frequencies, order lines, payments and addresses; the
vendors' modules put them where each page wants them. What is unknown is left out everywhere.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from streams.demo import reading
from streams.demo.reading import known

if TYPE_CHECKING:
    from streams.demo.conclusions import Fact
    from streams.demo.reading import Webhook
    from streams.demo.truth import Truth

Json = dict[str, Any]

MOST = 25
"""A list shows so many, the newest; what is counted is counted before the cut."""

_DISPLAY_ZONE = ZoneInfo("America/New_York")
_CARDS = {1: "Visa", 2: "Mastercard", 3: "Amex", 4: "Discover", 5: "Diners", 6: "JCB"}
_UNITS = {1: "day", 2: "week", 3: "month", 4: "year"}
_TEXTS = ("id", "name", "sku", "image_url", "detail_url")
_ADDRESSED = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_ADDRESS = ("address", "address2", "city", "state_province_code", "zip_postal_code", "country_code")


def subscriber(fact: Fact, truth: Truth) -> Json:
    """Who it is, and the newest of the subscriptions that a subscriber event lists.

    All of them are counted, but not in the event of a checkout: so the pages say.
    """
    counted = fact.type != "subscriber.subscriptions_created"
    newest = sorted(fact.several, key=lambda one: (-one["created"], one["id"]))
    names = ("prepaid_orders_per_billing", "prepaid_renewal_behavior")
    return {
        **truth.person,
        "has_prepaid": any(one["prepaid"] for one in newest),
        **({"total_subscriptions_count": len(newest)} if counted else {}),
        "subscriptions_subset": [
            {**listed(one, truth), **prepaid(one, *names)} for one in newest[:MOST]
        ],
    }


def frequency(one: Json) -> Json:
    """A subscription's id, how often it comes, and the words for that: "Every 8 weeks"."""
    every, unit = one.get("every"), _UNITS.get(one.get("every_period", 0))
    words = None
    if every and unit:
        words = f"Every {unit}" if every == 1 else f"Every {every} {unit}s"
    return known(
        id=one["id"], frequency_days=one.get("frequency_days"), frequency_description=words
    )


def listed(one: Json, truth: Truth) -> Json:
    """A subscription in a subscriber event's list."""
    return {**frequency(one), **known(quantity=one.get("quantity"), product=texts(one, truth))}


def alone(one: Json, truth: Truth) -> Json:
    """A subscription's own event: what a list shows, and its product once more in flat fields."""
    return {**listed(one, truth), **flat(texts(one, truth))}


def flat(words: Json) -> Json:
    """A product in fields of its own, for text messages."""
    return known(**{f"product_{name}": words.get(name) for name in ("id", "name", "sku")})


def prepaid(one: Json, *names: str) -> Json:
    """Those fields of a subscription's prepayment; none where there is none."""
    told = one.get("prepaid") or {}
    source = {"prepaid_renewal_behavior": "renewal_behavior"}
    return known(**{name: told.get(source.get(name, name)) for name in names})


def ending(one: Json) -> Json:
    """Why a subscription ended."""
    return known(cancel_reason=one.get("reason"), cancel_reason_code=one.get("code"))


def email(truth: Truth) -> str | None:
    """The customer's address, if mail can be sent to it."""
    told = truth.person.get("email")
    return told if told and _ADDRESSED.fullmatch(told) else None


def texts(one: Json, truth: Truth) -> Json:
    """The product of a subscription: what is known of it, without its price."""
    words = truth.texts(one.get("product"))
    return {name: words[name] for name in _TEXTS if name in words}


def lines_of(hook: Webhook) -> list[Json]:
    """The lines of an order that its webhook shows; those of other orders are left aside."""
    return [one for one in hook.entities("items") if one["order"] == hook.object["public_id"]]


def held(line: Json, hook: Webhook, truth: Truth) -> Json:
    """The subscription of a line: from the snapshot, else as it is known, else only its id."""
    name = line.get("subscription")
    for raw in hook.entities("subscriptions"):
        if raw["public_id"] == name:
            return reading.subscription(raw, hook.created)
    return truth.subscriptions.get(str(name), known(id=name))


def shown(line: Json, hook: Webhook, truth: Truth) -> Json:
    """The product of a line: from the snapshot, else as it is known, else only its id."""
    for raw in hook.entities("products"):
        if raw["external_product_id"] == line["product"]:
            return reading.product(raw)
    return truth.texts(line["product"])


def bought(line: Json, hook: Webhook, truth: Truth) -> Json:
    """A line of an order."""
    one = held(line, hook, truth)
    return {
        "product": shown(line, hook, truth),
        **({"subscription": frequency(one)} if one else {}),
        **known(quantity=line.get("quantity")),
        **money(line, "price", "total_price"),
    }


def missing(fact: Fact, truth: Truth) -> Json:
    """An item that is out of stock, and for how many days by now."""
    raw = fact.hook.object
    words = shown(raw, fact.hook, truth)
    first = truth.waiting[raw.get("subscription") or raw["public_id"]]
    return {
        "product": {name: words[name] for name in _TEXTS if name in words},
        **known(quantity=raw.get("quantity")),
        "days_since_first_attempt": (_day(fact.hook.created) - _day(first)).days,
        **money(raw, "price", "total_price"),
    }


def currency(raw: Json, held: list[Json]) -> str | None:
    """An order's currency, else that of its lines' subscriptions, the first that tells one."""
    told = (one["currency_code"] for one in held if "currency_code" in one)
    return raw.get("currency_code") or next(told, None)


def totals(raw: Json) -> Json:
    """What an order costs."""
    return money(raw, "discount_total", "shipping_total", "sub_total", "total")


def money(raw: Json, *names: str) -> Json:
    """Decimal texts as JSON numbers."""
    return {name: float(raw[name]) for name in names if raw.get(name)}


def place(hook: Webhook) -> Json:
    """The day of an order's placement."""
    raw = hook.object
    return {"place_date": raw["place"][:10]} if raw.get("place") else {}


def days_ahead(hook: Webhook) -> Json:
    """How many days after the event an order will be placed, as New York counts them."""
    raw = hook.object
    if not raw.get("place"):
        return {}
    ahead = date.fromisoformat(raw["place"][:10]) - _day(hook.created)
    return {"days_until_place_date": ahead.days}


def _day(moment: int) -> date:
    return datetime.fromtimestamp(moment, _DISPLAY_ZONE).date()


def payment(hook: Webhook) -> Json:
    """How an order is paid for."""
    for raw in hook.entities("payments"):
        if raw["public_id"] == hook.object.get("payment"):
            expires = raw.get("cc_exp_date")
            told = known(
                cc_number_ending=raw.get("cc_number_ending"),
                cc_exp_date=None if expires == "12/2099" else expires,
                cc_type_description=_CARDS.get(raw.get("cc_type") or 0),
            )
            return {"payment": told} if told else {}
    return {}


def address(hook: Webhook) -> Json:
    """Where an order goes."""
    for raw in hook.entities("addresses"):
        if raw["public_id"] == hook.object.get("shipping_address"):
            return {"shipping_address": known(**{name: raw.get(name) for name in _ADDRESS})}
    return {}
