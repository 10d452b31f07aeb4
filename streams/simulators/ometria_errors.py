"""Ometria's refusals of whole requests: a status, and a body of which nobody knows the shape.

Contract: contracts/ometria.md §2. Senders must go by the status, so the wording is our own; where a
request went wrong is told to tests by the fate (`refused:/3`), whatever the body is.
"""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

from streams.simulators.vendor import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.simulators.ometria_switches import Shape, Switches

__all__ = ["Errors", "Refused"]

_ROTATION: tuple[Shape, ...] = ("object", "empty")


class Refused(Exception):
    """The request is refused; `where` is a JSON pointer into the body, or a part of the request.

    `documented` says that the wording is the vendor's own, so that the body must have it.
    """

    def __init__(
        self,
        status: int,
        where: str,
        message: str,
        headers: Mapping[str, str] | None = None,
        *,
        documented: bool = False,
    ) -> None:
        super().__init__(status)
        self.status = status
        self.where = where
        self.message = message
        self.headers = headers or {}
        self.documented = documented


class Errors:
    """Makes answers of refusals, in the shapes that the switches ask for."""

    def __init__(self) -> None:
        self._rotation = cycle(_ROTATION)

    def answer(self, refused: Refused, switches: Switches) -> Answer:
        """The refusal as it is sent."""
        shape = "object" if refused.documented else self._shape(refused.status, switches)
        body = _body(refused, shape)
        return Answer(refused.status, f"refused:{refused.where}", body, refused.headers)

    def _shape(self, status: int, switches: Switches) -> Shape:
        if switches.error_body != "rotate":
            return switches.error_body
        return "html" if status >= 500 else next(self._rotation)


def _body(refused: Refused, shape: Shape) -> object:
    if shape == "empty":
        return None
    if shape == "html":
        page = f"<html><head><title>{refused.status}</title></head><body></body></html>"
        return page.encode()
    return {"error_message": refused.message}
