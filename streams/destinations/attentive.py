"""Attentive: the page "Information sent to Attentive" (seed 000) on the wire of its contract.

contracts/attentive.md. `attentive_payloads` can be held beside the page, row by row. The
subscriber's status goes first, as an attribute, so that a journey which the event starts reads the
new one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from streams.model.delivery import Outcome, Part, Refusal, Request
from streams.model.wording import iso_millis

from .answers import verdict_of
from .attentive_limits import LIMITS, refusal_of_attributes, refusal_of_event, user_of
from .attentive_payloads import EVENTS
from .fields import STATUS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.model.delivery import Limit, Options, Response, Verdict
    from streams.model.enriched import EnrichedEvent

    from .fields import Fields, Table

JOURNEYS = 12 * 3_600_000
"""An event older than this starts no journey (contract §2), milliseconds."""


class Attentive:
    """The destination (contracts/attentive.md)."""

    name = "attentive"
    url = "https://api.attentivemobile.com"
    takes = frozenset(EVENTS)
    limits: tuple[Limit, ...] = LIMITS

    def render(
        self,
        event: EnrichedEvent,
        delivery_id: str,
        now: int,
        options: Options,
        *,
        superseded: bool = False,
    ) -> list[Part | Refusal]:
        """The status, where there is one, then the event; `profile.changed` is the status alone.

        An event's call says nothing of the profile but who it is, so being superseded changes none.
        """
        del superseded
        user = user_of(event, options)
        parts: list[Part | Refusal] = []
        if event.profile.status:
            parts.append(_profile(event.profile.status, user))
        table = EVENTS.get(event.type)
        if table is not None:
            body = _body(event, table, delivery_id, user, options)
            parts.append(_event(event, body, now, options))
        return parts

    def authorize(self, credentials: str) -> Mapping[str, str]:
        """The token's header (contract §1)."""
        return {"authorization": f"Bearer {credentials}"}

    def classify(self, request: Request, response: Response) -> Verdict:
        """What an answer means: by status alone, since no body is promised (contract §6)."""
        del request
        return verdict_of(response)


def _profile(status: str, user: Fields) -> Part | Refusal:
    body = {"properties": {STATUS: status}, "user": user}
    refused = refusal_of_attributes(body)
    if refused is not None:
        return Refusal("profile", Outcome.REJECTED, *refused)
    return Part("profile", _request("attributes", body))


def _event(event: EnrichedEvent, body: Fields, now: int, options: Options) -> Part | Refusal:
    if event.late and options.late_events == "data":
        return Refusal("event", Outcome.FILTERED, "late")
    refused = refusal_of_event(body)
    if refused is not None:
        return Refusal("event", Outcome.REJECTED, *refused)
    old = now - event.occurred_at > JOURNEYS
    outcome = Outcome.DELIVERED_NO_TRIGGER if old else Outcome.DELIVERED
    return Part("event", _request("events", body), outcome)


def _body(
    event: EnrichedEvent, table: Table, delivery_id: str, user: Fields, options: Options
) -> Fields:
    properties: Fields = {}
    for fields in table:
        properties |= fields(event, options)
    return {
        "type": options.event_names.get(event.type) or f"ordergroove.{event.type}",
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
