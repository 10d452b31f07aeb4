"""Klaviyo, read back: `GET /api/profiles` with a filter, a hundred profiles a call at most.

contracts/klaviyo.md §1 (headers, revision) and §6 (errors); the endpoint's own filters, page size,
scope and rates are the OpenAPI specification's (get_profiles, revision 2026-04-15).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import msgspec

from streams.model.delivery import Request
from streams.model.rules import Limit
from streams.reconcile.comparing import Expected, Found

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.model.delivery import Response
    from streams.reconcile.comparing import Question

_REVISION: Final = "2026-07-15"
_ENDPOINT: Final = "profiles"
_IDENTIFIERS: Final = ("email", "phone_number")
_PLAIN: Final = (*_IDENTIFIERS, "first_name", "last_name")
_FIELDS: Final = ",".join((*_PLAIN, "properties"))
_PAGE: Final = 100
_HEADERS: Mapping[str, str] = MappingProxyType(
    {"accept": "application/vnd.api+json", "revision": _REVISION}
)


class KlaviyoReadBack:
    """How Klaviyo is asked (`comparing.ReadBack`)."""

    limits = (Limit(_ENDPOINT, 75, 1), Limit(_ENDPOINT, 750, 60))
    batch = 50
    """A page has twice as many, and an address in a URL may take three times its length."""
    parts = frozenset({"event", "profile"})
    scope = "profiles:read"

    def expected(self, body: Mapping[str, Any]) -> Expected:
        """The resource of a profile-import, or one of a job's: identifiers, names, properties."""
        attributes = body.get("data", body)["attributes"]
        fields = {name: attributes[name] for name in _PLAIN if name in attributes}
        identifiers = {str(name): fields[name] for name in _IDENTIFIERS if name in fields}
        return Expected(identifiers, fields | attributes.get("properties", {}))

    def request(self, question: Question) -> Request:
        """One call for all of these values."""
        listed = msgspec.json.encode(question.values).decode()
        asked = {
            "filter": f"any({question.by},{listed})",
            "fields[profile]": _FIELDS,
            "page[size]": str(_PAGE),
        }
        path = f"/api/profiles?{urlencode(asked)}"
        return Request("GET", path, _HEADERS, {}, _ENDPOINT)

    def read(self, question: Question, response: Response) -> Mapping[str, Found] | None:
        """The profiles of a page, each under the value that was asked for."""
        try:
            document = msgspec.json.decode(response.body)
            profiles = [(each["id"], each["attributes"]) for each in document["data"]]
            people = [(_found(id_, told), told.get(question.by)) for id_, told in profiles]
        except (msgspec.DecodeError, KeyError, TypeError, AttributeError):
            return None
        if response.status != 200:
            return None
        by = {_folded(question.by, value): found for found, value in people if value is not None}
        asked = {value: by.get(_folded(question.by, value)) for value in question.values}
        return {value: found for value, found in asked.items() if found is not None}


def _found(id_: str, attributes: Mapping[str, Any]) -> Found:
    plain = {name: attributes.get(name) for name in _PLAIN}
    return Found(id_, plain | (attributes.get("properties") or {}))


def _folded(by: str, value: str) -> str:
    return value.casefold() if by == "email" else value


KLAVIYO = KlaviyoReadBack()
