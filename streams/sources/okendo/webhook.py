"""Webhook body and headers → record of `okendo.events` (contracts/okendo.md §2, §4, §5).

A body says neither when it was sent nor which message it is: the id comes from the headers, which a
bridge must pass on, else from the body's sequence number. What cannot be read raises `BadRecord`;
the caller keeps the bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from streams.errors import BadRecord
from streams.model.loyalty import ADJUSTMENT, CUSTOMER, DELETE, EARNING, POINTS_OF, REDEMPTION
from streams.model.member import STATUSES

from . import paths as p
from . import values as v
from .paths import FieldPaths, value_at
from .record import check_owner

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_BODY = 1_000_000
"""Bytes of a body: with its typed fields it still fits Kafka's default message size twice over."""

NAMESPACE = "streams.sources.okendo"
TOPICS = frozenset({"create", "update", DELETE})
ID_HEADERS = ("svix-id", "webhook-id")
"""The same on every resend of one message (§2)."""
TIME_HEADERS = ("svix-timestamp", "webhook-timestamp")
"""Epoch seconds of the sending."""


class Webhook(msgspec.Struct, frozen=True):
    """A body and the headers that it came with; their names are lower case."""

    body: bytes
    headers: Mapping[str, str] = {}


class WebhookOptions(msgspec.Struct, frozen=True):
    """How values that depend on the merchant are read; `store` stands in where none is told."""

    store: str | None = None
    fields: FieldPaths = FieldPaths()


DEFAULT_OPTIONS = WebhookOptions()


class _Line(msgspec.Struct):
    """A line that has the headers beside the body."""

    headers: dict[str, str]
    body: msgspec.Raw


