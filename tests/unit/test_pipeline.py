"""Worked cases through the whole pipeline: arrivals → events, ids, lateness, the row (DESIGN §6).

An event is written as its type, with `late` or why it is withheld after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from streams.errors import BadRecord
from streams.model.enriched import Because
from streams.model.ids import customer_key, fact_id
from streams.model.subscriber import Subscriber
from streams.route import Route
from streams.sources.ordergroove import record_of
from tests.support.driver import ROUTES, SOURCE, Driver, enriched, properties
from tests.support.webhooks import (
    CUSTOMER,
    DAY,
    HOUR,
    MERCHANT,
    START,
    item,
    order,
    person,
    subscription,
    webhook,
)

if TYPE_CHECKING:
    from streams.pipeline import Processed

IMPORT = {"source": "XML IMPORT"}


def create(id_: str = "a1", at: int = START, **envelope: Any) -> bytes:
    """A subscription begins."""
    return webhook("subscription.create", subscription(id_, at, created=at), at, **envelope)


def cancel(id_: str = "a1", at: int = START + DAY, **envelope: Any) -> bytes:
    """A subscription ends."""
    return webhook("subscription.cancel", subscription(id_, at, live=False), at, **envelope)


def change(id_: str = "a1", at: int = START + HOUR, *, live: bool = True, **more: Any) -> bytes:
    """A subscription's quantity changes."""
    return webhook("subscription.change_quantity", subscription(id_, at, live=live, **more), at)


def reactivate(at: int = START + 2 * DAY, created: int | None = None) -> bytes:
    """A subscription lives again, by one of the two types."""
    return webhook("subscription.reactivate", subscription("a1", at), created or at)


def change_live(at: int = START + 2 * DAY, created: int | None = None) -> bytes:
    """A subscription lives again, by the other."""
    return webhook("subscription.change_live", subscription("a1", at), created or at)


def told(processed: Processed) -> list[str]:
    """The events of a record, in words."""
    return [
        " ".join(filter(None, (fact.type, "late" if fact.late else None, fact.withheld)))
        for fact in (each.fact for each in processed.told)
    ]


CREATE = ["subscription.create", "subscriber.create"]
CANCEL = ["subscription.cancel", "subscriber.cancel"]
REACTIVATE = ["subscription.reactivate"]
QUANTITY = ["subscription.change_quantity"]


