"""Yespo: orders in five statuses, events for what those cannot say, contacts (contracts/yespo.md).

`yespo_payloads` can be held beside the contract. Each order that is sent fires its own event at the
vendor, so the same order in the same status is a `thing`: sent once, however often it is told. What
must start no workflow may go as an event of the past (`Options.bulk`): no order can.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import msgspec

from streams.model.delivery import Frame, Outcome, Part, Probe, Refusal, Request
from streams.model.fact import CUSTOMER_ERASED
from streams.model.ids import digest
from streams.model.wording import iso_seconds

from .fields import NO_DELETION, is_data, standing, told
from .yespo_answers import classify
from .yespo_payloads import EVENTS, STATUSES, order
from .yespo_rules import CONTACTS, EVENT, ORDERS, PAST, RULES, SHARED, identifiers_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from streams.model.delivery import Options, PartName, Response, Verdict
    from streams.model.enriched import EnrichedEvent, OrderView
    from streams.model.rules import Rules

    from .fields import Fields

_ORDERS = Frame(ORDERS, b'{"orders":[', b"]}")
_PAST = Frame(PAST, b'{"events":[', b"]}")
_HEADERS = {"content-type": "application/json"}

MOMENT = frozenset({"date", "additionalInfo"})
"""Fields of an order that say how it was told of, and not what it is."""

RAW = frozenset({"email", "phone_number"})
"""Fields of a subscriber's payload that identify here, and so only as identifiers."""


PROBE = Probe(Request("GET", "/v1/account/info", {}, {}, SHARED), frozenset({200}))
"""Whose key it is (contract §1)."""


class Yespo:
    """The destination (contracts/yespo.md)."""

    name = "yespo"
    url = "https://yespo.io/api"
    takes = frozenset(EVENTS)
    rules: Rules = RULES
    late_errors = None
    probe = PROBE
    deletion = None

    def render(
        self,
        event: EnrichedEvent,
        delivery_id: str,
        now: int,
        options: Options,
        *,
        superseded: bool = False,
    ) -> list[Part | Refusal]:
        """The contact's fields, where the connection names any, then the order or the event."""
        del superseded
        if event.type == CUSTOMER_ERASED:
            return [NO_DELETION]
        parts: list[Part | Refusal] = []
        if options.contact_fields and event.profile.status:
            parts.append(_contact(event, now, options))
        if event.type in EVENTS:
            parts.append(_event(event, delivery_id, now, options))
        return parts

    def authorize(self, credentials: str) -> Mapping[str, str]:
        """The key as a password, with any user (contract §1)."""
        return {"authorization": f"Basic {b64encode(f'streams:{credentials}'.encode()).decode()}"}

    def classify(self, requests: Sequence[Request], response: Response) -> list[Verdict]:
        """What an answer means (contract §2)."""
        return classify(requests, response)


def _event(event: EnrichedEvent, delivery_id: str, now: int, options: Options) -> Part | Refusal:
    silent = is_data(event, options)
    status = options.order_statuses.get(event.type, STATUSES.get(event.type))
    ordered = event.order is not None and bool(status)
    if silent and (ordered or not options.bulk):
        return Refusal("event", Outcome.FILTERED, "late")
    if event.order is not None and status:
        return _order(event, event.order, status, now)
    fields: Fields = {}
    for each in EVENTS[event.type]:
        fields |= each(event, options)
    params = {name: fields[name] for name in fields.keys() - RAW} | identifiers_of(event)
    body = {
        "eventTypeKey": options.event_names.get(event.type) or f"ordergroove.{event.type}",
        "keyValue": delivery_id,
        "params": [{"name": name, "value": params[name]} for name in sorted(params)],
    }
    if not silent:
        return _part("event", Request("POST", "/v2/event", _HEADERS, body, EVENT), event, now)
    body["occurred"] = iso_seconds(event.occurred_at)
    past = Request("POST", "/v2/past_events", _HEADERS, body, PAST, _PAST)
    part = _part("event", past, event, now)
    if isinstance(part, Refusal):
        return part
    return msgspec.structs.replace(part, outcome=Outcome.DELIVERED_NO_TRIGGER)


def _order(event: EnrichedEvent, about: OrderView, status: str, now: int) -> Part | Refusal:
    body = order(event, about, status)
    request = Request("POST", "/v1/orders", _HEADERS, body, SHARED, _ORDERS)
    lasting = {name: value for name, value in body.items() if name not in MOMENT}
    return _whole(_part("event", request, event, now), f"{about.id} {status}", lasting)


def _whole(part: Part | Refusal, thing: str, lasting: Mapping[str, Any]) -> Part | Refusal:
    """The part as one that sets a thing to this, and that is not sent while it stays so."""
    if isinstance(part, Refusal):
        return part
    substance = digest(msgspec.json.encode(lasting))
    return msgspec.structs.replace(part, thing=thing, substance=substance)


def _contact(event: EnrichedEvent, now: int, options: Options) -> Part | Refusal:
    """The customer's own fields, by number, and nothing else: what else the vendor knows stays."""
    known, ids = standing(event.profile), options.contact_fields
    good = identifiers_of(event)
    channels = [("email", good.get("email")), ("sms", good.get("phone"))]
    body = told(
        externalCustomerId=good.get("externalCustomerId"),
        channels=[{"type": kind, "value": value} for kind, value in channels if value],
        fields=[{"id": int(ids[of]), "value": str(known[of])} for of in known if ids.get(of)],
    )
    request = Request("POST", "/v1/contacts", _HEADERS, body, SHARED, _frame(options))
    return _whole(_part("profile", request, event, now), "contact", body)


def _frame(options: Options) -> Frame:
    """What stands around contacts: a custom field counts only if its number is named here too.

    `contactFields` names no field that we do not send: the vendor would empty it (pitfall 4).
    """
    numbers = sorted(int(number) for number in options.contact_fields.values() if number)
    head = {
        "dedupeOn": "externalCustomerId",
        "contactFields": ["externalCustomerId"],
        "customFieldsIDs": numbers,
        "restoreDeleted": False,
    }
    return Frame(CONTACTS, msgspec.json.encode(head)[:-1] + b',"contacts":[', b"]}")


def _part(name: PartName, request: Request, event: EnrichedEvent, now: int) -> Part | Refusal:
    broken = RULES.broken(request.kind, request.body, event.occurred_at, now)
    return Part(name, request) if broken is None else Refusal(name, Outcome.REJECTED, *broken)


YESPO = Yespo()
