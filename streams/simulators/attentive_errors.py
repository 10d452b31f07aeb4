"""Attentive's refusals: a status, and a body of which nobody knows the shape.

Contract: contracts/attentive.md §6. Senders must go by the status, so the wording is our own; where
a request went wrong is told to tests by the fate (`refused:/user/phone`), whatever the body is.
"""

from __future__ import annotations

import zlib
from itertools import cycle
from typing import TYPE_CHECKING

from streams.simulators.vendor import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.simulators.attentive_switches import Shape, Switches

__all__ = ["Errors", "Refused"]

_ROTATION: tuple[Shape, ...] = ("object", "text", "empty")


class Refused(Exception):
    """The request is refused; `where` is a JSON pointer into the body, or a part of the request."""

    def __init__(self, status: int, where: str, message: str) -> None:
        super().__init__(status)
        self.status = status
        self.where = where
        self.message = message


class Errors:
    """Makes answers of refusals, in the shapes that the switches ask for."""

    def __init__(self) -> None:
        self._rotation = cycle(_ROTATION)

    def answer(
        self, refused: Refused, switches: Switches, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """The refusal as it is sent."""
        shape = self._shape(refused.status, switches)
        fate = f"refused:{refused.where}"
        return Answer(refused.status, fate, _body(refused, shape), headers or {})

    def _shape(self, status: int, switches: Switches) -> Shape:
        if status == 429:
            return switches.throttle_body
        if switches.error_body != "rotate":
            return switches.error_body
        return "html" if status >= 500 else next(self._rotation)


def _body(refused: Refused, shape: Shape) -> object:
    if shape == "empty":
        return None
    if shape == "html":
        page = f"<html><head><title>{refused.status}</title></head><body></body></html>"
        return page.encode()
    if shape == "text":
        return {"error": refused.message}
    number = zlib.crc32(refused.where.encode())  # an id: the same for the same cause
    return {"error": {"id": number, "message": refused.message}}
