"""The events that we conclude, each under an id that is a function of the fact (DESIGN §6).

Every one says why: the event that revealed it, and the counts around it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.model.enriched import Because
from streams.model.fact import CANCEL, CREATE, PROFILE_CHANGED, REACTIVATE, Fact
from streams.model.ids import fact_id, profile_change_id

from .subscriptions import died_in_this_spell, newest_death

if TYPE_CHECKING:
    from streams.model.events import Event, Subscription
    from streams.model.subscriber import Settling, Standing, Subscriber


def create(row: Subscriber, event: Event, *, late: bool, withheld: str | None) -> Fact:
    """The first subscription ever. `late` as well where none lives any more."""
    active = row.active
    return Fact(
        CREATE,
        fact_id(CREATE, event.merchant, event.customer_id),
        event.created,
        late=late or not active,
        withheld=withheld,
        because=_because(event, 0, active or 1, "first subscription ever: active"),
        listed=row.live() if active else died_in_this_spell(row),
    )


def cancel(
    row: Subscriber,
    merchant: str,
    customer_id: str,
    ended: Settling,
    withheld: str | None = None,
) -> list[Fact]:
    """The last live subscription died: told once, under the newest death; none where one lives."""
    if row.active:
        return []
    death = newest_death(row)
    if row.last_cancel == death:
        return []
    row.last_cancel = death
    why = f"last subscription ended: active {ended.before} → 0 by {ended.event_type}"
    return [
        Fact(
            CANCEL,
            fact_id(CANCEL, merchant, customer_id, *death),
            death[1],
            late=ended.late,
            withheld=withheld,
            because=Because(ended.event_id, ended.before, 0, why),
            listed=died_in_this_spell(row),
        )
    ]


def reactivate(
    row: Subscriber,
    content: Subscription,
    event: Event,
    before: int,
    *,
    late: bool,
    withheld: str | None,
) -> Fact:
    """A cancelled subscription lives again; `before`: live ones before this record."""
    id_, updated = content.public_id, content.updated
    return Fact(
        REACTIVATE,
        fact_id(REACTIVATE, event.merchant, event.customer_id, id_, updated),
        updated,
        late,
        withheld,
        _because(event, before, row.active, "reactivated: active"),
    )


def profile_changed(
    row: Subscriber,
    event: Event,
    before: Standing,
    after: Standing,
    withheld: str | None = None,
) -> Fact:
    """What destinations may be told of the customer changed; the row's version has risen."""
    same = (after.status, after.active, after.total) == (before.status, before.active, before.total)
    why = "who the customer is: active" if same else f"status {after.status}: active"
    return Fact(
        PROFILE_CHANGED,
        profile_change_id(event.merchant, event.customer_id, row.version),
        event.created,
        withheld=withheld,
        because=_because(event, before.active, after.active, why),
    )


def _because(event: Event, before: int, after: int, why: str) -> Because:
    return Because(event.event_id, before, after, f"{why} {before} → {after} by {event.type}")
