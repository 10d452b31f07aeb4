"""What faults can be matched on in a request to Klaviyo: e-mail, phone, metric, unique_id.

The places are those of contracts/klaviyo.md §2 to §5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.simulators.traits import dig, texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.simulators.vendor import Request

__all__ = ["traits_of"]

_IDENTIFIERS = ("email", "phone_number", "external_id")


def traits_of(request: Request) -> list[dict[str, str]]:
    """One mapping for each event or profile of the request, in its order."""
    attributes = dig(request.document, "data", "attributes")
    groups = dig(attributes, "events-bulk-create", "data")
    if isinstance(groups, list):
        return [row for group in groups for row in _group(group)]
    profiles = dig(attributes, "profiles", "data")
    if isinstance(profiles, list):
        return [texts(dig(profile, "attributes"), _IDENTIFIERS) for profile in profiles]
    owner = dig(attributes, "profile", "data", "attributes")
    return [_event(attributes, owner if owner is not None else attributes)]


def _group(group: object) -> Iterator[dict[str, str]]:
    owner = dig(group, "attributes", "profile", "data", "attributes")
    events = dig(group, "attributes", "events", "data")
    for event in events if isinstance(events, list) else ():
        yield _event(dig(event, "attributes"), owner)


def _event(attributes: object, owner: object) -> dict[str, str]:
    row = texts(owner, _IDENTIFIERS) | texts(attributes, ("unique_id",))
    metric = dig(attributes, "metric", "data", "attributes", "name")
    if isinstance(metric, str):
        row["metric"] = metric
    return row
