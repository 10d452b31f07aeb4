"""What the Attentive simulator can do in more than one way.

Each switch stands for a fact that contracts/attentive.md marks as unsure, or for a property of the
merchant's account. The defaults are the documented behaviour; where nothing is documented, the
stricter one, so that a sender which pleases the simulator pleases Attentive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from streams.simulators.shapes import PhoneCheck

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Linking", "Shape", "Switches", "Token", "read_switches"]

Shape = Literal["object", "text", "empty", "html"]
"""How an error is told (§6): `{"error": {"id": …, "message": …}}`, `{"error": "…"}`, without a
body, or as a web page."""

Linking = Literal["attach", "merge", "none"]
"""What becomes of identifiers that are named together; see `Switches.linking`."""


class Token(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One access token: the custom app that it belongs to, and what it may do."""

    app: str = "default"
    scopes: frozenset[str] | None = None
    """Such as `events:write`; None: all."""


class Switches(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The simulator's behaviour where it can differ."""

    tokens: dict[str, Token] = {}
    """The accepted tokens. Empty: every token, each of an app of its own with all scopes."""
    options: dict[str, frozenset[str]] = {}
    """Attributes that were made in Attentive's own pages, with the only values that they take
    (§3)."""
    success_status: Literal[200, 202] = 200
    """What an accepted request gets: 200 by the specification; peers also accept 202 (end of the
    contract)."""
    success_body: Literal["empty", "object"] = "empty"
    """Its body: none, or `{}` (§2)."""
    error_body: Literal["rotate", "object", "text", "empty", "html"] = "rotate"
    """The shape of errors other than 429, which nobody describes (§6): `rotate` goes through
    object, text and empty below 500, and answers with a web page from 500 on."""
    throttle_body: Shape = "empty"
    """The shape of 429 (§6)."""
    retry_after: bool = False
    """Whether 429 brings `Retry-After`, which is mentioned nowhere (§6)."""
    stolen_share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    """The part of every window that another sender with the same token uses up."""
    unknown_fields: Literal["refuse", "ignore"] = "refuse"
    """A field beside those of the specification at the top of a body: 400, or ignored, as the real
    vendor seems to do (pitfall 2: `occuredAt` passes, and the event happens when it comes)."""
    key_characters: Literal["union", "specification"] = "union"
    """What a property's name must not have: all that any page forbids, or only what the
    specification forbids (§2)."""
    nested_keys: bool = True
    """Whether the names inside nested objects must keep to that too (pitfall 7: not stated)."""
    phone_check: PhoneCheck = "e164"
    """What makes a phone valid: its form (§2), or also that some country assigns such numbers
    (§1: dummy numbers get an error)."""
    fresh_hours: Annotated[float, msgspec.Meta(ge=0)] = 12.0
    """How old an event may be when it arrives and still start journeys (§2: 12 hours; the page of
    another sender says 24, pitfall 1)."""
    event_bytes: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """The largest body of an event or of attributes, over which there is 413; None: 1 MiB, that of
    a record in bulk (§6: not published)."""
    longest_type: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """How many characters an event's type may have; None: any number (§2: no limit is given)."""
    keys_counted: Literal["over_time", "in_event"] = "over_time"
    """Whether the 200 keys of an event type are those of all its events so far, or of each by
    itself (§2: inferred)."""
    longest_ahead: Annotated[float, msgspec.Meta(ge=0)] | None = None
    """How many seconds ahead `occurredAt` may lie; None: any (§2: no bound is stated)."""
    dedup: bool = False
    """Whether a second event with the same `externalEventId` starts no journey (§2: unproven, so
    every copy counts)."""
    dedup_seconds: Annotated[float, msgspec.Meta(ge=0)] | None = None
    """How long an `externalEventId` is remembered where `dedup` is on; None: forever."""
    dedup_scope: Literal["account", "type", "person"] = "account"
    """Within what an `externalEventId` is unique where `dedup` is on (end of the contract)."""
    dedup_reply: Literal["success", "conflict"] = "success"
    """What such a second event gets: the usual answer, or 409 (end of the contract)."""
    other_app: Literal["silent", "refuse"] = "silent"
    """An event type that another app created: stored without starting a journey (pitfall 10), or
    403 (§2 says only "must")."""
    linking: Linking = "attach"
    """Identifiers of one request, where somebody is known by one of them: the unknown ones are
    attached to that person, and those of somebody else stay there; `merge` makes one person of all
    (§5 and pitfall 12; unproven for events and attributes); `none` attaches nothing."""
    unknown_external_id: Literal["refuse", "drop"] = "refuse"
    """A user with nothing but an external id that was never seen beside a phone or e-mail address:
    404, or the usual answer and nothing comes of it (end of the contract)."""
    unknown_person: Literal["empty", "not_found"] = "empty"
    """The attributes of somebody who is not known: `[]`, or 404 (§3 says neither)."""
    deletion_polls: Annotated[int, msgspec.Meta(ge=0)] = 1
    """How often a request to forget somebody is asked about and not processed yet (§5: within 30
    days)."""
    type_mismatch: Literal["refuse", "ignore"] = "refuse"
    """A value that is not of its attribute's type: 400 (§3, a peer's reading), or not kept."""
    empty_attribute: Literal["text", "refuse", "ignore"] = "text"
    """An attribute with an empty text: makes a text of the attribute for good if it is the first
    (pitfall 8), 400, or not kept."""
    null_attribute: Literal["refuse", "ignore", "clear"] = "refuse"
    """An attribute with null: 400, not kept, or takes the value away (§3: not documented)."""


def read_switches(values: Mapping[str, object]) -> Switches:
    """Make switches of names and values; raises ValueError that names the wrong one."""
    return msgspec.convert(dict(values), Switches)
