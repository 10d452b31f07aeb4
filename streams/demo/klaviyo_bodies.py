"""What Klaviyo is expected to get for a fact: its page (seed 001), written again.

The second opinion on rendering: path and JSON of each call, from the bookkeeping's own `Truth`.
Nothing unknown is sent; contracts/klaviyo.md §2 and §4 give the envelopes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from streams.demo import loyalty_fields, page_fields, reading
from streams.demo.conclusions import PROFILE
from streams.demo.klaviyo_entitlements import entitlement_fields
from streams.demo.parts import Call, Labels, Part, Vendor, contacts, types
from streams.demo.reading import known

if TYPE_CHECKING:
    from streams.demo.conclusions import Fact
    from streams.demo.truth import Truth

Json = dict[str, Any]

EVENTS = "/api/events"
PROFILES = "/api/profile-import"

TAKES = types(
    subscriber="create cancel subscriptions_created",
    subscription="create reactivate cancel change_frequency change_payment change_quantity"
    " change_shipping_address sku_swap",
    order="reminder credit_card_expiration_warning cancel success change_next_order_date"
    " change_payment change_shipping_address send_now skip_order reject"
    " retryable_placement_failure",
    item="out_of_stock",
)
"""Event types of the page."""


def parts(fact: Fact, truth: Truth, delivery_id: str, _known: bool) -> list[Part]:  # noqa: FBT001
    """The one call that tells this fact; it carries the profile as well."""
    name = "profile" if fact.type == PROFILE else "event"
    if not truth.person.keys() & {"email", "phone_number"}:
        return [Part(name, "rejected", "no_identifier")]
    outcome = "delivered_no_trigger" if fact.late else "delivered"
    return [Part(name, outcome, call=_call(fact, truth, delivery_id))]


def labels(body: Any) -> Labels:
    """What a body that came is known by: unique_id, e-mail and phone."""
    told = _attributes(body)
    person = _attributes(told.get("profile")) or told
    identity = told.get("unique_id")
    reached = loyalty_fields.apart(body, contacts(person, "email", "phone_number"))
    return Labels(None if identity is None else str(identity), reached)


def _attributes(body: Any) -> Json:
    """The attributes of a resource; empty where it has none."""
    data = body.get("data") if isinstance(body, dict) else None
    attributes = data.get("attributes") if isinstance(data, dict) else None
    return attributes if isinstance(attributes, dict) else {}


KLAVIYO = Vendor(TAKES, parts, labels, keeps_status=False)


def _call(fact: Fact, truth: Truth, unique_id: str) -> Call:
    if fact.type == PROFILE:
        return Call(PROFILES, {"data": {"type": "profile", "attributes": _profile(truth)}})
    properties = {
        "subscriber": page_fields.subscriber,
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
        "properties": properties(fact, truth),
        "time": datetime.fromtimestamp(fact.at, UTC).isoformat(),
        "unique_id": unique_id,
    }
    if fact.late:
        attributes["backfill"] = True
    return Call(EVENTS, {"data": {"type": "event", "attributes": attributes}})


def _profile(truth: Truth) -> Json:
    attributes = dict(truth.person)
    if truth.status:
        attributes["properties"] = {"Ordergroove Subscriber Status": truth.status}
    return attributes


def _subscription(fact: Fact, truth: Truth) -> Json:
    one = reading.subscription(fact.hook.object, fact.hook.created)
    fields = {
        **page_fields.alone(one, truth),
        **known(currency_code=one.get("currency_code"), has_prepaid=bool(one["prepaid"])),
        **_all_prepaid(one),
        **entitlement_fields(truth, fact.hook, fact.at, {one["id"]}),
    }
    if fact.type == "subscription.cancel":
        fields |= page_fields.ending(one) | known(cancel_reason_message=one.get("reason"))
    return fields


def _order(fact: Fact, truth: Truth) -> Json:
    hook = fact.hook
    raw, lines = hook.object, page_fields.lines_of(hook)
    held = [page_fields.held(line, hook, truth) for line in lines]
    fields = {
        **page_fields.place(hook),
        **page_fields.days_ahead(hook),
        **known(tries=raw.get("tries")),
        **page_fields.totals(raw),
        **_bought(fact, lines, held, truth),
        **known(currency_code=page_fields.currency(raw, held)),
        **page_fields.payment(hook),
        **page_fields.address(hook),
        **entitlement_fields(truth, hook, fact.at, _sold(lines)),
    }
    if fact.type in {"order.reject", "order.retryable_placement_failure"}:
        code, text = reading.refusal(raw.get("rejected_message"))
        fields |= known(rejected_code=code, rejected_message=text)
    return fields


def _sold(lines: list[Json]) -> set[str] | None:
    """The subscriptions that an order's lines come from; None where no line is shown."""
    return (
        {str(line["subscription"]) for line in lines if line.get("subscription")} if lines else None
    )


def _bought(fact: Fact, lines: list[Json], held: list[Json], truth: Truth) -> Json:
    """The lines of an order, as far as its snapshot shows them."""
    if not lines:
        return {}
    subset = [page_fields.bought(line, fact.hook, truth) for line in lines[: page_fields.MOST]]
    fields: Json = {"total_items_count": len(lines), "items_subset": subset}
    told = [one for one in held if "prepaid" in one]
    if told:
        fields["has_prepaid"] = any(one["prepaid"] for one in told)
    return fields


def _item(fact: Fact, truth: Truth) -> Json:
    one = page_fields.held(fact.hook.object, fact.hook, truth)
    return {
        **page_fields.missing(fact, truth),
        **known(
            currency_code=one.get("currency_code"),
            has_prepaid=bool(one["prepaid"]) if "prepaid" in one else None,
        ),
        **_all_prepaid(one),
    }


def _all_prepaid(one: Json) -> Json:
    names = ("prepaid_orders_per_billing", "prepaid_renewal_behavior", "prepaid_orders_remaining")
    return page_fields.prepaid(one, *names)
