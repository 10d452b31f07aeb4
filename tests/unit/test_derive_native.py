"""The source's own subscriber events: told in `native` mode, and when they are late there."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from streams.derive import DeriveOptions
from streams.model.events import Event, Person, Subscription
from streams.model.ids import digest
from tests.support.customer_shop import BEGIN, CUSTOMER, MERCHANT, SECOND
from tests.support.timed import Appended, as_of, play

HOUR = 3_600 * SECOND
NATIVE = DeriveOptions(history="complete", mode="native")
DERIVED = DeriveOptions(history="complete")
OF_CHECKOUTS = replace(DERIVED, native_subscriptions_created=True)
CREATE, CANCEL, TOGETHER = (
    f"subscriber.{each}" for each in ("create", "cancel", "subscriptions_created")
)
TYPES = (CREATE, CANCEL, TOGETHER)


def of_person(event_type: str, at: int = BEGIN, *names: str, **more: object) -> Event:
    """The source's own event about the customer."""
    id_ = f"{event_type} {at}"
    named = Person(email="noor@shop-demo.io", subscriptions=names)
    return replace(Event(id_, event_type, at, MERCHANT, CUSTOMER, digest(id_), named), **more)


def of_subscription(name: str, at: int = BEGIN, *, live: bool = True) -> Event:
    """An event that says whether a subscription lives."""
    content = Subscription(name, live=live, updated=at)
    id_ = f"{name} {at}"
    action = "subscription.create" if live else "subscription.cancel"
    return Event(id_, action, at, MERCHANT, CUSTOMER, digest(id_), content)


LIVES = [of_subscription("a", BEGIN - HOUR)]
LEFT = [*LIVES, of_subscription("a", BEGIN - 1, live=False)]
HELD_UP = HOUR + 1


@pytest.mark.parametrize(
    ("event_type", "before", "held_up", "late"),
    [
        pytest.param(CREATE, LIVES, 0, False, id="create, they live"),
        pytest.param(CREATE, LIVES, HELD_UP, False, id="create, held up, they live"),
        pytest.param(CREATE, LEFT, 0, False, id="create, they left, in time"),
        pytest.param(CREATE, LEFT, HOUR, False, id="create, they left, an hour"),
        pytest.param(CREATE, LEFT, HELD_UP, True, id="create, held up, they left"),
        pytest.param(CREATE, [], HELD_UP, True, id="create, held up, nothing known"),
        pytest.param(CANCEL, LEFT, HELD_UP, False, id="cancel, held up, they left"),
        pytest.param(CANCEL, LIVES, 0, False, id="cancel, they live, in time"),
        pytest.param(CANCEL, LIVES, HELD_UP, True, id="cancel, held up, they live"),
        pytest.param(TOGETHER, LEFT, HELD_UP, False, id="checkout, held up, they left"),
    ],
)
def test_what_is_late_in_native_mode(
    event_type: str, before: list[Event], held_up: int, late: bool
) -> None:
    """Late is what came more than an hour late and says what the row knows to be otherwise."""
    records = [*as_of(before), Appended(BEGIN + held_up, of_person(event_type))]
    [told] = play(records, NATIVE).of(event_type)

    assert late == told.late


@pytest.mark.parametrize(
    ("options", "told"),
    [
        pytest.param(NATIVE, TYPES, id="native"),
        pytest.param(DERIVED, (), id="derived"),
        pytest.param(OF_CHECKOUTS, (TOGETHER,), id="derived, with its checkouts"),
    ],
)
def test_which_are_told(options: DeriveOptions, told: tuple[str, ...]) -> None:
    """Those that a mode does not tell are withheld, and still say who the customer is."""
    for event_type in TYPES:
        found = play([Appended(BEGIN, of_person(event_type))], options)

        assert [None if event_type in told else "derived_mode"] == [
            fact.withheld for fact in found.facts if fact.type == event_type
        ]
        assert "noor@shop-demo.io" == found.row.profile.email


def test_native_mode_concludes_nothing_of_a_subscriber() -> None:
    """No create, no cancel, no checkout of ours, whatever settles; status and profile as ever."""
    options = replace(NATIVE, cancel_settle=HOUR)
    found = play(as_of(LEFT), options)

    assert [
        ["subscription.create", "profile.changed", "subscription.cancel", "profile.changed"],
        "inactive",
    ] == [[fact.type for fact in found.facts], found.row.status]


@pytest.mark.parametrize(
    ("more", "withheld"),
    [({"source": "XML IMPORT"}, "import"), ({"kind": "state"}, "state"), ({}, None)],
    ids=["import", "state", "neither"],
)
def test_history_is_the_sources_own_business(more: dict[str, object], withheld: str | None) -> None:
    """Under `live` native events are told; imports and states start no flows here either."""
    options = replace(NATIVE, history="live")
    [told] = [
        fact
        for fact in play([Appended(BEGIN, of_person(CREATE, BEGIN, **more))], options).facts
        if fact.type == CREATE
    ]

    assert withheld == told.withheld


def test_what_each_lists() -> None:
    """Create those that live, cancel those that ended since they came, a checkout its own."""
    lives = [of_subscription(name, BEGIN - HOUR) for name in "abc"]
    lives.append(of_subscription("c", BEGIN - 9, live=False))
    ends = [of_subscription(name, BEGIN + 1, live=False) for name in "ab"]
    asked = [of_person(CREATE), of_person(TOGETHER, BEGIN, "b", "unknown")]
    found = play(as_of([*lives, *asked, *ends, of_person(CANCEL, BEGIN + 2)]), NATIVE)
    listed = {fact.type: sorted(fact.listed or ()) for fact in found.facts}

    assert {CREATE: ["a", "b"], TOGETHER: ["b"], CANCEL: ["a", "b", "c"]} == {
        each: listed[each] for each in TYPES
    }


def test_before_flows_begin_native_events_are_late() -> None:
    """`flows_from` counts for them as for any."""
    options = replace(NATIVE, flows_from=BEGIN + 1)
    [told] = play([Appended(BEGIN, of_person(CREATE))], options).of(CREATE)

    assert told.late
