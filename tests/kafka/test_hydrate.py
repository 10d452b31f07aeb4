"""The role hydrate on a real broker, with Ordergroove's API simulated on a real socket."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest

from streams.hydrate.job import UNHYDRATED
from streams.hydrate.row import Row
from streams.model.ids import sync_mark
from streams.sources.ordergroove.state import completion
from tests.support.engine_world import until
from tests.support.hydrate_world import (
    PATIENCE,
    SOURCE,
    HydrateWorld,
    decoded,
    key_of,
    value_of,
)
from tests.support.webhooks import MERCHANT, item, order, person, subscription, webhook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECOND = 1_790_866_800
PEOPLE = [f"{number:04}" for number in range(12)]
SOLD = [
    {
        "external_product_id": id_,
        "merchant": MERCHANT,
        "name": f"Tea {id_}",
        "image_url": f"https://img.shop-demo.io/{id_}.png",
        "detail_url": f"https://shop-demo.io/{id_}",
        "price": "9.50",
        "live": True,
    }
    for id_ in ("p1", "p2")
]


@pytest.fixture
def world(broker: str, prefix: str, tmp_path: Path) -> Iterator[HydrateWorld]:
    """Yield the topics, and an API that knows everybody."""
    with HydrateWorld(broker, prefix, tmp_path, sold=SOLD) as made:
        made.put("customers", *map(customer, PEOPLE))
        made.put("payments", *({"public_id": f"pay-{p}", "customer": p, **CARD} for p in PEOPLE))
        made.put("addresses", *({"public_id": f"home-{p}", "customer": p, **HOME} for p in PEOPLE))
        made.put("orders", *({"public_id": f"o-{p}", "customer": p} for p in PEOPLE))
        made.put("items", *(line(p, which) for p in PEOPLE for which in ("p1", "p2")))
        yield made


LIVES = [SECOND + number * 100 for number in range(4)]
"""A batch has a hundred records at most: three lives of each of them are more than one."""
CARD = {"cc_number_ending": "0042", "cc_type": 1, "cc_exp_date": "09/2027", "cc_holder": "N. Hale"}
HOME = {"address": "9 Quay Rd", "city": "Chicago", "country_code": "US"}


def customer(id_: str) -> dict[str, Any]:
    """Somebody, as the API knows them."""
    return {
        "merchant": MERCHANT,
        "merchant_user_id": id_,
        "email": f"c{id_}@shop-demo.io",
        "phone_number": "+13125550148",
        "first_name": "Noor",
        "last_name": "Hale",
        "created": SECOND - 60,
        "last_updated": SECOND - 60,
    }


def line(of: str, which: str) -> dict[str, Any]:
    """A line of somebody's order."""
    ids = {"public_id": f"i-{of}-{which}", "order": f"o-{of}", "subscription": f"s-{of}"}
    return {**ids, "product": which, "quantity": 1, "price": "9.50", "total_price": "9.50"}


def bare_life(of: str, at: int = SECOND) -> list[bytes]:
    """A subscription and its order, as webhooks without a snapshot tell them."""
    owned = {"customer": of}
    content = subscription(f"s-{of}", at, product="p1") | owned
    names = {"payment": f"pay-{of}", "shipping_address": f"home-{of}", "total": "19.00"}
    box = order(f"o-{of}", place="2026-10-09", **names) | owned
    bodies = [
        webhook("subscription.create", content, at),
        webhook("order.create", box, at + 1),
        webhook("item.create", item(f"i-{of}-p1", order=f"o-{of}", product="p1") | owned, at + 2),
        webhook("order.reminder", box, at + 3),
    ]
    return [value_of(body, at + number) for number, body in enumerate(bodies)]


def test_each_record_once_and_filled(world: HydrateWorld) -> None:
    """Kill -9 with the offsets in the open transaction: order per key is kept, nothing is twice.

    What the webhooks lacked is in the records' snapshots, so derive needs no network to tell
    destinations of people and products. It takes the topic for one that is keyed by customer, also
    with the marks of a sync in it.
    """
    for each in PEOPLE:
        for when in LIVES[:3]:
            world.append(each, *bare_life(each, when))
    code = world.worker("hydrate", rehearse="kill@offsets#2").process.wait(PATIENCE)
    some = sum(map(len, world.written().values()))
    for each in PEOPLE:
        world.append(each, *bare_life(each, LIVES[3]))
    for number in range(9):
        world.append("*", SOURCE.encode(completion(MERCHANT, 1, number)), key=mark(number))
    world.ready_worker("hydrate")
    world.hydrated()
    written = world.written()
    world.faults({"kind": "status", "status": 503})
    world.ready_worker("derive")
    all_told = len(PEOPLE) * len(LIVES)
    until(lambda: len(reminders(world)) == all_told, "derive has told of every order")
    told = world.told()

    assert -signal.SIGKILL == code
    assert 0 < some < len(PEOPLE) * 12
    assert {*map(key_of, PEOPLE), *map(mark, range(9))} == written.keys()
    for each in PEOPLE:
        records = [decoded(message) for message in written[key_of(each)]]
        bodies = [body for when in LIVES for body in bare_life(each, when)]
        assert [decoded_of(body) for body in bodies] == [unfilled(record) for record in records]
        assert_filled(each, records[3])
    assert {f"c{each}@shop-demo.io" for each in PEOPLE} == {
        each["profile"]["email"] for each in told
    }
    for told_of in reminders(world):
        names = sorted(line["product"]["name"] for line in told_of["order"]["items"])
        assert ["Tea p1", "Tea p2"] == names
        assert "0042" == told_of["order"]["payment"]["cc_number_ending"]


