"""The program and the demo's books, over days of the shop: every request and every outcome agree.

The whole without a broker: made-up times of record, so that checkouts close between any two
webhooks, and all vendors. Two readings of the documents that share no code come to the same.
"""

from __future__ import annotations

import json
from itertools import accumulate
from random import Random
from typing import TYPE_CHECKING

import pytest

from streams.demo.compare import compare
from streams.demo.expected import Bookkeeping
from streams.demo.shop import OPENS, Shop
from streams.demo.verdicts import differing_verdicts
from tests.support.demo_program import Program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EVENTS = 1_500
AFTER = (OPENS + 26 * 3_600) * 1_000
"""All of the day is over an hour and a half old by then."""


def in_one_breath(day: list[bytes], _: Random) -> Iterator[int]:
    """Everything within two seconds: each checkout closes after the last webhook."""
    return iter(range(AFTER, AFTER + len(day)))


def by_and_by(day: list[bytes], rng: Random) -> Iterator[int]:
    """Pauses around the five seconds that a checkout stays open, also between its webhooks."""
    pauses = (0, 0, 0, 0, 1, 1, 40, 400, 2_500, 4_999, 5_000, 5_001)
    return accumulate((rng.choice(pauses) for _ in day), initial=AFTER)


def as_it_happens(day: list[bytes], _: Random) -> Iterator[int]:
    """Soon after each was created: then what is overtaken within an hour may not be late."""
    return accumulate((_created(body) * 1_000 + 250 for body in day), max)


def _created(body: bytes) -> int:
    try:
        created = json.loads(body)["created"]
    except (ValueError, TypeError, KeyError):
        return 0
    return created if isinstance(created, int) else 0


@pytest.mark.parametrize(("seed", "waits"), [(11, False), (23, True)])
@pytest.mark.parametrize("times", [in_one_breath, by_and_by, as_it_happens])
def test_program_and_books_agree(
    times: Callable[[list[bytes], Random], Iterator[int]], seed: int, *, waits: bool
) -> None:
    """Bodies of records, their order, statuses held, outcomes, deliveries, dead letters.

    Where orders wait, some are superseded: there must be such among them, and such as are not sent
    again where they do not wait.
    """
    day = list(Shop(seed, events=EVENTS))
    book, program = Bookkeeping(), Program(waits=waits)
    for body, at in zip(day, times(day, Random(seed)), strict=False):
        book.arrive(body, at)
        program.arrive(body, at)
    book.end()
    program.end()

    assert book.dead_letters == program.dead_letters
    events = [one for (_, part), one in program.verdicts["yespo"].items() if part == "event"]
    assert ("superseded" if waits else "duplicate") in {one.outcome for one in events}
    for name, ledger in book.ledgers.items():
        came = program.verdicts[name].items()
        ledger.settle({id_ for (id_, _), one in came if one.outcome == "superseded"})
        assert ledger.expected > EVENTS / 4
        assert [] == compare(ledger, program.received[name]).differences
        assert [] == list(differing_verdicts(ledger, program.verdicts[name]))
        assert ledger.deliveries == program.deliveries[name]
