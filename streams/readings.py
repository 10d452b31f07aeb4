"""How each source's webhooks are read to be explained, and what is said of its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from streams.families import MEMBERS, SUBSCRIBERS, Family
from streams.model.member import member_view
from streams.sources import okendo, ordergroove

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.model.member import Member
    from streams.model.subscriber import Subscriber
    from streams.sources.ordergroove import WebhookOptions


class Source(NamedTuple):
    """How one source's bodies are read, and what is said of them.

    Attributes:
        family: the source's way through the pipeline.
        records_of: (body, milliseconds of now, if it tells none) → its records, one but where a
            mapping says otherwise; raises `BadRecord`.
        headline: what the body is called: `event_id` and `type`, as far as they can be read.
        whose: what the row is called.
        standing: what is said of a row.
    """

    family: Family[Any, Any, Any]
    records_of: Callable[[bytes, int], list[dict[str, Any]]]
    headline: Callable[[bytes], dict[str, Any]]
    whose: str
    standing: Callable[[Any], dict[str, Any]]


def ordergroove_source(options: WebhookOptions) -> Source:
    """Ordergroove's webhooks, whose events tell their own time."""

    def records_of(body: bytes, _: int) -> list[dict[str, Any]]:
        return [ordergroove.record_of(body, options=options)]

    return Source(SUBSCRIBERS, records_of, _headline, "subscriber", _subscriber)


def okendo_source(options: okendo.WebhookOptions) -> Source:
    """Okendo's webhooks, a body or a body with its headers; what tells no time comes at once."""

    def records_of(line: bytes, now: int) -> list[dict[str, Any]]:
        webhook = okendo.webhook_of_line(line)
        record = okendo.record_of(webhook, options=options)
        return [record if record["received_at"] else okendo.record_of(webhook, now, options)]

    return Source(MEMBERS, records_of, _loyalty_headline, "member", _member)


def _headline(body: bytes) -> dict[str, Any]:
    """Id and type as far as they can be read."""
    told = _object(body)
    return {"event_id": told.get("id"), "type": told.get("type")}


def _loyalty_headline(line: bytes) -> dict[str, Any]:
    """The message's id, else the sequence number, and resource type and topic."""
    webhook = okendo.webhook_of_line(line)
    told = _object(webhook.body)
    named = webhook.headers.get("svix-id") or webhook.headers.get("webhook-id")
    words = [str(told[name]) for name in ("resourceType", "topic") if told.get(name)]
    return {"event_id": named or told.get("sequenceNumber"), "type": ".".join(words) or None}


def _object(body: bytes) -> dict[str, Any]:
    try:
        envelope = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        envelope = None
    return envelope if isinstance(envelope, dict) else {}


def _member(row: Member) -> dict[str, Any]:
    return {"version": row.version, **msgspec.structs.asdict(member_view(row))}


def _subscriber(row: Subscriber) -> dict[str, Any]:
    return {
        "status": row.status,
        "active_subscriptions": row.active,
        "total_subscriptions": row.total,
        "ever_subscribed": row.ever_subscribed,
    }