@pytest.mark.parametrize(
    ("arrivals", "status", "active", "total"),
    [
        pytest.param([(create(), CREATE)], "active", 1, 1, id="the first subscription ever"),
        pytest.param(
            [(create(), CREATE), (create("b2", START + 9), ["subscription.create"])],
            "active",
            2,
            2,
            id="a second one begins no subscriber",
        ),
        pytest.param(
            [
                (create(), CREATE),
                (create("b2", START + 9), ["subscription.create"]),
                (cancel("a1"), ["subscription.cancel"]),
            ],
            "active",
            1,
            2,
            id="one of two ends",
        ),
        pytest.param(
            [(create(), CREATE), (cancel(), CANCEL)], "inactive", 0, 1, id="the last ends"
        ),
        pytest.param(
            [
                (create(), CREATE),
                (cancel(), CANCEL),
                (create("b2", START + 2 * DAY), ["subscription.create"]),
            ],
            "active",
            1,
            2,
            id="coming back is no second beginning",
        ),
        pytest.param(
            [
                (create(), CREATE),
                (cancel(), CANCEL),
                (reactivate(), REACTIVATE),
                (change_live(), []),
            ],
            "active",
            1,
            1,
            id="reactivate, then change_live",
        ),
        pytest.param(
            [
                (create(), CREATE),
                (cancel(), CANCEL),
                (change_live(), REACTIVATE),
                (reactivate(), []),
            ],
            "active",
            1,
            1,
            id="change_live, then reactivate",
        ),
        pytest.param(
            [
                (create(), CREATE),
                (cancel(), CANCEL),
                (change_live(), REACTIVATE),
                (reactivate(START + 2 * DAY + 1), []),
            ],
            "active",
            1,
            1,
            id="a pair of different seconds",
        ),
        pytest.param(
            [
                (create(), CREATE),
                (cancel(), CANCEL),
                (change_live(), REACTIVATE),
                (change_live(START + 2 * DAY + 1), REACTIVATE),
            ],
            "active",
            1,
            1,
            id="one type twice is no pair",
        ),
        pytest.param(
            [
                (create(), CREATE),
                (cancel(), CANCEL),
                (change_live(), REACTIVATE),
                (cancel("a1", START + 3 * DAY), CANCEL),
                (reactivate(START + 4 * DAY), REACTIVATE),
                (change_live(START + 4 * DAY), []),
            ],
            "active",
            1,
            1,
            id="two cycles",
        ),
        pytest.param(
            [(cancel(), ["subscription.cancel", "subscriber.create late", "subscriber.cancel"])],
            "inactive",
            0,
            1,
            id="first seen dead: it had been live",
        ),
        pytest.param(
            [
                (cancel(), ["subscription.cancel", "subscriber.create late", "subscriber.cancel"]),
                (cancel("b2", START + DAY + 9), ["subscription.cancel"]),
            ],
            "inactive",
            0,
            2,
            id="a further one first seen dead announces nothing",
        ),
        pytest.param(
            [(create(), CREATE), (cancel("b2"), ["subscription.cancel"])],
            "active",
            1,
            2,
            id="one first seen dead beside a live one",
        ),
        pytest.param(
            [
                (cancel(), ["subscription.cancel", "subscriber.create late", "subscriber.cancel"]),
                (create(), ["subscription.create late"]),
            ],
            "inactive",
            0,
            1,
            id="a late create raises nobody",
        ),
        pytest.param(
            [(change(), [*QUANTITY, "subscriber.create"])],
            "active",
            1,
            1,
            id="a create that never came",
        ),
        pytest.param(
            [(change(live=False), [*QUANTITY, "subscriber.create late", "subscriber.cancel"])],
            "inactive",
            0,
            1,
            id="a change of what is dead",
        ),
        pytest.param(
            [
                (create(), CREATE),
                (change("a1", START + DAY, live=False), [*QUANTITY, "subscriber.cancel"]),
                (cancel("a1", START + DAY), ["subscription.cancel"]),
            ],
            "inactive",
            0,
            1,
            id="a change reveals the end, its cancel follows",
        ),
        pytest.param(
            [
                (create(), CREATE),
                (cancel("a1", START + HOUR), CANCEL),
                (change("a1", START + HOUR), ["subscription.change_quantity late"]),
            ],
            "inactive",
            0,
            1,
            id="in one second a cancel beats a change, whichever comes first",
        ),
        pytest.param(
            [
                (create(), CREATE),
                (change("a1", START + HOUR), QUANTITY),
                (cancel("a1", START + HOUR), CANCEL),
            ],
            "inactive",
            0,
            1,
            id="in one second a change, then a cancel",
        ),
        pytest.param(
            [
                (create(), CREATE),
                (change("a1", START + HOUR), QUANTITY),
                (change("a1", START + HOUR - 9, quantity=2), QUANTITY),
            ],
            "active",
            1,
            1,
            id="ordinary jitter silences nothing",
        ),
        pytest.param(
            [
                (
                    create(context=IMPORT),
                    ["subscription.create import", "subscriber.create import", "profile.changed"],
                ),
                (create("b2", START + 9), ["subscription.create"]),
                (cancel(), ["subscription.cancel"]),
                (cancel("b2", START + DAY + 9), CANCEL),
            ],
            "inactive",
            0,
            2,
            id="an import is not announced, now or later; its end is",
        ),
        pytest.param(
            [
                (
                    webhook("subscriber.create", person(email="noor@shop-demo.io")),
                    ["subscriber.create derived_mode", "profile.changed"],
                ),
                (create("a1", START + 1), CREATE),
                (
                    webhook("subscriber.subscriptions_created", person(), START + 2),
                    ["subscriber.subscriptions_created derived_mode"],
                ),
                (cancel(), CANCEL),
                (
                    webhook("subscriber.cancel", person(live=False), START + DAY),
                    ["subscriber.cancel derived_mode"],
                ),
            ],
            "inactive",
            0,
            1,
            id="the source's own subscriber events tell only who it is",
        ),
        pytest.param(
            [
                (
                    webhook(
                        "order.create", order(), snapshot={"subscriptions": [subscription("a1")]}
                    ),
                    ["order.create", "subscriber.create"],
                ),
                (create("a1", START - 9), ["subscription.create"]),
                (
                    webhook(
                        "order.cancel",
                        order(),
                        START + HOUR,
                        snapshot={"subscriptions": [subscription("a1", START + 9, live=False)]},
                    ),
                    ["order.cancel", "subscriber.cancel"],
                ),
                (
                    webhook(
                        "order.success",
                        order(),
                        START + HOUR + 1,
                        snapshot={"subscriptions": [subscription("a1", START + 8)]},
                    ),
                    ["order.success"],
                ),
            ],
            "inactive",
            0,
            1,
            id="snapshots tell beginnings and ends, and change nothing newer",
        ),
        pytest.param(
            [(webhook("order.reminder", order()), ["order.reminder"])],
            None,
            0,
            0,
            id="a customer without subscriptions",
        ),
        pytest.param(
            [
                (webhook("item.change_quantity", item(), START), ["item.change_quantity"]),
                (
                    webhook(
                        "item.change_quantity",
                        item(),
                        START + 1,
                        snapshot={"customer": {"email": "noor@shop-demo.io"}},
                    ),
                    ["item.change_quantity", "profile.changed"],
                ),
            ],
            None,
            0,
            0,
            id="an address is told alone where the event goes nowhere",
        ),
    ],
)
def test_what_records_become(
    arrivals: list[tuple[bytes, list[str]]], status: str | None, active: int, total: int
) -> None:
    """Each record's events in their order, and how the row stands after the last."""
    driver = Driver()

    assert [events for _, events in arrivals] == [told(driver.feed(body)) for body, _ in arrivals]
    row = driver.row()
    assert (status, active, total, total > 0) == (
        row.status,
        row.active,
        row.total,
        row.ever_subscribed,
    )


