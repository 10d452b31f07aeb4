"""What Attentive is asked for, case by case (contracts/attentive.md §1 to §3)."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from streams.model.delivery import Options, Outcome, Part, Refusal
from streams.model.enriched import AddressView, ItemView, OrderView, PaymentView, SubscriptionView
from streams.model.events import Product
from tests.support.attentive_page import PAGE, STATUS
from tests.support.attentive_rendering import ATTENTIVE, DELIVERY, asked, body, properties
from tests.support.enriched import AT, KNOWN, NOBODY, bare
from tests.support.pages import BARE

TWELVE_HOURS = 12 * 3_600_000
ACTIVE = replace(KNOWN, status="active")
TRIGGER = Options(late_events="trigger")


def outcomes(parts: dict[str, Part | Refusal]) -> list[tuple[str, Outcome]]:
    """Each part with what an accepted request amounts to, or what became of it."""
    return [(name, part.outcome) for name, part in parts.items()]


def test_status_and_event_are_two_posts_without_credentials() -> None:
    """The attribute goes first; the token is added where they are sent."""
    parts = asked(bare("order.reject", ACTIVE)).values()

    assert [
        ("profile", "POST", "/v1/attributes/custom", "attributes-custom", Outcome.DELIVERED),
        ("event", "POST", "/v1/events/custom", "events-custom", Outcome.DELIVERED),
    ] == [
        (
            part.name,
            part.request.method,
            part.request.path,
            part.request.endpoint,
            part.outcome,
        )
        for part in parts
        if isinstance(part, Part)
    ]
    assert [{"content-type": "application/json"}] * 2 == [
        part.request.headers for part in parts if isinstance(part, Part)
    ]
    assert {"authorization": "Bearer tok"} == ATTENTIVE.authorize("tok")
    assert "https://api.attentivemobile.com" == ATTENTIVE.url


def test_the_whole_bodies_of_a_bare_event() -> None:
    """Status and identifiers; type, identifiers, properties, the delivery's id and the time."""
    event = replace(bare("subscription.change_payment", ACTIVE), occurred_at=AT + 7)

    assert {
        "properties": {STATUS: "active"},
        "user": {"email": "noor@shop-demo.io"},
    } == body(event, "profile")
    assert {
        "type": "ordergroove.subscription.change_payment",
        "user": {"email": "noor@shop-demo.io"},
        "properties": {"id": "a1"},
        "externalEventId": DELIVERY,
        "occurredAt": "2026-10-01T15:00:00.007Z",
    } == body(event)


@pytest.mark.parametrize("event_type", PAGE)
def test_what_is_not_known_is_left_out(event_type: str) -> None:
    """An event of which only ids are known has no nulls, no empty texts, no empty objects."""
    assert BARE[event_type.split(".", maxsplit=1)[0]] == properties(bare(event_type))


@pytest.mark.parametrize(
    ("event_type", "more", "expected"),
    [
        pytest.param("subscription.create", {"subscription": None}, {}, id="no subscription"),
        pytest.param("order.reject", {"order": None}, {}, id="no order"),
        pytest.param("item.out_of_stock", {"item": None}, {}, id="no item"),
        pytest.param(
            "subscription.create",
            {"subscription": SubscriptionView("a1", live=True, product=Product("44", "", ""))},
            {"id": "a1", "product": {"id": "44"}, "product_id": "44"},
            id="product texts",
        ),
        pytest.param(
            "item.out_of_stock",
            {"item": ItemView("i1", product=Product("44", name="Beans", sku=""))},
            {
                "product": {"id": "44", "name": "Beans"},
                "product_id": "44",
                "product_name": "Beans",
            },
            id="an item's product texts",
        ),
        pytest.param(
            "order.reject",
            {"order": OrderView("o1", rejected_code="", rejected_message="")},
            {},
            id="rejection",
        ),
        pytest.param(
            "order.success",
            {"order": OrderView("o1", payment=PaymentView(), shipping_address=AddressView())},
            {},
            id="payment and address of which nothing is known",
        ),
        pytest.param("order.success", {"order": OrderView("o1", items=[])}, {}, id="no items"),
        pytest.param("subscriber.create", {"subscriptions": []}, {"email": KNOWN.email}, id="none"),
    ],
)
def test_what_is_empty_is_left_out(
    event_type: str, more: dict[str, Any], expected: dict[str, Any]
) -> None:
    """An empty text, list or object says nothing and is not sent."""
    assert expected == properties(bare(event_type, **more))


def test_money_is_a_number_with_its_decimals() -> None:
    """Decimal text becomes a JSON number; nothing is cut to whole units."""
    line = ItemView("i1", price="0.10", total_price="19.99", product=Product("44", price="0.10"))
    about = OrderView(
        "o1",
        sub_total="42.00",
        shipping_total="0.00",
        discount_total="-4.50",
        total="1234567.89",
        items=[line],
    )

    assert {
        "sub_total": 42.0,
        "shipping_total": 0.0,
        "discount_total": -4.5,
        "total": 1234567.89,
        "items_subset": [
            {"product": {"id": "44", "price": 0.1}, "price": 0.1, "total_price": 19.99}
        ],
    } == properties(bare("order.success", order=about))


