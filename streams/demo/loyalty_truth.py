"""What is true of one member, as the demo's bookkeeping understands it: plain dicts, no speed.

Every record that Okendo ever sent of the member is kept under its sequence number, whenever it
came; the one of the greatest number says how things are (contracts/okendo.md §5.2).
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from streams.demo.loyalty_catalog import ZONE
from streams.demo.loyalty_reading import MEMBER
from streams.demo.reading import known

if TYPE_CHECKING:
    from streams.demo.loyalty_reading import Hook

Json = dict[str, Any]

ENROLLED = "enrolled"
_ZONE = ZoneInfo(ZONE)


@dataclass(frozen=True)
class Run:
    """Records in a row that say the same of status, enrolment and tier; the last speaks for all."""

    first: int
    last: int
    says: Json

    @property
    def enrolled(self) -> bool:
        """Whether the member was enrolled then."""
        return bool(self.says.get("status") == ENROLLED)


@dataclass
class Award:
    """A transaction: the number of its newest record, and whether it was ever complete."""

    newest: int
    completed: bool = False


@dataclass(frozen=True)
class Learned:
    """What a webhook changed.

    `told`: whether destinations may be told something new about the member; `stale`: something
    newer was known; `completed`: a transaction is complete for the first time.
    """

    told: bool
    stale: bool
    completed: bool = False


@dataclass
class Member:
    """One member of one store; `merchant` and `customer` are Okendo's ids of the two.

    Attributes:
        version: one more with each change of what destinations may be told.
        view: what holds now, by what `_view` calls it.
        ever: names of what held at any time.
        announced: ids of the facts that were told.
    """

    merchant: str
    customer: str
    version: int = 0
    view: Json = field(default_factory=dict)
    ever: set[str] = field(default_factory=set)
    announced: set[str] = field(default_factory=set)
    _records: dict[int, Json] = field(default_factory=dict)
    _own: tuple[int, str] | None = None
    _heard: tuple[int, int, str] | None = None
    _awards: dict[str, Award] = field(default_factory=dict)
    _seen: set[Any] = field(default_factory=set)

    @property
    def status(self) -> str | None:
        """In the programme; None while or when there is none."""
        return self.view.get("status")

    @property
    def email(self) -> str | None:
        """The address that the member's own records tell, else the newest of a transaction."""
        if self._own:
            return self._own[1]
        return self._heard[2] if self._heard else None

    @property
    def gone(self) -> set[str]:
        """Names of what held once and holds no longer."""
        return self.ever - self.view.keys()

    @property
    def newest(self) -> Json:
        """The newest record."""
        return self._records[max(self._records)] if self._records else {}

    def repeated(self, hook: Hook) -> str | None:
        """`repeated_id` or `repeated_fact` if it was here before; remembers it."""
        again = (
            "repeated_id"
            if hook.id in self._seen
            else "repeated_fact"
            if hook.fact in self._seen
            else None
        )
        self._seen |= {hook.id, hook.fact}
        return again

    def learn(self, hook: Hook, at: int) -> Learned:
        """Takes it in at that stream time, epoch milliseconds."""
        before = self.email, self.view, self.gone
        if hook.kind == MEMBER:
            stale, completed = self._meet(hook, at), False
        else:
            stale, completed = self._count(hook)
        self.view = _view(self.newest, at)
        told = (self.email, self.view, self.gone) != before
        self.version += told
        return Learned(told, stale, completed)

    def runs(self) -> list[Run]:
        """Its records in the order of their numbers, by what they say."""
        found = []
        for _, several in groupby(sorted(self._records.items()), lambda one: _standing(one[1])):
            records = list(several)
            found.append(Run(records[0][0], records[-1][0], records[-1][1]))
        return found

    def _meet(self, hook: Hook, at: int) -> bool:
        """A record of the member; True if a newer one is known."""
        stale = bool(self._records) and hook.sequence < max(self._records)
        self._records[hook.sequence] = hook.about
        self.ever |= _view(hook.about, at).keys()
        if hook.email and (self._own is None or hook.sequence > self._own[0]):
            self._own = hook.sequence, hook.email
        return stale

    def _count(self, hook: Hook) -> tuple[bool, bool]:
        """A transaction: whether newer is known of it, whether it is complete for the first time.

        Only the word `complete` has a documented meaning (§6).
        """
        if hook.email:
            heard = hook.about["at"], hook.sequence, hook.email
            self._heard = max(self._heard or heard, heard)
        award = self._awards.setdefault(hook.about["id"], Award(hook.sequence))
        stale = hook.sequence < award.newest
        award.newest = max(award.newest, hook.sequence)
        complete = hook.about.get("status") == "complete"
        first = complete and not award.completed
        award.completed |= complete
        return stale, first


def _standing(record: Json) -> tuple[Any, ...]:
    """What tells spells apart; who is not enrolled has neither enrolment nor tier."""
    if record.get("status") != ENROLLED:
        return (record.get("status"),)
    return tuple(record.get(name) for name in ("status", "enrolled", "tier", "entered"))


def _view(record: Json, at: int) -> Json:
    """What destinations may be told of a record (contracts/okendo.md §1, §5.5)."""
    names = ["status", "points_end"]
    if record.get("status") in {ENROLLED, "pending"}:
        names.append("balance")
    if record.get("status") == ENROLLED:
        names += ["tier", "enrolled", "tier_ends"]
    born = record.get("born")
    view = {name: record.get(name) for name in names}
    return known(**view, birthday=_next(born, at) if born else None)


def _next(born: tuple[int, int], at: int) -> str:
    """The next such day; in years without one, the last of the month. Today's is today."""
    month, day = born
    today = datetime.fromtimestamp(at / 1_000, _ZONE).date()
    years = (today.year, today.year + 1)
    days = (date(year, month, min(day, monthrange(year, month)[1])) for year in years)
    return next(one for one in days if one >= today).isoformat()
