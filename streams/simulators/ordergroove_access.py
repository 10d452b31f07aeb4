"""Who may ask the Ordergroove simulator what, and how often.

Contract: contracts/ordergroove.md §2 (Auth A, the limit of an IP address). The statuses but 429 and
423 are assumed, for no page has them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from streams.simulators.ordergroove_errors import Refused
from streams.simulators.ordergroove_kinds import KINDS
from streams.simulators.ordergroove_switches import Key
from streams.simulators.windows import Limit

if TYPE_CHECKING:
    from streams.simulators.ordergroove_kinds import Kind
    from streams.simulators.ordergroove_switches import Switches
    from streams.simulators.vendor import Request

__all__ = ["LIMIT", "Asked", "asked_of", "key_of"]

LIMIT = Limit(6_000, 6_000)
"""A minute; of a single second nothing is said."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for: a list, or the entity with an id."""

    kind: Kind
    id: str | None


def asked_of(request: Request) -> Asked:
    """What a request asks for; raises Refused with 404 or 405."""
    first, *rest = request.path.removeprefix("/").split("/", 1)
    kind = KINDS.get(first)
    if kind is None:
        raise Refused(404, "path", "Not found.")
    if request.method != "GET":
        raise Refused(405, "method", "Use GET: this simulator changes nothing by its API.")
    return Asked(kind, rest[0] if rest else None)


def key_of(request: Request, switches: Switches) -> Key:
    """The request's key; raises Refused with 401."""
    secret = request.headers.get("x-api-key", "").strip()
    known = switches.keys.get(secret) if switches.keys else Key()
    if not secret or known is None:
        raise Refused(401, "key", "Invalid API key.")
    return known
