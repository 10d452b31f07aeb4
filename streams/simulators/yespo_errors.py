"""Yespo's refusals: of a whole request, or of one order or contact within a request that passes.

Contract: contracts/yespo.md §1 (4xx with optional text), §2 (`failedOrders`, repeated requests).
The wording is our own but for "Duplicated request"; where a request went wrong is told to tests by
the fate (`refused:/orders`), whatever the body is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.simulators.vendor import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.simulators.faults import Fault
    from streams.simulators.yespo_switches import Shape, Switches

__all__ = ["BadRow", "Refused", "fault_answer", "one_or_many", "refused_answer", "repeated"]

_DUPLICATED = "Duplicated request"


class Refused(Exception):
    """The request is refused; `where` is a JSON pointer into the body, or a part of the request."""

    def __init__(self, status: int, where: str, message: str) -> None:
        super().__init__(status)
        self.status = status
        self.where = where
        self.message = message


class BadRow(Exception):
    """One order, contact or event is not acceptable; `where` is a pointer within it."""

    def __init__(self, where: str, message: str) -> None:
        super().__init__(where)
        self.where = where
        self.message = message


def refused_answer(refused: Refused, switches: Switches, wait: int | None = None) -> Answer:
    """The refusal as it is sent, with `Retry-After` where `wait` (seconds) is given."""
    status = refused.status
    headers = {} if wait is None else {"Retry-After": str(wait)}
    shape = switches.unauthorized_body if status == 401 else switches.error_body
    body = _body(status, refused.message, shape)
    return Answer(status, f"refused:{refused.where}", body, headers)


def fault_answer(fault: Fault, switches: Switches) -> Answer:
    """Any status on demand: from 500 on as a web page, and 409 as a repeated request."""
    refused = Refused(fault.status, "fault", "A fault on demand.")
    answer = refused_answer(refused, switches, fault.retry_after)
    if fault.status == 409:
        return Answer(409, answer.fate, _DUPLICATED.encode(), answer.headers)
    if fault.status < 500:
        return answer
    page = f"<html><head><title>{fault.status}</title></head><body></body></html>"
    return Answer(fault.status, answer.fate, page.encode(), answer.headers)


def repeated(rows: int, switches: Switches) -> Answer:
    """What follows a repeated request with so many rows: its text is the only sign (§2)."""
    status = 409 if switches.repeats == "conflict" else 400
    shape: Shape = "json" if switches.error_body == "json" else "text"
    return Answer(
        status, "duplicate", _body(status, _DUPLICATED, shape), fates=["duplicate"] * rows
    )


def one_or_many(rows: Sequence[object], switches: Switches) -> object:
    """A list as Yespo writes it: where it has one entry, the switch may want the entry itself."""
    return rows[0] if len(rows) == 1 and switches.single_failure == "object" else list(rows)


def _body(status: int, message: str, shape: Shape) -> object:
    if shape == "empty":
        return None
    return message.encode() if shape == "text" else {"status": status, "message": message}
