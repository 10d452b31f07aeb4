"""Klaviyo's entitlement fields: JSON where the page prints Python (seed 001, base payloads)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from streams.model.wording import iso_millis, time_for_people

if TYPE_CHECKING:
    from streams.model.delivery import Options
    from streams.model.enriched import EnrichedEvent, EntitlementView


END_OF_TIME = 253_402_300_799_999
"""The last millisecond of 9999: an access without end has grace without end."""


def entitlement_fields(event: EnrichedEvent, options: Options) -> dict[str, Any]:
    """The four fields; none of them while no entitlement is known.

    Whether one is in its grace period is judged at the event's own time, so that a replay says the
    same.
    """
    known = event.entitlements
    if not known:
        return {}
    fields: dict[str, Any] = {
        "entitlement_summaries": [_summary(each, event) for each in known],
        "has_grace_entitlement": any(_in_grace(each, event.occurred_at) for each in known),
        "has_active_entitlement": any(each.live for each in known),
    }
    ends = [each.expires_at for each in known if each.expires_at is not None]
    if ends:
        fields["meta_entitlement_expires_at"] = time_for_people(max(ends), options.display_zone)
    return fields


def _summary(entitlement: EntitlementView, event: EnrichedEvent) -> dict[str, Any]:
    """One summary with all keys of the page; what is not known is null, as the page prints None."""
    end = entitlement.expires_at
    grace = _grace_end(entitlement)
    return {
        "live": entitlement.live,
        "merchant": event.merchant,
        "identified_product": entitlement.product,
        "resource_name": entitlement.resource_name,
        "expires_at": None if end is None else iso_millis(end),
        "access_type": entitlement.access_type,
        "grace_expires_at": None if grace is None else iso_millis(grace),
        "merchant_user_id": event.customer_id,
        "resource_public_id": entitlement.resource_id,
    }


def _grace_end(entitlement: EntitlementView) -> int | None:
    if entitlement.expires_at is None or not entitlement.grace_period:
        return None
    return min(entitlement.expires_at + entitlement.grace_period * 1000, END_OF_TIME)


def _in_grace(entitlement: EntitlementView, now: int) -> bool:
    end = _grace_end(entitlement)
    return end is not None and (entitlement.expires_at or 0) <= now < end
