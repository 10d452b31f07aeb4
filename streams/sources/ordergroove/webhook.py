"""Webhook body → record of `ordergroove.events` (contracts/ordergroove.md §1).

All envelope variants are read: `context` and `snapshot` at the top or inside `data`, null, `{}` or
absent. What cannot be read raises `BadRecord`; the caller keeps the bytes.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec

from streams.errors import BadRecord

from . import entities as e
from . import quirks as q
from .types import LIVE_OF, OBJECT_OF, ObjectKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_BODY = 1_000_000
"""Bytes of a body: with its typed fields it still fits Kafka's default message size twice over."""

NAMESPACE = "streams.sources"


class WebhookOptions(msgspec.Struct, frozen=True):
    """How values that depend on the merchant are read."""

    source_zone: str = "America/Chicago"
    phone_region: str = "US"


DEFAULT_OPTIONS = WebhookOptions()


def record_of(
    body: bytes, received_at: int | None = None, options: WebhookOptions = DEFAULT_OPTIONS
) -> dict[str, Any]:
    """The record of a webhook body, in the shape of `avro_schemas/sources/ordergroove.avsc`.

    `received_at` is epoch milliseconds; without one it is the event's own time. Raises `BadRecord`
    with reason malformed, too_large, unknown_type, missing_field, wrong_type or no_customer.
    """
    envelope = _parse(body)
    reading = q.Reading(ZoneInfo(options.source_zone), options.phone_region, received_at or 0)
    event_type = _required(envelope, "type", q.text, reading)
    kind = OBJECT_OF.get(event_type)
    if kind is None:
        raise BadRecord("unknown_type", "type", "no such event type is known")
    head = {
        "event_id": _required(envelope, "id", q.text, reading),
        "type": event_type,
        "created": _required(envelope, "created", q.instant, reading),
    }
    reading = reading._replace(
        created=head["created"],
        received_at=head["created"] if received_at is None else received_at,
    )
    data = _object(envelope, "data", "data")
    context = _either(envelope, data, "context")
    snapshot = _either(envelope, data, "snapshot")
    path = "data" if kind == "Communication" else "data.object"
    subject = data if kind == "Communication" else _object(data, "object", "data.object")
    owner = _owner(kind, subject, context, snapshot)
    actor = context.get("actor")
    return head | {
        "received_at": reading.received_at,
        "merchant": _required(owner, "merchant", q.text, reading, path),
        "customer_id": _customer(kind, owner, path, reading),
        "actor": _word(actor.get("type"), reading) if isinstance(actor, dict) else None,
        "source": _word(context.get("source"), reading),
        "kind": "event",
        "object": (f"{NAMESPACE}.{kind}", _subject(kind, event_type, subject, reading, path)),
        "snapshot": _snapshot(snapshot, reading) if snapshot else None,
        "fingerprint": blake2b(
            msgspec.json.encode(subject, order="deterministic"), digest_size=8
        ).digest(),
        "raw": body,
    }


def _parse(body: bytes) -> dict[str, Any]:
    if len(body) > MAX_BODY:
        raise BadRecord("too_large", None, f"a body may hold {MAX_BODY} bytes")
    try:
        envelope = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadRecord("malformed", None, "not JSON") from None
    if not isinstance(envelope, dict):
        raise BadRecord("malformed", None, "not a JSON object")
    return envelope


def _required(
    body: Mapping[str, Any], name: str, read: e.Reader, reading: q.Reading, path: str = ""
) -> Any:
    return e.read((e.Field(name, name, read, required=True),), body, reading, path)[name]


def _word(value: Any, reading: q.Reading) -> str | None:
    """A label that only accompanies the event: what is none must not sink it."""
    return q.text(value, reading) if isinstance(value, str) else None


def _object(body: Mapping[str, Any], name: str, path: str) -> dict[str, Any]:
    value = body.get(name)
    if value is None:
        raise BadRecord("missing_field", path, "a record needs it")
    if not isinstance(value, dict):
        raise BadRecord("wrong_type", path, "not an object")
    return value


def _subject(
    kind: ObjectKind, event_type: str, body: dict[str, Any], reading: q.Reading, path: str
) -> dict[str, Any]:
    if kind == "Subscription":
        return e.subscription(body, reading, path, live=LIVE_OF.get(event_type))
    return READERS[kind](body, reading, path)