def mark(number: int) -> bytes:
    """The key of a sync's mark."""
    return sync_mark(MERCHANT, number)


def reminders(world: HydrateWorld) -> list[dict[str, Any]]:
    """What derive told of orders to come."""
    return [each for each in world.told() if each["type"] == "order.reminder"]


def decoded_of(value: bytes) -> dict[str, Any]:
    """A record without its snapshot."""
    return unfilled(SOURCE.decode(value))


def unfilled(record: dict[str, Any]) -> dict[str, Any]:
    """A record without its snapshot."""
    return {**record, "snapshot": None}


def assert_filled(of: str, record: dict[str, Any]) -> None:
    """Everything that an order should come with is there."""
    snapshot = record["snapshot"]
    assert f"c{of}@shop-demo.io" == snapshot["customer"]["email"]
    assert [f"pay-{of}"] == [each["public_id"] for each in snapshot["payments"]]
    assert [f"home-{of}"] == [each["public_id"] for each in snapshot["addresses"]]
    assert {"p1", "p2"} == {each["id"] for each in snapshot["products"]}
    assert {f"i-{of}-p1", f"i-{of}-p2"} == {each["public_id"] for each in snapshot["items"]}


def test_without_the_api_records_go_on_and_an_erase_clears(world: HydrateWorld) -> None:
    """A silent API holds records for as long as was set, and then they go on.

    What is missing is named in a header and in metrics. An erase leaves nothing of a customer in
    the table, nor does what is older and comes after it.
    """
    one, other = PEOPLE[:2]
    world.faults({"kind": "timeout"})
    known = webhook("subscriber.create", person(email="n@shop-demo.io") | {"merchant_user_id": one})
    world.append(one, value_of(known, SECOND), *bare_life(one))
    world.ready_worker(
        "hydrate", STREAMS_HYDRATE__PATIENCE="3s", STREAMS_HYDRATE__STATE_STORE="rocksdb"
    )
    until(lambda: "waits for Ordergroove's API" in world.page("readyz")[1], "health says so")
    world.hydrated()
    world.append(other, *bare_life(other))
    world.hydrated()
    metrics = world.page("metrics")[1]
    erased = value_of(known, SECOND + 50, kind="erase", created=(SECOND + 50) * 1_000)
    world.append(one, erased, *bare_life(one))
    world.append("*", erased, key=sync_mark(MERCHANT, 1))
    world.hydrated()
    row, written = world.rows()[key_of(one)], world.written()
    headers = [dict(each.headers() or ()) for each in written[key_of(one)]]

    assert 200 == world.page("readyz")[0]
    assert [None, b"product", b"address,items,payment", b"product"] == [
        each.get(UNHYDRATED) for each in headers[:4]
    ]
    assert b"customer,product" == dict(written[key_of(other)][0].headers() or ())[UNHYDRATED]
    assert f'streams_hydrate_api_away{{cause="away",merchant="{MERCHANT}"}} 1.0' in metrics
    assert 'streams_hydrated_total{outcome="unhydrated"} 8.0' in metrics
    assert Row(erased_at=(SECOND + 50) * 1_000) == row
    assert [erased] == [each.value() for each in written[sync_mark(MERCHANT, 1)]]
    assert [*bare_life(one)] == [each.value() for each in written[key_of(one)][-4:]]


def test_a_topic_that_is_keyed_otherwise_is_refused(world: HydrateWorld) -> None:
    """It exits 2 and says what to set: a customer's entities would be in two rows."""
    value = value_of(webhook("subscription.create", subscription("s", SECOND)), SECOND)
    for number in range(30):
        world.append("x", value, key=b"s-%d" % number)
    hydrate = world.worker("hydrate")
    code, said = hydrate.process.wait(PATIENCE), hydrate.tail()

    assert 2 == code
    assert f'`rekey.topic = "{world.intake}"`' in said
    assert "`streams worker rekey` beside hydrate" in said
