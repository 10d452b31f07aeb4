"""What the console's pages show, without a browser: requests, fields side by side, rows, rates."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import pytest
from msgspec.structs import replace

from streams.console.index import IndexStanding
from streams.console.requests import Recorded, masked_body, sent_of
from streams.console.row_changes import changes
from streams.console.side_by_side import side_by_side
from streams.console.sight import Moving, Sight
from streams.delivery.gate import Gate
from streams.destinations import DESTINATIONS
from streams.explain import Target
from streams.model.delivery import Options
from streams.model.enriched import (
    AddressView,
    MemberView,
    OrderView,
    PaymentView,
    PointsView,
    ProfileView,
)
from streams.model.member import Loyalty, Member
from streams.model.replayed import Replayed
from streams.model.row_text import row_as_dict, row_of_dict
from streams.model.subscriber import Subscriber
from tests.support.enriched import AT, bare

NOOR: Final = ProfileView(
    1, 1, ever_subscribed=True, version=7, email="Noor.Visser@shop-demo.io",
    phone_number="+12125550147", first_name="Noor", last_name="Visser", status="active",
)  # fmt: skip
PERSONAL: Final = ("noor.visser", "12125550147", "visser")
"""What must not be seen, in lower case."""
CHOICES: Final = Options(contact_fields={"status": "51001"})


def target(name: str, **told: Any) -> Target:
    """A connection."""
    return Target(name, DESTINATIONS[name], CHOICES, **told)


def recorded(event_type: str = "subscriber.create", **told: Any) -> Recorded:
    """A delivery of Noor's."""
    record = Recorded(bare(event_type, NOOR), AT, low=False, replayed=None)
    return record._replace(**told)


@pytest.mark.parametrize("name", sorted(DESTINATIONS))
def test_a_request_is_rendered_anew_and_nothing_personal_is_left_in_it(name: str) -> None:
    """Whatever the vendor calls its fields; the plain body is there for who asks."""
    sent = [each for each in sent_of(target(name), recorded()) if each.call is not None]
    plain = msgspec.json.encode([each.body for each in sent]).decode().lower()
    masked = msgspec.json.encode([each.masked for each in sent]).decode().lower()

    assert sent
    assert any(each in plain for each in PERSONAL)
    assert [] == [each for each in PERSONAL if each in masked]
    assert recorded().event.customer_id not in masked


def test_masking_finds_a_person_within_texts_and_numbers() -> None:
    """In another case, without the plus, in a list; what is nobody's stays."""
    event = replace(bare("subscriber.create", NOOR), customer_id="0088123")
    body = {
        "note": "write to NOOR.VISSER@SHOP-DEMO.IO", "tel": "12125550147",
        "list": ["0088123", "oats"], "other": "lena@shop-demo.io", "quantity": 2,
    }  # fmt: skip

    assert {
        "note": "write to N***@shop-demo.io", "tel": "***47", "list": ["***23", "oats"],
        "other": "l***@shop-demo.io", "quantity": 2,
    } == masked_body(body, event)  # fmt: skip


def test_coupons_birthdays_and_cards_are_masked_whatever_a_vendor_calls_them() -> None:
    """Whoever reads a coupon's code may spend it; the event that has none of them is shown."""
    secret = ("OKE-5-Q1W2", "2027-02-28", "09/2027", "4242", "Rosehip Lane", "Sorry, Noor")
    event = replace(
        bare("order.success", NOOR),
        order=OrderView(
            "o1", payment=PaymentView("4242", "09/2027", 1),
            shipping_address=AddressView(address="Rosehip Lane"),
        ),
        member=MemberView(status="enrolled", next_birthday="2027-02-28"),
        points=PointsView("t1", "500", description="Sorry, Noor", coupon_code="OKE-5-Q1W2"),
    )  # fmt: skip
    body = {"Coupon Code": secret[0], "Next": f"on {secret[1]}", "card": [secret[2:4]],
            "to": secret[4], "why": secret[5], "Tier": "Gold", "points": 500}  # fmt: skip
    shown = msgspec.json.encode(masked_body(body, event)).decode()

    assert [] == [each for each in secret if each in shown]
    assert "Gold" in shown
    assert "500" in shown


