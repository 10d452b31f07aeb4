"""Ids: functions of the fact, the same for good (DESIGN §6)."""

from __future__ import annotations

from uuid import UUID

import pytest

from streams.model.ids import (
    NAMESPACE,
    customer_key,
    dead_letter_id,
    delivery_id,
    digest,
    fact_id,
)


@pytest.mark.parametrize(
    ("made", "known"),
    [
        pytest.param(
            fact_id("subscriber.create", "m", "0088123"),
            "08c8ce70-78dd-58d3-8976-4428b9babc56",
            id="a fact",
        ),
        pytest.param(
            fact_id("subscription.reactivate", "m", "0088123", "a1", 1_790_866_800_000),
            "8d5772df-25ec-5dd5-a6e1-f455a6256815",
            id="a fact with a time",
        ),
        pytest.param(
            delivery_id("e1", "order.reject", "klaviyo"),
            "a9005583-c17e-5fc5-af87-fba51fa5f5de",
            id="a delivery",
        ),
        pytest.param(
            dead_letter_id("og.ordergroove.events", 3, 41),
            "82e2cf44-95b0-55a0-915b-442a3b137488",
            id="a dead letter",
        ),
    ],
)
def test_an_id_stays_what_it_was(made: str, known: str) -> None:
    """Vendors know these ids, and topics are keyed by them: another version may not change one."""
    assert known == made


def test_the_namespace_stays() -> None:
    """All ids are made in it."""
    assert UUID("6f1d2a52-6d1f-5d0e-9a55-0d5f0c1f7b3e") == NAMESPACE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(("a", "bc"), ("ab", "c"), id="parts that run together"),
        pytest.param(("a", "b"), ("b", "a"), id="another order"),
        pytest.param(("a", "b"), ("a", "b", ""), id="an empty part more"),
        pytest.param(("a", "1"), ("a", "01"), id="leading zeros"),
        pytest.param(("a", 1), ("a", 2), id="another number"),
    ],
)
def test_other_parts_make_another_id(one: tuple[str | int], other: tuple[str | int]) -> None:
    """Ids and digests tell facts apart by each part and its place."""
    assert fact_id(*one) != fact_id(*other)
    assert digest(*one) != digest(*other)


def test_deliveries_differ_by_each_part() -> None:
    """One event for two connections, or two types under one id, are different deliveries."""
    made = {
        delivery_id(event, event_type, connection)
        for event in ("e1", "e2")
        for event_type in ("order.reject", "profile.changed")
        for connection in ("klaviyo", "klaviyo-eu")
    }

    assert 8 == len(made)


def test_a_key_is_merchant_and_customer() -> None:
    """As text, in UTF-8, whatever the customer's id looks like."""
    assert b"m:0088123" == customer_key("m", "0088123")
    assert "m:çağla".encode() == customer_key("m", "çağla")


def test_a_digest_takes_six_bytes() -> None:
    """Texts, numbers and bytes alike."""
    assert 6 == len(digest("order.reject", 5, b"\x00"))
    assert digest("a", "5") == digest(b"a", 5)
