"""4 route: which connections a fact goes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from streams.model.fact import CUSTOMER_ERASED, PROFILE_CHANGED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from streams.model.fact import Fact


class Route(msgspec.Struct, frozen=True):
    """What one connection takes: event types, and merchants (None: all)."""

    connection: str
    takes: frozenset[str]
    merchants: frozenset[str] | None = None


def route(
    facts: Iterable[Fact], merchant: str, routes: Sequence[Route]
) -> list[tuple[Fact, tuple[str, ...]]]:
    """Each fact with its connections, in order.

    `profile.changed` goes to those that get no other event of the same record, since each event
    carries the profile: so a profile never depends on which event types a destination takes. Where
    nobody needs it, it is not an event at all. `customer.erased` goes to all.
    """
    mine = [r for r in routes if r.merchants is None or merchant in r.merchants]
    served: set[str] = set()
    out = []
    for fact in facts:
        if fact.withheld is not None:
            to: tuple[str, ...] = ()
        elif fact.type == PROFILE_CHANGED:
            to = tuple(r.connection for r in mine if r.connection not in served)
            if not to:
                continue
        elif fact.type == CUSTOMER_ERASED:
            to = tuple(r.connection for r in mine)
        else:
            to = tuple([r.connection for r in mine if fact.type in r.takes])
            served.update(to)
        out.append((fact, to))
    return out
