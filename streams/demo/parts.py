"""What the demo's bookkeeping expects of one delivery: its parts, what becomes of each, its calls.

`klaviyo_bodies` and `attentive_bodies` write them, `ledger` keeps them, `compare` and `verdicts`
hold what happened beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.demo.conclusions import Fact
    from streams.demo.truth import Truth

Json = dict[str, Any]


class Call(NamedTuple):
    """A request: path and JSON body."""

    path: str
    body: Json


@dataclass(frozen=True)
class Part:
    """One part of a delivery.

    `name`: event or profile; `outcome` and `reason` as the outcomes topic words them; `call`: what
    is sent, if anything is; `fresh_until`: sent later than this (epoch milliseconds), a `delivered`
    is a `delivered_no_trigger`.
    """

    name: str
    outcome: str
    reason: str | None = None
    call: Call | None = None
    fresh_until: int | None = None


class Labels(NamedTuple):
    """What a request that arrived is known by.

    `identity`: the event's id, None for a profile call; `contacts`: e-mail and phone, as far as
    told.
    """

    identity: str | None
    contacts: tuple[str, ...]


@dataclass(frozen=True)
class Vendor:
    """What the bookkeeping knows of a vendor.

    `takes`: event types; `parts`: those of a fact, its customer and its delivery id, the last
    argument saying whether the vendor has this version of the profile; `labels`: of a body;
    `keeps_status`: whether it keeps a status that calls of their own set, and says so.
    """

    takes: frozenset[str]
    parts: Callable[[Fact, Truth, str, bool], list[Part]]
    labels: Callable[[Any], Labels]
    keeps_status: bool


def types(**families: str) -> frozenset[str]:
    """Event types by family: `types(order="cancel success")`."""
    return frozenset(f"{name}.{kind}" for name, kinds in families.items() for kind in kinds.split())
