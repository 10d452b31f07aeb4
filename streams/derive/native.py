"""The source's own subscriber events: in `native` mode they are told, else they tell who it is.

We trust our own conclusions more, since the source's come in any order; a shop whose flows are
built on the source's may still choose them (DESIGN §6, `derive_mode`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.model.events import Event, Person
from streams.model.fact import CANCEL, CREATE, SUBSCRIPTIONS_CREATED, Fact

from .subscriptions import died_in_this_spell

if TYPE_CHECKING:
    from streams.model.subscriber import Subscriber

    from .terms import DeriveOptions


def own(
    row: Subscriber,
    event: Event,
    options: DeriveOptions,
    age: int,
    withheld: str | None,
    *,
    late: bool,
) -> Fact:
    """The fact of a subscriber.* event. `age`: how much younger its record is, in milliseconds.

    An old one that the row contradicts is late: the customer has moved on since.
    """
    told = options.mode == "native" or (
        event.type == SUBSCRIPTIONS_CREATED and options.native_subscriptions_created
    )
    if not told:
        withheld = withheld or "derived_mode"
        return Fact(event.type, event.event_id, event.created, late, withheld)
    contradicted = (event.type == CREATE and not row.active) or (
        event.type == CANCEL and row.active > 0
    )
    late = late or (age > options.late_after and contradicted)
    listed = _listed(row, event)
    return Fact(event.type, event.event_id, event.created, late, withheld, listed=listed)


def _listed(row: Subscriber, event: Event) -> tuple[str, ...] | None:
    if event.type == CREATE:
        return row.live()
    if event.type == CANCEL:
        return died_in_this_spell(row)
    named = event.subject.subscriptions if isinstance(event.subject, Person) else ()
    return tuple(id_ for id_ in named if id_ in row.subscriptions)
