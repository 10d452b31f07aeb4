"""A member's row for people: what destinations are told, and what decides what is told next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from streams.cli.table.row_lines import UNKNOWN, erased_line, remembered, time_text
from streams.model.member import member_view

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from streams.model.member import Member, Spell


def member_lines(row: Member, shown: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a row; `shown` is its text, masked or not."""
    view = member_view(row)
    yield f"  {view.status or 'of unknown status'}, version {row.version}"
    heard = (shown["heard"] or {}).get("email")
    yield f"  e-mail {shown['own_email'] or heard or UNKNOWN}"
    for title, lines in (
        ("member", _standing(row)),
        ("history", _history(row)),
        ("transactions", _transactions(row)),
        ("events remembered", remembered(row.seen)),
    ):
        yield f"  {title}"
        yield from (f"    {line}" for line in list(lines) or ["none"])


def _standing(row: Member) -> Iterator[str]:
    view = member_view(row)
    yield f"tier {view.tier or 'none'}, until {time_text(view.tier_expires_at)}"
    yield f"balance {view.balance or UNKNOWN}, until {time_text(view.points_expire_at)}"
    yield f"enrolled {time_text(view.enrolled_at)}"
    if view.cleared:
        yield f"no longer: {view.cleared}"


def _history(row: Member) -> Iterator[str]:
    yield "complete: all of the past is known" if row.complete else "incomplete"
    yield from erased_line(row.erased_at)
    for spell in row.spells:
        yield f"sequence {spell.first} to {spell.last}  {spell.status or 'deleted'}{_tier(spell)}"


def _tier(spell: Spell) -> str:
    marks = [f"tier {spell.tier}"] if spell.tier else []
    marks += ["enrolment told"] if spell.enrolment_told else []
    marks += ["tier told"] if spell.tier_told else []
    return f"  ({'; '.join(marks)})" if marks else ""


def _transactions(row: Member) -> Iterator[str]:
    for id_, each in row.transactions.items():
        told = "told" if each.told else "not told"
        yield (
            f"{id_}  {each.status or UNKNOWN}, sequence {each.sequence}, {told}, "
            f"{time_text(each.touched)}"
        )
