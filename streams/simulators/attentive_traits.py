"""What faults can be matched on in a request to Attentive: its person, type and externalEventId.

The places are those of contracts/attentive.md §2 and §3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.simulators.traits import dig, texts

if TYPE_CHECKING:
    from streams.simulators.vendor import Request

__all__ = ["traits_of"]

_ADDRESSES = ("phone", "email")


def traits_of(request: Request) -> list[dict[str, str]]:
    """The one mapping of a request."""
    user = dig(request.document, "user")
    return [
        texts(request.query, _ADDRESSES)
        | texts(user, _ADDRESSES)
        | texts(dig(user, "externalIdentifiers"), ("clientUserId",))
        | texts(request.document, ("type", "externalEventId"))
    ]
