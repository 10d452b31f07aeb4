"""A row as people read it."""

from __future__ import annotations

from streams.cli.table.row_lines import row_lines
from streams.model.events import Entitlement, Product, Subscription
from streams.model.masking import masked
from streams.model.row_text import row_as_dict
from streams.model.subscriber import (
    Checkout,
    OrderKey,
    Profile,
    Reactivations,
    SeenProduct,
    Settling,
    Subscriber,
    SubscriptionState,
)
from streams.names import DAY

NOON = 1_790_856_000_000
"""2026-10-01T12:00:00Z."""
SECOND = 1_000


def shown(row: Subscriber, *, reveal: bool = False) -> str:
    """The row's lines as one text."""
    text = row_as_dict(row)
    return "\n".join(row_lines(row, (text if reveal else masked(text))["profile"]))


FULL = Subscriber(
    version=7,
    profile=Profile("nina@shop-demo.io", "+12125550147", "Nina", "Sand"),
    subscriptions={
        "oats": SubscriptionState(
            Subscription("oats", live=False, updated=NOON),
            OrderKey(NOON, NOON + SECOND, 4, "e7"),
            died_in=2,
            reactivations=Reactivations((NOON - 5 * SECOND,)),
        ),
        "rye": SubscriptionState(
            Subscription("rye", live=True, updated=NOON + SECOND),
            OrderKey(NOON + SECOND, NOON + SECOND, 1, "e8"),
        ),
    },
    ever_subscribed=True,
    complete=True,
    spell=2,
    last_cancel=("oats", NOON),
    seen={NOON // DAY: bytes(32), NOON // DAY - 1: bytes(16)},
    entitlements={
        "ent": Entitlement("ent", live=True, expiration=NOON + DAY, resource_name="Recipes")
    },
    products={"p1": SeenProduct(Product("p1", name="Rye bread"), NOON)},
    first_out_of_stock={"rye": NOON},
    checkouts={
        "M-1": Checkout(NOON + 6 * SECOND, ("rye",), 0, NOON, "e8", 0, NOON, late=False),
        "M-0": Checkout(0, (), 2, NOON - DAY, "e1", 0, NOON - DAY, late=False),
    },
    settling=Settling(NOON + 500, "e7", "subscription.cancel", 1, late=False),
    customer_created=NOON - DAY,
    begun=NOON - 2 * DAY,
)
FULL_LINES = """\
  active: 1 active of 2, version 7
  e-mail n***@shop-demo.io, phone ***47, name N. S.
  history
    complete: all of the past is known
    has subscribed
    became active 2 times
    customer created 2026-09-30T12:00:00Z
    first seen in an event of 2026-09-29T12:00:00Z
    last subscriber.cancel told: of oats, 2026-10-01T12:00:00Z
  subscriptions
    rye  live  (updated 2026-10-01T12:00:01Z; event of 2026-10-01T12:00:01Z; rank 1; id e8)
    oats  dead  (updated 2026-10-01T12:00:00Z; event of 2026-10-01T12:00:01Z; rank 4; id e7; \
died in spell 2; reactivated 2026-10-01T11:59:55Z)
  timers
    2026-10-01T12:00:00.500Z  subscriber.cancel of 1 → 0 is decided
    2026-10-01T12:00:06Z  checkout M-1 closes: rye
  checkouts told
    M-0  2 times, last member 2026-09-30T12:00:00Z
  entitlements
    ent  live  Recipes, expires 2026-10-02T12:00:00Z
  products
    p1  Rye bread, seen 2026-10-01T12:00:00Z
  out of stock
    rye  since 2026-10-01T12:00:00Z
  events remembered
    2026-09-30  1
    2026-10-01  2"""
EMPTY_LINES = """\
  never subscribed: 0 active of 0, version 0
  e-mail unknown, phone unknown, name unknown
  history
    incomplete: no cancel is told
    has never subscribed
    became active 0 times
    customer created unknown
    no subscriber.cancel was told
  subscriptions
    none
  timers
    none
  checkouts told
    none
  entitlements
    none
  products
    none
  out of stock
    none
  events remembered
    none"""


def test_a_row_says_everything_it_knows() -> None:
    """Status, counts, order keys, history marks, timers and their times; the person is masked."""
    assert FULL_LINES == shown(FULL)


def test_a_row_says_how_much_of_the_past_it_knows() -> None:
    """A sync's word is the whole past from the end of the sync on; the row then says complete."""
    known = [
        shown(Subscriber(stated=True, complete=each)).splitlines()[3] for each in (False, True)
    ]

    assert [
        "    synced: all of the past is known once the end of a whole sync is marked",
        "    complete: all of the past is known",
    ] == known


def test_a_row_that_knows_nothing_says_so() -> None:
    """Unknown and none are words, not gaps."""
    assert EMPTY_LINES == shown(Subscriber())


def test_a_person_is_shown_when_asked_for() -> None:
    """Revealed, the profile is as it is kept."""
    assert "e-mail nina@shop-demo.io, phone +12125550147, name Nina Sand" in shown(
        FULL, reveal=True
    )
