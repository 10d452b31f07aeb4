"""The oracle against histories written by hand: what it must say is spelled out, not computed."""

from __future__ import annotations

from itertools import permutations

import pytest
from msgspec.structs import replace

from streams.model.events import Event, Order, Person, Snapshot, Subscription
from streams.model.ids import fact_id
from tests.support.oracle import Known, once_each, truth

MERCHANT, CUSTOMER = "m-1", "c-1"
OATS = Subscription("oats", live=True, updated=10_000, product="p-1", quantity=2, every=8)
TEA = Subscription("tea", live=True, updated=20_000, product="p-2", quantity=1, every=4)


def told(action: str, content: Subscription, at: int, event_id: str = "") -> Event:
    """A subscription's event with `updated` = `at` seconds; its envelope says a second more."""
    changed = replace(content, updated=at * 1_000)
    return event(f"subscription.{action}", changed, at + 1, event_id)


def event(
    event_type: str,
    subject: Subscription | Person | Order,
    at: int,
    event_id: str = "",
    snapshot: Snapshot | None = None,
) -> Event:
    """Any event, created `at` seconds."""
    name = event_id or f"{event_type}@{at}"
    return Event(
        name, event_type, at * 1_000, MERCHANT, CUSTOMER, name.encode(), subject,
        snapshot=snapshot or Snapshot(),
    )  # fmt: skip


def dead(content: Subscription) -> Subscription:
    """The subscription, cancelled."""
    return replace(content, live=False)


def cancel_id(subscription: str, at: int) -> str:
    """The id of a subscriber.cancel that this subscription's end at `at` seconds brought about."""
    return fact_id("subscriber.cancel", MERCHANT, CUSTOMER, subscription, at * 1_000)


def reactivate_id(subscription: str, at: int) -> str:
    """The id of a subscription's reactivation at `at` seconds."""
    return fact_id("subscription.reactivate", MERCHANT, CUSTOMER, subscription, at * 1_000)


CREATE_ID = fact_id("subscriber.create", MERCHANT, CUSTOMER)

LIFE = [
    told("create", OATS, 10),
    told("create", TEA, 20),
    told("change_quantity", replace(OATS, quantity=3), 30),
    told("cancel", dead(TEA), 40),
    told("cancel", dead(replace(OATS, quantity=3)), 50),
    told("change_live", replace(OATS, quantity=3), 60),
    told("reactivate", replace(OATS, quantity=3), 60),
    told("cancel", dead(replace(OATS, quantity=3)), 70),
]


def test_a_life_of_two_subscriptions() -> None:
    """Two subscriptions, two endings, one reactivation told twice, and nobody left in the end."""
    actual = truth(LIFE)

    assert {
        "oats": Known(False, 70_000, "p-1", 3, (None, 8, None)),
        "tea": Known(False, 40_000, "p-2", 1, (None, 4, None)),
    } == actual.subscriptions
    assert (0, 2, "inactive", True) == (
        actual.active,
        actual.total,
        actual.status,
        actual.ever_subscribed,
    )
    assert {CREATE_ID} == actual.creates
    assert {reactivate_id("oats", 60)} == actual.reactivations
    assert [
        (cancel_id("oats", 50), 50_000, 1),
        (cancel_id("oats", 70), 70_000, 1),
    ] == list(actual.endings)


def test_before_anything_is_known() -> None:
    """A customer without subscriptions has no status, and nothing was concluded."""
    actual = truth([event("subscriber.create", Person(first_name="Noor", last_updated=1_000), 1)])

    assert ({}, 0, 0, None, False) == (
        actual.subscriptions,
        actual.active,
        actual.total,
        actual.status,
        actual.ever_subscribed,
    )
    assert (frozenset(), frozenset(), ()) == (
        actual.creates,
        actual.reactivations,
        actual.endings,
    )
    assert "Noor" == actual.profile["first_name"]


RANKED = {
    "a cancel beats a reactivation": (("reactivate", OATS), ("cancel", dead(OATS)), False),
    "a reactivation beats a create": (("create", dead(OATS)), ("change_live", OATS), True),
    "a create beats a change": (("change_quantity", dead(OATS)), ("create", OATS), True),
}


@pytest.mark.parametrize(("lesser", "greater", "live"), RANKED.values(), ids=RANKED)
@pytest.mark.parametrize("first", ["a", "z"])
def test_within_one_second_the_rank_decides(
    lesser: tuple[str, Subscription], greater: tuple[str, Subscription], live: bool, first: str
) -> None:
    """Where `updated` and `created` are equal the rank decides, whatever the event ids are."""
    second = "z" if first == "a" else "a"

    actual = truth([told(*greater, 10, first), told(*lesser, 10, second)])

    assert live == actual.subscriptions["oats"].live


def test_updated_comes_before_created() -> None:
    """What was changed later is newer, even if its envelope is older."""
    older = event("subscription.cancel", replace(dead(OATS), updated=10_000), 30)
    newer = event("subscription.change_live", replace(OATS, updated=11_000), 20)

    assert truth([newer, older]).subscriptions["oats"].live


