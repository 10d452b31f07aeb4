"""Webhook body → record: envelopes, owners, and every reason to give one up (contract §1)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streams.errors import BadRecord
from streams.sources.ordergroove import MAX_BODY, WebhookOptions, record_of
from tests.support.samples import SAMPLES, parsed
from tests.support.webhooks import (
    CUSTOMER,
    JSON,
    MERCHANT,
    START,
    entitlement,
    grant,
    item,
    order,
    person,
    subscription,
    webhook,
)

CONTEXT = {"source": "PurchasePOST", "actor": {"type": "customer"}}
SNAPSHOT = {
    "customer": {"email": "noor@shop-demo.io", "phone_number": "312-555-0148"},
    "products": [{"external_product_id": "44120991", "price": "24"}],
}


def read(body: bytes, received: int | None = None) -> JSON:
    """The record."""
    return record_of(body, received)


def envelope(event_type: str = "subscription.create", **changes: Any) -> bytes:
    """A good body with another top level: a change to `...` takes the field away."""
    body = json.loads(webhook(event_type, subscription())) | changes
    return json.dumps({name: each for name, each in body.items() if each is not ...}).encode()


@pytest.mark.parametrize(
    ("top", "inside"),
    [
        pytest.param({"context": CONTEXT, "snapshot": SNAPSHOT}, {}, id="both at the top"),
        pytest.param({}, {"context": CONTEXT, "snapshot": SNAPSHOT}, id="both inside data"),
        pytest.param({"context": CONTEXT}, {"snapshot": SNAPSHOT}, id="context at the top"),
        pytest.param({"snapshot": SNAPSHOT}, {"context": CONTEXT}, id="snapshot at the top"),
        pytest.param(
            {"context": None, "snapshot": {}},
            {"context": CONTEXT, "snapshot": SNAPSHOT},
            id="empty at the top, filled inside",
        ),
        pytest.param(
            {"context": CONTEXT, "snapshot": SNAPSHOT},
            {"context": {}, "snapshot": None},
            id="filled at the top, empty inside",
        ),
    ],
)
def test_context_and_snapshot_stand_at_two_places(top: JSON, inside: JSON) -> None:
    """Wherever they stand, the record is the same."""
    record = read(envelope(**top, data={"object": subscription(), **inside}))

    assert ("PurchasePOST", "customer") == (record["source"], record["actor"])
    assert "+13125550148" == record["snapshot"]["customer"]["phone_number"]
    assert ["24.00"] == [product["price"] for product in record["snapshot"]["products"]]


@pytest.mark.parametrize("value", [None, {}, ...], ids=["null", "{}", "absent"])
def test_without_context_and_snapshot_nothing_is_known(value: Any) -> None:
    """Null, {} and absent are one: no source, no actor, no snapshot."""
    record = read(envelope(context=value, snapshot=value))

    assert (None, None, None) == (record["source"], record["actor"], record["snapshot"])


@pytest.mark.parametrize(
    "context",
    [{"source": 5}, {"actor": {"type": 5}}, {"actor": "customer"}, {"actor": {}}, {"source": ""}],
    ids=["a source of numbers", "an actor of numbers", "an actor's name", "nobody", "empty"],
)
def test_a_strange_context_sinks_no_event(context: JSON) -> None:
    """Source and actor only accompany the event."""
    record = read(envelope(context=context))

    assert (None, None) == (record["source"], record["actor"])


def test_the_envelopes_own_fields() -> None:
    """Id, type and times in milliseconds; without a time of receipt it is the event's own."""
    record = read(webhook("order.create", order()), 1_790_866_900_123)

    assert ("order.create", START * 1000, 1_790_866_900_123, "event") == (
        record["type"],
        record["created"],
        record["received_at"],
        record["kind"],
    )
    assert START * 1000 == read(webhook("order.create", order()))["received_at"]


def test_the_body_is_kept() -> None:
    """`raw` is the body, byte by byte."""
    body = b" " + SAMPLES["order.reject"] + b"\n"

    assert body == read(body)["raw"]


