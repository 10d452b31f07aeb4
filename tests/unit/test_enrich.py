"""What travels with a fact: the record's own, else its snapshot's, else the row's (DESIGN §6)."""

from __future__ import annotations

from typing import Any

import pytest

from streams.model.enriched import (
    AddressView,
    EnrichedEvent,
    PaymentView,
    ProfileView,
    SubscriptionView,
)
from streams.model.events import Product
from tests.support.driver import Driver, enriched
from tests.support.webhooks import (
    CUSTOMER,
    DAY,
    HOUR,
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

CREATED = webhook("subscription.create", subscription("a1", product="44", created=START))
"""A customer's first subscription."""


def after(*before: bytes) -> Driver:
    """A customer of whom this is known."""
    driver = Driver()
    driver.feed_all(before)
    return driver


def told(body: bytes, *before: bytes, event_type: str | None = None) -> EnrichedEvent:
    """What a body becomes after others."""
    return enriched(after(*before).feed(body), event_type)


def texts(name: str, **more: Any) -> JSON:
    """A product of a snapshot."""
    return {"external_product_id": "44", "name": name, "sku": "SKU-1", **more}


def test_an_event_travels_with_its_own_content() -> None:
    """Ids, time, reason and the subscription as the event tells it."""
    subject = subscription(
        "a1",
        START + 60,
        product="44",
        quantity=2,
        frequency_days=56,
        every=8,
        every_period=2,
        cancel_reason="8|Costs too much",
        live=False,
        created=START,
        prepaid_subscription_context={
            "prepaid_orders_remaining": 0,
            "prepaid_orders_per_billing": 3,
            "renewal_behavior": "cancel",
        },
    )
    found = told(
        webhook("subscription.cancel", subject, START + 61, id="e2"),
        CREATED,
        event_type="subscription.cancel",
    )

    assert ("e2", "e2", (START + 61) * 1000, MERCHANT, CUSTOMER) == (
        found.event_id,
        found.source_event_id,
        found.occurred_at,
        found.merchant,
        found.customer_id,
    )
    assert (
        SubscriptionView(
            id="a1",
            live=False,
            quantity=2,
            frequency_days=56,
            every=8,
            every_period=2,
            product=Product("44"),
            prepaid=True,
            prepaid_orders_remaining=0,
            prepaid_orders_per_billing=3,
            prepaid_renewal_behavior="cancel",
            cancel_reason="Costs too much",
            cancel_reason_code=8,
            created=START * 1000,
        )
        == found.subscription
    )


def test_the_profile_is_the_rows() -> None:
    """Who the customer is, and how the row stands after the event."""
    who = webhook("subscriber.create", person(email="noor@shop-demo.io", first_name="Noor"), START)
    found = told(webhook("subscription.sku_swap", subscription("b2", START + 9)), CREATED, who)

    assert (
        ProfileView(
            active_subscriptions=2,
            total_subscriptions=2,
            ever_subscribed=True,
            version=3,
            email="noor@shop-demo.io",
            first_name="Noor",
            status="active",
        )
        == found.profile
    )


OWN = [texts("Own")]
SEEN = webhook("order.create", order(), START + 5, snapshot={"products": [texts("Seen")]})
NEWER = webhook("order.create", order(), START + 9, snapshot={"products": [texts("Newer")]})


@pytest.mark.parametrize(
    ("before", "snapshot", "name"),
    [
        pytest.param([CREATED], {"products": OWN}, "Own", id="the record's own"),
        pytest.param([CREATED, SEEN], {"products": OWN}, "Own", id="the record's own, newest"),
        pytest.param([CREATED, SEEN], {}, "Seen", id="the row's"),
        pytest.param([CREATED, SEEN, NEWER], {}, "Newer", id="the newest of the row"),
        pytest.param([CREATED, NEWER, SEEN], {}, "Newer", id="the newest, in whatever order"),
        pytest.param([CREATED], {}, None, id="the id alone"),
        pytest.param([SEEN, CREATED], {}, None, id="no subscription named it then"),
    ],
)
def test_product_texts(before: list[bytes], snapshot: JSON, name: str | None) -> None:
    """Texts come from the newest snapshot that told them of a product somebody subscribes to."""
    body = webhook(
        "subscription.change_quantity",
        subscription("a1", START + DAY, product="44"),
        START + DAY,
        snapshot=snapshot,
    )
    found = told(body, *before).subscription

    assert found is not None
    assert Product("44", name, None if name is None else "SKU-1") == found.product


def lines(*items: JSON, **more: Any) -> bytes:
    """A reminder of an order with items in its snapshot."""
    about = order("o1", payment="p1", shipping_address="d1", place="2026-10-06", tries=2)
    return webhook("order.reminder", about, START + HOUR, snapshot={"items": list(items), **more})


def test_an_orders_items_are_the_snapshots() -> None:
    """Those of this order, in their order, each with product and subscription."""
    found = told(
        lines(
            item("i2", order="o1", product="45", quantity=3, price="1.00", total_price="3.00"),
            item("i9", order="o9", product="44"),
            item("i1", order="o1", product="44", subscription="a1"),
            products=[texts("Own", price="2.00"), {"external_product_id": "45", "name": "Mug"}],
        ),
        CREATED,
    ).order

    assert found is not None
    assert found.items is not None
    assert 2 == found.items_count
    assert [
        ("i2", "o1", 3, "1.00", "3.00", Product("45", "Mug"), None),
        ("i1", "o1", None, None, None, Product("44", "Own", "SKU-1", price="2.00"), "a1"),
    ] == [
        (
            line.id,
            line.order_id,
            line.quantity,
            line.price,
            line.total_price,
            line.product,
            line.subscription.id if line.subscription else None,
        )
        for line in found.items
    ]


def test_without_items_nothing_is_said_of_them() -> None:
    """A snapshot without items of the order leaves them and their count unknown."""
    found = told(lines(item("i9", order="o9"))).order

    assert found is not None
    assert (None, None) == (found.items, found.items_count)


def test_many_items_travel_and_are_counted() -> None:
    """All of them: what a vendor's lists cannot hold is cut where they are made."""
    prepaid = subscription("b2", prepaid_subscription_context={"prepaid_orders_remaining": 1})
    many = [item(f"i{n}", order="o1", subscription="a1") for n in range(30)]
    last = item("i30", order="o1", subscription="b2")
    found = told(lines(*many, last, subscriptions=[prepaid]), CREATED)

    assert found.order is not None
    assert found.order.items is not None
    assert [f"i{n}" for n in range(31)] == [line.id for line in found.order.items]
    assert (31, True) == (found.order.items_count, found.prepaid)


def test_an_items_subscription_is_the_snapshots_else_the_rows() -> None:
    """What the record itself tells of a subscription goes before what the row knows."""
    body = item("i1", order="o1", subscription="a1")
    known = told(lines(body), webhook("subscription.create", subscription("a1", every=2))).order
    own = told(
        lines(body, subscriptions=[subscription("a1", START - 9, every=4)]),
        webhook("subscription.create", subscription("a1", every=2)),
    ).order

    assert [2, 4] == [
        line.subscription.every
        for found in (known, own)
        if found is not None
        for line in found.items or ()
        if line.subscription
    ]


def test_payment_and_address_are_found_by_id() -> None:
    """Those that the order names; others of the snapshot are not its own."""
    cards = [
        {"public_id": "p0", "cc_type": 1},
        {"public_id": "p1", "cc_type": 2, "cc_number_ending": "0042", "cc_exp_date": "09/2027"},
    ]
    places = [{"public_id": "d0", "city": "Elsewhere"}, {"public_id": "d1", "city": "Chicago"}]
    found = told(lines(payments=cards, addresses=places)).order
    without = told(lines(payments=cards[:1], addresses=places[:1])).order

    assert found is not None
    assert without is not None
    assert PaymentView("0042", "09/2027", 2) == found.payment
    assert AddressView(city="Chicago") == found.shipping_address
    assert (None, None) == (without.payment, without.shipping_address)


PRICED = subscription("a1", START - 9, currency_code="CAD")


@pytest.mark.parametrize(
    ("own", "snapshot", "before", "currency"),
    [
        pytest.param("USD", {"subscriptions": [PRICED]}, [], "USD", id="the order's own"),
        pytest.param(None, {"subscriptions": [PRICED]}, [], "CAD", id="its subscription's"),
        pytest.param(
            None,
            {},
            [webhook("order.create", order(), snapshot={"subscriptions": [PRICED]})],
            "CAD",
            id="the row's",
        ),
        pytest.param(None, {}, [CREATED], None, id="nobody said"),
    ],
)
def test_an_orders_currency(
    own: str | None, snapshot: JSON, before: list[bytes], currency: str | None
) -> None:
    """The order's own, else one of its items' subscriptions, else unknown."""
    body = webhook(
        "order.success",
        order("o1", currency_code=own),
        START + HOUR,
        snapshot={"items": [item("i1", order="o1", subscription="a1")], **snapshot},
    )
    found = told(body, *before).order

    assert found is not None
    assert currency == found.currency_code


def test_a_subscriptions_currency_is_remembered() -> None:
    """Only REST entities tell it, so an event takes it from what an earlier snapshot told."""
    rest = webhook("order.create", order(), START + 5, snapshot={"subscriptions": [PRICED]})
    swap = webhook("subscription.sku_swap", subscription("a1", START + 9), START + 9)
    found = told(swap, CREATED, rest).subscription

    assert found is not None
    assert "CAD" == found.currency_code


def context(remaining: int | None = 1) -> JSON:
    """A subscription's prepaid context; None: not prepaid."""
    written = {} if remaining is None else {"prepaid_orders_remaining": remaining}
    return {"prepaid_subscription_context": written}


PREPAID = webhook("subscription.create", subscription("p1", START, **context()))


@pytest.mark.parametrize(
    ("body", "before", "prepaid"),
    [
        pytest.param(PREPAID, [], True, id="a subscription's own context"),
        pytest.param(CREATED, [PREPAID], False, id="not another subscription's"),
        pytest.param(
            lines(item("i1", order="o1", subscription="p1")), [PREPAID], True, id="an order's item"
        ),
        pytest.param(
            lines(item("i1", order="o1", subscription="a1")),
            [CREATED, PREPAID],
            False,
            id="none of an order's items",
        ),
        pytest.param(lines(), [PREPAID], None, id="an order of unknown items"),
        pytest.param(
            lines(item("i1", order="o1")), [PREPAID], None, id="an order of one-time items"
        ),
        pytest.param(
            webhook("item.out_of_stock", item("i1", subscription="p1"), START + 9),
            [PREPAID],
            True,
            id="an item",
        ),
        pytest.param(
            webhook("item.out_of_stock", item("i1"), START + 9), [PREPAID], None, id="one-time item"
        ),
    ],
)
def test_prepaid(body: bytes, before: list[bytes], prepaid: bool | None) -> None:
    """Whether one of the subscriptions that the event is about is prepaid; else unknown."""
    driver = after(*before)
    event_type = "subscription.create" if body in (PREPAID, CREATED) else None

    assert prepaid is enriched(driver.feed(body), event_type).prepaid


def test_a_cancelled_subscribers_list() -> None:
    """The newest 25 of those that ended, by creation and then id; count and prepaid are of all."""
    ids = [f"s{n:02}" for n in range(30)]
    opened = [
        webhook(
            "subscription.create",
            subscription(id_, START + n, created=START + n // 2, **context(None if n else 1)),
            START + n,
        )
        for n, id_ in enumerate(ids)
    ]
    closed = [
        webhook(
            "subscription.cancel",
            subscription(
                id_,
                START + DAY + n,
                live=False,
                created=START + n // 2,
                **context(None if n else 1),
            ),
            START + DAY + n,
        )
        for n, id_ in enumerate(ids)
    ]
    found = told(closed[-1], *opened, *closed[:-1], event_type="subscriber.cancel")
    expected = sorted(ids, key=lambda id_: (-(int(id_[1:]) // 2), id_))

    assert found.subscriptions is not None
    assert expected[:25] == [each.id for each in found.subscriptions]
    assert (30, True) == (found.subscriptions_count, found.prepaid)
    assert found.subscription is None


def test_a_profile_carries_nothing_of_its_record() -> None:
    """profile.changed is the profile alone, whatever record revealed it."""
    body = webhook("order.create", order(), snapshot={"customer": {"email": "noor@shop-demo.io"}})
    found = told(body)

    assert "profile.changed" == found.type
    assert (None, None, None, None, None) == (
        found.order,
        found.item,
        found.subscription,
        found.entitlements,
        found.prepaid,
    )


OTHER_SUBSCRIPTION = webhook("subscription.create", subscription("b2", START + 1), START + 1)


@pytest.mark.parametrize(
    ("granted", "beside", "shown"),
    [
        pytest.param(("subscription", "a1"), {}, True, id="granted by the subscription"),
        pytest.param(("subscription", "b2"), {}, False, id="granted by another"),
        pytest.param(
            ("item", "i1"),
            {"items": [item("i1", subscription="a1")]},
            True,
            id="granted by an item of the subscription",
        ),
        pytest.param(
            ("item", "i1"),
            {"items": [item("i1", subscription="b2")]},
            False,
            id="granted by an item of another",
        ),
        pytest.param(
            ("item", "i1"), {"items": [item("i1")]}, False, id="granted by a one-time item"
        ),
        pytest.param(("item", "i1"), {}, False, id="nobody knows what granted it"),
    ],
)
@pytest.mark.parametrize("place", ["grant", "record"])
def test_entitlements_are_tied(
    granted: tuple[str, str], beside: JSON, shown: bool, place: str
) -> None:
    """With two subscriptions only what is tied to this one is shown, by grant or by record."""
    snapshots: dict[str, JSON] = {"grant": {}, "record": {}, place: beside}
    event = webhook(
        "entitlement.entitlements_granted",
        grant(entitlement("e1", *granted)),
        START + 2,
        snapshot=snapshots["grant"],
    )
    body = webhook(
        "subscription.sku_swap",
        subscription("a1", START + 9),
        START + 9,
        snapshot=snapshots["record"],
    )
    found = told(body, CREATED, OTHER_SUBSCRIPTION, event).entitlements

    assert (["e1"] if shown else []) == [each.id for each in found or ()]


@pytest.mark.parametrize(
    ("others", "shown"), [([], True), ([OTHER_SUBSCRIPTION], False)], ids=["alone", "one of two"]
)
def test_an_untied_entitlement_is_the_only_subscriptions(others: list[bytes], shown: bool) -> None:
    """What cannot be tied belongs to a customer's only subscription, or is not shown."""
    event = webhook(
        "entitlement.entitlements_granted", grant(entitlement("e1", "order", "o1")), START + 2
    )
    swap = webhook("subscription.sku_swap", subscription("a1", START + 9), START + 9)
    reminder = lines(item("i1", order="o1", subscription="a1"))

    assert [shown] * 3 == [
        told(body, CREATED, *others, event).entitlements is not None
        for body in (swap, reminder, lines())
    ]


def test_an_order_of_one_time_items_shows_none() -> None:
    """What the order sells is known to come from no subscription, not even the only one."""
    event = webhook(
        "entitlement.entitlements_granted", grant(entitlement("e1", "subscription", "a1")), START
    )

    assert told(lines(item("i1", order="o1")), CREATED, event).entitlements is None


def test_an_order_shows_those_of_its_subscriptions() -> None:
    """Tied to the subscriptions of its items, with their products; an order of none shows none."""
    event = webhook(
        "entitlement.entitlements_granted",
        grant(entitlement("e1", "subscription", "a1"), entitlement("e2", "subscription", "b2")),
        START + 2,
    )
    known = (CREATED, OTHER_SUBSCRIPTION, event)
    shown = told(lines(item("i1", order="o1", subscription="a1")), *known).entitlements
    both = told(
        lines(item("i1", order="o1", subscription="a1"), item("i2", order="o1", subscription="b2")),
        *known,
    ).entitlements

    assert [("e1", "44")] == [(each.id, each.product) for each in shown or ()]
    assert ["e1", "e2"] == [each.id for each in both or ()]
    assert told(lines(), *known).entitlements is None


def test_an_entitlement_travels_whole() -> None:
    """With its resource, ends and grace; the newest form of it that was told."""
    resource = {"public_id": "r1", "name": "Recipe vault"}
    forms = [
        webhook(
            f"entitlement.entitlements_{action}",
            grant(
                entitlement(
                    "e1",
                    "subscription",
                    "a1",
                    resource=resource,
                    access_type="time_based",
                    last_updated=updated,
                    expiration=START + days * DAY,
                    grace_period=DAY,
                )
            ),
            updated,
        )
        for action, updated, days in (
            ("granted", START + 2, 30),
            ("expiration_modified", START + 4, 60),
            ("expiring", START + 3, 30),
        )
    ]
    [found] = (
        told(webhook("subscription.sku_swap", subscription("a1", START + 9)), CREATED, *forms)
    ).entitlements or []

    assert ("e1", True, "time_based", (START + 60 * DAY) * 1000, DAY, "r1", "Recipe vault") == (
        found.id,
        found.live,
        found.access_type,
        found.expires_at,
        found.grace_period,
        found.resource_id,
        found.resource_name,
    )
