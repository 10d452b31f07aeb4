"""Attentive: the page "Information sent to Attentive" (seed 000) on the wire of its contract.

contracts/attentive.md. `attentive_payloads` can be held beside the page, row by row. The
subscriber's status goes first, as an attribute, so that a journey which the event starts reads the
new one. So do the properties of a loyalty member (`loyalty`, seed 003).

How an attribute is cleared is not documented (contract §3), and an empty text would spoil its type
for good. So of what a member no longer has, the tier alone is overwritten, by the word `none`: a
text like any tier, by which nobody is taken for Gold who left. Dates and numbers stay as they were,
since no value of theirs means "none"; the program status, which is always sent, says who still has
a use for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from streams.model.delivery import Accepted, Outcome, Part, Probe, Refusal, Request
from streams.model.fact import CUSTOMER_ERASED
from streams.model.wording import iso_millis

from . import loyalty
from .answers import verdict_of
from .attentive_payloads import EVENTS
from .attentive_privacy import ATTENTIVE_DELETION, DELETION, PATH, request_of
from .attentive_rules import RULES, user_of
from .fields import STATUS, is_data, told

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from streams.model.delivery import Options, Response, Verdict
    from streams.model.enriched import EnrichedEvent
    from streams.model.rules import Rules

    from .fields import Fields, Table

TABLES: Mapping[str, Table] = {**EVENTS, **loyalty.EVENTS}
"""Event type → what it carries, of both sources."""

SPELLING: Final = "Enrollment"
NO_TIER = "none"
"""The tier of a member who had one and left."""


PROBE = Probe(Request("GET", "/v1/me", {}, {}, "me"), frozenset({200}))
"""Whose token it is (contract §1)."""


class Attentive:
    """The destination (contracts/attentive.md)."""

    name = "attentive"
    url = "https://api.attentivemobile.com"
    takes = frozenset(TABLES)
    rules: Rules = RULES
    late_errors = None
    probe = PROBE
    deletion = ATTENTIVE_DELETION

    def render(
        self,
        event: EnrichedEvent,
        delivery_id: str,
        now: int,
        options: Options,
        *,
        superseded: bool = False,
    ) -> list[Part | Refusal]:
        """The profile, where there is one, then the event; `profile.changed` is the profile alone.

        An event's call says nothing of the profile but who it is, so being superseded changes none.
        """
        del superseded
        if event.member is not None:  # its id is Okendo's: the shop's would be the customer's own
            options = replace(options, client_user_id=False)
        user = user_of(event, options)
        if event.type == CUSTOMER_ERASED:
            return [_deletion(event, user, delivery_id, now)]
        parts: list[Part | Refusal] = []
        attributes = _attributes(event)
        if attributes:
            parts.append(_profile(event, attributes, user, now))
        table = TABLES.get(event.type)
        if table is not None:
            body = _body(event, table, delivery_id, user, options)
            parts.append(_event(event, body, now, options))
        return parts

    def authorize(self, credentials: str) -> Mapping[str, str]:
        """The token's header (contract §1)."""
        return {"authorization": f"Bearer {credentials}"}

    def classify(self, requests: Sequence[Request], response: Response) -> list[Verdict]:
        """What an answer means: by status alone, since no body is promised (contract §6).

        But a request to forget somebody has an id, by which it can be asked about (§5).
        """
        verdict: Verdict = verdict_of(response)
        if isinstance(verdict, Accepted) and requests[0].endpoint == DELETION:
            verdict = Accepted(request_of(response.body))
        return [verdict for _ in requests]


def _attributes(event: EnrichedEvent) -> Fields:
    """What is told of the person, beside who it is."""
    attributes: Fields = {STATUS: event.profile.status} if event.profile.status else {}
    if "tier" in loyalty.cleared(event.member):
        attributes[loyalty.label("tier", SPELLING)] = NO_TIER
    return attributes | loyalty.properties(event.member, SPELLING)


def _profile(event: EnrichedEvent, attributes: Fields, user: Fields, now: int) -> Part | Refusal:
    body = {"properties": attributes, "user": user}
    broken = RULES.broken("attributes-custom", body, event.occurred_at, now)
    if broken is not None:
        return Refusal("profile", Outcome.REJECTED, *broken)
    return Part("profile", _request("attributes", body))


def _event(event: EnrichedEvent, body: Fields, now: int, options: Options) -> Part | Refusal:
    if is_data(event, options):
        return Refusal("event", Outcome.FILTERED, "late")
    broken = RULES.broken("events-custom", body, event.occurred_at, now)
    if broken is not None:
        return Refusal("event", Outcome.REJECTED, *broken)
    return Part("event", _request("events", body), RULES.accepted(event.occurred_at, now))


def _deletion(event: EnrichedEvent, user: Fields, delivery_id: str, now: int) -> Part | Refusal:
    """The request to forget whoever has one of these identifiers (contract §5)."""
    body = told(
        subjectEmail=user.get("email"),
        subjectPhone=user.get("phone"),
        clientUserId=user.get("externalIdentifiers", {}).get("clientUserId"),
    )
    if not body:
        return Refusal("event", Outcome.FILTERED, "no_identifier")
    body["requestMsg"] = f"erasure {delivery_id}"
    broken = RULES.broken(DELETION, body, event.occurred_at, now)
    if broken is not None:
        return Refusal("event", Outcome.REJECTED, *broken)
    request = Request("POST", PATH, {"content-type": "application/json"}, body, DELETION)
    return Part("event", request, Outcome.ERASED)


def _body(
    event: EnrichedEvent, table: Table, delivery_id: str, user: Fields, options: Options
) -> Fields:
    properties: Fields = {}
    for fields in table:
        properties |= fields(event, options)
    return {
        "type": options.event_names.get(event.type)
        or loyalty.NAMES.get(event.type)
        or f"ordergroove.{event.type}",
        "user": user,
        "properties": properties,
        "externalEventId": delivery_id,
        "occurredAt": iso_millis(event.occurred_at),
    }


def _request(kind: str, body: dict[str, Any]) -> Request:
    return Request(
        method="POST",
        path=f"/v1/{kind}/custom",
        headers={"content-type": "application/json"},
        body=body,
        endpoint=f"{kind}-custom",
    )


ATTENTIVE = Attentive()
