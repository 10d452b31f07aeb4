"""Record → event, also of records that somebody else's bridge wrote (DESIGN §6)."""

from __future__ import annotations

from typing import Any

import pytest

from streams.avro import codec
from streams.errors import BadRecord
from streams.model.events import Event, Order, Subscription
from streams.sources.ordergroove import event_reader, record_of
from tests.support.samples import SAMPLES, parsed
from tests.support.webhooks import START, item, order, person, subscription, webhook

SOURCE = codec("sources/ordergroove")
READ = event_reader(SOURCE)


def event(body: bytes, **changes: Any) -> Event:
    """The event of a record as it comes from the topic, with other fields."""
    return READ(SOURCE.encode(record_of(body) | changes))


CREATED = webhook("subscription.create", subscription(quantity=2), context={"source": "XML IMPORT"})


def test_an_event_says_what_its_record_says() -> None:
    """Envelope, own object and times come across; a missing snapshot is an empty one."""
    found = event(CREATED, received_at=START * 1000 + 5)

    assert (
        Event(
            event_id=found.event_id,
            type="subscription.create",
            created=START * 1000,
            merchant="5b1e9c0a7d3f4e2b8a6c1d0e9f8b7a65",
            customer_id="0088123",
            guard=found.guard,
            subject=Subscription("a1", live=True, updated=START * 1000, quantity=2),
            source="XML IMPORT",
            received_at=START * 1000 + 5,
        )
        == found
    )


def test_a_snapshot_comes_across() -> None:
    """Every entity of a snapshot but its orders is there, in its order."""
    told = parsed("order.reject")["snapshot"]
    found = event(SAMPLES["order.reject"]).snapshot

    assert found.customer is not None
    assert told["customer"]["email"] == found.customer.email
    assert [each["external_product_id"] for each in told["products"]] == [
        each.id for each in found.products
    ]
    assert [each["subscription"] for each in told["items"]] == [
        each.subscription for each in found.items
    ]
    assert [(each["cc_exp_date"], each["cc_number_ending"]) for each in told["payments"]] == [
        (each.cc_exp_date, each.cc_number_ending) for each in found.payments
    ]
    assert [each["zip_postal_code"] for each in told["addresses"]] == [
        each.zip_postal_code for each in found.addresses
    ]
    assert [(each["public_id"], each["currency_code"]) for each in told["subscriptions"]] == [
        (each.public_id, each.currency_code) for each in found.subscriptions
    ]


def test_a_rejection_comes_across() -> None:
    """Code and message stand apart in the event."""
    found = event(SAMPLES["order.reject"]).subject

    assert isinstance(found, Order)
    assert ("120", "Card has lapsed") == (found.rejected_code, found.rejected_message)


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        pytest.param({"type": "order.paused"}, "unknown_type", "type", id="unknown type"),
        pytest.param({"event_id": ""}, "missing_field", "event_id", id="no event id"),
        pytest.param({"merchant": ""}, "missing_field", "merchant", id="no merchant"),
        pytest.param({"customer_id": ""}, "no_customer", "customer_id", id="no customer"),
        pytest.param({"object": None}, "missing_field", "object", id="no object"),
        pytest.param(
            {"type": "item.create"}, "wrong_type", "object", id="an object of another type"
        ),
        pytest.param(
            {"object": ("streams.sources.Order", {"public_id": "o1"})},
            "wrong_type",
            "object",
            id="a subscription's event about an order",
        ),
    ],
)
def test_a_strange_record_is_given_up(changes: dict[str, Any], reason: str, field: str) -> None:
    """A bridge may write what our mapping never would: it gets a reason, not a crash."""
    if changes.get("type") == "item.create":
        changes = {**changes, "object": ("streams.sources.Communication", {"key": "hello"})}
    with pytest.raises(BadRecord) as given_up:
        event(CREATED, **changes)

    assert (reason, field) == (given_up.value.reason, given_up.value.field)


def guard(body: bytes, **changes: Any) -> bytes:
    """The second guard of a body."""
    return event(body, **changes).guard


def test_one_fact_under_two_ids_has_one_guard() -> None:
    """Type, object, `updated` and content decide; id, receipt and envelope's time do not."""
    one = webhook("subscription.create", subscription(quantity=2), id="e1")
    two = webhook("subscription.create", subscription(quantity=2), START + 60, id="e2")

    assert guard(one) == guard(two, received_at=5)


def test_two_changes_in_one_second_have_two_guards() -> None:
    """Content tells apart what happened at one time (contract §5.3)."""
    one, two = (
        webhook("subscription.change_quantity", subscription(quantity=quantity))
        for quantity in (2, 3)
    )

    assert guard(one) != guard(two)


def test_two_types_have_two_guards() -> None:
    """change_live and reactivate say the same of a subscription and are two events."""
    one, two = (
        webhook(f"subscription.{action}", subscription())
        for action in ("change_live", "reactivate")
    )

    assert guard(one) != guard(two)


@pytest.mark.parametrize(
    ("event_type", "subject"),
    [
        ("order.reminder", order()),
        ("item.out_of_stock", item()),
        ("subscriber.subscriptions_created", person(last_updated=START)),
    ],
    ids=["order", "item", "subscriber"],
)
def test_what_has_no_updated_is_told_apart_by_its_time(event_type: str, subject: Any) -> None:
    """Two reminders of one order are two facts; the same one twice is one."""
    first, again, later = (
        webhook(event_type, subject, START + after, id=id_)
        for after, id_ in ((0, "e1"), (0, "e2"), (1, "e3"))
    )

    assert guard(first) == guard(again)
    assert guard(first) != guard(later)


def test_a_bridge_that_makes_no_fingerprint_has_guards_too() -> None:
    """Without a fingerprint the object itself is the content."""
    one, two = (
        webhook("subscription.change_quantity", subscription(quantity=quantity))
        for quantity in (2, 3)
    )
    bare = {"fingerprint": None}

    assert guard(one, **bare) == guard(one, event_id="other", **bare)
    assert guard(one, **bare) != guard(two, **bare)
