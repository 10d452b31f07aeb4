"""What Ometria is expected to get for a fact: its page (seed 002), written again.

The second opinion on rendering, from the bookkeeping's own `Truth`; contracts/ometria.md §3 and §4
give the records. A subscription created and one cancelled are one event type: a cancelled one has a
reason, if need be "not given", a created one has none. The contact, with status and counts, goes
before the event, unless Ometria has it already. No text of the shop is too long for the vendor.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from streams.demo import page_fields, reading
from streams.demo.conclusions import PROFILE
from streams.demo.parts import Call, Labels, Part, Vendor, contacts, types
from streams.demo.reading import known

if TYPE_CHECKING:
    from streams.demo.conclusions import Fact
    from streams.demo.truth import Truth

Json = dict[str, Any]

PUSH = "/v2/push"

TAKES = types(subscription="create cancel", order="reminder")
"""Event types of the page: a subscription created and canceled, an order's reminder."""

_CAMPAIGNS = 4 * 3_600_000
"""Milliseconds: an older event enters no campaign (§3)."""


def parts(fact: Fact, truth: Truth, delivery_id: str, known_there: bool) -> list[Part]:  # noqa: FBT001
    """The contact, if any subscription was ever seen, then the event."""
    contact = [_contact(truth, known_there)] if truth.status else []
    if fact.type == PROFILE:
        return contact or [Part("event", "filtered", "nothing_to_send")]
    return [*contact, _event(fact, truth, delivery_id)]


def _contact(truth: Truth, known_there: bool) -> Part:  # noqa: FBT001
    email = page_fields.email(truth)
    if not email:
        return Part("profile", "rejected", "missing_field")
    if known_there:
        return Part("profile", "duplicate", "unchanged")
    record = {
        "@type": "contact",
        "@collection": "ordergroove",
        "@merge": True,
        "id": truth.customer,
        "customer_id": truth.customer,
        "email": email,
        "properties": {
            "ordergroove_status": truth.status,
            "active_subscriptions": len(truth.live),
            "total_subscription": len(truth.subscriptions),
        },
    }
    return Part("profile", "delivered", call=Call(PUSH, [record]))


def _event(fact: Fact, truth: Truth, delivery_id: str) -> Part:
    if fact.late:
        return Part("event", "filtered", "late")
    reminder = fact.type == "order.reminder"
    at = datetime.fromtimestamp(fact.at, UTC)
    record = {
        "@type": "custom_event",
        "id": delivery_id,
        "timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "event_type": (
            "Ordergroove_order_reminder" if reminder else "Ordergroove_subscription_event"
        ),
        **known(identity_email=page_fields.email(truth), identity_account_id=truth.customer),
        "properties": _reminder(fact, truth) if reminder else _subscription(fact, truth),
    }
    until = fact.at * 1_000 + _CAMPAIGNS
    return Part("event", "delivered", call=Call(PUSH, [record]), fresh_until=until)


def _subscription(fact: Fact, truth: Truth) -> Json:
    one = reading.subscription(fact.hook.object, fact.hook.created)
    words = page_fields.texts(one, truth)
    fields = known(
        delivery_frequency=page_fields.frequency(one).get("frequency_description"),
        detail_url=words.get("detail_url"),
        image_url=words.get("image_url"),
        product_set=_set([words]),
    )
    if fact.type == "subscription.cancel":
        fields["cancellation_reason"] = one.get("reason") or "not given"
    return fields


def _reminder(fact: Fact, truth: Truth) -> Json:
    hook = fact.hook
    lines = page_fields.lines_of(hook)
    total = hook.object.get("total")
    return known(
        order_id=hook.object["public_id"],
        product_set=_set([page_fields.shown(line, hook, truth) for line in lines]),
        total_value=int(Decimal(total).quantize(Decimal(1), ROUND_HALF_UP)) if total else None,
    )


def _set(products: list[Json]) -> list[str] | None:
    """The products' ids as text, each once, in order."""
    return list(dict.fromkeys(str(one["id"]) for one in products if one)) or None


def labels(body: Any) -> Labels:
    """What a record that came is known by: an event's id, the customer's id, the address."""
    record = body[0] if isinstance(body, list) and body else None
    told = record if isinstance(record, dict) else {}
    if told.get("@type") == "contact":
        return Labels(None, contacts(told, "customer_id", "email"))
    return Labels(str(told.get("id")), contacts(told, "identity_account_id", "identity_email"))


def records(body: Any) -> list[Any]:
    """Each record of a push, as a push of its own."""
    return [[one] for one in body] if isinstance(body, list) else [body]


OMETRIA = Vendor(TAKES, parts, labels, keeps_status=False, records=records)
