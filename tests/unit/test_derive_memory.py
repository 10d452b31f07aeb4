"""What a row remembers, and for how long."""

from __future__ import annotations

from typing import Any

import pytest

from streams.derive import DeriveOptions
from streams.errors import BadRecord
from streams.model.dead_letter import Origin, body_dead_letter, record_dead_letter
from streams.pipeline import Pipeline
from streams.sources.ordergroove import record_of
from tests.support.driver import ENRICHED, ROUTES, SOURCE, Driver, enriched
from tests.support.webhooks import (
    DAY,
    START,
    entitlement,
    grant,
    item,
    subscription,
    webhook,
)


@pytest.mark.parametrize(
    ("days", "duplicate"), [(1, True), (7, True), (9, False)], ids=["soon", "in a week", "later"]
)
def test_a_repetition_after_silence(days: int, duplicate: bool) -> None:
    """Ids are remembered for seven days of stream time, also where nothing came in between."""
    driver = Driver()
    body = webhook("subscription.create", subscription())
    driver.feed(body)

    again = driver.feed(body, recorded=START + days * DAY)

    assert duplicate == again.duplicate


def test_a_subscription_forgets_its_checkout() -> None:
    """A row keeps what later events may need; what groups a checkout matters once."""
    bought: dict[str, Any] = {"session_id": "s.1", "merchant_order_id": "70447", "quantity": 2}
    driver = Driver()
    driver.feed(webhook("subscription.create", subscription(**bought)))
    driver.settle()
    row = driver.row()

    content = row.subscriptions["a1"].content
    assert (None, None, 2) == (content.session_id, content.merchant_order_id, content.quantity)
    assert [""] == [each.event_id for each in row.checkouts.values()]


def test_an_entitlement_keeps_its_subscription() -> None:
    """An entitlement told again without its snapshot still belongs to the same subscription."""
    driver = Driver()
    driver.feed_all(
        [
            webhook("subscription.create", subscription("a1")),
            webhook("subscription.create", subscription("a2")),
            webhook(
                "entitlement.entitlements_granted",
                grant(entitlement("e1", "item", "i1")),
                snapshot={"items": [item("i1", subscription="a2")]},
            ),
            webhook("entitlement.entitlements_expiring", grant(entitlement("e1", "item", "i1"))),
        ]
    )

    shown = {
        id_: enriched(
            driver.feed(
                webhook("subscription.change_payment", subscription(id_, START + DAY), START + DAY)
            )
        ).entitlements
        for id_ in ("a1", "a2")
    }

    assert shown["a1"] is None
    assert ["e1"] == [each.id for each in shown["a2"] or ()]


def test_our_own_failure_is_a_dead_letter() -> None:
    """Whatever our own code raises, the record is given up on as `failed`, with the class named."""
    pipeline = Pipeline(SOURCE, ENRICHED, ROUTES, DeriveOptions(history="complete"))
    value = SOURCE.encode(record_of(webhook("subscription.create", subscription())))

    with pytest.raises(BadRecord) as caught:
        pipeline.process(value, lambda _: b"no row", START * 1000)

    assert ("failed", None) == (caught.value.reason, caught.value.field)
    assert "Error in the pipeline" in caught.value.detail


def test_dead_letters_are_named_by_where_they_were() -> None:
    """A record's dead letter is named by its place; a body's, which has none, by its bytes."""
    bad = BadRecord("malformed", None, "not JSON")
    one = record_dead_letter(bad, Origin("t", 1, 2, 3), b"k", b"v", {}, 4)
    other = record_dead_letter(bad, Origin("t", 1, 3, 3), b"k", b"v", {}, 4)

    assert one["id"] != other["id"]
    assert body_dead_letter(bad, b"x", 1)["id"] == body_dead_letter(bad, b"x", 2)["id"]
    assert body_dead_letter(bad, b"x", 1)["id"] != body_dead_letter(bad, b"y", 1)["id"]
