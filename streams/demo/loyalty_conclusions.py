"""What the demo's bookkeeping concludes of loyalty webhooks: the facts that are to be told.

Okendo sends neither enrolments nor changes of tier; both lie between a member's records
(contracts/okendo.md §2, §5.3, §5.4). The past of every member is known (`history = complete`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from streams.demo.conclusions import PROFILE
from streams.demo.loyalty_catalog import TIERS
from streams.demo.loyalty_reading import KINDS, MEMBER
from streams.model.ids import fact_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.demo.loyalty_reading import Hook
    from streams.demo.loyalty_truth import Learned, Member, Run

Json = dict[str, Any]

ENROLLED = "loyalty.enrolled"
TIER = "loyalty.tier_changed"
TYPES = frozenset({ENROLLED, TIER, *KINDS.values()})
"""What a loyalty webhook may come to, beside a changed profile."""

_LATE_AFTER = 3_600_000
"""Milliseconds: what an overtaken webhook reveals later than this after it happened is late."""


@dataclass(frozen=True)
class Fact:
    """Something to be told. `at`: epoch milliseconds; `about`: what it tells, in plain words."""

    type: str
    id: str
    at: int
    about: Json
    late: bool = False


def conclude(member: Member, hook: Hook, learned: Learned, at: int) -> list[Fact]:
    """The facts in order. `at`: when the webhook was recorded, epoch milliseconds."""
    if hook.kind == MEMBER:
        return list(_transitions(member, hook, learned, at))
    if not learned.completed:
        return []
    kind = KINDS[hook.kind]
    fact = fact_id(kind, hook.store, hook.about["id"])
    return [Fact(kind, fact, hook.about["at"], hook.about, late=learned.stale)]


def changed(member: Member) -> Fact:
    """The profile; known by its version. The demo's table was never rebuilt (generation 0)."""
    fact = fact_id(PROFILE, member.merchant, member.customer, 0, member.version)
    return Fact(PROFILE, fact, 0, {})


def _transitions(member: Member, hook: Hook, learned: Learned, at: int) -> Iterator[Fact]:
    """What lies between the runs of the member's records and was not told yet."""
    runs = member.runs()
    for place, run in enumerate(runs, 1):
        found = _transition(member, hook, runs[:place], newest=run is runs[-1])
        if found is None or found.id in member.announced:
            continue
        member.announced.add(found.id)
        old_news = learned.stale and at - found.at > _LATE_AFTER
        late = old_news or run is not runs[-1]
        yield Fact(found.type, found.id, found.at, found.about, late)


def _transition(member: Member, hook: Hook, runs: list[Run], *, newest: bool) -> Fact | None:
    """What the beginning of the last of these runs means.

    Whoever comes back with the date of enrolment of before was enrolled all the time; while
    somebody is enrolled, a date that moves enrols nobody.
    """
    *earlier, run = runs
    if not run.enrolled:
        return None
    prior = next((one.says for one in reversed(earlier) if one.enrolled), None)
    says = run.says
    if prior is None or prior["enrolled"] != says["enrolled"]:
        if earlier and earlier[-1].enrolled:
            return None
        fact = fact_id(ENROLLED, member.merchant, member.customer, "at", says["enrolled"])
        return Fact(ENROLLED, fact, says["enrolled"], {})
    old, new, entered = prior.get("tier"), says.get("tier"), says["entered"]
    if old == new:
        return None
    own = run.first <= hook.sequence <= run.last
    ends = hook.about if own else member.newest if newest else {}
    about = {"old": old, "new": new, "ends": ends.get("tier_ends"), "up": _leads_up(old, new)}
    fact = fact_id(TIER, member.merchant, member.customer, "at", entered, new or "")
    return Fact(TIER, fact, entered, about)


def _leads_up(old: str | None, new: str | None) -> bool:
    """A first tier is no upgrade, nor is having none any more."""
    return old is not None and new is not None and TIERS.index(new) > TIERS.index(old)
