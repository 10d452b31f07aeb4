"""The four entitlement fields of Klaviyo's subscription and order events, as the demo expects."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from streams.demo.truth import owners

if TYPE_CHECKING:
    from streams.demo.reading import Webhook
    from streams.demo.truth import Truth

Json = dict[str, Any]

_DISPLAY_ZONE = ZoneInfo("America/New_York")


def entitlement_fields(truth: Truth, hook: Webhook, at: int, about: set[str] | None) -> Json:
    """Summaries and what they amount to; nothing where no entitlement belongs here.

    Args:
        truth: the customer.
        hook: the webhook, whose snapshot may tie items to subscriptions.
        at: the event's time, epoch seconds.
        about: the subscriptions that the event is about; None where nobody told, so that it can
            only be about the customer's one subscription.
    """
    tied = {**truth.owners, **owners(hook)}
    only = next(iter(truth.subscriptions)) if len(truth.subscriptions) == 1 else None
    shown: list[tuple[Json, str | None]] = []
    for raw in truth.entitlements.values():
        owner = _owner(raw, tied)
        belongs = only if owner is None else owner
        if belongs is not None and belongs in (
            ({only} if only else set()) if about is None else about
        ):
            shown.append((raw, belongs))
    if not shown:
        return {}
    ends = max(raw["expiration"] for raw, _ in shown)
    return {
        "entitlement_summaries": [_summary(truth, raw, owner) for raw, owner in shown],
        "meta_entitlement_expires_at": datetime.fromtimestamp(ends, _DISPLAY_ZONE).strftime(
            "%B %d, %Y at %I:%M %p"
        ),
        "has_grace_entitlement": any(
            raw["expiration"] <= at < raw["expiration"] + raw["grace_period"] for raw, _ in shown
        ),
        "has_active_entitlement": any(raw["live"] for raw, _ in shown),
    }


def _owner(raw: Json, tied: dict[str, str | None]) -> str | None:
    """The subscription that an entitlement comes from, where that is known."""
    source = raw["entitlement_transaction"]
    if source["source_object"] == "subscription":
        return str(source["source_object_id"])
    return tied.get(source["source_object_id"])


def _summary(truth: Truth, raw: Json, owner: str | None) -> Json:
    grace = raw["grace_period"]
    return {
        "live": raw["live"],
        "merchant": truth.merchant,
        "identified_product": truth.subscriptions.get(str(owner), {}).get("product"),
        "resource_name": raw["resource"]["name"],
        "expires_at": _iso(raw["expiration"]),
        "access_type": raw["access_type"],
        "grace_expires_at": _iso(raw["expiration"] + grace) if grace else None,
        "merchant_user_id": truth.customer,
        "resource_public_id": raw["resource"]["public_id"],
    }


def _iso(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
