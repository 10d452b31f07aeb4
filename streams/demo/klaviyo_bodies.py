"""The request body that Klaviyo is expected to get for a fact: its page (seed 001), written again.

The second opinion on rendering: path and JSON of each call, from the bookkeeping's own `Truth`.
Nothing unknown is sent; contracts/klaviyo.md §2 and §4 give the envelopes.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from streams.demo import reading
from streams.demo.conclusions import PROFILE
from streams.demo.klaviyo_entitlements import entitlement_fields
from streams.demo.reading import known

if TYPE_CHECKING:
    from streams.demo.conclusions import Fact
    from streams.demo.reading import Webhook
    from streams.demo.truth import Truth

Json = dict[str, Any]

EVENTS = "/api/events"
PROFILES = "/api/profile-import"

_DISPLAY_ZONE = ZoneInfo("America/New_York")
_CARDS = {1: "Visa", 2: "Mastercard", 3: "Amex", 4: "Discover", 5: "Diners", 6: "JCB"}
_UNITS = {1: "day", 2: "week", 3: "month", 4: "year"}
_MOST = 25
_TEXTS = ("id", "name", "sku", "image_url", "detail_url")
_ADDRESS = ("address", "address2", "city", "state_province_code", "zip_postal_code", "country_code")


def request(fact: Fact, hook: Webhook, truth: Truth, unique_id: str) -> tuple[str, Json]:
    """Path and body of the call that tells this fact."""
    if fact.type == PROFILE:
        return PROFILES, {"data": {"type": "profile", "attributes": _profile(truth)}}
    properties = {
        "subscriber": _subscriber,
        "subscription": _subscription,
        "order": _order,
        "item": _item,
    }[fact.type.partition(".")[0]]
    plain = fact.type == "order.retryable_placement_failure"
    attributes: Json = {
        "metric": {
            "data": {
                "type": "metric",
                "attributes": {"name": fact.type if plain else f"ordergroove.{fact.type}"},
            }
        },
        "profile": {"data": {"type": "profile", "attributes": _profile(truth)}},
        "properties": properties(fact, hook, truth),
        "time": datetime.fromtimestamp(fact.at, UTC).isoformat(),
        "unique_id": unique_id,
    }
    if fact.late:
        attributes["backfill"] = True
    return EVENTS, {"data": {"type": "event", "attributes": attributes}}


def _profile(truth: Truth) -> Json:
    attributes = dict(truth.person)
    if truth.status:
        attributes["properties"] = {"Ordergroove Subscriber Status": truth.status}
    return attributes


def _subscriber(fact: Fact, _hook: Webhook, truth: Truth) -> Json:
    newest = sorted(fact.several, key=lambda one: (-one["created"], one["id"]))
    return {
        **truth.person,
        "has_prepaid": any(one["prepaid"] for one in newest),
        "total_subscriptions_count": len(newest),
        "subscriptions_subset": [
            {
                **_frequency(one),
                **known(quantity=one.get("quantity"), product=_texts(truth, one)),
                **_prepaid(one, "prepaid_orders_per_billing", "prepaid_renewal_behavior"),
            }
            for one in newest[:_MOST]
        ],
    }


def _subscription(fact: Fact, hook: Webhook, truth: Truth) -> Json:
    one = reading.subscription(hook.object, hook.created)
    texts = _texts(truth, one)
    fields = {
        **_frequency(one),
        **known(
            product=texts,
            product_id=texts.get("id"),
            product_name=texts.get("name"),
            product_sku=texts.get("sku"),
            quantity=one.get("quantity"),
            currency_code=one.get("currency_code"),
            has_prepaid=bool(one["prepaid"]),
        ),
        **_all_prepaid(one),
        **entitlement_fields(truth, hook, fact.at, {one["id"]}),
    }
    if fact.type == "subscription.cancel":
        fields |= known(
            cancel_reason=one.get("reason"),
            cancel_reason_code=one.get("code"),
            cancel_reason_message=one.get("reason"),
        )
    return fields


def _order(fact: Fact, hook: Webhook, truth: Truth) -> Json:
    raw = hook.object
    lines = [one for one in hook.entities("items") if one["order"] == raw["public_id"]]
    held = [_held(line, hook, truth) for line in lines]
    fields = {
        **_place(raw, hook.created),
        **known(tries=raw.get("tries")),
        **_money(raw, "discount_total", "shipping_total", "sub_total", "total"),
        **_bought(lines, held, hook, truth),
        **known(currency_code=raw.get("currency_code") or _currency(held)),
        **_payment(hook),
        **_address(hook),
        **entitlement_fields(truth, hook, fact.at, _sold(lines)),
    }
    if fact.type in {"order.reject", "order.retryable_placement_failure"}:
        fields |= reading.refusal(raw.get("rejected_message"))
    return fields


def _sold(lines: list[Json]) -> set[str] | None:
    """The subscriptions that an order's lines come from; None where no line is shown."""
    return (
        {str(line["subscription"]) for line in lines if line.get("subscription")} if lines else None
    )


