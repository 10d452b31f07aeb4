"""What the demo's bookkeeping expects of one delivery: its parts, what becomes of each, its calls.

The vendors' modules (`klaviyo_bodies`, `ometria_bodies`, …) write them, `ledger` keeps them,
`compare` and `verdicts` hold what happened beside them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.demo.conclusions import Fact
    from streams.demo.truth import Truth

Json = dict[str, Any]


class Call(NamedTuple):
    """A request: path and JSON body; where it takes several records, with this one alone."""

    path: str
    body: Any


class Thing(NamedTuple):
    """What a call sets as a whole, where each call starts the vendor's flows again.

    `name`: an order in a status; `content`: what it is set to, without what only says how it was
    told of.
    """

    name: str
    content: Json


@dataclass(frozen=True)
class Part:
    """One part of a delivery.

    `name`: event or profile; `outcome` and `reason` as the outcomes topic words them; `call`: what
    is sent, if anything is; `fresh_until`: sent later than this (epoch milliseconds), a `delivered`
    is a `delivered_no_trigger`; `thing`: what the call sets, where the same must not be set twice.
    """

    name: str
    outcome: str
    reason: str | None = None
    call: Call | None = None
    fresh_until: int | None = None
    thing: Thing | None = None


class Labels(NamedTuple):
    """What a record that arrived is known by.

    `identity`: the event's id or the thing's name, None for a profile; `contacts`: customer's id,
    e-mail and phone, as far as told; `once`: whether nothing but a repeat may come under the
    identity again.
    """

    identity: str | None
    contacts: tuple[str, ...]
    once: bool = True


def alone(body: Any) -> list[Any]:
    """The records of a request that takes one."""
    return [body]


def contacts(person: Any, *names: str) -> tuple[str, ...]:
    """Those fields of a JSON object that tell who it is, as far as it is one and has them."""
    told = person if isinstance(person, dict) else {}
    return tuple(str(told[name]) for name in names if told.get(name))


@dataclass(frozen=True)
class Vendor:
    """What the bookkeeping knows of a vendor.

    `takes`: event types; `parts`: those of a fact, its customer and its delivery id, the last
    argument saying whether the vendor has this version of the profile; `labels`: of a record;
    `keeps_status`: whether it keeps a status that calls of their own set, and says so; `records`:
    those of a request's body, each as the body would be with it alone.
    """

    takes: frozenset[str]
    parts: Callable[[Fact, Truth, str, bool], list[Part]]
    labels: Callable[[Any], Labels]
    keeps_status: bool
    records: Callable[[Any], list[Any]] = field(default=alone)


def types(**families: str) -> frozenset[str]:
    """Event types by family: `types(order="cancel success")`."""
    return frozenset(f"{name}.{kind}" for name, kinds in families.items() for kind in kinds.split())
