"""Attentive, read back: a person's custom attributes, one person a call (contract §3).

Only attributes can be read: neither names nor who else has an address, nor anybody by the shop's
own id. So nothing is compared but what was told as attributes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import msgspec

from streams.model.delivery import Request
from streams.model.rules import Limit
from streams.reconcile.comparing import Expected, Found

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.model.delivery import Response
    from streams.reconcile.comparing import Question

_ENDPOINT: Final = "attributes-custom"
_IDENTIFIERS: Final = ("email", "phone")
_NOBODY: Final = 404


class AttentiveReadBack:
    """How Attentive is asked (`comparing.ReadBack`)."""

    limits = (Limit(_ENDPOINT, 150, 1),)
    batch = 1
    parts = frozenset({"profile"})
    scope = "attributes"

    def expected(self, body: Mapping[str, Any]) -> Expected:
        """An attribute request: who, and what is told."""
        user = body["user"]
        identifiers = {name: user[name] for name in _IDENTIFIERS if name in user}
        return Expected(identifiers, body["properties"])

    def request(self, question: Question) -> Request:
        """The call for one person: `+` in a number is encoded, as the specification asks."""
        [value] = question.values
        path = f"/v1/attributes/custom?{question.by}={quote(value, safe='')}"
        return Request("GET", path, {}, {}, _ENDPOINT)

    def read(self, question: Question, response: Response) -> Mapping[str, Found] | None:
        """The attributes; none at all, or 404, is nobody: the contract does not tell them apart."""
        [value] = question.values
        if response.status == _NOBODY:
            return {}
        try:
            listed = msgspec.json.decode(response.body)
            fields = {each["name"]: each["value"] for each in listed}
        except (msgspec.DecodeError, KeyError, TypeError):
            return None
        if response.status != 200:
            return None
        return {value: Found("", fields)} if fields else {}


ATTENTIVE = AttentiveReadBack()
