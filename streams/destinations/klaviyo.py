"""Klaviyo: the page "Information sent to Klaviyo" (seed 001) on the wire of contracts/klaviyo.md.

`klaviyo_payloads` can be held beside the page, row by row. The profile, with the subscriber's
status, travels in the event call itself; alone it goes to profile-import. So do the properties of a
loyalty member (`loyalty`, seed 003); one that was told and holds no longer is null, which clears it
(contract §4). What starts no flow may go in bulk (`Options.bulk`): up to 1,000 events a call (§3).
So may a backfill's profiles, as a job (§5), but those alone that clear something: a job cannot.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from streams.model.delivery import Deletion, Outcome, Part, Probe, Refusal, Request
from streams.model.fact import CUSTOMER_ERASED
from streams.model.wording import iso_seconds

from . import loyalty
from .fields import STATUS, is_data, told
from .klaviyo_answers import classify
from .klaviyo_payloads import EVENTS
from .klaviyo_rules import BULK, DELETION, PROFILES, RULES, identifiers_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from streams.model.delivery import Frame, Options, PartName, Response, Verdict
    from streams.model.enriched import EnrichedEvent
    from streams.model.rules import Rules

    from .fields import Fields, Table

REVISION = "2026-07-15"
"""The newest general revision: the first with `backfill` (contract §1)."""

NAMES: Mapping[str, str] = MappingProxyType(
    {"order.retryable_placement_failure": "order.retryable_placement_failure"}
)
"""Names that the page prints without the usual prefix."""

TABLES: Mapping[str, Table] = {**EVENTS, **loyalty.EVENTS}
"""Event type → what it carries, of both sources."""

SPELLING: Final = "Enrolment"


_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "accept": "application/vnd.api+json",
        "content-type": "application/vnd.api+json",
        "revision": REVISION,
    }
)

_FRAMES: Mapping[str, Frame] = MappingProxyType({each.batch: each for each in (BULK, PROFILES)})

PROBE = Probe(
    Request("POST", "/api/events", _HEADERS, {"data": {"type": "event"}}, "events"),
    frozenset({400}),
)
"""An event without anything in it: refused for that by whoever lets the key in, else for the key.
Whatever could be read asks for a scope that our keys have no other use for (contract §1)."""


class Klaviyo:
    """The destination (contracts/klaviyo.md)."""

    name = "klaviyo"
    url = "https://a.klaviyo.com"
    takes = frozenset(TABLES)
    rules: Rules = RULES
    late_errors = None
    probe = PROBE
    deletion = Deletion("data privacy deletion job", "it runs later, and cannot be asked about")

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

        In bulk goes only what is backfill: an event that may start a flow has its call alone.
        A superseded event says of the profile only who it is: a call with older properties would
        overwrite newer ones.
        """
        if event.type == CUSTOMER_ERASED:
            return [_deletion(event, now, options)]
        table = TABLES.get(event.type)
        if table is None:
            person = {"type": "profile", "attributes": _profile(event)}
            if options.bulk_profiles and not _clears(person):
                return [_part("profile", PROFILES.batch, person, event, now, options)]
            return [_part("profile", "profile-import", {"data": person}, event, now, options)]
        properties: Fields = {}
        for fields in table:
            properties |= fields(event, options)
        profile = identifiers_of(event.profile) if superseded else _profile(event)
        body = _event_body(event, delivery_id, profile, properties, options)
        if options.bulk and is_data(event, options):
            return [_part("event", BULK.batch, _record(body), event, now, options)]
        return [_part("event", "events", body, event, now, options)]

    def authorize(self, credentials: str) -> Mapping[str, str]:
        """The private key's header (contract §1)."""
        return {"authorization": f"Klaviyo-API-Key {credentials}"}

    def classify(self, requests: Sequence[Request], response: Response) -> list[Verdict]:
        """What an answer means (contract §3, §6)."""
        return classify(requests, response)


def _part(
    name: PartName,
    endpoint: str,
    body: dict[str, Any],
    event: EnrichedEvent,
    now: int,
    options: Options,
) -> Part | Refusal:
    broken = RULES.broken(endpoint, body, event.occurred_at, now)
    if broken is not None:
        return Refusal(name, Outcome.REJECTED, *broken)
    request = Request(
        method="POST",
        path=f"/api/{endpoint}",
        headers={**_HEADERS, "revision": options.revision or REVISION},
        body=body,
        endpoint=endpoint,
        frame=_FRAMES.get(endpoint),
    )
    silent = name == "event" and is_data(event, options)
    outcome = Outcome.DELIVERED_NO_TRIGGER if silent else Outcome.DELIVERED
    return Part(name, request, outcome, carries_profile=True)


def _deletion(event: EnrichedEvent, now: int, options: Options) -> Part | Refusal:
    """The job that deletes all profiles with an identifier (§7), of which it takes one."""
    good = identifiers_of(event.profile)
    if not good:
        return Refusal("event", Outcome.FILTERED, "no_identifier")
    name, value = next(iter(good.items()))
    whom = {"data": {"type": "profile", "attributes": {name: value}}}
    body = {"data": {"type": "data-privacy-deletion-job", "attributes": {"profile": whom}}}
    part = _part("event", DELETION, body, event, now, options)
    if isinstance(part, Refusal):
        return part
    return replace(part, outcome=Outcome.ERASED, carries_profile=False, thing="erased")


def _event_body(
    event: EnrichedEvent,
    delivery_id: str,
    profile: Fields,
    properties: Fields,
    options: Options,
) -> dict[str, Any]:
    name = (
        options.event_names.get(event.type)
        or NAMES.get(event.type)
        or loyalty.NAMES.get(event.type)
        or f"ordergroove.{event.type}"
    )
    attributes: dict[str, Any] = {
        "metric": {"data": {"type": "metric", "attributes": {"name": name}}},
        "profile": {"data": {"type": "profile", "attributes": profile}},
        "properties": properties,
        "time": iso_seconds(event.occurred_at),
        "unique_id": delivery_id,
    }
    if is_data(event, options):
        attributes["backfill"] = True
    return {"data": {"type": "event", "attributes": attributes}}


def _record(body: Mapping[str, Any]) -> dict[str, Any]:
    """The same event as one record of a job: a profile of its own, and one event (contract §3)."""
    about = dict(body["data"]["attributes"])
    profile = about.pop("profile")
    events = {"data": [{"type": "event", "attributes": about}]}
    return {"type": "event-bulk-create", "attributes": {"profile": profile, "events": events}}


def _clears(person: Mapping[str, Any]) -> bool:
    """Whether a profile takes something away from what the vendor has."""
    return None in person["attributes"].get("properties", {}).values()


def _profile(event: EnrichedEvent) -> Fields:
    """Identifiers that are known good, names, and what the row tells (contract §2, §4)."""
    who = event.profile
    properties: Fields = {STATUS: who.status} if who.status else {}
    properties |= loyalty.properties(event.member, SPELLING)
    properties |= {loyalty.label(field, SPELLING): None for field in loyalty.cleared(event.member)}
    return identifiers_of(who) | told(
        first_name=who.first_name, last_name=who.last_name, properties=properties or None
    )


KLAVIYO = Klaviyo()
