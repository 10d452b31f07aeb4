"""What Attentive is expected to get for a fact: its page (seed 000), written again.

The second opinion on rendering: path and JSON of each call, from the bookkeeping's own `Truth`.
Contracts/attentive.md §2 and §3 give the envelopes. An event is preceded by the customer's status,
unless Attentive has it already. A late event is not sent, what it tells of the person is. Beside
the seed's fields stand those of the page's newer edition: how subscriptions are prepaid, how many
there are, and flat fields of an item's product.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from streams.demo import loyalty_fields, page_fields, reading
from streams.demo.conclusions import PROFILE
from streams.demo.parts import Call, Labels, Part, Vendor, contacts, types
from streams.demo.reading import known

if TYPE_CHECKING:
    from streams.demo.conclusions import Fact
    from streams.demo.truth import Truth

Json = dict[str, Any]

EVENTS = "/v1/events/custom"
ATTRIBUTES = "/v1/attributes/custom"
STATUS = "Ordergroove Subscriber Status"

TAKES = types(
    subscriber="create cancel subscriptions_created",
    subscription="create cancel change_frequency change_payment change_quantity"
    " change_shipping_address sku_swap",
    order="reminder credit_card_expiration_warning cancel success change_next_order_date"
    " change_payment change_shipping_address reject send_now skip_order",
    item="out_of_stock",
)
"""Event types of the page."""

_JOURNEYS = 12 * 3_600_000
"""Milliseconds: an older event starts no journey (§2)."""


def parts(fact: Fact, truth: Truth, delivery_id: str, known_there: bool) -> list[Part]:  # noqa: FBT001
    """The status, if any subscription was ever seen, then the event."""
    user = known(phone=truth.person.get("phone_number"), email=truth.person.get("email"))
    status = [_status(truth, user, known_there)] if truth.status else []
    if fact.type == PROFILE:
        return status or [Part("event", "filtered", "nothing_to_send")]
    return [*status, _event(fact, truth, user, delivery_id)]


def _status(truth: Truth, user: Json, known_there: bool) -> Part:  # noqa: FBT001
    if not user:
        return Part("profile", "rejected", "no_identifier")
    if known_there:
        return Part("profile", "duplicate", "unchanged")
    call = Call(ATTRIBUTES, {"user": user, "properties": {STATUS: truth.status}})
    return Part("profile", "delivered", call=call)


def _event(fact: Fact, truth: Truth, user: Json, delivery_id: str) -> Part:
    if fact.late:
        return Part("event", "filtered", "late")
    if not user:
        return Part("event", "rejected", "no_identifier")
    properties = {
        "subscriber": page_fields.subscriber,
        "subscription": _subscription,
        "order": _order,
        "item": _item,
    }[fact.type.partition(".")[0]]
    at = datetime.fromtimestamp(fact.at, UTC)
    body = {
        "type": f"ordergroove.{fact.type}",
        "externalEventId": delivery_id,
        "occurredAt": at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "user": user,
        "properties": properties(fact, truth),
    }
    until = fact.at * 1_000 + _JOURNEYS
    return Part("event", "delivered", call=Call(EVENTS, body), fresh_until=until)


def _subscription(fact: Fact, truth: Truth) -> Json:
    one = reading.subscription(fact.hook.object, fact.hook.created)
    return page_fields.alone(one, truth)


def _order(fact: Fact, truth: Truth) -> Json:
    hook = fact.hook
    lines = page_fields.lines_of(hook)[: page_fields.MOST]
    fields = {
        **page_fields.totals(hook.object),
        **page_fields.place(hook),
        **page_fields.payment(hook),
        **page_fields.address(hook),
    }
    if lines:
        fields["items_subset"] = [page_fields.bought(line, hook, truth) for line in lines]
    if fact.type == "order.reject":
        code, text = reading.refusal(hook.object.get("rejected_message"))
        fields |= known(reject_code=code, reject_reason=text)
    return fields


def _item(fact: Fact, truth: Truth) -> Json:
    fields = page_fields.missing(fact, truth)
    return {**fields, **page_fields.flat(fields["product"])}


def labels(body: Any) -> Labels:
    """What a body that came is known by: externalEventId, e-mail and phone."""
    told = body if isinstance(body, dict) else {}
    reached = loyalty_fields.apart(body, contacts(told.get("user"), "email", "phone"))
    return Labels(str(told.get("externalEventId")) if "type" in told else None, reached)


ATTENTIVE = Vendor(TAKES, parts, labels, keeps_status=True)
