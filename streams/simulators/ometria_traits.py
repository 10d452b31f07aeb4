"""What faults can be matched on in a push to Ometria: each record's id, type, event type, e-mail.

The places are those of contracts/ometria.md §3 and §4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.simulators.traits import texts

if TYPE_CHECKING:
    from streams.simulators.vendor import Request

__all__ = ["traits_of"]

_NAMES = {"@type": "type", "identity_email": "email"}
"""What a trait is called where it is not called as the field."""


def traits_of(request: Request) -> list[dict[str, str]]:
    """One mapping for each record."""
    if not isinstance(request.document, list):
        return []
    return [_traits(record) for record in request.document]


def _traits(record: object) -> dict[str, str]:
    found = texts(record, ("id", "@type", "event_type", "email", "identity_email"))
    return {_NAMES.get(name, name): value for name, value in found.items()}
