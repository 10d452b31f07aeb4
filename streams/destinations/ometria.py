"""Ometria: the page "Ordergroove" (seed 002) on the wire of contracts/ometria.md.

`ometria_payloads` can be held beside the page, row by row. The contact, with status and counts,
goes first; both go to one address, a type a call, up to 100 records together.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from streams.model.delivery import Outcome, Part, Probe, Refusal, Request
from streams.model.fact import CUSTOMER_ERASED
from streams.model.wording import iso_millis

from .fields import NO_DELETION, is_data, standing, told
from .ometria_answers import LATE_ERRORS, classify
from .ometria_payloads import EVENTS
from .ometria_rules import CONTACT, EVENT, LONGEST_TEXT, PUSH, RULES, identity_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from streams.model.delivery import Frame, Options, PartName, Response, Verdict
    from streams.model.enriched import EnrichedEvent
    from streams.model.rules import Rules

    from .fields import Fields

CONTACT_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "status": "ordergroove_status",
        "active_subscriptions": "active_subscriptions",
        "total_subscriptions": "total_subscription",
    }
)
"""What we keep of a customer → the custom field that shows it. No page tells Ordergroove's field
ids; these are the sibling integration's (contract §4), so a connection may name its own."""

COLLECTION = "ordergroove"
"""Our own data source: where we know nothing, another one's data stays (contract §4)."""

_CUT = "cut"
"""The outcome's reason where something was too long."""


PROBE = Probe(LATE_ERRORS.request, frozenset({200}))
"""Shows that the account knows the key, not that it may push (contract §2)."""


class Ometria:
    """The destination (contracts/ometria.md)."""

    name = "ometria"
    url = "https://api.ometria.com"
    takes = frozenset(EVENTS)
    rules: Rules = RULES
    late_errors = LATE_ERRORS
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
        """The contact, where a status is known, then the event; no event says anything of it.

        Never opt-in fields: they would overrule what the customer chose elsewhere (pitfall 6).
        """
        del superseded
        if event.type == CUSTOMER_ERASED:
            return [NO_DELETION]
        parts: list[Part | Refusal] = []
        if event.profile.status:
            parts.append(_part(CONTACT, _contact(event, options), event, now))
        if event.type in EVENTS:
            parts.append(_event(event, delivery_id, now, options))
        return parts

    def authorize(self, credentials: str) -> Mapping[str, str]:
        """The key's header (contract §1)."""
        return {"x-ometria-auth": credentials}

    def classify(self, requests: Sequence[Request], response: Response) -> list[Verdict]:
        """What an answer means (contract §2)."""
        return classify(requests, response)


def _event(event: EnrichedEvent, delivery_id: str, now: int, options: Options) -> Part | Refusal:
    if is_data(event, options):
        return Refusal("event", Outcome.FILTERED, "late")
    name, table = EVENTS[event.type]
    properties: Fields = {}
    for fields in table:
        properties |= fields(event, options)
    fitting = _fitting(properties)
    body = {
        "@type": EVENT.batch,
        "id": delivery_id,
        "timestamp": iso_millis(event.occurred_at),
        "event_type": options.event_names.get(event.type) or name,
        **identity_of(event),
        "properties": fitting,
    }
    return _part(EVENT, body, event, now, _CUT if fitting != properties else None)


def _fitting(properties: Fields) -> Fields:
    """The properties within the vendor's length: texts are cut, addresses of pages left out."""
    fitting: Fields = {}
    for name, value in properties.items():
        if not isinstance(value, str) or len(value) <= LONGEST_TEXT:
            fitting[name] = value
        elif not name.endswith("_url"):
            fitting[name] = value[:LONGEST_TEXT]
    return fitting


def _contact(event: EnrichedEvent, options: Options) -> dict[str, Any]:
    who = event.profile
    named = dict(CONTACT_FIELDS) | dict(options.contact_fields)
    return told(
        **{
            "@type": CONTACT.batch,
            "@collection": options.collection or COLLECTION,
            "@merge": True,
            "id": event.customer_id,
            "customer_id": event.customer_id,
            "email": RULES.identifier("email").good(who.email),
            "properties": {named[of]: value for of, value in standing(who).items() if named[of]},
        }
    )


def _part(
    frame: Frame, body: dict[str, Any], event: EnrichedEvent, now: int, remark: str | None = None
) -> Part | Refusal:
    name: PartName = "event" if frame is EVENT else "profile"
    broken = RULES.broken(frame.batch, body, event.occurred_at, now)
    if broken is not None:
        return Refusal(name, Outcome.REJECTED, *broken)
    request = Request(
        method="POST",
        path="/v2/push",
        headers={"content-type": "application/json"},
        body=body,
        endpoint=PUSH,
        frame=frame,
    )
    accepted = RULES.accepted(event.occurred_at, now) if frame is EVENT else Outcome.DELIVERED
    return Part(name, request, accepted, remark=remark)


OMETRIA = Ometria()
