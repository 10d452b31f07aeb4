"""What the Yespo simulator can do in more than one way.

Each switch stands for a fact that contracts/yespo.md marks as unsure, or for a property of the
merchant's account. The defaults are the documented behaviour; where nothing is documented, the
stricter one, so that a sender which pleases the simulator pleases Yespo.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CustomField", "FieldType", "Key", "Param", "Shape", "Switches", "read_switches"]

Shape = Literal["text", "empty", "json"]
"""How an error is told (§1): a sentence, no body, or `{"status": 401, "message": "…"}`."""

FieldType = Literal[
    "TEXTFIELD", "TEXTAREA", "NUMBER", "DECIMAL", "DATE", "DATETIME", "COMBOBOX", "CHECKBOXLIST"
]
"""What a custom field holds (§4), in the words of the address books."""

_NotNegative = Annotated[float, msgspec.Meta(ge=0)]


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One API key, which always has full access (§1): the account whose quota it uses."""

    account: str = "default"


class CustomField(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One custom field of the account's contacts; `values` are those of a closed list."""

    id: int
    name: str
    type: FieldType = "TEXTFIELD"
    values: tuple[str, ...] = ()


class Param(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One parameter that an event type with "Validate parameters" asks for (§3)."""

    name: str
    required: bool = True


_FIELDS = (
    CustomField(51001, "Subscriber status", "COMBOBOX", ("active", "inactive")),
    CustomField(51002, "Active subscriptions", "NUMBER"),
    CustomField(51003, "Subscriber since", "DATE"),
    CustomField(51004, "Last change", "DATETIME"),
    CustomField(51005, "Points", "DECIMAL"),
    CustomField(51006, "Tier", "TEXTFIELD"),
    CustomField(51007, "Notes", "TEXTAREA"),
    CustomField(51008, "Interests", "CHECKBOXLIST", ("coffee", "tea")),
)


class Switches(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The simulator's behaviour where it can differ."""

    keys: dict[str, Key] = {}
    """The accepted API keys. Empty: every password, all of one account."""
    custom_fields: tuple[CustomField, ...] = _FIELDS
    """The custom fields that the account's contacts have (§4)."""
    event_params: dict[str, tuple[Param, ...]] = {}
    """Event types with "Validate parameters" on, and the parameters that they must have (§3)."""
    event_bytes: Annotated[int, msgspec.Meta(ge=1)] = 20_000
    """The largest body of an event: 20 KB, which support raises on request (§3); read as powers of
    ten, the smaller reading."""
    error_body: Shape = "text"
    """The shape of errors (§1: optional text details), but for 401 and repeated requests."""
    unauthorized_body: Shape = "text"
    """The shape of 401: as other errors, or as a plugin of Yespo's reads it, JSON with a numeric
    status (§2)."""
    retry_after: bool = False
    """Whether 429 brings `Retry-After` (§5: none is documented)."""
    stolen_share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    """The part of every window that another integration with the same account uses up (§5)."""
    success_body: Literal["empty", "object", "list"] = "empty"
    """What follows orders of which none failed (§2): nothing, `{}`, or an empty `failedOrders`."""
    event_status: Literal[200, 201, 202, 204] = 200
    """What follows an event (§3: undocumented, any 2xx), always without a body."""
    single_failure: Literal["object", "array"] = "object"
    """`failedOrders` or `failedContacts` with one entry (§2): the entry itself, or a list of it.
    The same holds for the address books."""
    failed_contact: Literal["specified", "whole"] = "specified"
    """What `failedContacts` tells of a contact beside the error: the fields that the specification
    has there, which lack externalCustomerId, or all that was sent (§4 shows no entry)."""
    seed_strict: bool = False
    """Orders by the older page (§2): an externalCustomerId beside an e-mail address or phone, and
    items with name, cost, url and imageUrl; what the specification asks for stays asked for."""
    too_many: Literal[400, 413] = 400
    """What more orders or contacts than a request may have get (§7: assumed)."""
    wrong_total: Literal["accept", "refuse"] = "accept"
    """An order whose items do not add up to its total: taken, as it evidently is, or it fails, for
    the page says that they must (§2)."""
    currencies: frozenset[str] = frozenset()
    """The currencies that orders may have. Empty: all that look like ISO 4217 (§1: USD, EUR and UAH
    are listed; whether others are refused is not known)."""
    unknown_fields: Literal["refuse", "ignore"] = "refuse"
    """A field that the specification does not have: the order, contact or event fails, or it is
    ignored (not stated)."""
    empty_values: Literal["refuse", "absent"] = "refuse"
    """An optional field of an order that is null or an empty text: the order fails, or it is as if
    it were not there (not stated)."""
    number_strings: Literal["refuse", "accept"] = "refuse"
    """A number sent as a text (pitfall 10): the order fails, or it is read as the number."""
    local_dates: Literal["refuse", "accept"] = "refuse"
    """An order's date without offset: the order fails, or it is read in the account's zone (§1)."""
    phone_form: Literal["digits", "plus"] = "digits"
    """What a phone may look like (§2): 5 to 15 digits, or also with a plus before them."""
    orders_create_contacts: bool = True
    """Whether an order of somebody unknown with an e-mail address or phone makes a contact of them
    (the page on adding contacts says so); else it is not matched."""
    match_first: Literal["phone", "email"] = "phone"
    """What an order is matched by first where its phone and its e-mail address are of different
    contacts (§2 says only "by phone or e-mail")."""
    repeats: Literal["conflict", "bad_request", "off"] = "conflict"
    """An identical request shortly after: 409 or 400 with "Duplicated request", or none of it
    (§2)."""
    repeats_of: Literal["orders_and_contacts", "single_contacts"] = "orders_and_contacts"
    """For which calls that is so: those where a plugin of Yespo's expects it, or the one where it
    is documented (§2)."""
    repeat_seconds: _NotNegative = 60.0
    """How long a request is remembered for that."""
    v2_values: Literal["any", "text_or_object"] = "any"
    """What an event's parameter may have in v2 (§3): any JSON, or no bare number, boolean or array
    (the schema's own words)."""
    unmatched_events: Literal["silent", "start"] = "silent"
    """An event of nobody whom the account knows: kept without starting a workflow (§3 says so of
    orders sent as events), or it starts one all the same."""
    event_dedup: bool = False
    """Whether a second event of a type with the same keyValue starts nothing (pitfall 7: whether
    the key is of the event or of the contact is unclear, so every copy counts)."""
    bad_name: Literal["refuse", "drop"] = "refuse"
    """A contact's name with over 40 characters, over 3 digits or odd symbols (§4): the contact
    fails, or the name is not kept."""
    unknown_external_id: Literal["dedupe", "create"] = "dedupe"
    """A bulk contact whose externalCustomerId is not known: looked for by `dedupeOn` (the page on
    adding contacts), or created (§4: `dedupeOn` is ignored)."""
    custom_field_without_value: Literal["null", "keep"] = "null"
    """A field named in `customFieldsIDs` of which a contact has no value: it is taken away, as
    those of `contactFields` are (pitfall 4), or stays (not stated)."""
    older_reply: bool = False
    """Whether the reply to bulk contacts also has `id: 0`, as older ones had (§4)."""
    import_polls: Annotated[int, msgspec.Meta(ge=1)] = 3
    """How many times an import must be asked for until it is finished (§4)."""
    import_seconds: Annotated[float, msgspec.Meta(ge=0)] | None = None
    """How long an import takes instead, however often it is asked for."""
    import_applied: Literal["at_once", "at_end"] = "at_once"
    """When the contacts of an import change (§4: asynchronous, in any order)."""

    def __post_init__(self) -> None:
        """Raises ValueError for custom fields that share an id."""
        ids = [field.id for field in self.custom_fields]
        if len(ids) != len(set(ids)):
            raise ValueError("custom_fields: two have the same id")


def read_switches(values: Mapping[str, object]) -> Switches:
    """Make switches of names and values; raises ValueError that names the wrong one."""
    return msgspec.convert(dict(values), Switches)