def test_of_two_changes_in_one_second_the_greater_event_id_wins() -> None:
    """The event id is the last word."""
    changes = [
        told("change_quantity", replace(OATS, quantity=quantity), 10, event_id)
        for quantity, event_id in ((5, "b"), (7, "a"))
    ]

    assert 5 == truth(changes).subscriptions["oats"].quantity


PAIR = [("change_live", 20), ("reactivate", 20)]
CYCLES = {
    "both types at once": (PAIR, [20]),
    "one type alone": ([("change_live", 20)], [20]),
    "both types, a second apart": ([("change_live", 20), ("reactivate", 21)], [20]),
    "a second apart, the other way": ([("reactivate", 20), ("change_live", 21)], [20]),
    "one type twice": ([("reactivate", 20), ("reactivate", 21)], [20, 21]),
    "two cycles of both": (
        [*PAIR, ("cancel", 30), ("change_live", 40), ("reactivate", 40)],
        [20, 40],
    ),
    "two cycles of one each": (
        [("change_live", 20), ("cancel", 30), ("reactivate", 40)],
        [20, 40],
    ),
    "a pair after one alone": (
        [("change_live", 20), ("change_live", 21), ("reactivate", 21)],
        [20, 21],
    ),
}


@pytest.mark.parametrize(("events", "facts"), CYCLES.values(), ids=CYCLES)
def test_reactivations_are_facts_of_a_cycle(
    events: list[tuple[str, int]], facts: list[int]
) -> None:
    """Equal `updated` are one fact; a lone pair of both types is one; a cancel divides."""
    contents = {"cancel": dead(OATS)}
    history = [told("create", OATS, 1), told("cancel", dead(OATS), 10)]
    history += [told(action, contents.get(action, OATS), at) for action, at in events]

    assert {reactivate_id("oats", at) for at in facts} == truth(history).reactivations


ENDINGS = {
    "the first subscription, first seen dead": ([told("cancel", dead(OATS), 10)], [("oats", 10)]),
    "a further one, first seen dead while none lives": (
        [told("cancel", dead(OATS), 10), told("cancel", dead(TEA), 20)],
        [("oats", 10)],
    ),
    "one of two": (
        [told("create", OATS, 10), told("create", TEA, 11), told("cancel", dead(OATS), 20)],
        [],
    ),
    "a change that says dead": (
        [told("create", OATS, 10), told("change_payment", dead(OATS), 20)],
        [("oats", 20)],
    ),
    "a snapshot that says dead": (
        [
            told("create", OATS, 10),
            event(
                "order.cancel",
                Order("o-1"),
                30,
                snapshot=Snapshot(subscriptions=(replace(dead(OATS), updated=20_000),)),
            ),
        ],
        [("oats", 20)],
    ),
    "the same fact reached twice": (
        [
            told("create", OATS, 10),
            event("subscription.cancel", replace(dead(OATS), updated=20_000), 21),
            event("subscription.change_live", replace(OATS, updated=20_000), 22),
            event("subscription.cancel", replace(dead(OATS), updated=20_000), 23),
        ],
        [("oats", 20)],
    ),
}


@pytest.mark.parametrize(("history", "ends"), ENDINGS.values(), ids=ENDINGS)
def test_endings_are_changes_to_zero(history: list[Event], ends: list[tuple[str, int]]) -> None:
    """Each change of the live count to 0 ends it, under the newest dead subscription's id."""
    actual = [ending.event_id for ending in truth(history).endings]

    assert [cancel_id(*end) for end in ends] == actual


def test_each_profile_field_is_the_newest_told() -> None:
    """Fields are told apart; an empty one tells nothing; `last_updated` beats the envelope."""
    customer = Person("old@shop-demo.io", "+13125550148", "Noor", "Hale", last_updated=10_000)
    history = [
        event("subscriber.create", replace(customer, email="new@shop-demo.io"), 11),
        event("subscriber.cancel", Person(first_name="Nour", last_updated=20_000), 21),
        event(
            "order.reminder",
            Order("o-1"),
            30,
            snapshot=Snapshot(replace(customer, last_updated=9_000)),
        ),
    ]
    expected = {
        "email": "new@shop-demo.io",
        "phone_number": "+13125550148",
        "first_name": "Nour",
        "last_name": "Hale",
    }

    assert [expected] * 6 == [truth(order).profile for order in permutations(history)]


def test_a_repetition_is_known_by_its_id_and_by_its_guard() -> None:
    """The same event twice, and under another id, is one event."""
    event_ = told("create", OATS, 10)

    assert [event_] == once_each([event_, event_, replace(event_, event_id="another")])


def test_the_order_of_the_given_events_does_not_matter() -> None:
    """The oracle sorts for itself."""
    assert truth(LIFE) == truth(reversed(LIFE))
