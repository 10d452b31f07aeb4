"""What Yespo's answers mean (contracts/yespo.md §2, §4): a 200 may still have refused some.

`failedOrders` and `failedContacts` list what was refused, one as an object, several as an array.
What is not listed was stored: nobody is spared. The words of an error decide nothing but whether it
is a repetition, and are never kept: they may quote the customer's data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from streams.model.delivery import Accepted, Rejected, Retry, Unauthorized

from .answers import verdict_of
from .yespo_rules import CONTACTS, PAST

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

_REFUSED = Rejected("rejected_by_vendor", named=True)


class _Failure(NamedTuple):
    """A refused record as it is quoted; one that says nothing of `_KEYS` may be anybody's."""

    quoted: Mapping[str, Any]
    repeated: bool

    @property
    def names(self) -> list[str]:
        """Of `_KEYS`, those by which it is quoted."""
        return [key for key in _KEYS if self.quoted.get(key) is not None]

    def concerns(self, sent: Mapping[str, Any]) -> bool:
        """Whether it is this record that is quoted."""
        names = self.names
        return bool(names) and all(_plain(self.quoted[k]) == _plain(sent.get(k)) for k in names)


def classify(requests: Sequence[Request], response: Response) -> list[Verdict]:
    """The verdicts on the records of one call."""
    verdict: Verdict = verdict_of(response)
    if isinstance(verdict, Rejected) and _repeated(response.body):
        return [_landed(request) for request in requests]
    if not isinstance(verdict, Accepted):
        return [verdict] * len(requests)
    document = _document(response.body)
    if document.get("status") == 401:  # a bad key, as contacts have been seen to say it (§2)
        return [Unauthorized("HTTP 401")] * len(requests)
    if requests[0].kind == PAST:
        return _counted(len(requests), document.get("errorCount"))
    return _listed(requests, list(_failures(document)))


def _counted(sent: int, failed: Any) -> list[Verdict]:
    """Of events of the past it is told how many were refused (§3), and not in which form which."""
    if not isinstance(failed, int) or failed <= 0:
        return [Accepted()] * sent
    return [_REFUSED if failed >= sent else Accepted("some_rejected")] * sent


def _listed(requests: Sequence[Request], failures: Sequence[_Failure]) -> list[Verdict]:
    """Who is named is refused; of failures that name nobody it is known whose, or only how many."""
    named = [next((f for f in failures if f.concerns(each.body)), None) for each in requests]
    anonymous = sum(not failure.names for failure in failures)
    others: Verdict = Accepted("some_rejected") if anonymous else Accepted()
    if 0 < named.count(None) <= anonymous:
        others = _REFUSED
    return [
        others if failure is None else _landed(request) if failure.repeated else _REFUSED
        for request, failure in zip(requests, named, strict=True)
    ]


def _landed(request: Request) -> Verdict:
    """What a repetition means: an order is with them, only its answer was lost.

    A contact may have been something else meanwhile (active, inactive, active within a minute), so
    it goes again when the vendor has forgotten the first.
    """
    if request.frame is not None and request.frame.batch == CONTACTS:
        return Retry("repeated", REPEATED_SECONDS)
    return Accepted("repeated")


def _plain(value: Any) -> Any:
    """An id as text; channels in no order, by kind and value."""
    if not isinstance(value, list):
        return str(value)
    return sorted(
        f"{each.get('type')}:{each.get('value')}" for each in value if isinstance(each, dict)
    )


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        document = msgspec.json.decode(body) if body else None
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _failures(document: Mapping[str, Any]) -> Iterator[_Failure]:
    """Each refused record."""
    for name, inner in _LISTS:
        entries = document.get(name) or []
        for entry in entries if isinstance(entries, list) else [entries]:
            if isinstance(entry, dict) and entry:
                quoted = entry.get(inner, entry)
                repeated = _DUPLICATED in str(entry.get("error")).lower()
                yield _Failure(quoted if isinstance(quoted, dict) else {}, repeated)


def _repeated(body: bytes) -> bool:
    return _DUPLICATED in body.decode("utf-8", "replace").lower()
