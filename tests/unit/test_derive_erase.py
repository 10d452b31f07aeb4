"""A customer is erased: a mark stays, what is older is dropped, what is younger begins anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from streams.model.ids import customer_key
from streams.model.member import Member, encode_member
from streams.model.subscriber import Subscriber
from streams.names import OKENDO, ORDERGROOVE
from streams.replay.erase_records import erase_record
from streams.route import Route
from tests.support import okendo
from tests.support.driver import SOURCE, Driver, enriched
from tests.support.webhooks import (
    CUSTOMER,
    DAY,
    HOUR,
    MERCHANT,
    START,
    order,
    person,
    subscription,
    webhook,
)

if TYPE_CHECKING:
    from streams.model.enriched import EnrichedEvent
    from streams.pipeline import Processed

ERASED_AT = (START + HOUR) * 1000
EMAIL, PHONE = "noor@shop-demo.io", "+13125550148"
KLAVIYO, ORDERS = Route("klaviyo", frozenset({"order.success"})), Route("orders", frozenset())
OTHER_SHOP = Route("other", frozenset(), frozenset({"another"}))


def subscribed(driver: Driver, at: int = START, id_: str = "a1") -> None:
    """Somebody of whom e-mail and phone are known subscribes."""
    who = person(email=EMAIL, phone_number=PHONE, first_name="Noor", last_name="Hale")
    driver.feed(webhook("subscriber.create", who, at))
    driver.feed(webhook("subscription.create", subscription(id_, at), at + 1))


def processed_erase(driver: Driver, at: int = ERASED_AT) -> Processed:
    """The erase record comes."""
    driver.now = max(driver.now, at)
    record = SOURCE.encode(erase_record(ORDERGROOVE, MERCHANT, CUSTOMER, at))
    return driver._kept(driver.process(record, customer_key(MERCHANT, CUSTOMER), at))


def erase(driver: Driver, at: int = ERASED_AT) -> list[tuple[str, tuple[str, ...]]]:
    """The same: facts, and who gets them."""
    return [(each.fact.type, each.connections) for each in processed_erase(driver, at).told]


def told(driver: Driver, at: int, recorded: int | None = None) -> list[tuple[str, str | None]]:
    """An order of some time comes: facts, and why they are withheld."""
    processed = driver.feed(webhook("order.success", order(), at), recorded)
    return [(each.fact.type, each.fact.withheld) for each in processed.told]


def test_a_mark_stays_and_all_connections_are_told() -> None:
    """Of at most 40 bytes; the connections learn whom their vendors are to forget, and no more."""
    driver = Driver([KLAVIYO, ORDERS, OTHER_SHOP])
    subscribed(driver)
    processed = processed_erase(driver)
    value = driver.rows[customer_key(MERCHANT, CUSTOMER)]
    event: EnrichedEvent = enriched(processed, "customer.erased")

    [told] = processed.told
    assert ("customer.erased", ("klaviyo", "orders")) == (told.fact.type, told.connections)
    assert Subscriber(erased_at=ERASED_AT) == driver.row()
    assert 40 >= len(value)
    assert (EMAIL, PHONE, None, None) == (
        event.profile.email,
        event.profile.phone_number,
        event.profile.first_name,
        event.subscription,
    )
    assert ERASED_AT == event.occurred_at


def test_what_is_older_is_dropped_however_late_it_comes() -> None:
    """A vendor's retry of days later: counted, and nothing of it is kept."""
    driver = Driver([KLAVIYO])
    subscribed(driver)
    erase(driver)
    before = dict(driver.rows)
    facts = told(driver, START + 60, START + 3 * DAY)

    assert [("order.success", "erased")] == facts
    assert before == driver.rows


def test_what_is_younger_begins_a_new_row() -> None:
    """That knows nothing of the former one, and still drops what is older."""
    driver = Driver([KLAVIYO])
    subscribed(driver)
    erase(driver)
    subscribed(driver, START + 2 * HOUR, "b2")
    row = driver.row()

    assert {"b2"} == row.subscriptions.keys()
    assert ERASED_AT == row.erased_at
    assert [("order.success", "erased")] == told(driver, START + 60, START + 3 * DAY)
    assert ("order.success", None) in told(driver, START + 3 * HOUR)
    assert row.subscriptions == driver.row().subscriptions


def test_the_same_erase_again_changes_nothing() -> None:
    """Nor does an older one: whoever came back since stays."""
    driver = Driver([KLAVIYO])
    subscribed(driver)
    erase(driver)
    subscribed(driver, START + 2 * HOUR, "b2")
    row = driver.row()

    assert [] == erase(driver)
    assert [] == erase(driver, ERASED_AT - 1)
    assert row == driver.row()
    assert ["customer.erased"] == [fact for fact, _ in erase(driver, (START + 3 * HOUR) * 1000)]


def test_nobody_known_leaves_a_mark_too() -> None:
    """So that what is on its way is dropped."""
    driver = Driver([KLAVIYO])
    erase(driver)

    assert Subscriber(erased_at=ERASED_AT) == driver.row()
    assert [("order.success", "erased")] == told(driver, START)


def test_no_timer_of_the_former_row_fires() -> None:
    """A checkout that had not closed is not told."""
    driver = Driver([Route("klaviyo", frozenset({"subscriber.subscriptions_created"}))])
    body = webhook(
        "subscription.create",
        subscription(session_id="s1"),
        START,
        context={"source": "PurchasePOST"},
    )
    driver.feed(body)
    erase(driver)

    assert [] == driver.settle()


def forget(driver: okendo.Driver, at: int) -> list[str]:
    """The erase record of the member comes."""
    record = okendo.SOURCE.encode(erase_record(OKENDO, okendo.STORE, okendo.MEMBER, at))
    return okendo.facts(driver.process(record, at))


def test_a_member_is_forgotten_alike() -> None:
    """The mark says how far the webhooks were, since they tell no time: a retry is not younger."""
    driver, later = okendo.Driver(), okendo.START + okendo.HOUR
    driver.feed(okendo.member(sequence=7))
    told = forget(driver, later)
    value = driver.rows[okendo.KEY]

    assert ["customer.erased"] == told
    assert Member(erased_at=later, erased_sequence=7) == driver.row()
    assert 45 >= len(value) == len(encode_member(driver.row()))
    for old in (okendo.member(sequence=7), okendo.member(sequence=5), okendo.deletion()):
        processed = driver.feed(old, later + okendo.DAY)
        assert ["erased"] == [each.fact.withheld for each in processed.told]
    assert value == driver.rows[okendo.KEY]


@pytest.mark.parametrize(("date", "kept"), [(-1, False), (1, True)])
def test_a_transaction_has_a_date(date: int, kept: bool) -> None:
    """By which it is judged."""
    driver, later = okendo.Driver(), okendo.START + okendo.HOUR
    driver.feed(okendo.member(sequence=7))
    forget(driver, later)
    told = okendo.transaction(id_="t9", date=okendo.iso(later + date * okendo.HOUR))
    driver.feed(told, later + okendo.DAY)

    assert kept == ("t9" in driver.row().transactions)


def test_a_member_who_comes_back_begins_anew() -> None:
    """And a retry of before does not become their history."""
    driver, later = okendo.Driver(), okendo.START + okendo.HOUR
    driver.feed(okendo.member(sequence=7))
    forget(driver, later)
    driver.feed(okendo.member(sequence=9), later + okendo.DAY)
    row = driver.row()
    driver.feed(okendo.member("pending", sequence=6), later + okendo.DAY)

    assert (9, later, 7) == (row.sequence, row.erased_at, row.erased_sequence)
    assert row == driver.row()