@pytest.mark.parametrize(
    ("newer", "delay", "late"),
    [
        pytest.param(change("a1", START + 9), HOUR, False, id="an hour is jitter"),
        pytest.param(change("a1", START + 9), HOUR + 1, True, id="more is late"),
        pytest.param(cancel("a1", START + 9), 0, True, id="another live is late at once"),
    ],
)
def test_when_a_stale_event_is_late(newer: bytes, delay: int, late: bool) -> None:
    """A stale event is data only if it would mislead, or if its record is old."""
    driver = Driver()
    driver.feed_all([create(), newer])
    stale = driver.feed(change("a1", START + 5), START + 5 + delay)

    assert [f"subscription.change_quantity{' late' if late else ''}"] == told(stale)


def test_what_is_not_stale_is_not_late() -> None:
    """A record that comes a week later and tells the newest is as good as any."""
    driver = Driver()
    driver.feed(create())

    assert QUANTITY == told(driver.feed(change(), START + 7 * DAY))


@pytest.mark.parametrize(
    ("again", "after", "duplicate"),
    [
        pytest.param(create(), 0, True, id="the same body"),
        pytest.param(create(), 7 * DAY, True, id="the same body a week later"),
        pytest.param(create(id="other"), 0, True, id="the same fact under another id"),
        pytest.param(
            create(id="other", context={"actor": {"type": "user"}}), 0, True, id="another envelope"
        ),
        pytest.param(change("a1", START, quantity=2), 0, False, id="another type"),
        pytest.param(
            webhook("subscription.create", subscription("a1", quantity=2)),
            0,
            False,
            id="another content",
        ),
    ],
)
def test_repetitions(again: bytes, after: int, duplicate: bool) -> None:
    """An id or a fact that was seen within 7 days of stream time changes nothing at all."""
    driver = Driver()
    driver.feed(create())
    row = dict(driver.rows)
    processed = driver.feed(again, START + after)

    assert duplicate is processed.duplicate
    assert duplicate is (row == driver.rows)
    if duplicate:
        assert ((), None, 0) == (processed.told, processed.value, processed.due)
        assert processed.row is not None


@pytest.mark.parametrize(
    ("days", "expected"), [(7, []), (8, ["subscription.create late"])], ids=["seven", "eight"]
)
def test_what_was_seen_long_ago_is_forgotten(days: int, expected: list[str]) -> None:
    """Ids are remembered for 7 days of stream time; even then a create concludes nothing anew."""
    driver = Driver()
    driver.feed_all([create(), change("a1", START + days * DAY)])

    assert expected == told(driver.feed(create(), START + days * DAY + 1))
    assert 1 == driver.row().version


