"""An entity of the REST API as a record of kind `state` (contracts/ordergroove.md §2.2, §3)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.avro import codec
from streams.derive import DeriveOptions
from streams.errors import BadRecord
from streams.families import SUBSCRIBERS
from streams.model.events import Item, Order, Person, Subscription
from streams.model.row_bytes import encode_row
from streams.model.subscriber import OrderKey
from streams.pipeline import Pipeline
from streams.route import Route
from streams.sources.ordergroove import OBJECT_OF, WebhookOptions, event_reader, record_of
from streams.sources.ordergroove.state import (
    Listed,
    completion,
    known_product,
    state_again,
    state_record,
)
from streams.sources.ordergroove.types import STATE_OF
from tests.support.applied import run, state
from tests.support.customer_shop import ALL_STYLES, CUSTOMER, MERCHANT
from tests.support.histories import Arrival, shuffled
from tests.support.oracle import in_order
from tests.support.samples import SAMPLES

READ_AT = 1_795_000_000_000
SOURCE = codec("sources/ordergroove")
UTC_OPTIONS = WebhookOptions("UTC", "US")
WHEN = "2026-08-14 09:40:11"
AT = 1_786_700_411_000
PRODUCT = {
    "external_product_id": "44120991",
    "sku": "OAT-2KG",
    "name": "Oat mix 2 kg",
    "price": "24.00",
    "image_url": None,
    "detail_url": None,
    "live": True,
}
ENTITIES: dict[str, dict[str, Any]] = {
    "customers": {
        "merchant": MERCHANT,
        "merchant_user_id": CUSTOMER,
        "user_token_id": "secret-token",
        "first_name": "Noor",
        "last_name": "Hale",
        "email": "noor.hale@shop-demo.io",
        "phone_number": "312-555-0148",
        "live": "True",
        "created": "2025-04-18 13:14:59",
        "last_updated": WHEN,
        "extra_data": "",
        "locale": 1,
    },
    "subscriptions": {
        "merchant": MERCHANT,
        "public_id": "9f41c7d2b8e64a0f9c3d5e7a1b2c4d6e",
        "customer": CUSTOMER,
        "product": "44120991",
        "components": "44120991,44120992",
        "extra_data": '{"pet": "Miso"}',
        "quantity": 2,
        "price": None,
        "every": 6,
        "every_period": 3,
        "frequency_days": 180,
        "live": False,
        "cancelled": WHEN,
        "cancel_reason": "8|Costs too much",
        "cancel_reason_code": "8|",
        "created": "2025-04-18 13:15:02",
        "updated": WHEN,
        "currency_code": "USD",
    },
    "orders": {
        "merchant": MERCHANT,
        "public_id": "1a2b3c4d5e6f708192a3b4c5d6e7f809",
        "customer": CUSTOMER,
        "total": "46.50",
        "place": "2026-10-15 00:00:00",
        "created": "2026-08-01 10:00:00",
        "updated": WHEN,
        "status": 1,
    },
    "items": {
        "public_id": "e1d2c3b4a5968778695a4b3c2d1e0f90",
        "order": "1a2b3c4d5e6f708192a3b4c5d6e7f809",
        "subscription": "9f41c7d2b8e64a0f9c3d5e7a1b2c4d6e",
        "product": "44120991",
        "quantity": 2,
        "price": "24.00",
        "order_updated": WHEN,
    },
    "payments": {
        "public_id": "aa11bb22cc33dd44ee55ff6677889900",
        "customer": CUSTOMER,
        "token_id": "tok-very-secret",
        "cc_holder": "Noor Hale",
        "cc_number_ending": "0042",
        "cc_type": 1,
        "cc_exp_date": "09/2026",
        "last_updated": WHEN,
    },
    "addresses": {
        "public_id": "00998877665544332211ffeeddccbbaa",
        "customer": CUSTOMER,
        "address": "9 Quay Rd",
        "city": "Chicago",
        "country_code": "US",
        "token_id": None,
        "updated": WHEN,
    },
}
TYPES = {
    "customers": ("customer.state", Person),
    "subscriptions": ("subscription.state", Subscription),
    "orders": ("order.state", Order),
    "items": ("item.state", Item),
    "payments": ("customer.state", Person),
    "addresses": ("customer.state", Person),
}
PRODUCTS_OF = ("subscriptions", "items")


def listed(entity: str, **changes: object) -> Listed:
    """An entity, with its product where it names one."""
    product = known_product(PRODUCT) if entity in PRODUCTS_OF else None
    return Listed(entity, ENTITIES[entity] | changes, MERCHANT, CUSTOMER, product)


@pytest.mark.parametrize("entity", ENTITIES)
def test_an_entity_becomes_a_record_and_that_an_event(entity: str) -> None:
    """It is encoded, comes back the same, and says how things stood at its own last change."""
    record = state_record(listed(entity), READ_AT, UTC_OPTIONS)
    value = SOURCE.encode(record)
    event = event_reader(SOURCE)(value)
    event_type, subject = TYPES[entity]

    assert SOURCE.encode(SOURCE.decode(value, branches=True)) == value
    assert (event_type, "state", AT, READ_AT) == (
        event.type,
        event.kind,
        event.created,
        event.received_at,
    )
    assert (MERCHANT, CUSTOMER) == (event.merchant, event.customer_id)
    assert isinstance(event.subject, subject)


def test_what_an_event_has_no_object_for_stands_in_the_snapshot() -> None:
    """Payments and addresses beside an empty person; a product beside what names it."""
    read = event_reader(SOURCE)

    def told(entity: str) -> Any:
        return read(SOURCE.encode(state_record(listed(entity), READ_AT, UTC_OPTIONS)))

    assert told("payments").subject == told("addresses").subject == Person()
    assert [("0042", "09/2026")] == [
        (each.cc_number_ending, each.cc_exp_date) for each in told("payments").snapshot.payments
    ]
    assert ["9 Quay Rd"] == [each.address for each in told("addresses").snapshot.addresses]
    for entity in PRODUCTS_OF:
        assert ["Oat mix 2 kg"] == [each.name for each in told(entity).snapshot.products]


@pytest.mark.parametrize("entity", ENTITIES)
def test_the_id_is_the_entity_and_its_last_change(entity: str) -> None:
    """Read again it is the same record; changed, or without a time of change, it is another."""
    updated: str = next(
        name for name in ("last_updated", "updated", "order_updated") if name in ENTITIES[entity]
    )

    def id_of(at: int = READ_AT, **changes: Any) -> str:
        told: str = state_record(listed(entity, **changes), at, UTC_OPTIONS)["event_id"]
        return told

    assert id_of() == id_of(READ_AT + 5)
    ids = {
        id_of(),
        id_of(READ_AT, **{updated: "2026-08-14 09:40:12"}),
        id_of(READ_AT, **{updated: None}),
        id_of(READ_AT, **{updated: None, "extra_data": "other"}),
    }
    assert len(ids) == 4


def test_two_payments_of_one_second_are_two_facts() -> None:
    """Their objects are the same empty person; the guard against repetition knows them apart."""
    read = event_reader(SOURCE)
    one, other = (
        read(SOURCE.encode(state_record(listed("payments", **changes), READ_AT, UTC_OPTIONS)))
        for changes in ({}, {"public_id": "bb11bb22cc33dd44ee55ff6677889900"})
    )

    assert one.guard != other.guard


@pytest.mark.parametrize("entity", ENTITIES)
def test_tokens_and_holders_are_kept_nowhere(entity: str) -> None:
    """Not in the fields, not in the original body."""
    value = SOURCE.encode(state_record(listed(entity), READ_AT, UTC_OPTIONS))

    assert b"secret" not in value
    assert b"cc_holder" not in value


@pytest.mark.parametrize("entity", ENTITIES)
def test_the_original_can_be_read_again(entity: str) -> None:
    """A corrected mapping needs no API."""
    record = state_record(listed(entity), READ_AT, UTC_OPTIONS)

    assert record == state_again(record["raw"], READ_AT, UTC_OPTIONS)


@pytest.mark.parametrize("raw", [b"", b"{}", b'{"entity": "gifts", "merchant": "m"}'])
def test_what_is_no_original_is_refused(raw: bytes) -> None:
    """Bytes of a webhook are none."""
    with pytest.raises(BadRecord):
        state_again(raw, READ_AT)


def test_of_an_hour_that_came_twice_the_earlier_is_taken() -> None:
    """2026-11-01 01:30 in Chicago was at 06:30 and at 07:30 UTC: a state is never too new."""
    doubtful = listed("subscriptions", updated="2026-11-01 01:30:00")
    record = state_record(doubtful, READ_AT, WebhookOptions("America/Chicago", "US"))

    assert 1_793_514_600_000 == record["created"] == record["object"][1]["updated"]


@pytest.mark.parametrize(
    ("entity", "changes", "reason"),
    [
        ("orders", {"public_id": None}, "missing_field"),
        ("subscriptions", {"live": "perhaps"}, "wrong_type"),
        ("items", {"order_updated": "yesterday"}, "wrong_type"),
        ("customers", {"merchant_user_id": ""}, "missing_field"),
    ],
)
def test_what_cannot_be_read_says_why(entity: str, changes: dict[str, Any], reason: str) -> None:
    """Its bytes are then a dead letter."""
    with pytest.raises(BadRecord) as bad:
        state_record(listed(entity, **changes), READ_AT)

    assert reason == bad.value.reason


def test_no_webhook_and_no_other_kind_has_these_types() -> None:
    """A webhook of such a type is unknown; a record of kind `event` with one is wrong."""
    assert OBJECT_OF.keys().isdisjoint(STATE_OF)
    for event_type in STATE_OF:
        body = json.dumps({"id": "1", "type": event_type, "created": 1, "data": {}}).encode()
        with pytest.raises(BadRecord, match="unknown_type"):
            record_of(body)
    record = state_record(listed("orders"), READ_AT)
    with pytest.raises(BadRecord, match="wrong_type kind"):
        event_reader(SOURCE)(SOURCE.encode(record | {"kind": "event"}))


def test_a_mark_is_a_record_of_nobody() -> None:
    """It says which merchant, and when the sync began; those of two partitions differ."""
    one, other = (completion(MERCHANT, AT, number) for number in (0, 1))
    event = event_reader(SOURCE)(SOURCE.encode(one))

    assert ("sync.completed", "state", "*", AT, Person()) == (
        event.type,
        event.kind,
        event.customer_id,
        event.created,
        event.subject,
    )
    assert one["event_id"] != other["event_id"]


@pytest.mark.parametrize("entity", ENTITIES)
def test_nobody_is_told_of_a_state_but_by_the_profile(entity: str) -> None:
    """Through the whole pipeline, with a connection that takes all types: no flow starts."""
    takes = frozenset({*OBJECT_OF, *STATE_OF})
    pipeline = Pipeline(
        SOURCE, codec("events/enriched"), [Route("all", takes)], DeriveOptions(history="live")
    )
    value = SOURCE.encode(state_record(listed(entity), READ_AT, UTC_OPTIONS))
    processed = pipeline.process(value, lambda _: None, READ_AT)

    assert processed.row is not None
    assert (True, False) == (processed.row.stated, processed.row.complete)
    assert {"profile.changed"} >= {each.fact.type for each in processed.told if each.connections}


def test_a_row_is_completed_by_a_state_and_then_told_of() -> None:
    """Whoever was synced is mourned when the last subscription ends, though history is `live`."""
    options = DeriveOptions(history="live", synced_at=READ_AT)
    pipeline = Pipeline(SOURCE, codec("events/enriched"), [], options)
    rows: dict[bytes, bytes] = {}
    seeded = listed("subscriptions", live=True, cancelled=None)
    cancel = json.loads(SAMPLES["subscription.cancel"])
    cancel["created"] = AT // 1_000 + 60
    cancel["data"]["object"] |= {
        "merchant": MERCHANT,
        "customer": CUSTOMER,
        "public_id": ENTITIES["subscriptions"]["public_id"],
        "updated": AT // 1_000 + 60,
        "live": False,
    }
    records = (
        state_record(seeded, READ_AT, UTC_OPTIONS),
        record_of(json.dumps(cancel).encode(), READ_AT),
    )
    facts = []
    for record in records:
        processed = pipeline.process(SOURCE.encode(record), rows.get, READ_AT)
        assert processed.value is not None
        rows[processed.key] = processed.value
        facts += [each.fact for each in processed.told]

    assert [None] == [each.withheld for each in facts if each.type == "subscriber.cancel"]
    assert SUBSCRIBERS.decode(next(iter(rows.values()))).total == 1


def stated(content: Subscription) -> Any:
    """The state record's event of a subscription as it is now."""
    body = {
        "merchant": MERCHANT,
        "customer": CUSTOMER,
        "public_id": content.public_id,
        "live": content.live,
        "updated": content.updated // 1_000,
        "created": None if content.created is None else content.created // 1_000,
        "product": content.product,
        "quantity": content.quantity,
        "frequency_days": content.frequency_days,
        "every": content.every,
        "every_period": content.every_period,
    }
    record = state_record(Listed("subscriptions", body, MERCHANT, CUSTOMER), READ_AT, UTC_OPTIONS)
    return event_reader(SOURCE)(SOURCE.encode(record))


@settings(max_examples=60, derandomize=True, deadline=None)
@given(shuffled(ALL_STYLES), st.data())
def test_a_state_anywhere_among_the_events_changes_no_subscription(
    arrival: Arrival, data: st.DataObject
) -> None:
    """What the API said at any time, arriving whenever: the row holds what the events make it."""
    if not arrival.events:
        return
    history = in_order(arrival.history)
    seen = history[: data.draw(st.integers(1, len(history)))]
    newest = {id_: held.content for id_, held in run(seen)[-1].after.subscriptions.items()}
    events = list(arrival.events)
    for content in newest.values():
        events.insert(data.draw(st.integers(0, len(events))), stated(content))
    with_states = state(run(events)[-1].after)
    without = state(run(arrival.events)[-1].after)

    assert without.subscriptions == with_states.subscriptions
    assert (without.status, without.active, without.total) == (
        with_states.status,
        with_states.active,
        with_states.total,
    )


def test_a_row_with_a_state_is_written_as_others_are() -> None:
    """The row's bytes hold the state's key."""
    content = Subscription("s", live=True, updated=AT)
    row = run([stated(content)])[-1].after

    assert row.subscriptions["s"].key == OrderKey(AT, AT, -1, stated(content).event_id)
    assert encode_row(row)
