"""What faults can be matched on in a request to Klaviyo: e-mail, phone, metric, unique_id.

Faults fire before the body is examined, so nothing is taken for granted here: what is not where the
contract puts it is simply absent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.simulators.vendor import Request

__all__ = ["traits_of"]

_IDENTIFIERS = ("email", "phone_number", "external_id")


def traits_of(request: Request) -> list[dict[str, str]]:
    """One mapping for each event or profile of the request, in its order."""
    attributes = _dig(request.document, "data", "attributes")
    groups = _dig(attributes, "events-bulk-create", "data")
    if isinstance(groups, list):
        return [row for group in groups for row in _group(group)]
    profiles = _dig(attributes, "profiles", "data")
    if isinstance(profiles, list):
        return [_named(_dig(profile, "attributes"), _IDENTIFIERS) for profile in profiles]
    owner = _dig(attributes, "profile", "data", "attributes")
    return [_event(attributes, owner if owner is not None else attributes)]


def _group(group: object) -> Iterator[dict[str, str]]:
    owner = _dig(group, "attributes", "profile", "data", "attributes")
    events = _dig(group, "attributes", "events", "data")
    for event in events if isinstance(events, list) else ():
        yield _event(_dig(event, "attributes"), owner)


def _event(attributes: object, owner: object) -> dict[str, str]:
    row = _named(owner, _IDENTIFIERS) | _named(attributes, ("unique_id",))
    metric = _dig(attributes, "metric", "data", "attributes", "name")
    if isinstance(metric, str):
        row["metric"] = metric
    return row


def _named(holder: object, names: tuple[str, ...]) -> dict[str, str]:
    if not isinstance(holder, dict):
        return {}
    return {name: holder[name] for name in names if isinstance(holder.get(name), str)}


def _dig(value: object, *names: str) -> object:
    for name in names:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value
