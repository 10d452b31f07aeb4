"""What all kinds of chaos share: rounds until enough count, a line each, a table, a verdict."""

from __future__ import annotations

import argparse
import shutil
import signal
import tempfile
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

_SPARE = 3
"""Rounds beyond twice those asked for, when faults meet nothing."""


class _Plan(Protocol):
    @property
    def kind(self) -> str:
        """The fault."""


class Judged(Protocol):
    """What came of a round: whether its fault met something, and whether all was well."""

    @property
    def plan(self) -> _Plan:
        """What was to be done."""

    @property
    def counts(self) -> bool:
        """Whether the fault met what it was meant for."""

    @property
    def is_good(self) -> bool:
        """Whether nothing was wrong."""


Each = TypeVar("Each", bound=Judged)


def parser_of(prog: str, says: str | None, rounds: int) -> argparse.ArgumentParser:
    """The options that every kind has: `rounds`, by default so many, `seed`, `directory`."""
    parser = argparse.ArgumentParser(
        prog=prog, description=says, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=rounds, help="that count")
    parser.add_argument("--seed", type=int, help="the same one gives the same faults")
    parser.add_argument("--faults", help="some only, with commas between")
    parser.add_argument("--directory", type=Path, help="for everything that is written")
    return parser


def complete(
    parser: argparse.ArgumentParser, options: argparse.Namespace, known: Sequence[str]
) -> argparse.Namespace:
    """Draw the seed and name the faults, where nobody did; ends for a fault that is not known."""
    if options.seed is None:
        options.seed = SystemRandom().randrange(1_000_000)
    options.faults = options.faults.split(",") if options.faults else list(known)
    if unknown := set(options.faults) - set(known):
        parser.error(f"no such fault: {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    return options


def hold(
    options: argparse.Namespace,
    title: str,
    rounds: Callable[[Path], Iterator[Each]],
    line: Callable[[Each], str],
    table: Callable[[Sequence[Each]], Iterable[str]],
) -> int:
    """Run rounds until enough count, and tell of them; 0 when each was good.

    Args:
        options: with `rounds`, `seed` and `directory`.
        title: what is done, for the first line.
        rounds: (a directory of its own) → what came of each round, without end.
        line: a round in words.
        table: the lines of the table of all rounds.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # asked to end: end what we started
    print(f"seed {options.seed}: {options.rounds} rounds {title}", flush=True)
    place = Path(tempfile.mkdtemp(prefix="streams-chaos-", dir=options.directory))
    began = time.monotonic()
    outcomes: list[Each] = []
    with suppress(KeyboardInterrupt):  # what was found so far is told all the same
        for outcome in rounds(place):
            outcomes.append(outcome)
            print(line(outcome), flush=True)
            enough = sum(each.counts for each in outcomes) >= options.rounds
            if enough or len(outcomes) >= 2 * options.rounds + _SPARE:
                break
    told, good = verdict(outcomes, options.rounds)
    print("\n" + "\n".join(table(outcomes)))
    print(f"\n{told}, seed {options.seed}, {time.monotonic() - began:.0f} s")
    if good:
        shutil.rmtree(place)
    else:
        print(f"logs, records and topics are in {place}")
    return 0 if good else 1


def verdict(outcomes: Sequence[Judged], asked: int) -> tuple[str, bool]:
    """The last line, and whether all is well: enough rounds counted, and each was good."""
    counted = sum(each.counts for each in outcomes)
    bad = sum(not each.is_good for each in outcomes)
    told = (
        f"{counted} of {asked} rounds counted, {len(outcomes) - counted} met nothing, {bad} failed"
    )
    return told, counted >= asked and not bad


def by_kind(
    outcomes: Sequence[Each],
    head: tuple[str, ...],
    row: Callable[[str, Sequence[Each]], tuple[str, ...]],
    words: Collection[int] = (0,),
) -> list[str]:
    """The table of the rounds that count, a line each: by fault, and all together.

    `words`: the columns that hold words, which stand to the left.
    """
    counted = [each for each in outcomes if each.counts]
    kinds: defaultdict[str, list[Each]] = defaultdict(list)
    for outcome in counted:
        kinds[outcome.plan.kind].append(outcome)
    rows = [head, *(row(kind, kinds[kind]) for kind in sorted(kinds)), row("all", counted)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if place in words else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(each, widths, strict=True))
        ).rstrip()
        for each in rows
    ]
