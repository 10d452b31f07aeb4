"""Klaviyo: the page "Information sent to Klaviyo" (seed 001) on the wire of contracts/klaviyo.md.

`klaviyo_payloads` can be held beside the page, row by row. The profile, with the subscriber's
status, travels in the event call itself; alone it goes to profile-import.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from streams.model.delivery import Outcome, Part, Refusal, Request
from streams.model.wording import iso_seconds

from .fields import STATUS, told
from .klaviyo_answers import classify
from .klaviyo_limits import LIMITS, refusal_of
from .klaviyo_payloads import EVENTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.model.delivery import Limit, Options, PartName, Response, Verdict
    from streams.model.enriched import EnrichedEvent, ProfileView

    from .fields import Fields

REVISION = "2026-07-15"
"""The newest general revision: the first with `backfill` (contract §1)."""

NAMES: Mapping[str, str] = MappingProxyType(
    {"order.retryable_placement_failure": "order.retryable_placement_failure"}
)
"""Names that the page prints without the usual prefix."""


class Klaviyo:
    """The destination (contracts/klaviyo.md)."""

    name = "klaviyo"
    url = "https://a.klaviyo.com"
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
        """One part: the event with its profile, or the profile alone for `profile.changed`.

        A superseded event says of the profile only who it is: a call with older properties would
        overwrite newer ones.
        """
        table = EVENTS.get(event.type)
        if table is None:
            body = {"data": {"type": "profile", "attributes": _profile(event.profile)}}
            return [_part("profile", "profile-import", body, event, now, options)]
        properties: Fields = {}
        for fields in table:
            properties |= fields(event, options)
        profile = _identifiers(event.profile) if superseded else _profile(event.profile)
        body = _event_body(event, delivery_id, profile, properties, options)
        return [_part("event", "events", body, event, now, options)]

    def authorize(self, credentials: str) -> Mapping[str, str]:
        """The private key's header (contract §1)."""
        return {"authorization": f"Klaviyo-API-Key {credentials}"}

    def classify(self, request: Request, response: Response) -> Verdict:
        """What an answer means (contract §6)."""
        return classify(request, response)


def _part(
    name: PartName,
    endpoint: str,
    body: dict[str, Any],
    event: EnrichedEvent,
    now: int,
    options: Options,
) -> Part | Refusal:
    refused = refusal_of(event, body, now)
    if refused is not None:
        return Refusal(name, Outcome.REJECTED, *refused)
    request = Request(
        method="POST",
        path=f"/api/{endpoint}",
        headers={
            "accept": "application/vnd.api+json",
            "content-type": "application/vnd.api+json",
            "revision": options.revision or REVISION,
        },
        body=body,
        endpoint=endpoint,
    )
    silent = name == "event" and _silent(event, options)
    outcome = Outcome.DELIVERED_NO_TRIGGER if silent else Outcome.DELIVERED
    return Part(name, request, outcome, carries_profile=True)


def _silent(event: EnrichedEvent, options: Options) -> bool:
    """Whether the event is data that must start no flow."""
    return event.late and options.late_events == "data"


def _event_body(
    event: EnrichedEvent,
    delivery_id: str,
    profile: Fields,
    properties: Fields,
    options: Options,
) -> dict[str, Any]:
    name = (
        options.event_names.get(event.type) or NAMES.get(event.type) or f"ordergroove.{event.type}"
    )
    attributes: dict[str, Any] = {
        "metric": {"data": {"type": "metric", "attributes": {"name": name}}},
        "profile": {"data": {"type": "profile", "attributes": profile}},
        "properties": properties,
        "time": iso_seconds(event.occurred_at),
        "unique_id": delivery_id,
    }
    if _silent(event, options):
        attributes["backfill"] = True
    return {"data": {"type": "event", "attributes": attributes}}


def _identifiers(who: ProfileView) -> Fields:
    return told(email=who.email, phone_number=who.phone_number)


def _profile(who: ProfileView) -> Fields:
    """Identifiers that are known good, names, and the status from the row (contract §2, §4)."""
    return _identifiers(who) | told(
        first_name=who.first_name,
        last_name=who.last_name,
        properties={STATUS: who.status} if who.status else None,
    )


KLAVIYO = Klaviyo()