@pytest.mark.parametrize(
    ("body", "customer"),
    [
        pytest.param(
            webhook("subscription.create", subscription()), CUSTOMER, id="subscription: customer"
        ),
        pytest.param(webhook("order.create", order()), CUSTOMER, id="order: customer"),
        pytest.param(webhook("item.create", item()), CUSTOMER, id="item: customer"),
        pytest.param(
            webhook("entitlement.entitlements_granted", grant()), CUSTOMER, id="entitlement"
        ),
        pytest.param(
            webhook("subscriber.create", person()), CUSTOMER, id="subscriber: merchant_user_id"
        ),
        pytest.param(
            webhook("order.create", order(customer="00026001")), "00026001", id="leading zeros"
        ),
        pytest.param(
            webhook("order.create", order(customer=" h183738 ")), "h183738", id="space around"
        ),
        pytest.param(webhook("order.create", order(customer=88123)), "88123", id="a number"),
        pytest.param(
            webhook("order.create", order(customer="noor@shop-demo.io")),
            "noor@shop-demo.io",
            id="like an address",
        ),
    ],
)
def test_the_customer_is_the_merchants_id(body: bytes, customer: str) -> None:
    """Kept as it is written: leading zeros matter."""
    record = read(body)

    assert (MERCHANT, customer) == (record["merchant"], record["customer_id"])


def communication(data: JSON, **more: Any) -> bytes:
    """A workflow's event: its data has no object."""
    named = {"id": "e1", "type": "workflow.send_communication", "created": START}
    return json.dumps({**named, "data": data, **more}).encode()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(
            communication(
                {"merchant": MERCHANT, "merchant_user_id": CUSTOMER, "subscriber": {"email": "e"}}
            ),
            id="beside the person",
        ),
        pytest.param(
            communication({"merchant": MERCHANT, "customer": CUSTOMER, "subscriber": {}}),
            id="under the other name",
        ),
        pytest.param(
            communication({"subscriber": {"merchant": MERCHANT, "merchant_user_id": CUSTOMER}}),
            id="in the person",
        ),
        pytest.param(
            communication(
                {"subscriber": {}},
                snapshot={"customer": {"merchant": MERCHANT, "merchant_user_id": CUSTOMER}},
            ),
            id="in the snapshot",
        ),
        pytest.param(
            communication(
                {"merchant": MERCHANT, "subscriber": {}},
                context={"actor": {"type": "customer", "customer": {"merchant_user_id": CUSTOMER}}},
            ),
            id="the actor",
        ),
    ],
)
def test_a_workflow_names_its_customer_somewhere(body: bytes) -> None:
    """Its documents show no place for merchant and customer, so each likely one is tried."""
    record = read(body)

    assert (MERCHANT, CUSTOMER) == (record["merchant"], record["customer_id"])


@pytest.mark.parametrize(
    ("event_type", "live"),
    [
        ("subscription.create", True),
        ("subscription.reactivate", True),
        ("subscription.change_live", True),
        ("subscription.cancel", False),
    ],
)
def test_a_type_says_live_where_the_object_does_not(event_type: str, live: bool) -> None:
    """A missing `live` follows from the type; one that is there wins."""
    subject = subscription(live=not live)
    told = read(webhook(event_type, subject))["object"][1]["live"]
    del subject["live"]

    assert live is not told
    assert live is read(webhook(event_type, subject))["object"][1]["live"]


def test_a_missing_updated_is_the_events_time() -> None:
    """In the event's own subscription and in those of a snapshot."""
    subject = subscription()
    del subject["updated"]
    record = read(webhook("subscription.create", subject, snapshot={"subscriptions": [subject]}))

    assert START * 1000 == record["object"][1]["updated"]
    assert START * 1000 == record["snapshot"]["subscriptions"][0]["updated"]


def test_naive_times_are_read_in_the_sources_zone() -> None:
    """A snapshot's naive times are Chicago's, or those of the zone that is configured."""
    body = envelope(snapshot={"customer": {"created": "2026-07-01 08:00:00"}})
    chicago = read(body)["snapshot"]["customer"]["created"]
    tokyo = record_of(body, None, WebhookOptions(source_zone="Asia/Tokyo"))

    assert 14 * 3_600_000 == chicago - tokyo["snapshot"]["customer"]["created"]


def test_phones_are_read_in_the_configured_region() -> None:
    """Numbers without a country belong to the region that is configured."""
    body = webhook("subscriber.create", person(phone_number="020 7946 0018"))
    record = record_of(body, None, WebhookOptions(phone_region="GB"))

    assert "+442079460018" == record["object"][1]["phone_number"]


def test_whom_a_subscriber_event_lists() -> None:
    """Ids, or objects with ids; whatever else stands there is left out."""
    body = webhook("subscriber.create", person(subscriptions=["a1", {"public_id": "b2"}, 5, {}]))

    assert ["a1", "b2"] == read(body)["object"][1]["subscriptions"]


