"""What hydrate fills in: by event type, by what is missing, by where it is found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from streams.hydrate.job import UNHYDRATED
from streams.sources.ordergroove import OBJECT_OF, record_of
from tests.support.hydrating import Bench, Record, value_of
from tests.support.webhooks import (
    CUSTOMER,
    MERCHANT,
    START,
    entitlement,
    grant,
    item,
    order,
    subscription,
    webhook,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.hydrate.entities import What

JSON = dict[str, Any]
NOOR = {
    "email": "noor.hale@shop-demo.io",
    "phone_number": "+13125550148",
    "first_name": "Noor",
    "last_name": "Hale",
}
WHO = {**NOOR, "merchant_user_id": CUSTOMER, "created": "2026-04-18 13:14:59"}
TEA = {
    "external_product_id": "p1",
    "name": "Tea",
    "image_url": "https://img.shop-demo.io/tea.png",
    "detail_url": "https://shop-demo.io/tea",
}
LINE = {"public_id": "i1", "order": "o1", "subscription": "a1", "product": "p1", "quantity": 2}
CARD = {"public_id": "pay1", "cc_number_ending": "0042", "cc_exp_date": "09/2027", "cc_type": 1}
HOME = {"public_id": "home1", "address": "9 Quay Rd", "city": "Chicago", "country_code": "US"}
BOX = order("o1", payment="pay1", shipping_address="home1", place="2026-10-09")
FULL = {
    "customer": WHO,
    "products": [TEA],
    "items": [LINE],
    "payments": [CARD],
    "addresses": [HOME],
}
OBJECTS = {
    "subscription": subscription("a1", product="p1"),
    "order": BOX,
    "item": item("i1", order="o1", product="p1", subscription="a1"),
    "entitlement": grant(entitlement("e1", "item", "i1")),
}
"""Resource → an event's object."""


class Thing(NamedTuple):
    """Something that an event may lack.

    `place` is where a snapshot has it, `body` what the API tells of it, `tell` finds it in a
    record's snapshot.
    """

    what: What
    id: str
    place: str
    body: JSON
    tell: Callable[[JSON], Any]

    @property
    def told(self) -> Any:
        """It, as a webhook's snapshot has it."""
        return self.body if self.place == "customer" else [self.body]


THINGS = {
    "e-mail": Thing("customer", CUSTOMER, "customer", WHO, lambda s: s["customer"]["email"]),
    "phone": Thing("customer", CUSTOMER, "customer", WHO, lambda s: s["customer"]["phone_number"]),
    "name": Thing("customer", CUSTOMER, "customer", WHO, lambda s: s["customer"]["last_name"]),
    "product name": Thing("product", "p1", "products", TEA, lambda s: s["products"][0]["name"]),
    "image": Thing("product", "p1", "products", TEA, lambda s: s["products"][0]["image_url"]),
    "url": Thing("product", "p1", "products", TEA, lambda s: s["products"][0]["detail_url"]),
    "items": Thing("items", "o1", "items", LINE, lambda s: s["items"][0]["quantity"]),
    "ending": Thing(
        "payment", "pay1", "payments", CARD, lambda s: s["payments"][0]["cc_number_ending"]
    ),
    "expiry": Thing("payment", "pay1", "payments", CARD, lambda s: s["payments"][0]["cc_exp_date"]),
    "address": Thing("address", "home1", "addresses", HOME, lambda s: s["addresses"][0]["city"]),
}
VALUES = {
    "e-mail": NOOR["email"],
    "phone": NOOR["phone_number"],
    "name": "Hale",
    "product name": "Tea",
    "image": TEA["image_url"],
    "url": TEA["detail_url"],
    "items": 2,
    "ending": "0042",
    "expiry": "09/2027",
    "address": "Chicago",
}
PERSON, PRODUCT = ("e-mail", "phone", "name"), ("product name", "image", "url")
OF = {
    "subscription": (*PERSON, *PRODUCT),
    "item": (*PERSON, *PRODUCT),
    "order": (*PERSON, *PRODUCT, "items", "ending", "expiry", "address"),
    "entitlement": PERSON,
}
"""Resource → what its events may lack; `subscriber.*` tell of the person themselves."""

PLACES = ("snapshot", "table", "api", "nowhere")


@pytest.mark.parametrize("event_type", [each for each in OBJECT_OF if each.partition(".")[0] in OF])
def test_what_is_missing_is_filled(event_type: str) -> None:
    """From the record's own snapshot, else the table, else the API; else it is said.

    The rest of the record stays as it was.
    """
    for lacking in OF[event_type.partition(".")[0]]:
        for place in PLACES:
            if (event_type, lacking, place) != ("order.delete", "items", "api"):
                assert_filled(event_type, lacking, place)


def assert_filled(event_type: str, lacking: str, place: str) -> None:
    """One line of the table: an event that lacks one thing, which is in one place."""
    thing, bench = THINGS[lacking], Bench()
    snapshot = {name: told for name, told in FULL.items() if name != thing.place}
    if place == "snapshot":
        snapshot[thing.place] = thing.told
    elif place == "table":
        bench.fill(webhook("order.create", BOX, START - 9, snapshot=FULL))
    elif place == "api":
        bench.answer(thing.what, thing.id, thing.body)
    body = webhook(event_type, OBJECTS[event_type.partition(".")[0]], START, snapshot=snapshot)
    before = bench.counts.found[thing.what, place]
    written = bench.fill(body)
    line = f"{event_type}: {lacking} in the {place}"

    if place == "nowhere":
        assert thing.what in str(written.headers[UNHYDRATED]), line
        assert 1 == bench.counts.missing[thing.what], line
    else:
        assert VALUES[lacking] == thing.tell(written.snapshot), line
        assert before + 1 == bench.counts.found[thing.what, place], line
        assert UNHYDRATED not in written.headers, line
    assert unfilled(record_of(body, START * 1_000)) == unfilled(written.record), line


