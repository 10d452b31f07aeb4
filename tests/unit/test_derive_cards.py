"""Cards that end before the next order: on the 1st and the 15th, once a card, under a fixed id."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from streams.derive import DeriveOptions
from streams.derive.cards import ends_before, next_check
from streams.model.events import Order, Payment
from streams.model.ids import customer_key
from streams.model.row_bytes import decode_row, due_of
from streams.pipeline import Pipeline, enriched_of
from streams.sources.ordergroove import record_of
from tests.support.driver import ENRICHED, ROUTES, SOURCE
from tests.support.webhooks import (
    CUSTOMER,
    DAY,
    MERCHANT,
    START,
    item,
    order,
    subscription,
    webhook,
)

WARNING = "order.credit_card_expiration_warning"
KEY = customer_key(MERCHANT, CUSTOMER)
PAYMENT = {"public_id": "p1", "cc_number_ending": "0042", "cc_type": 1, "cc_exp_date": "09/2026"}
FIFTEENTH = int(datetime(2026, 10, 15, 12, tzinfo=UTC).timestamp())
NOVEMBER = int(datetime(2026, 11, 1, 12, tzinfo=UTC).timestamp())


class Shop:
    """One customer's row, moved on by webhooks and by time."""

    def __init__(self, **options: Any) -> None:
        told = {"history": "complete", "card_expiration_warnings": True, **options}
        self.pipeline = Pipeline(SOURCE, ENRICHED, ROUTES, DeriveOptions(**told))
        self.row: bytes | None = None

    def tell(self, event_type: str, subject: dict[str, Any], at: int = START, **more: Any) -> None:
        """A webhook; its own deliveries do not matter here."""
        value = SOURCE.encode(record_of(webhook(event_type, subject, at, **more), at * 1_000))
        found = self.pipeline.process(value, lambda _: self.row, at * 1_000)
        if not found.duplicate:
            self.row = found.value

    def pass_to(self, at: int) -> list[Any]:
        """Stream time goes on; the warnings of it."""
        found = []
        while self.row is not None and 0 < due_of(self.row) <= at * 1_000:
            fired = self.pipeline.fire(KEY, self.row, due_of(self.row))
            self.row = fired.value
            found += [enriched_of(ENRICHED, each.value) for each in fired.told if each.connections]
        return [each for each in found if each.type == WARNING]


def upcoming(place: str = "2026-10-20", id_: str = "o1", **more: Any) -> dict[str, Any]:
    """An order that is to be placed."""
    return order(id_, place=place, payment="p1", status=1, total="42.00", **more)


def begun(shop: Shop, place: str = "2026-10-20", **payment: Any) -> Shop:
    """A subscription, its next order with one item, and the card that is to pay it."""
    shop.tell("subscription.create", subscription("s1", product="oats"))
    snapshot = {
        "payments": [PAYMENT | payment],
        "products": [{"external_product_id": "oats", "name": "Oats"}],
    }
    shop.tell("order.create", upcoming(place), snapshot=snapshot)
    shop.tell(
        "item.create", item("i1", order="o1", subscription="s1", product="oats", price="42.00")
    )
    return shop


def test_a_card_that_ends_before_the_next_order_is_warned_of() -> None:
    """With all that an order's page promises, though the check itself is no record."""
    [warning] = begun(Shop()).pass_to(FIFTEENTH)

    assert FIFTEENTH * 1_000 == warning.occurred_at
    assert ("o1", "2026-10-20", "42.00") == (
        warning.order.id,
        warning.order.place,
        warning.order.total,
    )
    assert "09/2026" == warning.order.payment.cc_exp_date
    assert ["oats"] == [each.product.id for each in warning.order.items]
    assert not warning.late
    assert "next order on 2026-10-20" in warning.because.text
    assert "2026-09" not in warning.because.text
    assert "09/2026" not in warning.because.text


def test_it_is_said_again_at_the_next_check_under_another_id() -> None:
    """As long as the order still waits; then there is nothing left to check."""
    shop = begun(Shop(), "2026-11-20")
    first, second = shop.pass_to(NOVEMBER)
    again = begun(Shop(), "2026-11-20").pass_to(FIFTEENTH)

    assert [first.event_id] == [each.event_id for each in again]
    assert first.event_id != second.event_id
    assert 1 == len(shop.pass_to(NOVEMBER + 40 * DAY))
    assert shop.row is not None
    assert 0 == due_of(shop.row)