def test_equal_content_has_an_equal_fingerprint() -> None:
    """Whatever the order of its keys; another content has another."""
    one, same, other = (
        read(webhook("subscription.create", subject))["fingerprint"]
        for subject in (
            subscription(quantity=1),
            dict(reversed(subscription(quantity=1).items())),
            subscription(quantity=2),
        )
    )

    assert one == same
    assert one != other


DEAD = [
    pytest.param(b"", "malformed", None, id="nothing"),
    pytest.param(b"{", "malformed", None, id="half of it"),
    pytest.param(b"[]", "malformed", None, id="a list"),
    pytest.param(b'"subscription.create"', "malformed", None, id="a text"),
    pytest.param(b"\xff\xfe", "malformed", None, id="no text"),
    pytest.param(b'{"id":"\\ud800"}', "malformed", None, id="half a character"),
    pytest.param(b"[" * 200_000, "malformed", None, id="nested without end"),
    pytest.param(b"[" + b" " * MAX_BODY, "too_large", None, id="a byte too many"),
    pytest.param(envelope(type=...), "missing_field", "type", id="no type"),
    pytest.param(envelope(type=""), "missing_field", "type", id="empty type"),
    pytest.param(envelope(type=["x"]), "wrong_type", "type", id="a list for a type"),
    pytest.param(envelope(type="order.paused"), "unknown_type", "type", id="unknown type"),
    pytest.param(
        envelope(type="subscription.change_consumer"), "unknown_type", "type", id="change_consumer"
    ),
    pytest.param(envelope(id=...), "missing_field", "id", id="no id"),
    pytest.param(envelope(id=None), "missing_field", "id", id="null id"),
    pytest.param(envelope(id={}), "wrong_type", "id", id="an object for an id"),
    pytest.param(envelope(created=...), "missing_field", "created", id="no time"),
    pytest.param(envelope(created="soon"), "wrong_type", "created", id="a word for a time"),
    pytest.param(envelope(created=START * 1000), "wrong_type", "created", id="milliseconds"),
    pytest.param(
        envelope(created="9999-12-31 23:59:59"), "wrong_type", "created", id="after the last day"
    ),
    pytest.param(envelope(data=...), "missing_field", "data", id="no data"),
    pytest.param(envelope(data=[]), "wrong_type", "data", id="a list for data"),
    pytest.param(envelope(data={}), "missing_field", "data.object", id="no object"),
    pytest.param(
        envelope(data={"object": "a1"}), "wrong_type", "data.object", id="a text for an object"
    ),
    pytest.param(envelope(context=[1]), "wrong_type", "context", id="a list for context"),
    pytest.param(envelope(snapshot="x"), "wrong_type", "snapshot", id="a text for snapshot"),
    pytest.param(
        webhook("order.create", order(merchant=None)),
        "missing_field",
        "data.object.merchant",
        id="no merchant",
    ),
    pytest.param(
        webhook("order.create", order(customer=None)),
        "no_customer",
        "data.object.customer",
        id="null customer",
    ),
    pytest.param(
        webhook("order.create", order(customer="  ")),
        "no_customer",
        "data.object.customer",
        id="blank customer",
    ),
    pytest.param(
        webhook("subscriber.create", person(merchant_user_id="")),
        "no_customer",
        "data.object.merchant_user_id",
        id="empty merchant_user_id",
    ),
    pytest.param(
        webhook("order.create", order(customer={"id": 1})),
        "wrong_type",
        "data.object.customer",
        id="an object for a customer",
    ),
    pytest.param(
        webhook("order.create", order(public_id="")),
        "missing_field",
        "data.object.public_id",
        id="no public_id",
    ),
    pytest.param(
        webhook("subscription.sku_swap", subscription(live=None)),
        "missing_field",
        "data.object.live",
        id="no live and a type that does not say",
    ),
    pytest.param(
        webhook("subscription.create", subscription(live=1)),
        "wrong_type",
        "data.object.live",
        id="a number for live",
    ),
    pytest.param(
        webhook("subscription.create", subscription(quantity="two")),
        "wrong_type",
        "data.object.quantity",
        id="a word for a number",
    ),
    pytest.param(
        webhook("subscription.create", subscription(quantity=2**31)),
        "wrong_type",
        "data.object.quantity",
        id="a number beyond the schema",
    ),
    pytest.param(
        webhook("subscription.cancel", subscription(live=False, cancel_reason=[8])),
        "wrong_type",
        "data.object.cancel_reason",
        id="a list for a reason",
    ),
    pytest.param(
        webhook("subscription.cancel", subscription(live=False, cancel_reason_code="many")),
        "wrong_type",
        "data.object.cancel_reason_code",
        id="a word for a reason's code",
    ),
    pytest.param(
        webhook("order.create", order(total="a lot")),
        "wrong_type",
        "data.object.total",
        id="a word for money",
    ),
    pytest.param(
        webhook("order.reject", order(rejected_message=["120"])),
        "wrong_type",
        "data.object.rejected_message",
        id="a list for a rejection",
    ),
    pytest.param(
        webhook("subscriber.create", person(subscriptions="a1")),
        "wrong_type",
        "data.object.subscriptions",
        id="a text for a list",
    ),
    pytest.param(
        webhook("entitlement.entitlements_granted", grant() | {"entitlements": [1]}),
        "wrong_type",
        "data.object.entitlements",
        id="entitlements that are none",
    ),
    pytest.param(
        webhook(
            "entitlement.entitlements_granted",
            grant(entitlement("e1", "item", "i1"), entitlement("", "item", "i1")),
        ),
        "missing_field",
        "data.object.entitlements[1].public_id",
        id="the second entitlement has no id",
    ),
    pytest.param(
        communication({"merchant": MERCHANT, "merchant_user_id": CUSTOMER}),
        "missing_field",
        "data.subscriber",
        id="a workflow without a person",
    ),
    pytest.param(
        communication({"subscriber": {}}),
        "missing_field",
        "data.merchant",
        id="a workflow of no merchant",
    ),
    pytest.param(
        communication({"merchant": MERCHANT, "subscriber": {}}),
        "no_customer",
        "data.merchant_user_id",
        id="a workflow of no customer",
    ),
    pytest.param(
        envelope(snapshot={"customer": ["noor"]}),
        "wrong_type",
        "snapshot.customer",
        id="a list for a snapshot's customer",
    ),
    pytest.param(
        envelope(snapshot={"customer": {"email": 5 * [1]}}),
        "wrong_type",
        "snapshot.customer.email",
        id="a list for an address",
    ),
    pytest.param(
        envelope(snapshot={"items": {}}), "wrong_type", "snapshot.items", id="items as an object"
    ),
    pytest.param(
        envelope(snapshot={"products": [{"external_product_id": "1"}, {}]}),
        "missing_field",
        "snapshot.products[1].external_product_id",
        id="the second product has no id",
    ),
    pytest.param(
        envelope(snapshot={"subscriptions": [{"public_id": "a1"}]}),
        "missing_field",
        "snapshot.subscriptions[0].live",
        id="a snapshot's subscription without live",
    ),
    pytest.param(
        envelope(snapshot={"orders": [{"public_id": "o1", "place": 5}]}),
        "wrong_type",
        "snapshot.orders[0].place",
        id="a number for a snapshot's day",
    ),
]


