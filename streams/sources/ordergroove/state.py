"""Entity of the REST API → record of kind `state` (contracts/ordergroove.md §2.2, §3).

A record says how one entity stood, at the time of its own last change. So the same entity read
again is the same record, under the same id; changed, it is another one.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from streams.errors import BadRecord
from streams.model.ids import fact_id

from . import entities as e
from . import quirks as q
from .types import STATE_OF, SYNC_COMPLETED
from .webhook import DEFAULT_OPTIONS, NAMESPACE, READERS, SNAPSHOT_LISTS, WebhookOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

SECRETS: Final = frozenset({"token_id", "user_token_id", "cc_holder"})
"""Fields that are kept nowhere: payment tokens, and whose card it is."""

NOBODY: Final = "*"
"""Customer of a record that is about a whole merchant."""


class Listed(NamedTuple):
    """An entity of one of the API's lists, and whose it is.

    Attributes:
        entity: the list, `subscriptions`.
        body: as the API gave it.
        merchant: Ordergroove's id.
        customer_id: the merchant's own id of the customer.
        product: what the API says of the entity's product, where that is known.
    """

    entity: str
    body: Mapping[str, Any]
    merchant: str
    customer_id: str
    product: Mapping[str, Any] | None = None


class _Form(NamedTuple):
    """How a list's entities are told.

    `type` is the record's, `updated` and `id` the fields that say when an entity changed and which
    it is. What an event's object cannot be stands in the snapshot, beside an empty object.
    """

    type: str
    updated: str
    id: str = "public_id"
    beside: str | None = None


FORMS: Final[Mapping[str, _Form]] = {
    "customers": _Form("customer.state", "last_updated", "merchant_user_id"),
    "subscriptions": _Form("subscription.state", "updated"),
    "orders": _Form("order.state", "updated"),
    "items": _Form("item.state", "order_updated"),
    "payments": _Form("customer.state", "last_updated", beside="payments"),
    "addresses": _Form("customer.state", "updated", beside="addresses"),
}
"""List → how its entities are told; an item changes with its order."""

_EMPTY: Final = ("subscriptions", "orders", "items", "addresses", "payments", "products")


def state_record(
    listed: Listed, read_at: int, options: WebhookOptions = DEFAULT_OPTIONS
) -> dict[str, Any]:
    """The record of an entity, in the shape of `avro_schemas/sources/ordergroove.avsc`.

    Args:
        listed: it.
        read_at: when the API gave it, epoch milliseconds; stands in for a change's missing time.
        options: how values are read. Of an hour that the clock went through twice the earlier
            reading is taken: so a state never seems newer than an event that came after it.

    Raises:
        BadRecord: missing_field, wrong_type or no_customer.
    """
    form = FORMS[listed.entity]
    reading = q.Reading(ZoneInfo(options.source_zone), options.phone_region, 0, read_at)
    changed = _one(listed.body, form.updated, q.instant, reading)
    body = {name: value for name, value in listed.body.items() if name not in SECRETS}
    content = blake2b(msgspec.json.encode(body, order="deterministic"), digest_size=8).digest()
    version = content.hex() if changed is None else str(listed.body[form.updated])
    if not listed.customer_id:
        raise BadRecord("no_customer", "customer", "the record names no customer")
    told = (
        {"object": body} if listed.product is None else {"object": body, "product": listed.product}
    )
    about = {"entity": listed.entity, "merchant": listed.merchant, "customer": listed.customer_id}
    return {
        "event_id": fact_id(
            "state",
            listed.merchant,
            listed.entity,
            _one(listed.body, form.id, q.text, reading, required=True),
            version,
        ),
        "type": form.type,
        "created": read_at if changed is None else changed,
        "received_at": read_at,
        "merchant": listed.merchant,
        "customer_id": listed.customer_id,
        "actor": None,
        "source": None,
        "kind": "state",
        "object": _subject(form, listed.body, reading),
        "snapshot": _snapshot(form, listed, reading),
        "fingerprint": content,
        "raw": msgspec.json.encode(about | told),
    }


def state_again(
    raw: bytes, read_at: int, options: WebhookOptions = DEFAULT_OPTIONS
) -> dict[str, Any]:
    """The record of another one's `raw`, which `state_record` made; its arguments and errors."""
    try:
        told = msgspec.json.decode(raw, type=_Raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadRecord("malformed", None, "not an entity as a sync writes it") from None
    if told.entity not in FORMS:
        raise BadRecord("unknown_type", "entity", "no such list is known")
    listed = Listed(told.entity, told.object, told.merchant, told.customer, told.product)
    return state_record(listed, read_at, options)


def completion(merchant: str, began_at: int, number: int) -> dict[str, Any]:
    """The record that says that all of a merchant's entities are in front of it.

    Args:
        merchant: Ordergroove's id.
        began_at: start of the sync, epoch milliseconds.
        number: tells the records of several partitions apart.
    """
    reading = q.Reading(ZoneInfo("UTC"), "US", 0)
    return {
        "event_id": fact_id("state", merchant, SYNC_COMPLETED, began_at, number),
        "type": SYNC_COMPLETED,
        "created": began_at,
        "received_at": began_at,
        "merchant": merchant,
        "customer_id": NOBODY,
        "actor": None,
        "source": None,
        "kind": "state",
        "object": (f"{NAMESPACE}.Subscriber", READERS["Subscriber"]({}, reading, "")),
        "snapshot": None,
        "fingerprint": None,
        "raw": b"",
    }


class _Raw(msgspec.Struct):
    entity: str
    merchant: str
    customer: str
    object: dict[str, Any]
    product: dict[str, Any] | None = None


def known_product(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """What is kept of an entity of the list `products`; None where it cannot be read."""
    told = {field.theirs: body.get(field.theirs) for field in e.PRODUCT}
    try:
        e.read(e.PRODUCT, told, q.Reading(ZoneInfo("UTC"), "US", 0), "product")
    except BadRecord:
        return None
    return told


def _one(
    body: Mapping[str, Any],
    name: str,
    read: e.Reader,
    reading: q.Reading,
    *,
    required: bool = False,
) -> Any:
    return e.read((e.Field(name, name, read, required),), body, reading, "")[name]


def _subject(form: _Form, body: Mapping[str, Any], reading: q.Reading) -> tuple[str, Any]:
    kind = STATE_OF[form.type]
    if kind == "Subscription":
        return f"{NAMESPACE}.{kind}", e.subscription(body, reading, "object")
    told = {} if form.beside else body
    return f"{NAMESPACE}.{kind}", READERS[kind](told, reading, "object")


def _snapshot(form: _Form, listed: Listed, reading: q.Reading) -> dict[str, Any] | None:
    beside: dict[str, Any] = {}
    if form.beside:
        read = SNAPSHOT_LISTS[form.beside]
        beside[form.beside] = [read(listed.body, reading, form.beside)]
    if listed.product is not None:
        beside["products"] = [SNAPSHOT_LISTS["products"](listed.product, reading, "product")]
    if not beside:
        return None
    empty: dict[str, Any] = {name: [] for name in _EMPTY}
    return {"customer": None} | empty | beside
