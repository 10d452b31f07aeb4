"""What a record makes of its customer's row: what it shows, then what the API answered for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, cast

from .absorbing import absorb, note_at, note_order, note_person, note_product
from .entities import Address, Item, Payment, Person, Product
from .wants import Want, knows, lacks, wants

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .answers import Answer
    from .entities import Record
    from .row import Row

    Ask = Callable[[Want], Answer | None]
    """What was answered; None where nobody asked, or no answer came."""


SKEW: Final = 30_000
"""Milliseconds by which Ordergroove's clock, which dates events, may be behind ours."""


class Settled(NamedTuple):
    """What a record should come with: all of it, what the API told of that, what nobody did.

    `open` is what nobody knows and nobody has asked for.
    """

    wanted: Sequence[Want] = ()
    answered: frozenset[Want] = frozenset()
    missing: Sequence[Want] = ()
    open: Sequence[Want] = ()


def is_erased(row: Row, record: Record) -> bool:
    """Whether a record was created before its customer was erased: then it is nobody's."""
    return record.kind != "erase" and record.created < row.erased_at


def settle(row: Row, record: Record, ask: Ask) -> tuple[Row, Settled]:
    """The row, changed, with what a record shows and what was answered for it."""
    if is_erased(row, record):
        return row, Settled()
    row = absorb(row, record)
    if record.kind != "event":
        return row, Settled()
    answered: set[Want] = set()
    while True:  # an order's items say which products
        wanted = wants(record, row)
        unknown = [each for each in wanted if not knows(row, each)]
        news = [
            (want, answer)
            for want in unknown
            if want not in answered and want.ask and (answer := ask(want)) is not None
        ]
        if not news:
            break
        for want, answer in news:
            learn(row, want, answer)
            answered.add(want)
    return row, Settled(
        wanted,
        frozenset(answered),
        [each for each in unknown if lacks(row, each)],
        [each for each in unknown if each.ask and each not in answered],
    )


def learn(row: Row, want: Want, answer: Answer) -> None:
    """Keep what the API answered."""
    entities, at = answer
    if entities is None:
        return
    if want.what == "items":
        items = [each for each in entities if isinstance(each, Item)]
        note_order(row, want.id, items, at - SKEW)
    elif want.what == "customer":
        note_person(row, cast("Person", entities[0]), at, whole=True)
        row.whole = True  # also where the API knows nothing of the person
    elif want.what == "product":
        note_product(row, cast("Product", entities[0]), at, whole=True)
    elif want.what == "payment":
        note_at(row.payments, want.id, cast("Payment", entities[0]), at)
    else:
        note_at(row.addresses, want.id, cast("Address", entities[0]), at)