def test_a_rejection_has_the_pages_names() -> None:
    """reject_reason is the text and reject_code the code; other order events carry neither."""
    about = OrderView("o1", rejected_code="120", rejected_message="Card has lapsed")

    assert {"reject_reason": "Card has lapsed", "reject_code": "120"} == properties(
        bare("order.reject", order=about)
    )
    assert {} == properties(bare("order.success", order=about))


@pytest.mark.parametrize(
    ("age", "outcome"),
    [
        pytest.param(0, Outcome.DELIVERED, id="now"),
        pytest.param(-5_000, Outcome.DELIVERED, id="a little ahead"),
        pytest.param(TWELVE_HOURS - 1, Outcome.DELIVERED, id="a moment before"),
        pytest.param(TWELVE_HOURS, Outcome.DELIVERED, id="twelve hours"),
        pytest.param(TWELVE_HOURS + 1, Outcome.DELIVERED_NO_TRIGGER, id="a moment after"),
        pytest.param(60 * TWELVE_HOURS, Outcome.DELIVERED_NO_TRIGGER, id="a month"),
    ],
)
def test_an_old_event_starts_no_journey(age: int, outcome: Outcome) -> None:
    """Beyond twelve hours it is sent all the same, its time as it was, and amounts to less."""
    parts = asked(bare("order.success", ACTIVE), AT + age)
    event = parts["event"]

    assert isinstance(event, Part)
    assert [("profile", Outcome.DELIVERED), ("event", outcome)] == outcomes(parts)
    assert "2026-10-01T15:00:00.000Z" == event.request.body["occurredAt"]


def test_a_late_event_is_not_sent_and_its_profile_is() -> None:
    """There is no data-only event here: filtered, because it is late."""
    parts = asked(bare("order.success", ACTIVE, late=True))

    assert [("profile", Outcome.DELIVERED), ("event", Outcome.FILTERED)] == outcomes(parts)
    assert Refusal("event", Outcome.FILTERED, "late") == parts["event"]


def test_late_is_filtered_whoever_it_is() -> None:
    """What would not be sent anyway is no dead letter for want of an identifier."""
    assert {"event": Refusal("event", Outcome.FILTERED, "late")} == asked(
        bare("order.success", NOBODY, late=True)
    )


@pytest.mark.parametrize(
    ("age", "outcome"),
    [(0, Outcome.DELIVERED), (TWELVE_HOURS + 1, Outcome.DELIVERED_NO_TRIGGER)],
    ids=["young", "old"],
)
def test_a_late_event_may_be_like_any_other(age: int, outcome: Outcome) -> None:
    """`late_events = "trigger"` sends it, under the vendor's own rule of twelve hours."""
    late = bare("order.success", ACTIVE, late=True)
    timely = replace(late, late=False)
    parts = asked(late, AT + age, TRIGGER)

    assert [("profile", Outcome.DELIVERED), ("event", outcome)] == outcomes(parts)
    assert asked(timely, AT + age) == parts


@pytest.mark.parametrize("status", ["active", "inactive"])
def test_a_profile_alone_is_its_status(status: str) -> None:
    """profile.changed is the attribute and nothing else, however old or late."""
    event = bare("profile.changed", replace(KNOWN, status=status, first_name="Noor"), late=True)
    parts = asked(event, AT + 60 * TWELVE_HOURS)

    assert [("profile", Outcome.DELIVERED)] == outcomes(parts)
    assert {"properties": {STATUS: status}, "user": {"email": KNOWN.email}} == body(
        event, "profile"
    )


@pytest.mark.parametrize(
    ("event_type", "names"), [("order.success", ["event"]), ("profile.changed", [])]
)
@pytest.mark.parametrize("status", [None, ""])
def test_an_unset_status_is_not_sent(event_type: str, names: list[str], status: str | None) -> None:
    """While no subscription was ever seen there is nothing to say of the profile."""
    assert names == list(asked(bare(event_type, replace(KNOWN, status=status))))


def test_an_event_that_is_not_taken_is_its_profile() -> None:
    """What the page does not have is no event here; the status is as true as ever."""
    assert ["profile"] == list(asked(bare("order.retryable_placement_failure", ACTIVE)))


@pytest.mark.parametrize("event_type", ["subscriber.create", "order.success", "profile.changed"])
def test_an_event_says_nothing_of_the_profile(event_type: str) -> None:
    """So a superseded delivery is rendered like any other: its profile part is left out later."""
    event = bare(event_type, ACTIVE)
    asked_of = [
        ATTENTIVE.render(event, DELIVERY, AT, Options(), superseded=superseded)
        for superseded in (False, True)
    ]

    assert asked_of[0] == asked_of[1]
    assert all(STATUS not in str(part) for part in asked_of[1] if part.name == "event")


def test_the_count_is_that_before_the_cut() -> None:
    """total_subscriptions_count is the count; subscriptions_created does not carry it."""
    told = [
        properties(bare(f"subscriber.{action}", subscriptions_count=31))
        for action in ("create", "cancel", "subscriptions_created")
    ]

    assert [31, 31, None] == [each.get("total_subscriptions_count") for each in told]


def test_names_are_options() -> None:
    """A connection may name an event otherwise, as the page's slip does."""
    names = {"order.change_next_order_date": "ordergroove.order.success"}
    types = [
        body(bare(event_type), event_names=names)["type"]
        for event_type in ("order.change_next_order_date", "order.cancel")
    ]

    assert ["ordergroove.order.success", "ordergroove.order.cancel"] == types
