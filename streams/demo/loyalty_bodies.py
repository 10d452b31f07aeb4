"""What Attentive and Klaviyo are expected to get for a loyalty fact: seed 003, written again.

Path and JSON of each call, in the vendors' envelopes (contracts/attentive.md §2, §3;
contracts/klaviyo.md §2, §4). A member is known to a vendor by e-mail alone. What held once and
holds no longer is cleared: by null at Klaviyo; Attentive takes no null, so only the tier is set to
a word there, for a tier that nobody has would promise too much.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from streams.demo import attentive_bodies as attentive
from streams.demo import klaviyo_bodies as klaviyo
from streams.demo import loyalty_fields
from streams.demo.conclusions import PROFILE
from streams.demo.parts import Call, Part
from streams.demo.reading import known

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from streams.demo.loyalty_conclusions import Fact
    from streams.demo.loyalty_truth import Member

    Write = Callable[[Fact, Member, str, bool], list[Part]]

Json = dict[str, Any]

_JOURNEYS = 12 * 3_600_000
"""Milliseconds: an older event starts no journey at Attentive (§2)."""
_NOBODY = "no_identifier"


def _attentive(fact: Fact, member: Member, delivery_id: str, known_there: bool) -> list[Part]:  # noqa: FBT001
    """The properties, unless Attentive has them already, then the event."""
    properties = loyalty_fields.properties(member, "Enrollment")
    if loyalty_fields.TIER in loyalty_fields.cleared(member, "Enrollment"):
        properties[loyalty_fields.TIER] = "none"
    user = known(email=member.email)
    profile = [_attributes(user, properties, known_there)] if properties else []
    if fact.type == PROFILE:
        return profile or [Part("event", "filtered", "nothing_to_send")]
    return [*profile, _journey(fact, user, delivery_id)]


def _attributes(user: Json, properties: Json, known_there: bool) -> Part:  # noqa: FBT001
    if not user:
        return Part("profile", "rejected", _NOBODY)
    if known_there:
        return Part("profile", "duplicate", "unchanged")
    call = Call(attentive.ATTRIBUTES, {"user": user, "properties": properties})
    return Part("profile", "delivered", call=call)


def _journey(fact: Fact, user: Json, delivery_id: str) -> Part:
    if fact.late:
        return Part("event", "filtered", "late")
    if not user:
        return Part("event", "rejected", _NOBODY)
    body = {
        "type": loyalty_fields.EVENTS[fact.type],
        "externalEventId": delivery_id,
        "occurredAt": f"{_second(fact.at):%Y-%m-%dT%H:%M:%S}.{fact.at % 1_000:03}Z",
        "user": user,
        "properties": loyalty_fields.about(fact),
    }
    call = Call(attentive.EVENTS, body)
    return Part("event", "delivered", call=call, fresh_until=fact.at + _JOURNEYS)


def _klaviyo(fact: Fact, member: Member, unique_id: str, _known: bool) -> list[Part]:  # noqa: FBT001
    """The one call that tells this fact; it carries the properties as well."""
    name = "profile" if fact.type == PROFILE else "event"
    if not member.email:
        return [Part(name, "rejected", _NOBODY)]
    person = {"data": {"type": "profile", "attributes": _person(member)}}
    if fact.type == PROFILE:
        return [Part(name, "delivered", call=Call(klaviyo.PROFILES, person))]
    metric = {"type": "metric", "attributes": {"name": loyalty_fields.EVENTS[fact.type]}}
    attributes: Json = {
        "metric": {"data": metric},
        "profile": person,
        "properties": loyalty_fields.about(fact),
        "time": _second(fact.at).isoformat(),
        "unique_id": unique_id,
    }
    if fact.late:
        attributes["backfill"] = True
    call = Call(klaviyo.EVENTS, {"data": {"type": "event", "attributes": attributes}})
    return [Part(name, "delivered_no_trigger" if fact.late else "delivered", call=call)]


def _person(member: Member) -> Json:
    gone = dict.fromkeys(loyalty_fields.cleared(member, "Enrolment"))
    properties = loyalty_fields.properties(member, "Enrolment") | gone
    return {"email": member.email} | ({"properties": properties} if properties else {})


def _second(at: int) -> datetime:
    return datetime.fromtimestamp(at // 1_000, UTC)


WRITE: Mapping[str, Write] = {"attentive": _attentive, "klaviyo": _klaviyo}
"""By connection: the parts of a fact, its member and its delivery id; the last argument says
whether the vendor has this version of the profile. The others' pages say nothing of loyalty."""
