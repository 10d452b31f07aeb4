"""Histories of one customer as hypothesis strategies: what happened, and how it arrives.

A history is drawn as steps that a small shop plays, so that it shrinks to a few steps; how its
events arrive, shuffled and repeated, is drawn apart.

An event is never repeated under another event id where it has a rival: a telling of the same thing
that differs and that only the event id puts before or after it. Of such an event the first copy to
come decides, by rule, with which id it stands against its rival.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hypothesis import strategies as st
from msgspec.structs import replace
from typing_extensions import override

from tests.support.customer_shop import BEGIN, SECOND, Shop, Step, Style
from tests.support.oracle import in_order, known, people_in, telling_key, told_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.model.events import Event


class Arrival(NamedTuple):
    """A history and its events as they arrive, repetitions among them."""

    history: list[Event]
    events: list[Event]

    @override
    def __repr__(self) -> str:
        """Short enough to be read where a property fails."""
        return "\n".join(["", *map(_line, self.events)])


def _line(event: Event) -> str:
    """What matters of an event, times in seconds since the history began."""
    about = [f"@{(event.created - BEGIN) // SECOND}", event.event_id.replace("0" * 20, "..")]
    about += [
        f"{told.content.public_id[-1]}{'+' if told.content.live else '-'}"
        f"updated@{(told.content.updated - BEGIN) // SECOND} x{told.content.quantity}"
        for told in told_by(event)
    ]
    about += [f"{person.email} @{person.last_updated}" for person in people_in(event)]
    return f"  {event.type} " + " ".join(about)


STEPS = st.builds(
    Step,
    kind=st.sampled_from(("flip", "flip", "flip", "change", "change", "person", "order")),
    which=st.integers(0, 2),
    gap=st.sampled_from((0, 0, 0, 1, 2, 60, 3_600)),
    lag=st.sampled_from((0, 0, 0, 1, 2)),
    number=st.integers(0, 15),
    mark=st.integers(0, 255),
)


@st.composite
def histories(draw: st.DrawFn, styles: Sequence[Style]) -> list[Event]:
    """What happened to a customer with up to three subscriptions told in the given styles."""
    shop = Shop(draw(st.lists(st.sampled_from(styles), min_size=1, max_size=3)))
    length = draw(st.integers(1, 18))  # drawn first, or most histories would be very short
    for step in draw(st.lists(STEPS, min_size=length, max_size=length)):
        shop.play(step)
    return shop.events


@st.composite
def repetitions(draw: st.DrawFn, history: Sequence[Event]) -> list[tuple[int, Event]]:
    """Some of the history's events once more: (index, the same event or under another id)."""
    if not history:
        return []
    index = st.integers(0, len(history) - 1)
    drawn = draw(st.lists(st.tuples(index, st.booleans(), st.integers(0, 255)), max_size=6))
    return [
        (at, replace(history[at], event_id=f"{mark:02x}f{nth:029x}") if renamed else history[at])
        for nth, (at, renamed, mark) in enumerate(drawn)
        if not (renamed and has_rival(history, history[at]))
    ]


def has_rival(history: Sequence[Event], event: Event) -> bool:
    """Whether only the event id says which of two tellings is the newer one."""
    tellings = {(one.content.public_id, one.key[:3]): known(one.content) for one in told_by(event)}
    persons = {telling_key(event, person)[:2]: person for person in people_in(event)}
    others = [other for other in history if other is not event]
    return any(
        tellings.get((told.content.public_id, told.key[:3]), known(told.content))
        != known(told.content)
        for other in others
        for told in told_by(other)
    ) or any(
        persons.get(telling_key(other, person)[:2], person) != person
        for other in others
        for person in people_in(other)
    )


@st.composite
def shuffled(draw: st.DrawFn, styles: Sequence[Style]) -> Arrival:
    """A history that arrives in any order, some of it repeatedly."""
    history = draw(histories(styles))
    again = [event for _, event in draw(repetitions(history))]
    return Arrival(history, draw(st.permutations(history + again)))


@st.composite
def orderly(draw: st.DrawFn, styles: Sequence[Style]) -> Arrival:
    """A history that arrives in order, some of it again later."""
    history = in_order(draw(histories(styles)))
    later = [(at + draw(st.integers(0, 9)), 1, event) for at, event in draw(repetitions(history))]
    places = [(at, 0, event) for at, event in enumerate(history)] + later
    return Arrival(history, [event for *_, event in sorted(places, key=lambda place: place[:2])])
