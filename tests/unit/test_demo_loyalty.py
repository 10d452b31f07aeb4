"""The program and the demo's loyalty books, over days of the programme: everything agrees.

The whole without a broker, with made-up times of record. Two readings of the documents that share
no code come to the same: every request, every outcome, every dead letter.
"""

from __future__ import annotations

from itertools import accumulate
from random import Random
from typing import TYPE_CHECKING

import pytest

from streams.demo.compare import compare
from streams.demo.expected import Bookkeeping
from streams.demo.ledger import VENDORS, Ledger
from streams.demo.loyalty_expected import LoyaltyBookkeeping
from streams.demo.loyalty_programme import SHARE, Programme
from streams.demo.shop import OPENS, Shop
from streams.demo.verdicts import differing_verdicts
from tests.support.demo_program import Program
from tests.support.loyalty_program import LoyaltyProgram

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from streams.demo.loyalty_webhooks import Sent

EVENTS = 400
AFTER = (OPENS + 26 * 3_600) * 1_000
"""All of the day is over an hour and a half old by then."""
TAKING = ("attentive", "klaviyo")
"""Whose pages speak of loyalty."""


def day(seed: int, events: int = EVENTS) -> tuple[list[bytes], list[Sent]]:
    """The webhooks of a shop's day, and of its programme's."""
    shop = Shop(seed, events * SHARE)
    programme = Programme(seed, events, shop.world)
    bodies: list[bytes] = []
    webhooks: list[Sent] = []
    for body in shop:
        bodies.append(body)
        webhooks += programme.upto(len(bodies) / shop.events)
    return bodies, webhooks


def in_one_breath(day: list[Sent], _: Random) -> Iterator[int]:
    """Everything within a second."""
    return iter(range(AFTER, AFTER + len(day)))


def over_days(day: list[Sent], rng: Random) -> Iterator[int]:
    """Into the next days, past midnights: birthdays come and go."""
    return accumulate((rng.randint(0, 1_200_000) for _ in day), initial=AFTER)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
@pytest.mark.parametrize("times", [in_one_breath, over_days])
def test_program_and_books_agree(
    times: Callable[[list[Sent], Random], Iterator[int]], seed: int
) -> None:
    """Bodies of records, their order, statuses held, outcomes, deliveries, dead letters."""
    _, webhooks = day(seed)
    ledgers = {name: Ledger(name) for name in VENDORS}
    book, program = LoyaltyBookkeeping(ledgers), LoyaltyProgram()
    for sent, at in zip(webhooks, times(webhooks, Random(seed)), strict=False):
        book.arrive(sent, at)
        program.arrive(sent.line, at)

    assert EVENTS == book.webhooks
    assert book.dead_letters == program.dead_letters
    for name, ledger in ledgers.items():
        assert (ledger.expected > EVENTS / 4) == (name in TAKING)
        assert [] == compare(ledger, program.received[name]).differences
        assert [] == list(differing_verdicts(ledger, program.verdicts[name]))
        assert ledger.deliveries == program.deliveries[name]


@pytest.mark.parametrize("first", ["subscribers", "members"])
def test_both_sources_agree_in_any_order(first: str) -> None:
    """A person whom both sources tell of gets both; which of the two comes first is left open."""
    bodies, webhooks = day(seed=5, events=120)
    book, program, loyalty = Bookkeeping(), Program(), LoyaltyProgram()
    for body in bodies:
        book.arrive(body, AFTER)
        program.arrive(body, AFTER)
    book.end()
    program.end()
    members = LoyaltyBookkeeping(book.ledgers)
    for sent in webhooks:
        members.arrive(sent, AFTER)
        loyalty.arrive(sent.line, AFTER)

    for name in TAKING:
        ledger = book.ledgers[name]
        parts = [program.received[name], loyalty.received[name]]
        if first == "members":
            parts.reverse()
        assert [] == compare(ledger, parts[0] + parts[1]).differences
        assert ledger.deliveries == program.deliveries[name] + loyalty.deliveries[name]


def test_a_member_who_is_told_as_a_subscriber_is_noticed() -> None:
    """Two people of one address are not taken for each other."""
    ledgers = {name: Ledger(name) for name in TAKING}
    book, program = LoyaltyBookkeeping(ledgers), LoyaltyProgram()
    for sent in day(seed=5, events=120)[1]:
        book.arrive(sent, AFTER)
        program.arrive(sent.line, AFTER)
    came = program.received["attentive"]
    place = next(i for i, one in enumerate(came) if one.path.startswith("/v1/attributes"))
    user = came[place].body["user"]
    status = {"user": user, "properties": {"Ordergroove Subscriber Status": "active"}}
    came[place] = came[place]._replace(body=status)
    kinds = {one.kind for one in compare(ledgers["attentive"], came).differences}

    assert {"missing", "extra"} <= kinds
