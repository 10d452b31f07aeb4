"""How a request to Attentive names a person: read and examined.

Contract: contracts/attentive.md §2 (`user`: what it may have, E.164, lengths), §3 (`?email=` or
`?phone=`), pitfalls 3 and 4 (shapes that others get wrong).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.simulators.attentive_errors import Refused
from streams.simulators.shapes import JSON, PhoneCheck, email_fits, phone_fits

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

__all__ = ["ADDRESSES", "Identifiers", "read_asked_user", "read_user"]

Identifiers = dict[str, str]
"""What names a person, in the order of the specification: `phone`, `email`, `clientUserId`, and
`customIdentifiers.NAME`."""

ADDRESSES = ("phone", "email")
"""What Attentive can write to; other identifiers must be tied to one of these (§2)."""

_LONGEST = 100  # characters, of e-mail addresses and ids


def read_user(value: object, check: PhoneCheck) -> Identifiers:
    """The identifiers of `user`; raises Refused with 400."""
    user = _object(value, "/user", {"phone", "email", "externalIdentifiers"})
    found = _read_addresses(user, "/user/", check)
    if "externalIdentifiers" in user:
        found |= _read_external(user["externalIdentifiers"], "/user/externalIdentifiers")
    return found


def read_asked_user(query: Mapping[str, str], check: PhoneCheck) -> Identifiers:
    """The one identifier of a query; raises Refused with 400 for none, both, or a wrong one."""
    named = [name for name in ADDRESSES if name in query]
    if len(named) != 1:
        raise Refused(400, "query", "Give either an email or a phone.")
    return _read_addresses(query, "", check)


def _read_addresses(holder: Mapping[str, object], pointer: str, check: PhoneCheck) -> Identifiers:
    found: Identifiers = {}
    if "phone" in holder:
        phone = holder["phone"]
        if not isinstance(phone, str) or not phone_fits(phone, check):
            raise Refused(400, f"{pointer}phone", "invalid phone")
        found["phone"] = phone
    if "email" in holder:
        email = _text(holder["email"], f"{pointer}email")
        if not email_fits(email):
            raise Refused(400, f"{pointer}email", "invalid email")
        found["email"] = email
    return found


def _read_external(value: object, pointer: str) -> Identifiers:
    external = _object(value, pointer, {"clientUserId", "customIdentifiers"})
    found: Identifiers = {}
    if "clientUserId" in external:
        found["clientUserId"] = _text(external["clientUserId"], f"{pointer}/clientUserId")
    if "customIdentifiers" not in external:
        return found
    pointer = f"{pointer}/customIdentifiers"
    listed = external["customIdentifiers"]
    if not isinstance(listed, list) or not listed:
        raise Refused(400, pointer, "Must be a list of names and values.")
    for number, each in enumerate(listed):
        place = f"{pointer}/{number}"
        custom = _object(each, place, {"name", "value"})
        name = _text(custom.get("name"), f"{place}/name")
        found[f"customIdentifiers.{name}"] = _text(custom.get("value"), f"{place}/value")
    return found


def _object(value: object, pointer: str, known: AbstractSet[str]) -> JSON:
    """An object that has something, and nothing but what is known."""
    if not isinstance(value, dict) or not value:
        raise Refused(400, pointer, "Must be an object with at least one field.")
    for name in value:
        if name not in known:
            raise Refused(400, f"{pointer}/{name}", "There is no such field.")
    return value


def _text(value: object, pointer: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
        raise Refused(400, pointer, f"Must be a text of 1 to {_LONGEST} characters.")
    return value
