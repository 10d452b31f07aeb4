"""What hydrate passes on as it is, what it says of a record, and what its table keeps."""

from __future__ import annotations

from typing import Any

import pytest

from streams.hydrate.absorbing import absorb
from streams.hydrate.entities import Address, Item, Payment, Product, Subscription
from streams.hydrate.job import UNHYDRATED
from streams.hydrate.row import LIMITS, Row, Seen, SeenOrder, decode_row, encode_row
from streams.model.ids import sync_mark
from streams.names import LARGEST
from streams.rekey import FLOWS_FROM, RECORDED_AT, Past, past_of
from tests.support.hydrating import (
    BEGAN,
    KEY,
    READ,
    SOURCE,
    TARGET,
    Bench,
    Headers,
    Record,
    value_of,
)
from tests.support.webhooks import CUSTOMER, MERCHANT, START, order, person, subscription, webhook

NOOR = {"email": "noor.hale@shop-demo.io", "first_name": "Noor", "last_name": "Hale"}
WHO = {**NOOR, "merchant_user_id": CUSTOMER, "phone_number": "+13125550148"}
TOLD = webhook("subscriber.create", person(created=START, **NOOR), START)
BARE = webhook("order.reminder", order("o1"), START + 60)


def erase(at: int) -> bytes:
    """An erase record created at epoch second `at`."""
    return value_of(TOLD, kind="erase", created=at * 1_000, object=None, snapshot=None)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param(KEY, b"no Avro", id="no Avro"),
        pytest.param(KEY, None, id="no value"),
        pytest.param(KEY, value_of(TOLD, customer_id="9"), id="somebody else's"),
        pytest.param(None, value_of(BARE), id="no key"),
        pytest.param(KEY, value_of(BARE, type="subscription.change_consumer"), id="unknown type"),
        pytest.param(sync_mark(MERCHANT, 3), value_of(TOLD, customer_id="*"), id="a mark"),
        pytest.param(KEY, value_of(TOLD, kind="state", type="customer.state"), id="a state"),
        pytest.param(KEY, erase(START), id="an erase"),
    ],
)
def test_what_is_no_event_of_the_customer_goes_on_as_it_is(
    key: bytes | None, value: bytes | None
) -> None:
    """To the source topic, under its own key: derive makes a dead letter of what is bad."""
    [written] = Bench().write(Record(value, key))

    assert (TARGET, key, value) == written[:3]
    assert UNHYDRATED not in written.headers


def test_a_copy_says_how_old_it_is() -> None:
    """Its own time and hydrate's first start, unless rekey has said them before."""
    headers: Headers = [
        ("trace", b"1"),
        (UNHYDRATED, b"product"),
        (FLOWS_FROM, b"%d" % (BEGAN + 5)),
    ]
    first, again = Bench().write(Record(value_of(TOLD)), Record(value_of(TOLD), KEY, headers))

    assert Past(START * 1_000, BEGAN) == past_of(first.headers, BEGAN)
    assert {
        "trace": b"1",
        RECORDED_AT: b"%d" % (START * 1_000),
        FLOWS_FROM: b"%d" % (BEGAN + 5),
    } == again.headers


def test_what_is_missing_is_named_once() -> None:
    """In the order of the alphabet, and counted."""
    bench = Bench()
    names = {"payment": "pay1", "shipping_address": "home1"}
    written = bench.fill(webhook("order.reminder", order("o1", **names), START))

    assert b"address,customer,items,payment" == written.headers[UNHYDRATED]
    assert {"address": 1, "customer": 1, "items": 1, "payment": 1} == bench.counts.missing
    assert 1 == bench.counts.records["unhydrated"]


def test_states_feed_the_table() -> None:
    """What a sync read needs no question later."""
    bench = Bench()
    state = value_of(TOLD, kind="state", type="customer.state")
    _, written = bench.write(Record(state), Record(value_of(BARE)))

    assert NOOR["email"] == written.snapshot["customer"]["email"]
    assert 1 == bench.counts.records["passed"]


def test_an_erase_leaves_nothing_but_its_time() -> None:
    """Nothing of the customer is in the row; what was created before stays out of it."""
    bench = Bench()
    bench.write(Record(value_of(TOLD)))
    before = bench.row.person
    bench.write(Record(erase(START + 100)))
    erased = bench.row
    value = value_of(BARE)
    bench.answer("customer", CUSTOMER, WHO)
    [old] = bench.write(Record(value))
    still = bench.row
    new = bench.fill(webhook("order.reminder", order("o2"), START + 200))

    assert before is not None
    assert Row(erased_at=(START + 100) * 1_000) == erased == still
    assert value == old.value
    assert 1 == bench.counts.records["erased"]
    assert WHO["email"] == new.snapshot["customer"]["email"]


def test_the_same_erase_again_erases_nothing_new() -> None:
    """A redelivered one must not take what came after it."""
    bench = Bench()
    later = webhook("subscriber.create", person(created=START + 200, **NOOR), START + 200)
    bench.write(Record(erase(START + 100)), Record(value_of(later)), Record(erase(START + 100)))

    assert bench.row.person is not None


def test_a_record_that_would_grow_too_large_stays_as_it_is() -> None:
    """The source topic's limit; what was there comes first."""
    bench = Bench()
    value = value_of(BARE, raw=b"x" * (LARGEST - 1_600))
    bench.answer("customer", CUSTOMER, {**WHO, "first_name": "N" * 1_000})
    [written] = bench.write(Record(value))

    assert value == written.value