@pytest.mark.parametrize(("body", "reason", "field"), DEAD)
def test_what_cannot_be_mapped_says_why(body: bytes, reason: str, field: str | None) -> None:
    """Each dead letter has a reason of the closed set and, where there is one, the field's path."""
    with pytest.raises(BadRecord) as given_up:
        read(body)

    assert (reason, field) == (given_up.value.reason, given_up.value.field)


def test_every_reason_of_a_body_has_a_case() -> None:
    """The cases above leave out none that a body can be given up for."""
    assert {
        "malformed",
        "too_large",
        "missing_field",
        "wrong_type",
        "unknown_type",
        "no_customer",
    } == {case.values[1] for case in DEAD}


def test_a_dead_letter_repeats_nothing_of_the_person() -> None:
    """The message names the field and never its value."""
    body = webhook("order.create", order(total="noor.hale@shop-demo.io"))
    with pytest.raises(BadRecord) as given_up:
        read(body)

    assert "wrong_type data.object.total: the value cannot be read" == str(given_up.value)
    assert given_up.value.__cause__ is None


def test_a_body_of_just_the_size_is_read() -> None:
    """The limit is a limit of bytes, and included."""
    body = SAMPLES["order.create"]
    full = body + b" " * (MAX_BODY - len(body))

    assert (MAX_BODY, full) == (len(full), read(full)["raw"])


def test_what_no_document_names_is_ignored() -> None:
    """A field of a later generation changes nothing but the fingerprint."""
    body = parsed("order.reject")
    body["data"]["object"]["carbon_offset"] = {"grams": 12}
    record, known = read(json.dumps(body).encode()), read(SAMPLES["order.reject"])

    assert known["object"] == record["object"]
    assert known["fingerprint"] != record["fingerprint"]
