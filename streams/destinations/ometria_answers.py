"""What Ometria's answers mean: by status and counts (contracts/ometria.md §2).

`rejected` counts records of a call and names none, so it can be tied to a record only where the
call had one, or refused all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from streams.model.delivery import Accepted, LateErrors, Rejected, Request

from .answers import verdict_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.model.delivery import Response, Verdict


class _Counts(msgspec.Struct):
    """What is read of the body."""

    rejected: int = 0


class _Error(msgspec.Struct):
    """What is read of an entry; its words may quote what was sent."""

    error_path: str = ""


def read_late_errors(response: Response) -> list[str]:
    """The field of each error listed, as a path; none where it is no list."""
    try:
        errors = msgspec.json.decode(response.body, type=list[_Error])
    except (ValueError, RecursionError):
        return []
    return [each.error_path.removeprefix("root").replace(" > ", ".").strip(". ") for each in errors]


LATE_ERRORS = LateErrors(Request("GET", "/v2/push/_errors", {}, {}, "push"), read_late_errors)
"""What was refused after its 202: up to 100, the newest, without an id (contract §2)."""


def classify(requests: Sequence[Request], response: Response) -> list[Verdict]:
    """The verdicts on the records of one call."""
    verdict: Verdict = verdict_of(response)
    if isinstance(verdict, Accepted):
        rejected = _rejected(response.body)
        if rejected >= len(requests):
            verdict = Rejected("rejected_by_vendor")
        elif rejected > 0:
            verdict = Accepted(f"one of {len(requests)}, of which the vendor rejected {rejected}")
    return [verdict for _ in requests]


def _rejected(body: bytes) -> int:
    try:
        return msgspec.json.decode(body, type=_Counts).rejected
    except (ValueError, RecursionError):
        return 0
