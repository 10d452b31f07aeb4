"""What the Ometria simulator can do in more than one way.

Each switch stands for a fact that contracts/ometria.md marks as unsure, or for a property of the
merchant's account. The defaults are the documented behaviour; where nothing is documented, the
stricter one, so that a sender which pleases the simulator pleases Ometria.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ORDERGROOVE_EVENTS", "Key", "Kind", "Kinds", "Shape", "Switches", "read_switches"]

Kind = Literal["String", "Boolean", "Number", "Integer", "Products list", "Date", "Any"]
"""The type of a property (§3), in the vendor's words. Integer is a Number without decimals; Any is
whatever has no type of its own: arrays and nested values."""

Kinds = dict[str, Kind]
"""The properties of an event type, or of contacts, by name."""

Shape = Literal["object", "empty", "html"]
"""How a refusal is told (§2: nobody says): `{"error_message": …}`, without a body, as a page."""

_NotNegative = Annotated[float, msgspec.Meta(ge=0)]
_Positive = Annotated[int, msgspec.Meta(ge=1)]

ORDERGROOVE_EVENTS: Mapping[str, Kinds] = {
    "Ordergroove_subscription_event": {
        "cancellation_reason": "String",
        "delivery_frequency": "String",
        "detail_url": "String",
        "image_url": "String",
        "product_set": "Products list",
    },
    "Ordergroove_order_reminder": {
        "order_id": "String",
        "product_set": "Products list",
        "total_value": "Integer",
    },
}
"""The two events that Ometria's staff creates for a merchant with Ordergroove (seed 002)."""


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One API key: the account that it belongs to, and whether it may push (§2: else 403)."""

    account: str = "default"
    push: bool = True


def _ordergroove_events() -> dict[str, Kinds] | None:
    return {name: dict(kinds) for name, kinds in ORDERGROOVE_EVENTS.items()}


class Switches(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The simulator's behaviour where it can differ."""

    keys: dict[str, Key] = {}
    """The accepted keys. Empty: every key, all of one account."""
    bad_key: Literal[401, 403] = 403
    """What a missing or unknown key gets (§2: 403 is documented for a key that may not, 401 is
    recalled)."""
    success_status: Literal[200, 202] = 202
    """What an accepted request gets: 202 as one peer requires, 200 as another takes too (§2)."""
    error_body: Literal["rotate", "object", "empty", "html"] = "rotate"
    """The shape of refusals, which nobody describes (§2): `rotate` goes through object and empty
    below 500, and answers with a web page from 500 on."""
    queue_headers: bool = True
    """Whether replies have `X-QueueSize-Limit` and `-Remaining` (§2: dropped from the newest
    page)."""
    requests_per_second: _Positive = 8
    """How many pushes an account may make: 8, or 4 by older pages (§2); plans differ."""
    stolen_share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    """The part of every second that another integration of the merchant uses up (pitfall 11)."""
    retry_after: bool = False
    """Whether 429 brings `Retry-After`, which is not documented (§2)."""
    backlog_limit: _Positive = 50_000
    """How many records may wait; a push that would make it more gets 429 (§2)."""
    records_per_second: _NotNegative | None = None
    """How fast waiting records are processed, by the times of arrival of requests; None: at once
    after the reply; 0: not at all, until it is switched again."""
    unusable_body: Literal[400, 413, 422] = 400
    """What a push gets that is not JSON, no array, or not of 1 to 100 records (§2: not documented,
    400 is assumed)."""
    mixed_types: Literal["refuse", "accept"] = "refuse"
    """Records of different `@type` in one call: 400, or taken, as a peer's habit suggests (§1)."""
    large_record: Literal["reject", "refuse"] = "reject"
    """A record over 60 KB: counted in `rejected`, or the whole request gets 400 (§1 has only the
    wording)."""
    wrong_record: Literal["late", "reject"] = "late"
    """A record that fails validation: counted as accepted (§2: "OK" is not validated), or counted
    in `rejected` at once. Either way it is listed among the errors."""
    rejected_items: bool = False
    """Whether a reply tells what is wrong with rejected records (§2: seen by one peer, who does
    not say in which shape): the objects of the list of errors, so again without ids."""
    event_types: dict[str, Kinds] | None = msgspec.field(default_factory=_ordergroove_events)
    """The event types that Ometria's staff has created, with their properties (§3). None: any type
    with any properties."""
    unknown_properties: Literal["refuse", "ignore"] = "refuse"
    """A property that was not created for its event type or for contacts: an error, or kept and
    flagged (§3 and §4 say only that it must be created first)."""
    contact_fields: Kinds | None = None
    """The custom fields of contacts, by Field ID, as created in Settings (§4). None: any."""
    unknown_fields: Literal["refuse", "ignore"] = "refuse"
    """A field beside those of the contract at the top of a record: an error, or kept and flagged,
    as one peer relies on (§4)."""
    email_required: bool = True
    """Whether a contact must have an e-mail address (§4: the minimum that peers send)."""
    personal_ids: Literal["flag", "refuse"] = "flag"
    """An id that holds an e-mail address or a phone number: kept and flagged, or an error (§4 says
    must not, and not what comes of it)."""
    without_merge: Literal["wipe", "keep"] = "wipe"
    """A record of a known id without `@merge`: fields that are not sent, or blank, lose their
    values, or keep them (§4: "may or may not")."""
    properties_merge: Literal["replace", "deep"] = "replace"
    """With `@merge`: sent `properties` take the place of all stored ones, or only of those with the
    same names, at any depth (§4: not documented)."""
    repeated_event: Literal["trigger", "silent"] = "trigger"
    """Whether an event whose id has started campaigns starts them again (§3: undocumented)."""
    event_identity: Literal["any", "email"] = "any"
    """What ties an event to its contact (§3): an e-mail address, a customer id or a profile id, as
    one peer has them; or an e-mail address in any case, the only one in the vendor's examples."""
    unknown_contact: Literal["trigger", "silent"] = "trigger"
    """An event of somebody who is no contact: starts campaigns, for the merchant's other sources
    hold the customers, or none (§3: every event must be tied to a contact)."""
    fresh_hours: _NotNegative = 4.0
    """How old an event may be when it arrives and still start campaigns (§3: 4 hours, unless a node
    of the flow extends it)."""


def read_switches(values: Mapping[str, object]) -> Switches:
    """Make switches of names and values; raises ValueError that names the wrong one."""
    return msgspec.convert(dict(values), Switches)
