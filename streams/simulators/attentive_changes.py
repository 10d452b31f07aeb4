"""People of the simulated Attentive account changed behind our back (`POST /_control/changes`)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from streams.simulators.attentive_people import Change as Changed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.simulators.attentive_people import People, Person
    from streams.simulators.changes import Change

__all__ = ["change_people"]


def change_people(people: People, changes: Sequence[Change], at: float) -> None:
    """Set attributes, or let people be gone; raises ValueError, and then changes nobody."""
    whose = [_whose(people, each) for each in changes]
    moment = datetime.fromtimestamp(at, UTC)
    for person, each in zip(whose, changes, strict=True):
        if each.gone:
            people.remove(person)
            continue
        for name, value in each.properties.items():
            person.change(Changed(0, moment, name, value))


def _whose(people: People, change: Change) -> Person:
    if change.set:
        raise ValueError("set: nothing is kept of a person here but properties")
    known = people.known(change.who)
    if not known:
        raise ValueError(f"who: nobody has this {next(iter(change.who))}")
    return known[0]