def webhook_of_line(line: bytes) -> Webhook:
    """The webhook of a line of a file: a body, or `{"headers": {...}, "body": {...}}`."""
    try:
        told = msgspec.json.decode(line, type=_Line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Webhook(line)
    return Webhook(bytes(told.body), {name.lower(): text for name, text in told.headers.items()})


def record_of(
    webhook: Webhook, received_at: int | None = None, options: WebhookOptions = DEFAULT_OPTIONS
) -> dict[str, Any]:
    """The record of a webhook, in the shape of `avro_schemas/sources/okendo.avsc`.

    `received_at` is epoch milliseconds; without one it is the headers' time of sending, else the
    transaction's date, else the newest time that the resource tells of the past. Raises `BadRecord`
    with reason malformed, too_large, unknown_type, unknown_value, missing_field or wrong_type.
    """
    envelope = _parse(webhook.body)
    kind, topic = _known(envelope)
    sequence = _read(envelope, "sequenceNumber", v.sequence, required=True, at="")
    resource = _resource(envelope)
    branch = "LoyaltyCustomer" if kind == CUSTOMER else "LoyaltyTransaction"
    content = _content(kind, topic, resource, options.fields)
    if received_at is None:
        received_at = _sent_at(webhook.headers, content)
    store = _read(resource, options.fields.store, v.text) or options.store
    if store is None:
        path = f"{p.RESOURCE}.{options.fields.store}"
        raise BadRecord("missing_field", path, "a record needs it, or okendo.store")
    member = _read(resource, p.LOYALTY_CUSTOMER_ID, v.text, required=True)
    check_owner(store, member)
    event_type = f"{kind}.{topic}"
    named = next(filter(None, (webhook.headers.get(name) for name in ID_HEADERS)), None)
    return {
        "event_id": named or f"{kind}:{topic}:{sequence}",
        "type": event_type,
        "sequence": sequence,
        "created": content.get("date") or received_at,
        "received_at": received_at,
        "merchant": store,
        "customer_id": member,
        "kind": "event",
        "object": (f"{NAMESPACE}.{branch}", content),
        "version": _word(envelope.get("version")),
        "raw": webhook.body,
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


def _known(envelope: dict[str, Any]) -> tuple[str, str]:
    """Resource type and topic."""
    kind = _read(envelope, "resourceType", v.text, required=True, at="")
    if kind != CUSTOMER and kind not in POINTS_OF:
        raise BadRecord("unknown_type", "resourceType", "no such loyalty resource is known")
    topic = _read(envelope, "topic", v.text, required=True, at="")
    if topic not in TOPICS:
        raise BadRecord("unknown_type", "topic", "no such topic is known")
    return kind, topic


def _resource(envelope: dict[str, Any]) -> dict[str, Any]:
    resource = envelope.get(p.RESOURCE)
    if resource is None:
        raise BadRecord("missing_field", p.RESOURCE, "a webhook needs it")
    if not isinstance(resource, dict):
        raise BadRecord("wrong_type", p.RESOURCE, "not an object")
    return resource


def _read(
    resource: dict[str, Any],
    path: str,
    read: Callable[[Any], Any],
    *,
    required: bool = False,
    at: str = f"{p.RESOURCE}.",
) -> Any:
    """A field; `at` stands before its path where the path is named."""
    try:
        found = read(value_at(resource, path))
    except (ValueError, OverflowError):
        raise BadRecord("wrong_type", at + path, "the value cannot be read") from None
    if found is None and required:
        raise BadRecord("missing_field", at + path, "a record needs it")
    return found


def _content(kind: str, topic: str, resource: dict[str, Any], fields: FieldPaths) -> dict[str, Any]:
    """The typed form of a resource; a delete needs and tells little."""
    whose = {
        "okendo_customer_id": _read(resource, p.CUSTOMER_ID, v.text),
        "email": _read(resource, p.EMAIL, v.text),
    }
    if kind != CUSTOMER:
        return whose | _transaction(kind, resource, fields, deleted=topic == DELETE)
    return whose if topic == DELETE else whose | _customer(resource, fields)


def _customer(resource: dict[str, Any], fields: FieldPaths) -> dict[str, Any]:
    status = _read(resource, fields.status, v.word, required=True)
    if status not in STATUSES:
        path = f"{p.RESOURCE}.{fields.status}"
        raise BadRecord("unknown_value", path, "no such status is known")
    day = _read(resource, p.BIRTHDAY_DAY, v.small)
    month = _read(resource, fields.birthday_month, v.small, required=day is not None)
    if day is not None and not _is_day(month, day):
        raise BadRecord("wrong_type", f"{p.RESOURCE}.{p.BIRTHDAY_DAY}", "there is no such day")
    return {
        "status": status,
        "tier": _read(resource, fields.tier, v.tier),
        "balance": _read(resource, fields.balance, v.points),
        "enrolled_at": _read(resource, fields.enrolled_at, v.instant),
        "tier_entered_at": _read(resource, fields.tier_entered_at, v.instant),
        "tier_expires_at": _read(resource, fields.tier_expires_at, v.instant),
        "points_expire_at": _read(resource, fields.points_expire_at, v.instant),
        "birthday_month": None if day is None else month,
        "birthday_day": day,
    }


def _is_day(month: int, day: int) -> bool:
    """Whether any year has the day."""
    longest = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    return month <= len(longest) and day <= longest[month - 1]


def _transaction(
    kind: str, resource: dict[str, Any], fields: FieldPaths, *, deleted: bool
) -> dict[str, Any]:
    found = {
        "transaction_id": _read(resource, p.TRANSACTION_ID, v.text, required=True),
        "date": _read(resource, p.DATE, v.instant),
    }
    if deleted:
        return found
    return found | {
        "status": _read(resource, p.TRANSACTION_STATUS, v.word, required=True),
        "amount": _read(resource, p.AMOUNT, v.points, required=True),
        **_told(kind, resource, fields),
    }


def _told(kind: str, resource: dict[str, Any], fields: FieldPaths) -> dict[str, Any]:
    """What a kind of transaction tells beside its amount. An internal reason stays in `raw`."""
    readers: Mapping[str, tuple[tuple[str, str, Callable[[Any], Any]], ...]] = {
        EARNING: (
            ("action", fields.earning_action, v.text),
            ("description", fields.earning_description, v.text),
        ),
        REDEMPTION: (
            ("description", fields.redemption_description, v.text),
            ("coupon_code", fields.coupon_code, v.text),
            ("coupon_description", fields.coupon_description, v.text),
            ("coupon_expires_at", fields.coupon_expires_at, v.instant),
            ("store_credit", fields.store_credit, v.points),
        ),
        ADJUSTMENT: (("description", p.NOTIFICATION_TEXT, v.text),),
    }
    return {name: _read(resource, path, read) for name, path, read in readers[kind]}


def _sent_at(headers: Mapping[str, str], content: dict[str, Any]) -> int:
    """When a webhook was sent, as far as anything says."""
    for name in TIME_HEADERS:
        if (seconds := headers.get(name, "")).isdigit():
            return int(seconds) * 1000
    told = [content.get(name) for name in ("date", "enrolled_at", "tier_entered_at")]
    return max(filter(None, told), default=0)


def _word(value: Any) -> str | None:
    """A label that only accompanies the event: what is none must not sink it."""
    return v.text(value) if isinstance(value, str) else None
