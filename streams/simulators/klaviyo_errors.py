"""Klaviyo's refusals: error bodies in the form of JSON:API, each with a pointer to its cause.

Contract: contracts/klaviyo.md §6. The codes are those seen in the wild; `authentication_failed`,
`permission_denied` and `parse_error` are guesses in the same style. Senders must go by status and
pointer, so the wording of titles and details is our own.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from streams.simulators.vendor import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from streams.simulators.faults import Fault

__all__ = ["Problem", "Refused", "fault_answer", "refuse", "throttled"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a request, and where."""

    pointer: str
    """A JSON pointer into the body, or the name of a query parameter (without a slash)."""
    detail: str
    code: str = "invalid"
    title: str = "Invalid input."
    meta: Mapping[str, object] = field(default_factory=dict)


class Refused(Exception):
    """The request is refused as a whole."""

    def __init__(self, status: int, problems: Sequence[Problem]) -> None:
        super().__init__(status)
        self.status = status
        self.problems = problems

    def answer(self) -> Answer:
        """The refusal as it is sent; its fate names the first pointer."""
        errors = [_error(self.status, problem) for problem in self.problems]
        return Answer(self.status, f"refused:{self.problems[0].pointer}", {"errors": errors})


def refuse(status: int, code: str, detail: str, pointer: str = "/data/") -> Refused:
    """A refusal for one reason outside the body's fields."""
    return Refused(status, [Problem(pointer, detail, code, _TITLES.get(status, "Invalid input."))])


def throttled(wait: int | None) -> Answer:
    """429 with `Retry-After`, or, where `wait` is None, in the form seen without it (§6)."""
    seconds = wait or 0
    unit = "second" if seconds == 1 else "seconds"
    detail = f"Request was throttled. Expected available in {seconds} {unit}."
    refusal = refuse(429, "throttled", detail).answer()
    headers = {} if wait is None else {"Retry-After": str(wait)}
    return Answer(429, refusal.fate, refusal.body, headers)


def fault_answer(fault: Fault) -> Answer:
    """Any status on demand: in Klaviyo's words, or, for its gateway's statuses, as a web page."""
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    if fault.status == 429:
        return throttled(fault.retry_after)
    if fault.status in _GATEWAY:
        page = f"<html><head><title>{fault.status}</title></head><body></body></html>"
        return Answer(fault.status, "refused:/data/", page.encode(), headers)
    code = _CODES.get(fault.status, "error")
    title = _TITLES.get(fault.status, "Error.")
    meta = {"duplicate_profile_id": "01SIMULATEDDUPLICATE000000"} if fault.status == 409 else {}
    problem = Problem("/data/", "A fault on demand.", code, title, meta)
    refusal = Refused(fault.status, [problem]).answer()
    return Answer(fault.status, refusal.fate, refusal.body, headers)


def _error(status: int, problem: Problem) -> dict[str, object]:
    where = "pointer" if problem.pointer.startswith("/") else "parameter"
    return {
        "id": str(uuid.uuid4()),
        "status": status,
        "code": problem.code,
        "title": problem.title,
        "detail": problem.detail,
        "source": {where: problem.pointer},
        "links": {},
        "meta": dict(problem.meta),
    }


_GATEWAY = frozenset({502, 504, 524})
"""What the network in front of Klaviyo answers by itself (§6: 524 is Cloudflare's)."""

_CODES = {
    400: "invalid",
    401: "not_authenticated",
    403: "permission_denied",
    404: "not_found",
    409: "duplicate_profile",
    503: "service_unavailable",
}

_TITLES = {
    401: "Authentication credentials were not provided or are wrong.",
    403: "You do not have permission to perform this action.",
    404: "Not found.",
    405: "Method not allowed.",
    409: "Conflict.",
    410: "Revision retired.",
    413: "Payload too large.",
    415: "Unsupported media type.",
    429: "Request was throttled.",
    500: "Internal server error.",
    503: "Service unavailable.",
}
