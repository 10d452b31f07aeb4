"""Profiles read back from the simulated Klaviyo: `GET /api/profiles`, page by page.

The OpenAPI specification's get_profiles (revision 2026-04-15): filters `equals` and `any` on id,
email, phone_number and external_id; `page[size]` 1 to 100, 20 by default; `page[cursor]`;
`fields[profile]`. How many values `any` may list is not published: here, no more than a page holds.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from streams.simulators.klaviyo_errors import Problem, Refused
from streams.simulators.klaviyo_imports import SITE, profile_resource
from streams.simulators.klaviyo_profile_rows import ProfileRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from streams.simulators.changes import Change
    from streams.simulators.klaviyo_profiles import Profile, Profiles
    from streams.simulators.shapes import JSON

__all__ = ["change_profiles", "profiles_page"]

_PATH = f"{SITE}/api/profiles"
_DEFAULT, _MOST = 20, 100
_FILTER = re.compile(r"(any|equals)\((\w+),(.+)\)", re.DOTALL)
_FIELDS = frozenset({"id", "email", "phone_number", "external_id"})
_KNOWN = frozenset({"filter", "page[size]", "page[cursor]", "fields[profile]"})
_ATTRIBUTES = frozenset(
    {"email", "phone_number", "external_id", "first_name", "last_name", "organization", "locale",
     "title", "image", "location", "properties", "created", "updated"}
)  # fmt: skip


def profiles_page(query: Mapping[str, str], profiles: Profiles) -> JSON:
    """One page of the profiles that a query asks for; raises Refused with 400."""
    for name in query:
        if name not in _KNOWN:
            raise _refuse(name, "Not a parameter of this endpoint.")
    found = _chosen(query.get("filter"), profiles)
    size = _number(query, "page[size]", _DEFAULT, range(1, _MOST + 1))
    start = _number(query, "page[cursor]", 0, range(len(found) + 1))
    more = start + size < len(found)
    following = f"{_PATH}?page[cursor]={start + size}&page[size]={size}" if more else None
    names = _names(query.get("fields[profile]"))
    return {
        "data": [_sparse(profile, names) for profile in found[start : start + size]],
        "links": {"self": _PATH, "next": following, "prev": None},
    }


def change_profiles(profiles: Profiles, changes: Sequence[Change], at: float) -> None:
    """Change profiles as somebody in Klaviyo would; raises ValueError where there is nobody."""
    people = [_whose(profiles, each) for each in changes]
    for profile, each in zip(people, changes, strict=True):
        if each.gone:
            profiles.delete("id", profile.id)
            continue
        named = {name: value for name, value in each.set.items() if name in _FIELDS - {"id"}}
        fields: JSON = {name: value for name, value in each.set.items() if name not in named}
        row = ProfileRow(id=profile.id, identifiers=named, fields=fields)
        row.properties = dict(each.properties)
        profiles.upsert(row, at)


def _whose(profiles: Profiles, change: Change) -> Profile:
    [(name, value)] = change.who.items()
    profile = profiles.get(value) if name == "id" else profiles.owner(name, value)
    if profile is None:
        raise ValueError(f"who: no profile has this {name}")
    return profile


def _chosen(told: str | None, profiles: Profiles) -> list[Profile]:
    if told is None:
        return list(profiles)
    parts = _FILTER.fullmatch(told)
    if parts is None or parts[2] not in _FIELDS:
        raise _refuse("filter", "Not a filter that this endpoint allows.")
    try:
        if parts[1] == "any":
            listed = msgspec.json.decode(parts[3], type=list[str])
        else:
            listed = [msgspec.json.decode(parts[3], type=str)]
    except msgspec.DecodeError:
        raise _refuse("filter", "The argument is not what the operator takes.") from None
    if not 1 <= len(listed) <= _MOST:
        raise _refuse("filter", f"List 1 to {_MOST} values.")
    return _owners(profiles, parts[2], listed)


def _owners(profiles: Profiles, name: str, values: Iterable[str]) -> list[Profile]:
    owners = [profiles.get(v) if name == "id" else profiles.owner(name, v) for v in values]
    return list({each.id: each for each in owners if each is not None}.values())


def _names(told: str | None) -> frozenset[str]:
    names = _ATTRIBUTES if told is None else frozenset(told.split(","))
    if not names <= _ATTRIBUTES:
        raise _refuse("fields[profile]", "Not a field of a profile.")
    return names


def _sparse(profile: Profile, names: frozenset[str]) -> JSON:
    """The fields that were asked for; those without a value are null."""
    resource = profile_resource(profile)
    attributes = resource["attributes"]
    known = attributes if isinstance(attributes, dict) else {}
    return {**resource, "attributes": {name: known.get(name) for name in sorted(names)}}


def _number(query: Mapping[str, str], name: str, default: int, allowed: range) -> int:
    text = query.get(name, str(default))
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) not in allowed:
        raise _refuse(name, f"Must be {allowed[0]} to {allowed[-1]}.")
    return int(text)


def _refuse(parameter: str, detail: str) -> Refused:
    return Refused(400, [Problem(parameter, detail)])