def test_a_members_row_shows_a_change_of_birthday_and_not_the_day() -> None:
    """Two numbers and a day, by field; who asks sees them."""
    before = Member(loyalty=Loyalty(birthday=(3, 1)), next_birthday="2027-03-01")
    after = Member(loyalty=Loyalty(birthday=(3, 2)), next_birthday="2027-03-02")

    assert [("loyalty.birthday[1]", "***", "***"), ("next_birthday", "***", "***")] == changes(
        before, after, unmasked=False
    )
    assert [("loyalty.birthday[1]", "1", "2"), ("next_birthday", "2027-03-01", "2027-03-02")] == (
        changes(before, after, unmasked=True)
    )


def test_what_asks_for_nothing_says_why() -> None:
    """An event that the settings leave out: its profile goes, the event does not."""
    chosen = target("klaviyo", gate=Gate(mode="live", events=frozenset({"order.success"})))
    sent = sent_of(chosen, recorded())

    assert ("event", None, "the settings leave such events out") == (
        sent[-1].part,
        sent[-1].call,
        sent[-1].note,
    )
    assert any(each.call is not None for each in sent[:-1])


def test_a_replay_is_rendered_as_it_went() -> None:
    """Its mode is told; `profile-only` asks for the profile alone."""
    again = Replayed("profile-only", "run-1")
    sent = sent_of(target("attentive"), recorded(replayed=again, low=True))

    assert [("profile", "profile-only")] == [(each.part, each.again) for each in sent]


def test_fields_stand_side_by_side_by_what_they_mean_and_what_differs_is_first() -> None:
    """Names in any dress; numbers by value; what only one is told differs from nobody's."""
    told: dict[str, list[Any]] = {
        "klaviyo": [{"data": {"attributes": {"properties": {"product_name": "Oats", "qty": 2}}}}],
        "yespo": [{"params": [{"name": "Product Name", "value": "Barley"}], "total": "12.50"}],
        "ometria": [{"productName": "Oats", "total": 12.5}],
    }
    rows = {row.name: row for row in side_by_side(told, told)}

    assert rows["product name"].differs
    assert {"klaviyo": ["Oats"], "yespo": ["Barley"], "ometria": ["Oats"]} == rows[
        "product name"
    ].values
    assert not rows["total"].differs
    assert not rows["qty"].differs
    assert "product name" == side_by_side(told, told)[0].name


def test_what_is_masked_alike_may_differ_all_the_same() -> None:
    """The mark comes of the values as they are."""
    shown = {"klaviyo": [{"email": "n***@shop-demo.io"}], "yespo": [{"email": "n***@shop-demo.io"}]}
    plain = {"klaviyo": [{"email": "noor@shop-demo.io"}], "yespo": [{"email": "nina@shop-demo.io"}]}

    assert [True] == [row.differs for row in side_by_side(shown, plain)]


def test_a_row_shows_what_changed_masked() -> None:
    """By field; an address that became another is told without saying which."""
    before = Subscriber()
    after = row_of_dict(row_as_dict(before) | {"version": 8})
    found = changes(before, after, unmasked=False)

    assert [("version", "8")] == [(each.path, each.after) for each in found]
    assert [] == changes(before, before, unmasked=False)
    assert changes(None, before, unmasked=False)


def sight(at: float, end: int) -> Sight:
    """A topic that ends there."""
    return Sight(at, [], [], {"t": end}, [], IndexStanding(0, None, 0))


def test_a_rate_is_what_a_topic_grew_by_between_looks() -> None:
    """None before the second look; a topic that was made anew grows by nothing."""
    moving = Moving()
    moving.saw(sight(100.0, 10))
    first = moving.rate("t")
    moving.saw(sight(102.0, 30))

    assert first is None
    assert 10.0 == moving.rate("t")
    assert [(102.0, 10.0)] == moving.rates("t")
    moving.saw(sight(104.0, 0))
    assert 0 == moving.rate("t")
