"""What Yespo's answers mean (contracts/yespo.md §2, §4): a 200 may still have refused some.

`failedOrders` and `failedContacts` list what was refused, one as an object, several as an array.
The words of an error are never kept: they may quote the customer's data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from streams.model.delivery import Accepted, Rejected, Retry

from .answers import verdict_of
from .yespo_rules import CONTACTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from streams.model.delivery import Request, Response, Verdict

_DUPLICATED = "duplicated request"
"""Part of the answer to a request that is equal to one of the last minute (pitfall 3)."""

REPEATED_SECONDS = 61.0
"""A little more than the minute in which the vendor takes an equal request for the same (§4)."""

_LISTS = (("failedOrders", "order"), ("failedContacts", "contact"))
"""Where refused records are listed, and the record's own name in such an entry."""

_KEYS = ("externalOrderId", "status", "externalCustomerId", "channels")
"""What an entry and the record that we sent must agree on, as far as the entry says. A contact may
be quoted by its channels alone."""


def classify(requests: Sequence[Request], response: Response) -> list[Verdict]:
    """The verdicts on the records of one call."""
    verdict: Verdict = verdict_of(response)
    if isinstance(verdict, Rejected) and _repeated(response.body):
        return [_landed(request) for request in requests]
    if not isinstance(verdict, Accepted):
        return [verdict for _ in requests]
    failed = list(_failed(response.body))
    return [_of(request, failed) or verdict for request in requests]


def _landed(request: Request) -> Verdict:
    """What a repetition means: an order is with them, only its answer was lost.

    A contact may have been something else meanwhile (active, inactive, active within a minute), so
    it goes again when the vendor has forgotten the first.
    """
    if request.frame is not None and request.frame.batch == CONTACTS:
        return Retry("repeated", REPEATED_SECONDS)
    return Accepted("repeated")


def _of(request: Request, failed: Sequence[tuple[Any, bool]]) -> Verdict | None:
    """What is said of a record that was sent; None where nothing is."""
    for entry, repeated in failed:
        if isinstance(entry, dict) and _same(entry, request.body):
            return _landed(request) if repeated else Rejected("rejected_by_vendor")
    return None


def _same(entry: Mapping[str, Any], sent: Mapping[str, Any]) -> bool:
    told = [key for key in _KEYS if entry.get(key) is not None]
    return bool(told) and all(_plain(entry[key]) == _plain(sent.get(key)) for key in told)


def _plain(value: Any) -> Any:
    """An id as text; channels in no order, by kind and value."""
    if not isinstance(value, list):
        return str(value)
    return sorted(
        f"{each.get('type')}:{each.get('value')}" for each in value if isinstance(each, dict)
    )


def _failed(body: bytes) -> Iterator[tuple[Any, bool]]:
    """Each refused record as it is quoted, and whether it was only a repetition."""
    try:
        document = msgspec.json.decode(body) if body else None
    except (ValueError, RecursionError):
        return
    if not isinstance(document, dict):
        return
    for name, inner in _LISTS:
        entries = document.get(name) or []
        for entry in entries if isinstance(entries, list) else [entries]:
            if isinstance(entry, dict):
                yield entry.get(inner, entry), _DUPLICATED in str(entry.get("error")).lower()


def _repeated(body: bytes) -> bool:
    return _DUPLICATED in body.decode("utf-8", "replace").lower()