def test_ids_and_times_are_the_facts_own() -> None:
    """Derived ids and times follow from the fact; the source's own keep theirs."""
    driver = Driver()
    begun, ended, back = driver.feed_all(
        [
            create("a1", START, id="e1"),
            cancel("a1", START + DAY, id="e2"),
            webhook(
                "subscription.change_live", subscription("a1", START + 9 * DAY), START + 9 * DAY + 5
            ),
        ]
    )

    assert [
        ("e1", START * 1000),
        (fact_id("subscriber.create", MERCHANT, CUSTOMER), START * 1000),
        ("e2", (START + DAY) * 1000),
        (
            fact_id("subscriber.cancel", MERCHANT, CUSTOMER, "a1", (START + DAY) * 1000),
            (START + DAY) * 1000,
        ),
        (
            fact_id("subscription.reactivate", MERCHANT, CUSTOMER, "a1", (START + 9 * DAY) * 1000),
            (START + 9 * DAY) * 1000,
        ),
    ] == [
        (each.fact.event_id, each.fact.occurred_at)
        for processed in (begun, ended, back)
        for each in processed.told
    ]


def test_a_conclusion_says_why() -> None:
    """The revealing event and the counts around it; the source's own events have no reason."""
    driver = Driver()
    begun, ended = driver.feed_all([create("a1", START, id="e1"), cancel("a1", id="e2")])
    reasons = [each.fact.because for processed in (begun, ended) for each in processed.told]

    assert [None, None] == [reasons[0], reasons[2]]
    assert [("e1", 0, 1), ("e2", 1, 0)] == [
        (because.event_id, because.active_before, because.active_after)
        for because in reasons
        if isinstance(because, Because)
    ]
    assert "0 → 1 by subscription.create" in str(reasons[1])
    assert reasons[3] == enriched(ended, "subscriber.cancel").because


def test_who_the_customer_is() -> None:
    """Per field the newest that says one; what is empty erases nothing."""
    driver = Driver()
    driver.feed_all(
        [
            webhook(
                "subscriber.create",
                person(email="old@shop-demo.io", phone_number="312-555-0148", last_updated=START),
                START,
            ),
            webhook(
                "subscriber.create",
                person(email="noor@shop-demo.io", phone_number=None, last_updated=START + 60),
                START + 60,
            ),
            webhook(
                "subscriber.create",
                person(email="older@shop-demo.io", first_name="Noor", last_updated=START + 30),
                START + 90,
            ),
        ]
    )
    who = driver.row().profile

    assert ("noor@shop-demo.io", "+13125550148", "Noor", None) == (
        who.email,
        who.phone_number,
        who.first_name,
        who.last_name,
    )


def out_of_stock(at: int, id_: str = "i1", held: str | None = "a1") -> bytes:
    """An item is out of stock."""
    return webhook("item.out_of_stock", item(id_, subscription=held), at)


PLACED = webhook("item.successfully_placed", item("i1", subscription="a1"), START + 2 * DAY)


@pytest.mark.parametrize(
    ("before", "now", "days"),
    [
        pytest.param([], out_of_stock(START), 0, id="the first"),
        pytest.param([out_of_stock(START)], out_of_stock(START + DAY), 1, id="a day later"),
        pytest.param(
            [out_of_stock(START), out_of_stock(START + DAY)],
            out_of_stock(START + 15 * DAY),
            15,
            id="counted from the first",
        ),
        pytest.param(
            [out_of_stock(START)], out_of_stock(START + DAY, "i2"), 1, id="another item of it"
        ),
        pytest.param(
            [out_of_stock(START)],
            out_of_stock(START + DAY, held="b2"),
            0,
            id="another subscription",
        ),
        pytest.param(
            [out_of_stock(START, held=None)],
            out_of_stock(START + DAY, held=None),
            1,
            id="a one-time item",
        ),
        pytest.param(
            [out_of_stock(START, held=None)],
            out_of_stock(START + DAY, "i2", None),
            0,
            id="another one-time item",
        ),
        pytest.param(
            [out_of_stock(START), PLACED], out_of_stock(START + 3 * DAY), 0, id="placement ends it"
        ),
        pytest.param(
            [out_of_stock(START)], out_of_stock(START + 30 * DAY), 30, id="thirty days later"
        ),
        pytest.param(
            [out_of_stock(START)], out_of_stock(START + 30 * DAY + 1), 0, id="a new run after that"
        ),
        pytest.param(
            [out_of_stock(START + DAY), out_of_stock(START)],
            out_of_stock(START + 2 * DAY),
            2,
            id="the earliest counts, in whatever order",
        ),
    ],
)
def test_days_out_of_stock(before: list[bytes], now: bytes, days: int) -> None:
    """Days since the run's first attempt, which no webhook tells."""
    driver = Driver()
    driver.feed_all([webhook("subscriber.create", person(email="noor@shop-demo.io")), *before])

    assert days == properties(driver.feed(now))["days_since_first_attempt"]