def _either(envelope: Mapping[str, Any], data: Mapping[str, Any], name: str) -> dict[str, Any]:
    """`context` and `snapshot` stand at the top or inside `data`, by generation of the docs."""
    for place in (envelope, data):
        value = place.get(name)
        if value is not None and not isinstance(value, dict):
            raise BadRecord("wrong_type", name, "not an object")
        if value:
            return value
    return {}


def _owner(
    kind: ObjectKind, subject: dict[str, Any], context: dict[str, Any], snapshot: dict[str, Any]
) -> dict[str, Any]:
    """Where merchant and customer stand: a workflow says them in no certain place, if at all."""
    if kind != "Communication":
        return subject
    actor = context.get("actor")
    places = (
        subject.get("subscriber"),
        subject.get("object"),
        subject,
        snapshot.get("customer"),
        actor.get("customer") if isinstance(actor, dict) else None,
    )
    told = [place for place in places if isinstance(place, dict)]
    customers = (place.get("merchant_user_id") or place.get("customer") for place in told)
    merchants = (place.get("merchant") for place in told)
    return {
        "merchant_user_id": next(filter(None, customers), None),
        "merchant": next(filter(None, merchants), None),
    }


def _customer(kind: ObjectKind, owner: Mapping[str, Any], path: str, reading: q.Reading) -> str:
    name = "merchant_user_id" if kind in ("Subscriber", "Communication") else "customer"
    try:
        found = q.text(owner.get(name), reading)
    except ValueError:
        raise BadRecord("wrong_type", f"{path}.{name}", "the value cannot be read") from None
    if found is None:
        raise BadRecord("no_customer", f"{path}.{name}", "the record names no customer")
    return found


def _subscriber(body: Mapping[str, Any], reading: q.Reading, path: str) -> dict[str, Any]:
    listed = body.get("subscriptions") or []
    if not isinstance(listed, list):
        raise BadRecord("wrong_type", f"{path}.subscriptions", "not an array")
    ids = [each.get("public_id") if isinstance(each, dict) else each for each in listed]
    return e.read(e.SUBSCRIBER, body, reading, path) | {
        "subscriptions": [each for each in ids if isinstance(each, str)]
    }


def _entitlements(body: Mapping[str, Any], reading: q.Reading, path: str) -> dict[str, Any]:
    listed = _list(body, "entitlements", path)
    return {
        "entitlements": [
            e.entitlement(each, reading, f"{path}.entitlements[{i}]")
            for i, each in enumerate(listed)
        ]
    }


def _communication(body: Mapping[str, Any], reading: q.Reading, path: str) -> dict[str, Any]:
    person = _object(body, "subscriber", f"{path}.subscriber")
    return e.read(e.COMMUNICATION, person, reading, f"{path}.subscriber") | {
        "key": _word(body.get("key"), reading),
        "execution_context": q.json_text(body.get("execution_context"), reading),
    }


def _plain(table: tuple[e.Field, ...]) -> Callable[..., dict[str, Any]]:
    def read(body: Mapping[str, Any], reading: q.Reading, path: str) -> dict[str, Any]:
        return e.read(table, body, reading, path)

    return read


READERS: Mapping[ObjectKind, Callable[..., dict[str, Any]]] = {
    "Subscriber": _subscriber,
    "Order": e.order,
    "Item": _plain(e.ITEM),
    "Entitlements": _entitlements,
    "Communication": _communication,
}

SNAPSHOT_LISTS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "subscriptions": e.subscription,
    "orders": e.order,
    "items": _plain(e.ITEM),
    "addresses": _plain(e.ADDRESS),
    "payments": _plain(e.PAYMENT),
    "products": _plain(e.PRODUCT),
}


def _list(body: Mapping[str, Any], name: str, path: str) -> list[dict[str, Any]]:
    listed = body.get(name)
    if listed is None:
        return []
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise BadRecord("wrong_type", f"{path}.{name}", "not an array of objects")
    return listed


def _snapshot(body: Mapping[str, Any], reading: q.Reading) -> dict[str, Any]:
    customer = body.get("customer")
    if customer is not None and not isinstance(customer, dict):
        raise BadRecord("wrong_type", "snapshot.customer", "not an object")
    out: dict[str, Any] = {
        "customer": e.read(e.CUSTOMER, customer, reading, "snapshot.customer") if customer else None
    }
    for name, reader in SNAPSHOT_LISTS.items():
        out[name] = [
            reader(each, reading, f"snapshot.{name}[{i}]")
            for i, each in enumerate(_list(body, name, "snapshot"))
        ]
    return out
