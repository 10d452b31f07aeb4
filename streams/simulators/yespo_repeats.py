"""Requests that the simulated Yespo has just answered, so that it knows a repeated one.

Contract: contracts/yespo.md §2 and pitfall 3: an identical request within a minute is refused, also
where the first one's answer was lost. Spaces and line breaks between JSON's parts are not seen.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from streams.simulators.vendor import Request
    from streams.simulators.yespo_switches import Switches

__all__ = ["Repeats"]

_SINGLE = "/api/v1/contact"
_ALL = frozenset({"/api/v1/orders", "/api/v1/contacts", _SINGLE})


class Repeats:
    """The requests that were answered with success, by their account, path and body."""

    def __init__(self) -> None:
        self._answered: dict[bytes, float] = {}  # in order of time

    def knows(self, request: Request, account: str, switches: Switches) -> bool:
        """Whether the same was answered a moment ago."""
        if not _is_watched(request, switches):
            return False
        self._forget(request.at - switches.repeat_seconds)
        return _digest(request, account) in self._answered

    def remember(self, request: Request, account: str, switches: Switches) -> None:
        """Note a request that was answered with success, also if rows of it failed."""
        if _is_watched(request, switches):
            digest = _digest(request, account)
            self._answered.pop(digest, None)
            self._answered[digest] = request.at

    def _forget(self, until: float) -> None:
        while self._answered:
            digest = next(iter(self._answered))
            if self._answered[digest] > until:
                break
            del self._answered[digest]


def _is_watched(request: Request, switches: Switches) -> bool:
    paths = _ALL if switches.repeats_of == "orders_and_contacts" else {_SINGLE}
    return switches.repeats != "off" and request.path in paths


def _digest(request: Request, account: str) -> bytes:
    told = msgspec.json.encode([account, request.path, request.document])
    return hashlib.sha256(told).digest()
