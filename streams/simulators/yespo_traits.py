"""What faults can be matched on in a request to Yespo: order, status, customer, type of event.

The places are those of contracts/yespo.md §2 to §4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.simulators.traits import dig, texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from streams.simulators.vendor import Request

__all__ = ["traits_of"]

_CUSTOMER = ("externalCustomerId", "email")
_ORDER = ("externalOrderId", "status", *_CUSTOMER)
_EVENT = ("eventTypeKey", "keyValue")


def traits_of(request: Request) -> list[dict[str, str]]:
    """One mapping for each order, contact or event of the request, in its order."""
    document = request.document
    for name, read in (("orders", _order), ("contacts", _contact), ("events", _event)):
        rows = dig(document, name)
        if isinstance(rows, list):
            return [read(row) for row in rows]
    return [_event(document) | _contact(document)]


def _event(row: object) -> dict[str, str]:
    pairs = dict(_pairs(dig(row, "params"), "name"))
    return texts(pairs, _CUSTOMER) | texts(row, _EVENT)


def _order(row: object) -> dict[str, str]:
    return texts(row, _ORDER)


def _contact(row: object) -> dict[str, str]:
    channels = dict(_pairs(dig(row, "channels"), "type"))
    return texts(row, ("externalCustomerId",)) | texts(channels, ("email",))


def _pairs(rows: object, key: str) -> Iterator[tuple[str, object]]:
    """Names and values of a list of objects that have both."""
    listed: Iterable[object] = rows if isinstance(rows, list) else ()
    for row in listed:
        name = dig(row, key)
        if isinstance(name, str):
            yield name, dig(row, "value")
