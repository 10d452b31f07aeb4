"""Dead letters for the console, by the functions of `streams dead-letters`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, TypeVar

from streams.cli.composition import sources_of
from streams.cli.console.forms import fields
from streams.cli.dead_letters import settling
from streams.cli.dead_letters.boxes import ways_of
from streams.cli.dead_letters.filters import filter_of
from streams.cli.dead_letters.lines import customer_text, now_milliseconds
from streams.cli.dead_letters.settling import Asked
from streams.console.access import require_operate
from streams.console.letters_sight import LetterRow, LetterSight, LettersPlan, LettersSight
from streams.console.working import Works
from streams.errors import ConfigurationError
from streams.replay.letters import Filter, counted
from streams.replay.obstacles import obstacle

if TYPE_CHECKING:
    from collections.abc import Iterable

    from streams.console.access import User
    from streams.console.letters_sight import LettersAsked
    from streams.console.working import Work
    from streams.replay.letters import Letter
    from streams.settings import Settings

Kind = TypeVar("Kind", bound="tuple[str, ...]")

_SHOWN: Final = 500
"""Rows of the list, at most; counts are of all."""


class LettersOperated:
    """Dead letters as the console asks for them (`console.desks.LettersDesk`)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._works = Works()

    def places(self) -> list[str]:
        """Sources and connections that may have some."""
        return [*sources_of(self._settings), *self._settings.connections]

    def look(self, asked: LettersAsked) -> LettersSight:
        """The letters that are meant."""
        chosen = self._asked(asked)
        found = settling.standing(settling.opened(self._settings, chosen), chosen.wanted)
        newest = sorted(found.letters, key=lambda each: (-each.written_at, each.id))
        unmasked = chosen.wanted.customer is not None
        return LettersSight(
            rows=[_row(each, unmasked=unmasked) for each in newest[:_SHOWN]],
            ids=frozenset(each.id for each in newest),
            counts=sorted(counted(newest), key=lambda each: (-each[1], each[0])),
            oldest=newest[-1].written_at if newest else None,
            unreadable=found.unreadable,
        )

    def shown(self, letter_id: str, of: str, *, unmasked: bool) -> LetterSight | None:
        """One letter whole; None: it was settled meanwhile."""
        asked = self._of(Filter(ids=frozenset({letter_id})), (of,))
        for each in settling.whole_letters(self._settings, asked):
            return LetterSight(
                row=_row(each.letter, unmasked=unmasked),
                key=each.letter.key,
                shown=each.shown(unmasked=unmasked),
                obstacle=obstacle(each.letter, ways_of(self._settings), again=False),
            )
        return None

    def redrive_plan(self, ids: frozenset[str], *, again: bool) -> LettersPlan:
        """What a redrive of these would append, and what it would leave out."""
        settings = self._settings
        plan = settling.planned(settings, self._standing(ids), again=again)
        going = Counter(
            (each.of, to, each.reason, each.type)
            for each, to, why in plan
            if why is None and to is not None
        )
        left_out = Counter((each.of, why) for each, _, why in plan if why is not None)
        silent = settling.silent_of(settings, plan)
        return LettersPlan(ids, going.total(), _most(going), _most(left_out), silent)

    def purge_plan(self, ids: frozenset[str]) -> LettersPlan:
        """What a purge of these would settle."""
        letters = self._standing(ids)
        going = Counter((each.of, "", each.reason, each.type) for each in letters)
        return LettersPlan(ids, len(letters), _most(going), [], {})

    def redrive(self, user: User, ids: frozenset[str], *, again: bool) -> Work:
        """Begin to append them again."""
        require_operate(user)
        asked = self._chosen(ids)

        def job(work: Work) -> str:
            settling.redrive(self._settings, asked, work.told, again=again, by=user.name)
            return f"{_letters(work.done)} appended again; they stand, marked, until settled"

        return self._works.begin(f"redrive {_letters(len(ids))}", user.name, job)

    def purge(self, user: User, ids: frozenset[str]) -> Work:
        """Begin to settle them without doing anything about them."""
        require_operate(user)
        asked = self._chosen(ids)

        def job(work: Work) -> str:
            settling.purge(self._settings, asked, work.told, by=user.name)
            return f"{_letters(work.done)} settled without doing anything about them"

        return self._works.begin(f"purge {_letters(len(ids))}", user.name, job)

    def works(self) -> list[Work]:
        """What was begun here, the newest first."""
        return self._works.all()

    def _asked(self, asked: LettersAsked) -> Asked:
        with fields():
            wanted = filter_of(
                now=now_milliseconds(),
                reasons=asked.reasons,
                types=asked.types,
                customer=asked.customer.strip() or None,
                since=asked.since.strip() or None,
                until=asked.until.strip() or None,
            )
        return self._of(wanted, asked.of)

    def _of(self, wanted: Filter, of: Iterable[str]) -> Asked:
        sources = set(sources_of(self._settings))
        named = set(of)
        return Asked(wanted, sorted(named - sources), sorted(named & sources))

    def _chosen(self, ids: frozenset[str]) -> Asked:
        """These letters; raises `ConfigurationError` for none, which would mean all of them."""
        if not ids:
            raise ConfigurationError("dead letters", "none is meant", "Choose some")
        return Asked(Filter(ids=ids))

    def _standing(self, ids: frozenset[str]) -> list[Letter]:
        asked = self._chosen(ids)
        return settling.standing(settling.opened(self._settings, asked), asked.wanted).letters


def _row(letter: Letter, *, unmasked: bool) -> LetterRow:
    return LetterRow(
        id=letter.id,
        of=letter.of,
        reason=letter.reason,
        field=letter.field,
        type=letter.type,
        customer=customer_text(letter, unmasked=unmasked),
        status=letter.status,
        written_at=letter.written_at,
        redriven_at=letter.redriven_at,
    )


def _most(counts: Counter[Kind]) -> list[tuple[Kind, int]]:
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))


def _letters(count: int) -> str:
    return f"{count:,} dead letter{'' if count == 1 else 's'}"