@pytest.mark.parametrize(
    "payment",
    [{"cc_exp_date": each} for each in ("10/2026", "01/2027", "12/2099", None, "soon", "9/26")],
)
def test_a_card_that_lasts_or_that_nobody_knows_is_left_alone(payment: dict[str, Any]) -> None:
    """A card is good until its last month is over."""
    assert [] == begun(Shop(), **payment).pass_to(NOVEMBER)


@pytest.mark.parametrize(
    "ended", ["order.success", "order.cancel", "order.skip_order", "order.reject", "order.delete"]
)
def test_an_order_that_is_over_needs_no_card(ended: str) -> None:
    """Nor does an event of it that comes late bring it back."""
    shop = begun(Shop())
    shop.tell(ended, upcoming(), START + 60)
    shop.tell("order.change_payment", upcoming(), START + 30)

    assert [] == shop.pass_to(FIFTEENTH)


def test_the_newest_word_on_an_order_counts() -> None:
    """Its date may be changed; an older event does not change it back."""
    shop = begun(Shop(), "2026-10-20", cc_exp_date="10/2026")
    shop.tell("order.change_next_order_date", upcoming("2026-11-02"), START + 60)
    shop.tell("order.change_payment", upcoming("2026-10-20"), START + 30)

    assert ["2026-11-02"] == [each.order.place for each in shop.pass_to(FIFTEENTH)]


def test_of_several_orders_of_a_card_the_next_is_told() -> None:
    """One warning a card and check."""
    shop = begun(Shop())
    shop.tell("order.create", upcoming("2026-10-18", "o2"), START + 60)

    assert ["o2"] == [each.order.id for each in shop.pass_to(FIFTEENTH)]


def test_an_order_by_another_card_is_not_meant() -> None:
    """Whoever pays by a card that is good hears nothing of the one that is not."""
    shop = begun(Shop())
    shop.tell("order.change_payment", upcoming() | {"payment": "p2"}, START + 60)

    assert [] == shop.pass_to(FIFTEENTH)


def test_without_the_option_nothing_is_kept_or_told() -> None:
    """It is for shops whose source is silent; switched off, a check that waits tells nothing."""
    assert [] == begun(Shop(card_expiration_warnings=False)).pass_to(NOVEMBER)

    shop, off = begun(Shop()), Shop(card_expiration_warnings=False)
    off.row = shop.row
    assert [] == off.pass_to(FIFTEENTH)
    off.tell("subscription.change_payment", subscription("s1", START + 90), START + 90)
    assert off.row is not None
    assert decode_row(off.row).cards is None


def test_before_flows_begin_nobody_is_warned() -> None:
    """A topic with a year in it mourns no cards of last year."""
    shop = begun(Shop(flows_from=FIFTEENTH * 1_000), "2026-11-20")

    assert [NOVEMBER * 1_000] == [each.occurred_at for each in shop.pass_to(NOVEMBER)]


@pytest.mark.parametrize(
    ("after", "check"),
    [
        ("2026-10-01T11:59", "2026-10-01T12:00"),
        ("2026-10-01T12:00", "2026-10-15T12:00"),
        ("2026-10-15T12:01", "2026-11-01T12:00"),
        ("2027-02-15T12:00", "2027-03-01T12:00"),
    ],
)
def test_checks_are_on_the_first_and_the_fifteenth(after: str, check: str) -> None:
    """The next one is always later."""
    at, then = (int(datetime.fromisoformat(f"{x}Z").timestamp()) * 1_000 for x in (after, check))

    assert then == next_check(at)


def test_a_card_is_good_until_the_end_of_its_month() -> None:
    """By months alone: the day of an order does not matter."""
    card = Payment("p1", cc_exp_date="10/2026")

    assert not ends_before(card, Order("o1", place="2026-10-31"))
    assert ends_before(card, Order("o1", place="2026-11-01"))
    assert not ends_before(card, Order("o1"))
