"""What Ometria's answers mean: by status and counts (contracts/ometria.md §2).

`rejected` counts records of a call and names none, so it can be tied to a record only where the
call had one, or refused all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from streams.model.delivery import Accepted, LateError, LateErrors, Rejected, Request

from .answers import verdict_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.model.delivery import Response, Verdict


class _Counts(msgspec.Struct):
    """What is read of the body."""

    rejected: int = 0


class _Error(msgspec.Struct):
    """What is read of an entry; its words may quote what was sent.

    No page knows an `id` there (contract §2). Should one come, it can only be the record's own.
    """

    error_path: str = ""
    id: Any = None


def read_late_errors(response: Response) -> list[LateError]:
    """Each error listed, its field as a path; none where it is no list."""
    try:
        errors = msgspec.json.decode(response.body, type=list[_Error])
    except (ValueError, RecursionError):
        return []
    return [LateError(_path(each.error_path), _id(each.id)) for each in errors]


def _path(told: str) -> str:
    return told.removeprefix("root").replace(" > ", ".").strip(". ")


def _record(request: Request) -> str | None:
    """A record's own id: an event's is its delivery's, a contact's the customer's (§3, §4)."""
    return _id(request.body.get("id"))


def _id(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


LATE_ERRORS = LateErrors(
    Request("GET", "/v2/push/_errors", {}, {}, "push"), read_late_errors, _record
)
"""What was refused after its 202: up to 100, the newest, as documented without an id (§2)."""


def classify(requests: Sequence[Request], response: Response) -> list[Verdict]:
    """The verdicts on the records of one call."""
    verdict: Verdict = verdict_of(response)
    if isinstance(verdict, Accepted):
        rejected = _rejected(response.body)
        if rejected >= len(requests):
            verdict = Rejected("rejected_by_vendor")
        elif rejected > 0:
            verdict = Accepted("some_rejected")  # how many of how many is in the excerpt
    return [verdict for _ in requests]


def _rejected(body: bytes) -> int:
    try:
        return msgspec.json.decode(body, type=_Counts).rejected
    except (ValueError, RecursionError):
        return 0
