"""What Yespo is expected to get for a fact: seed 004 and contracts/yespo.md, written again.

The second opinion on rendering, from the bookkeeping's own `Truth`: an order in one of the five
statuses (`yespo_orders`), an event for what none of them can say, and the contact's status as a
custom field, unless Yespo has it already. There is no page for the events' fields: they are those
that other vendors' pages promise of the same events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from streams.demo import page_fields, reading
from streams.demo.conclusions import PROFILE
from streams.demo.parts import Call, Labels, Part, Thing, Vendor, contacts, types
from streams.demo.reading import known
from streams.demo.yespo_orders import STATUSES, identity, order

if TYPE_CHECKING:
    from streams.demo.conclusions import Fact
    from streams.demo.truth import Truth

Json = dict[str, Any]

EVENTS = "/api/v2/event"
CONTACTS = "/api/v1/contacts"
STATUS_FIELD = 51001
"""The number of the custom field that the demo keeps the status in."""

TAKES = types(
    subscriber="create cancel subscriptions_created",
    subscription="create reactivate cancel change_frequency change_payment change_quantity"
    " change_shipping_address sku_swap",
    order="reminder credit_card_expiration_warning cancel success change_next_order_date"
    " change_payment change_shipping_address send_now skip_order reject"
    " retryable_placement_failure",
    item="out_of_stock",
)
"""Event types that other vendors' pages have."""


def parts(fact: Fact, truth: Truth, delivery_id: str, known_there: bool) -> list[Part]:  # noqa: FBT001
    """The contact, if any subscription was ever seen, then the order or the event."""
    contact = [_contact(truth, known_there)] if truth.status else []
    if fact.type == PROFILE:
        return contact or [Part("event", "filtered", "nothing_to_send")]
    return [*contact, _event(fact, truth, delivery_id)]


def _contact(truth: Truth, known_there: bool) -> Part:  # noqa: FBT001
    """§4: found by the shop's id; no field is named in `contactFields` but that."""
    person = identity(truth)
    told = (("email", person.get("email")), ("sms", person.get("phone")))
    channels = [{"type": kind, "value": value} for kind, value in told if value]
    if not channels:
        return Part("profile", "rejected", "no_identifier")
    if known_there:
        return Part("profile", "duplicate", "unchanged")
    contact = {
        "externalCustomerId": truth.customer,
        "channels": channels,
        "fields": [{"id": STATUS_FIELD, "value": truth.status}],
    }
    body = {
        "dedupeOn": "externalCustomerId",
        "contactFields": ["externalCustomerId"],
        "customFieldsIDs": [STATUS_FIELD],
        "restoreDeleted": False,
        "contacts": [contact],
    }
    return Part("profile", "delivered", call=Call(CONTACTS, body), thing=Thing("contact", contact))


def _event(fact: Fact, truth: Truth, delivery_id: str) -> Part:
    if fact.late:
        return Part("event", "filtered", "late")
    if fact.type in STATUSES:
        return order(fact, truth)
    fields = {
        "subscriber": _subscriber,
        "subscription": _subscription,
        "order": _order,
        "item": _item,
    }[fact.type.partition(".")[0]]
    params = fields(fact, truth) | identity(truth)
    body = {
        "eventTypeKey": f"ordergroove.{fact.type}",
        "keyValue": delivery_id,
        "params": [{"name": name, "value": value} for name, value in sorted(params.items())],
    }
    return Part("event", "delivered", call=Call(EVENTS, body))


def _subscriber(fact: Fact, truth: Truth) -> Json:
    """What is the customer's own address and number elsewhere is an identifier here."""
    fields = page_fields.subscriber(fact, truth)
    return {name: fields[name] for name in fields.keys() - {"email", "phone_number"}}


def _subscription(fact: Fact, truth: Truth) -> Json:
    one = reading.subscription(fact.hook.object, fact.hook.created)
    return {
        **page_fields.alone(one, truth),
        "has_prepaid": bool(one["prepaid"]),
        **page_fields.prepaid(one, "prepaid_orders_per_billing", "prepaid_renewal_behavior"),
        **(page_fields.ending(one) if fact.type == "subscription.cancel" else {}),
    }


def _order(fact: Fact, truth: Truth) -> Json:
    hook = fact.hook
    raw, lines = hook.object, page_fields.lines_of(hook)
    held = [page_fields.held(line, hook, truth) for line in lines]
    shown = [page_fields.bought(line, hook, truth) for line in lines[: page_fields.MOST]]
    return {
        **known(
            order_id=raw["public_id"],
            merchant_order_id=raw.get("order_merchant_id"),
            currency=page_fields.currency(raw, held),
            items_subset=shown or None,
        ),
        **page_fields.totals(raw),
        **page_fields.place(hook),
        **page_fields.payment(hook),
        **page_fields.address(hook),
    }


def _item(fact: Fact, truth: Truth) -> Json:
    fields = page_fields.missing(fact, truth)
    return {**fields, **page_fields.flat(fields["product"])}


def labels(body: Any) -> Labels:
    """What a record that came is known by: an event's key, an order and its status, a person."""
    told = body if isinstance(body, dict) else {}
    if "orders" in told:
        record = _first(told["orders"])
        name = f"order {record.get('externalOrderId')} {record.get('status')}"
        return Labels(name, contacts(record, "externalCustomerId", "email", "phone"), once=False)
    if "contacts" in told:
        record = _first(told["contacts"])
        channels = record.get("channels")
        listed = channels if isinstance(channels, list) else []
        values = [value for one in listed for value in contacts(one, "value")]
        return Labels(None, (*contacts(record, "externalCustomerId"), *values))
    params = told.get("params")
    listed = params if isinstance(params, list) else []
    pairs = [one for one in listed if isinstance(one, dict)]
    person = {str(one.get("name")): one.get("value") for one in pairs}
    key = str(told.get("keyValue"))
    return Labels(key, contacts(person, "externalCustomerId", "email", "phone"))


def _first(several: Any) -> Json:
    """The one record of a request; empty where it has none."""
    one = several[0] if isinstance(several, list) and several else None
    return one if isinstance(one, dict) else {}


def records(body: Any) -> list[Any]:
    """Each order or contact of a request, with what stands around it."""
    told = body if isinstance(body, dict) else {}
    for name in ("orders", "contacts"):
        if isinstance(told.get(name), list):
            return [told | {name: [one]} for one in told[name]]
    return [body]


YESPO = Vendor(TAKES, parts, labels, keeps_status=False, records=records)