def test_a_profile_alone_only_where_nothing_else_goes() -> None:
    """Two connections of one event: one takes it, the other gets the profile that changed."""
    driver = Driver([*ROUTES, Route("orders", frozenset({"order.success"}))])
    begun = driver.feed(create())
    again = driver.feed(change())

    assert [
        ("subscription.create", ("klaviyo",)),
        ("subscriber.create", ("klaviyo",)),
        ("profile.changed", ("orders",)),
    ] == [(each.fact.type, each.connections) for each in begun.told]
    assert [("subscription.change_quantity", ("klaviyo",))] == [
        (each.fact.type, each.connections) for each in again.told
    ]


def test_merchants_are_kept_apart() -> None:
    """A connection of another merchant gets nothing; one id at two merchants is two customers."""
    other = webhook("subscription.create", subscription(merchant="m2"))
    driver = Driver([Route("klaviyo", ROUTES[0].takes, frozenset({MERCHANT}))])
    mine, theirs = driver.feed_all([create(), other])

    assert [("klaviyo",), ("klaviyo",)] == [each.connections for each in mine.told]
    assert [(), ()] == [each.connections for each in theirs.told]
    assert (customer_key(MERCHANT, CUSTOMER), customer_key("m2", CUSTOMER)) == (
        mine.key,
        theirs.key,
    )
    assert (1, 1) == (driver.row().total, driver.row(merchant="m2").total)


def test_what_goes_nowhere_is_not_encoded() -> None:
    """An event that no connection takes has no bytes; one that several take has one encoding."""
    driver = Driver([*ROUTES, Route("second", ROUTES[0].takes)])
    tokens = webhook("subscription.refresh_one_click_token", subscription())
    token, swap = driver.feed_all([tokens, webhook("subscription.sku_swap", subscription())])

    assert [((), True), (("klaviyo", "second"), False)] == [
        (token.told[0].connections, token.told[0].value == b""),
        (swap.told[0].connections, swap.told[0].value == b""),
    ]


@pytest.mark.parametrize(
    "key",
    ["", "m2:0088123", CUSTOMER, f"{MERCHANT}:88123", f"{CUSTOMER}:{MERCHANT}"],
    ids=["empty", "another merchant", "customer alone", "zeros lost", "the other way"],
)
def test_another_key_is_refused(key: str) -> None:
    """A record in another customer's partition would make a second row: it is given up."""
    driver = Driver()
    with pytest.raises(BadRecord) as given_up:
        driver.feed(create(), key=key.encode())

    assert ("wrong_key", "key") == (given_up.value.reason, given_up.value.field)
    assert {} == driver.rows


def test_the_customers_key_is_right() -> None:
    """merchant:customer, as text; without a key nothing is checked."""
    driver = Driver()

    assert CREATE == told(driver.feed(create(), key=customer_key(MERCHANT, CUSTOMER)))


def test_a_seeded_state_starts_no_flow() -> None:
    """A record of kind `state` updates row and profile, and its events are withheld."""
    driver = Driver()
    record = SOURCE.encode(record_of(create()) | {"kind": "state"})
    processed = driver.process(record)

    assert ["subscription.create state", "subscriber.create state", "profile.changed"] == told(
        processed
    )
    assert processed.row is not None
    assert ("active", True) == (processed.row.status, processed.row.ever_subscribed)


def test_an_erasure_forgets_the_row() -> None:
    """A record of kind `erase` leaves the mark of when, and tells the connections to forget."""
    driver = Driver()
    driver.feed(create())
    processed = driver.process(SOURCE.encode(record_of(create()) | {"kind": "erase"}))

    assert ["customer.erased"] == told(processed)
    assert processed.row is not None
    assert Subscriber(erased_at=processed.row.erased_at) == processed.row


@pytest.mark.parametrize("value", [None, b"", b"{}", b"\x00\x00\x00\x00\x01"])
def test_broken_bytes_are_given_up(value: bytes | None) -> None:
    """What is no record raises, and touches no row."""
    driver = Driver()
    with pytest.raises(BadRecord):
        driver.process(value)

    assert {} == driver.rows
