"""Enrolments and changes of tier: what the spells of a member mean, each told once.

Okendo sends neither; both are concluded (contracts/okendo.md §2). An enrolment is the date on which
a member opted in, a change of tier the tier and the date on which it was entered: so their ids
agree in whatever order the webhooks come. Where the source tells no such date, the sequence number
of the first record known to say so takes its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from streams.model.enriched import Because, TierView
from streams.model.fact import Fact
from streams.model.ids import fact_id
from streams.model.loyalty import ENROLLED as ENROLLED_EVENT
from streams.model.loyalty import TIER_CHANGED, LoyaltyCustomer
from streams.model.member import ENROLLED

from .terms import DAY, LoyaltyOptions

if TYPE_CHECKING:
    from streams.model.loyalty import LoyaltyEvent
    from streams.model.member import Member, Spell

NEW = DAY
"""How old an enrolment may be that counts as new, in milliseconds."""


class Arrival(NamedTuple):
    """How a record met the row.

    `stale`: the row knows newer; `recorded_at`: the record's own time, epoch milliseconds;
    `withheld`: why nothing of it may start a flow.
    """

    event: LoyaltyEvent
    options: LoyaltyOptions
    stale: bool
    recorded_at: int
    withheld: str | None


class _Beginning(NamedTuple):
    """The beginning of a spell: the spell before it, and the last one before that was enrolled."""

    spell: Spell
    previous: Spell | None
    prior: Spell | None
    newest: bool


def announcements(row: Member, arrival: Arrival) -> list[Fact]:
    """What the spells of the (forked) row mean and was not told yet; the row remembers it."""
    facts: list[Fact] = []
    spells = list(row.spells)
    first = 1 if row.floor >= 0 else 0  # of what came before a cut nothing can be said
    for place in range(first, len(spells)):
        begin = _beginning(spells, place)
        if _enrols(begin):
            if not _told_already(spells, begin.spell):
                facts.append(_enrolment(row, begin, arrival))
            spells[place] = replace(begin.spell, enrolment_told=True)
        elif _changes_tier(begin):
            if not _tier_told_already(spells, begin.spell):
                facts.append(_tier_change(row, begin, arrival))
            spells[place] = replace(begin.spell, tier_told=True)
        if arrival.options.enrolled_on_any_status and _changes_status(begin):
            if not spells[place].enrolment_told:
                facts.append(_status_change(begin, arrival))
            spells[place] = replace(spells[place], enrolment_told=True)
    row.spells = tuple(spells)
    return facts


def _beginning(spells: list[Spell], place: int) -> _Beginning:
    earlier = spells[:place]
    enrolled = [each for each in earlier if each.status == ENROLLED]
    return _Beginning(
        spells[place],
        earlier[-1] if earlier else None,
        enrolled[-1] if enrolled else None,
        newest=place == len(spells) - 1,
    )


def _enrols(begin: _Beginning) -> bool:
    """Whether a spell begins an enrolment: it follows one that is none, and has another date.

    Who comes back unblocked was enrolled all the time; a date alone that moves enrols nobody, for
    what it means is not documented.
    """
    spell, previous, prior, _ = begin
    if spell.status != ENROLLED or (previous is not None and previous.status == ENROLLED):
        return False
    return prior is None or not _same_enrolment(spell, prior) or None in _dates(spell, prior)


def _changes_tier(begin: _Beginning) -> bool:
    """Whether somebody has another tier than before, in the same enrolment."""
    spell, _, prior, _ = begin
    if spell.status != ENROLLED or prior is None or not _same_enrolment(spell, prior):
        return False
    return spell.tier != prior.tier


def _same_enrolment(spell: Spell, prior: Spell) -> bool:
    """Whether two enrolled spells are of one enrolment, as far as dates are told."""
    return None in _dates(spell, prior) or spell.enrolled_at == prior.enrolled_at


def _dates(spell: Spell, prior: Spell) -> tuple[int | None, int | None]:
    return spell.enrolled_at, prior.enrolled_at


def _changes_status(begin: _Beginning) -> bool:
    spell, previous = begin.spell, begin.previous
    known = previous is not None and previous.status is not None and spell.status is not None
    return known and previous is not None and previous.status != spell.status


def _told_already(spells: list[Spell], spell: Spell) -> bool:
    if spell.enrolled_at is None:
        return spell.enrolment_told
    return any(
        each.enrolment_told and each.enrolled_at == spell.enrolled_at
        for each in spells
        if each.status == ENROLLED
    )


def _tier_told_already(spells: list[Spell], spell: Spell) -> bool:
    if spell.tier_entered_at is None:
        return spell.tier_told
    same = (spell.tier, spell.tier_entered_at)
    return any(each.tier_told and (each.tier, each.tier_entered_at) == same for each in spells)


def _enrolment(row: Member, begin: _Beginning, arrival: Arrival) -> Fact:
    spell, event = begin.spell, arrival.event
    since = spell.enrolled_at
    known = ("sequence", spell.first) if since is None else ("at", since)
    if since is not None:
        is_news = event.received_at - since <= NEW
    else:
        is_news = begin.previous is not None and begin.previous.status is not None
    old = None if row.complete or is_news else "old_enrolment"
    return _fact(
        ENROLLED_EVENT,
        fact_id(ENROLLED_EVENT, event.merchant, event.customer_id, *known),
        _moment(since, event),
        begin,
        arrival._replace(withheld=arrival.withheld or old),
        f"status {_status_before(begin)} → {ENROLLED}",
    )


def _status_change(begin: _Beginning, arrival: Arrival) -> Fact:
    spell, event = begin.spell, arrival.event
    return _fact(
        ENROLLED_EVENT,
        fact_id(ENROLLED_EVENT, event.merchant, event.customer_id, "status", spell.first),
        event.received_at,
        begin,
        arrival,
        f"status {_status_before(begin)} → {spell.status}",
    )


def _tier_change(row: Member, begin: _Beginning, arrival: Arrival) -> Fact:
    spell, event = begin.spell, arrival.event
    old, new, entered = begin.prior.tier if begin.prior else None, spell.tier, spell.tier_entered_at
    known = ("sequence", spell.first) if entered is None else ("at", entered)
    subject = event.subject
    own = spell.first <= event.sequence <= spell.last and isinstance(subject, LoyaltyCustomer)
    if own and isinstance(subject, LoyaltyCustomer):
        expires_at = subject.tier_expires_at
    else:
        expires_at = row.loyalty.tier_expires_at if begin.newest else None
    fact = _fact(
        TIER_CHANGED,
        fact_id(TIER_CHANGED, event.merchant, event.customer_id, *known, new or ""),
        _moment(entered, event),
        begin,
        arrival,
        f"tier {old or 'none'} → {new or 'none'}",
    )
    upgrade = is_upgrade(old, new, arrival.options.tiers)
    return replace(fact, tier=TierView(old, new, expires_at, upgrade))


def is_upgrade(old: str | None, new: str | None, tiers: tuple[str, ...]) -> bool | None:
    """Whether a change of tier leads up; None where nobody says how these two are ordered.

    A first tier is no upgrade, nor is having none any more (contracts/okendo.md §5.3).
    """
    if old is None or new is None:
        return False
    if old not in tiers or new not in tiers:
        return None
    return tiers.index(new) > tiers.index(old)


def _fact(
    event_type: str,
    event_id: str,
    occurred_at: int,
    begin: _Beginning,
    arrival: Arrival,
    why: str,
) -> Fact:
    """A fact about the beginning of a spell. It is late where newer is known, or it is old news."""
    event, options = arrival.event, arrival.options
    old_news = arrival.stale and arrival.recorded_at - occurred_at > options.late_after
    early = min(occurred_at, event.created) < options.flows_from
    return Fact(
        event_type,
        event_id,
        occurred_at,
        late=early or old_news or not begin.newest,
        withheld=arrival.withheld,
        because=Because(event.event_id, 0, 0, f"{why} by {event.type}"),
    )


def _moment(told: int | None, event: LoyaltyEvent) -> int:
    """When it happened: the date told, but not in the future; of today's date alone, on receipt.

    A date without a time of day (midnight in UTC) would make a change of this evening old news.
    """
    received = event.received_at
    if told is None:
        return received
    is_today = told % DAY == 0 and told <= received < told + DAY
    return received if is_today else min(told, received)


def _status_before(begin: _Beginning) -> str:
    return (begin.previous.status if begin.previous is not None else None) or "unknown"
