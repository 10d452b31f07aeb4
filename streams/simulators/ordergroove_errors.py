"""Ordergroove's refusals, and what goes wrong on demand.

Contract: contracts/ordergroove.md §2: callers shall judge by the status alone, for messages change.
The wording is our own; where a request went wrong is told to tests by the fate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.simulators.vendor import Answer

if TYPE_CHECKING:
    from streams.simulators.faults import Fault

__all__ = ["Refused", "fault_answer", "refused_answer"]


class Refused(Exception):
    """The request is refused; `where` is the part of it that is wrong."""

    def __init__(self, status: int, where: str, message: str) -> None:
        super().__init__(status)
        self.status = status
        self.where = where
        self.message = message


def refused_answer(refused: Refused, wait: int | None = None) -> Answer:
    """The refusal as it is sent, with `Retry-After` where `wait` (seconds) is given."""
    headers = {} if wait is None else {"Retry-After": str(wait)}
    body = {"detail": refused.message}
    return Answer(refused.status, f"refused:{refused.where}", body, headers)


def fault_answer(fault: Fault) -> Answer:
    """Any status on demand; from 500 on as a web page, as what stands in front of the API sends."""
    words = {
        423: "The resource is locked by a concurrent operation.",
        429: "Request was throttled.",
    }
    refused = Refused(fault.status, "fault", words.get(fault.status, "A fault on demand."))
    answer = refused_answer(refused, fault.retry_after)
    if fault.status < 500:
        return answer
    page = f"<html><head><title>{fault.status}</title></head><body></body></html>"
    return Answer(fault.status, answer.fate, page.encode(), answer.headers)
