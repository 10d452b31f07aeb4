"""Who the customer is: per field the newest of (last_updated, created, event id) that says one.

An empty field tells nothing: guests and partial records have nulls for what is well known.
"""

from __future__ import annotations

from streams.model.events import Event, Person
from streams.model.subscriber import Profile, Stamp


def updated_profile(profile: Profile, event: Event) -> Profile:
    """The profile with what the event and its snapshot say of the person."""
    for person in (event.subject, event.snapshot.customer):
        if isinstance(person, Person):
            profile = _merge(profile, person, event)
    return profile


def _merge(profile: Profile, person: Person, event: Event) -> Profile:
    stamp = Stamp(person.last_updated or event.created, event.created, event.event_id)
    told = (person.email, person.phone_number, person.first_name, person.last_name)
    if None not in told and (not profile.stamps or stamp > max(profile.stamps)):  # mostly
        return Profile(*told, (stamp,), (0, 0, 0, 0))
    known = (profile.email, profile.phone_number, profile.first_name, profile.last_name)
    stamps = [profile.stamps[place] if place >= 0 else None for place in profile.stamped]
    newer = [
        value is not None and (old is None or stamp > old)
        for value, old in zip(told, stamps, strict=True)
    ]
    if not any(newer):
        return profile
    email, phone, first, last = (
        new if wins else old for new, old, wins in zip(told, known, newer, strict=True)
    )
    stamps = [stamp if wins else old for old, wins in zip(stamps, newer, strict=True)]
    distinct = tuple(dict.fromkeys(each for each in stamps if each is not None))
    one, two, three, four = (-1 if each is None else distinct.index(each) for each in stamps)
    return Profile(email, phone, first, last, distinct, (one, two, three, four))