def unfilled(record: JSON) -> JSON:
    """A record without its snapshot, and without the name of its object's branch."""
    told = record["object"]
    return {**record, "snapshot": None, "object": told[1] if isinstance(told, tuple) else told}


def test_a_whole_record_keeps_its_bytes() -> None:
    """Nothing is written anew where nothing was missing."""
    value = value_of(webhook("order.reminder", BOX, snapshot=FULL))
    bench = Bench()

    assert value == bench.write(Record(value))[0].value
    assert {("customer", "snapshot"), ("items", "snapshot")} < bench.counts.found.keys()
    assert 1 == bench.counts.records["whole"]


def test_the_same_row_and_answers_give_the_same_bytes() -> None:
    """What is written is a function of record, row and answers."""
    bodies = [
        webhook("subscription.create", subscription("a1", product="p1"), START),
        webhook("order.create", BOX, START + 1),
        webhook("item.out_of_stock", OBJECTS["item"], START + 2),
    ]

    def run() -> tuple[list[Any], dict[bytes, bytes]]:
        bench = Bench()
        for thing in THINGS.values():
            bench.answer(thing.what, thing.id, thing.body)
        written = bench.write(*(Record(value_of(body)) for body in bodies))
        return [(each.value, each.headers) for each in written], dict(bench.shard.rows)  # type: ignore[call-overload]  # a table in memory

    assert run() == run()


def test_own_values_are_never_replaced() -> None:
    """What the record says of the person stays; only what it does not say is added."""
    bench = Bench()
    bench.fill(webhook("order.create", order("o2"), START, snapshot={"customer": WHO}))
    told = {"email": "new@shop-demo.io", "last_updated": "2026-10-01 10:00:00"}
    written = bench.fill(
        webhook("order.create", order("o3"), START + 5, snapshot={"customer": told})
    )
    found = written.snapshot["customer"]

    assert ("new@shop-demo.io", "+13125550148") == (found["email"], found["phone_number"])


def test_what_is_known_to_be_empty_is_not_missing() -> None:
    """A guest without a phone number: nobody has one, so there is nothing to say."""
    bench = Bench()
    bench.answer("customer", CUSTOMER, {"merchant_user_id": CUSTOMER, "email": None})
    written = bench.fill(webhook("order.create", order("o2"), START))
    again = bench.fill(webhook("order.reminder", order("o2"), START + 1))

    assert "customer" not in str(written.headers.get(UNHYDRATED))
    assert "customer" not in str(again.headers.get(UNHYDRATED))


def test_a_message_tells_of_the_person_in_part() -> None:
    """`workflow.*` has an e-mail address; the API is still asked for the rest."""
    bench = Bench()
    told = {**NOOR, "phone_number": None, "merchant_user_id": CUSTOMER, "merchant": MERCHANT}
    data = {"key": "k", "subscriber": told}
    body = webhook("workflow.send_communication", {}, START, data=data)
    bench.answer("customer", CUSTOMER, WHO)

    assert "+13125550148" == bench.fill(body).snapshot["customer"]["phone_number"]


def test_an_orders_items_follow_its_events() -> None:
    """Once all are known, those that come, change, move and go are noted without asking."""
    bench = Bench()
    lines = [dict(LINE, public_id=id_) for id_ in ("i1", "i2", "i3")]
    bench.answer("items", "o1", *lines, at=START * 1_000)
    bench.fill(webhook("order.create", BOX, START))
    bench.answers.begin()
    for action, at, more in (
        ("change_quantity", 1, {"public_id": "i1", "quantity": 7}),
        ("remove", 2, {"public_id": "i2"}),
        ("create", 1, {"public_id": "i2"}),  # overtaken by its end
        ("change_order", 3, {"public_id": "i3", "order": "o2"}),
        ("create", 4, {"public_id": "i4"}),
        ("create", -20, {"public_id": "i6"}),  # of a clock that is behind ours
        ("create", -60, {"public_id": "i5"}),  # older than what showed all of them
    ):
        subject = item() | LINE | more
        bench.fill(webhook(f"item.{action}", subject, START + at))
    written = bench.fill(webhook("order.reminder", BOX, START + 9))
    found = {each["public_id"]: each["quantity"] for each in written.snapshot["items"]}

    assert {"i1": 7, "i4": 2, "i6": 2} == found


def test_an_item_takes_its_subscriptions_product() -> None:
    """The API may tell none before the order is placed (contract §2.2)."""
    bench = Bench()
    bench.fill(webhook("subscription.create", subscription("a1", product="p1"), START))
    bench.answer("items", "o1", {**LINE, "product": None})
    bench.answer("product", "p1", TEA)
    written = bench.fill(webhook("order.create", BOX, START + 1))

    assert ["p1"] == [each["product"] for each in written.snapshot["items"]]
    assert ["Tea"] == [each["name"] for each in written.snapshot["products"]]


def test_a_deleted_orders_items_are_not_asked_for() -> None:
    """The API has them no more: it would say that there were none."""
    bench = Bench()
    bench.answer("items", "o1", LINE)
    written = bench.fill(webhook("order.delete", BOX, START))

    assert "items" in str(written.headers[UNHYDRATED])