def _bought(lines: list[Json], held: list[Json], hook: Webhook, truth: Truth) -> Json:
    """The lines of an order, as far as its snapshot shows them."""
    if not lines:
        return {}
    fields: Json = {
        "total_items_count": len(lines),
        "items_subset": [
            {
                "product": _shown(line, hook, truth),
                **({"subscription": _frequency(one)} if one else {}),
                **known(quantity=line.get("quantity")),
                **_money(line, "price", "total_price"),
            }
            for line, one in list(zip(lines, held, strict=True))[:_MOST]
        ],
    }
    told = [one for one in held if "prepaid" in one]
    if told:
        fields["has_prepaid"] = any(one["prepaid"] for one in told)
    return fields


def _item(_fact: Fact, hook: Webhook, truth: Truth) -> Json:
    raw = hook.object
    one = _held(raw, hook, truth)
    texts = _shown(raw, hook, truth)
    first = truth.waiting[raw.get("subscription") or raw["public_id"]]
    return {
        **known(
            product={name: texts[name] for name in _TEXTS if name in texts},
            quantity=raw.get("quantity"),
            currency_code=one.get("currency_code"),
            days_since_first_attempt=(_day(hook.created) - _day(first)).days,
            has_prepaid=bool(one["prepaid"]) if "prepaid" in one else None,
        ),
        **_money(raw, "price", "total_price"),
        **_all_prepaid(one),
    }


def _held(line: Json, hook: Webhook, truth: Truth) -> Json:
    """The subscription of a line: from the snapshot, else as it is known, else only its id."""
    name = line.get("subscription")
    for raw in hook.entities("subscriptions"):
        if raw["public_id"] == name:
            return reading.subscription(raw, hook.created)
    return truth.subscriptions.get(str(name), known(id=name))


def _shown(line: Json, hook: Webhook, truth: Truth) -> Json:
    """The product of a line: from the snapshot, else as it is known, else only its id."""
    for raw in hook.entities("products"):
        if raw["external_product_id"] == line["product"]:
            return reading.product(raw)
    return truth.texts(line["product"])


def _texts(truth: Truth, one: Json) -> Json:
    texts = truth.texts(one.get("product"))
    return {name: texts[name] for name in _TEXTS if name in texts}


def _frequency(one: Json) -> Json:
    """How often, and the words for it: "Every day", "Every 8 weeks"."""
    every, unit = one.get("every"), _UNITS.get(one.get("every_period", 0))
    words = None
    if every and unit:
        words = f"Every {unit}" if every == 1 else f"Every {every} {unit}s"
    return known(
        id=one["id"], frequency_days=one.get("frequency_days"), frequency_description=words
    )


def _all_prepaid(one: Json) -> Json:
    names = ("prepaid_orders_per_billing", "prepaid_renewal_behavior", "prepaid_orders_remaining")
    return _prepaid(one, *names)


def _prepaid(one: Json, *names: str) -> Json:
    """Those fields of the prepayment; none where there is none."""
    told = one.get("prepaid") or {}
    source = {"prepaid_renewal_behavior": "renewal_behavior"}
    return known(**{name: told.get(source.get(name, name)) for name in names})


def _money(raw: Json, *names: str) -> Json:
    return {name: float(raw[name]) for name in names if raw.get(name)}


def _currency(held: list[Json]) -> str | None:
    return next((one["currency_code"] for one in held if "currency_code" in one), None)


def _day(moment: int) -> date:
    return datetime.fromtimestamp(moment, _DISPLAY_ZONE).date()


def _place(raw: Json, created: int) -> Json:
    """The day of placement, and how many days after the event that is."""
    if not raw.get("place"):
        return {}
    day = date.fromisoformat(raw["place"][:10])
    return {"place_date": day.isoformat(), "days_until_place_date": (day - _day(created)).days}


def _payment(hook: Webhook) -> Json:
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


def _address(hook: Webhook) -> Json:
    for raw in hook.entities("addresses"):
        if raw["public_id"] == hook.object.get("shipping_address"):
            return {"shipping_address": known(**{name: raw.get(name) for name in _ADDRESS})}
    return {}