def test_a_record_that_is_too_large_is_a_dead_letter() -> None:
    """As by rekey: otherwise its partition would stand."""
    bench = Bench()
    work = bench.work(Record(value_of(BARE, raw=b"x" * LARGEST)), Record(value_of(TOLD)))

    assert ["t.dead-letters.ordergroove", TARGET] == [topic for topic, *_ in work.outputs]
    assert {("too_large", None): 1} == work.failures


def test_our_own_fault_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The record goes on as it is, and the row stays."""
    bench = Bench()

    def broken(_: object) -> Any:
        raise KeyError("secret")

    monkeypatch.setattr("streams.hydrate.job.encode_row", broken)
    [written] = bench.write(Record(value_of(TOLD)))

    assert value_of(TOLD) == written.value
    assert {} == dict(bench.shard.rows)  # type: ignore[call-overload]  # a table in memory
    assert 1 == bench.counts.records["failed"]


def test_a_row_is_read_as_it_was_written() -> None:
    """Every field; what is under an id is so again."""
    row = Row(3, told_at=5, whole=True)
    row.subscriptions["a"] = Seen(1, Subscription("a", "p", 1))
    row.orders["o"] = SeenOrder("o", 2, whole=True, items=[Seen(2, Item("i", "o"))])
    row.addresses["h"] = Seen(3, Address("h", city="Chicago"))
    row.payments["c"] = Seen(4, Payment("c", "0042"))
    row.products["p"] = Seen(5, Product("p", "Tea"), whole=True)

    assert row == decode_row(encode_row(row))
    assert Row() == decode_row(None)


@pytest.mark.parametrize("kind", ["subscriptions", "addresses", "payments", "products", "orders"])
def test_a_row_is_bounded(kind: str) -> None:
    """What was told longest ago goes first."""
    makes: dict[str, Any] = {
        "subscriptions": lambda n: Seen(n, Subscription(str(n))),
        "addresses": lambda n: Seen(n, Address(str(n))),
        "payments": lambda n: Seen(n, Payment(str(n))),
        "products": lambda n: Seen(n, Product(str(n))),
        "orders": lambda n: SeenOrder(str(n), n),
    }
    row, limit = Row(), LIMITS[kind]
    newest_first = [*range(limit + 5, 0, -1)]
    setattr(row, kind, {str(n): makes[kind](n) for n in newest_first})

    assert [str(n) for n in newest_first[:limit]] == [*getattr(decode_row(encode_row(row)), kind)]


def test_a_giant_orders_items_are_not_kept() -> None:
    """A part of them would be told for the whole."""
    items = [Seen(1, Item(str(n), "o")) for n in range(LIMITS["items"] + 1)]
    row = Row(orders={"o": SeenOrder("o", 1, whole=True, items=items)})

    assert {"o": SeenOrder("o", 1)} == decode_row(encode_row(row)).orders


def test_no_token_is_ever_kept() -> None:
    """Neither in the row nor in the record, wherever the API tells one."""
    bench = Bench()
    secret = {"token_id": "tok-1234", "cc_holder": "N. Hale", "cc_number_ending": "0042"}
    bench.answer("payment", "pay1", {"public_id": "pay1", **secret})
    bench.answer("customer", CUSTOMER, {**WHO, "user_token_id": "tok-1234"})
    written = bench.fill(webhook("order.reminder", order("o1", payment="pay1"), START))
    kept = repr(bench.row) + repr(written.record)

    assert "0042" in kept
    assert not [each for each in ("tok-1234", "N. Hale") if each in kept]


@pytest.mark.parametrize("swapped", [False, True])
def test_the_newest_wins_in_whatever_order(swapped: bool) -> None:
    """A record that comes late changes nothing that is newer."""
    told = [
        webhook(
            "order.create",
            order("o1"),
            START + at,
            snapshot={
                "customer": {"email": f"{at}@shop-demo.io", "last_updated": START + at},
                "payments": [{"public_id": "c", "cc_exp_date": f"0{at}/2027"}],
                "addresses": [{"public_id": "h", "city": f"City {at}"}],
                "products": [{"external_product_id": "p", "name": f"Tea {at}"}],
                "subscriptions": [subscription("a", START + at, product=f"p{at}")],
            },
        )
        for at in (1, 2)
    ]
    row = Row()
    for body in reversed(told) if swapped else told:
        record = READ(value_of(body))
        assert record is not None
        row = absorb(row, record)

    assert row.person is not None
    assert ("2@shop-demo.io", "02/2027", "City 2", "Tea 2", "p2") == (
        row.person.email,
        row.payments["c"].entity.cc_exp_date,
        row.addresses["h"].entity.city,
        row.products["p"].entity.name,
        row.subscriptions["a"].entity.product,
    )


def test_an_empty_object_tells_nothing() -> None:
    """A state of a payment has an empty person beside it: it is still asked for."""
    bench = Bench()
    empty: Any = ("streams.sources.Subscriber", {"subscriptions": []})
    value = SOURCE.encode(
        SOURCE.decode(value_of(TOLD), branches=True)
        | {"kind": "state", "type": "customer.state", "object": empty}
    )
    bench.write(Record(value))

    assert (None, False) == (bench.row.person, bench.row.whole)
