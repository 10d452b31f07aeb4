"""What a member was, and when: `loyalty_customer` records in the order of their sequence numbers.

Webhooks come in any order, and a record that comes late says what lay between two that are known.
So records that say the same are one spell, kept in order; what they mean together is concluded by
`membership`. Only status, enrolment and tier make a spell: a balance may change every day.
"""

from __future__ import annotations

from msgspec.structs import replace

from streams.model.member import ENROLLED, Loyalty, Member, Spell

KEPT = 16
"""Spells of one member that are kept: older records than the oldest are passed over."""


def place(row: Member, sequence: int, loyalty: Loyalty) -> None:
    """Put a record among the spells of the (forked) row; one that is known changes nothing."""
    if sequence <= row.floor:
        return
    spells = _placed(row.spells, _spell(sequence, loyalty))
    if len(spells) > KEPT:
        row.floor = spells[-KEPT - 1].last
        spells = spells[-KEPT:]
    row.spells = spells


def _spell(sequence: int, loyalty: Loyalty) -> Spell:
    """A spell of one record: who is not enrolled has no enrolment and no tier."""
    if loyalty.status != ENROLLED:
        return Spell(sequence, sequence, loyalty.status)
    return Spell(
        sequence,
        sequence,
        ENROLLED,
        loyalty.enrolled_at,
        loyalty.tier,
        loyalty.tier_entered_at,
    )


def _placed(spells: tuple[Spell, ...], new: Spell) -> tuple[Spell, ...]:
    """The spells with a new one of one record: it joins a neighbour that says the same."""
    at = new.first
    before = [each for each in spells if each.last < at]
    after = [each for each in spells if each.first > at]
    around = [each for each in spells if each.first <= at <= each.last]
    if around:
        spell = around[0]
        if spell.standing == new.standing or at in (spell.first, spell.last):
            return spells
        middle = [replace(spell, last=spell.first), new, replace(spell, first=spell.last)]
        return (*before, *middle, *after)
    if before and before[-1].standing == new.standing:
        return (*before[:-1], replace(before[-1], last=at), *after)
    if after and after[0].standing == new.standing:
        return (*before, replace(after[0], first=at), *after[1:])
    return (*before, new, *after)
