"""Yespo held beside its page (seed 004) and its contract: orders, events, contacts."""

from __future__ import annotations

import re
from base64 import b64decode
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from streams.destinations.yespo import YESPO
from streams.destinations.yespo_payloads import EVENTS, STATUSES
from streams.model.delivery import Options, Outcome, Part, Refusal
from streams.model.demand_sizes import Bytes, Length
from streams.model.enriched import EnrichedEvent, ItemView, OrderView, ProfileView
from streams.model.events import Product
from streams.model.rules import Limit
from tests.support.enriched import AT, KNOWN, NOBODY, bare
from tests.support.golden import golden
from tests.support.told import calls, first_of_each

SEEDS = Path(__file__).parents[3] / "shared" / "seeds"
TEXTS = [file.read_text(encoding="utf-8") for file in SEEDS.glob("004*.txt")]
"""The vendor's page, where it lies beside this repository."""

ORDER = (
    "externalOrderId", "externalCustomerId", "totalCost", "status", "date", "email", "phone"
)  # fmt: skip
ITEM = ("externalItemId", "name", "quantity", "cost", "url", "imageUrl")
"""What the page requires of an order (one of the last two), and of an item."""

ID = "6f1d2a52-0000-5000-8000-000000000000"
PRODUCT = Product("77", "Oat bars", "OB", "https://shop-demo.io/77.jpg", "https://shop-demo.io/77")
WHOLE = OrderView(
    "OG-90311",
    total="42.50",
    currency_code="USD",
    items=[ItemView("i1", 1, "42.50", "42.50", PRODUCT)],
)
FIELDS = Options(contact_fields={"status": "51001", "active_subscriptions": "51002"})


def placed(
    order: OrderView = WHOLE, who: ProfileView = KNOWN, kind: str = "success"
) -> EnrichedEvent:
    """An order's event."""
    return bare(f"order.{kind}", who, order=order)


def asked(event: EnrichedEvent, **options: Any) -> dict[str, Part | Refusal]:
    """The parts by name."""
    return {each.name: each for each in YESPO.render(event, ID, AT, Options(**options))}


def sent(event: EnrichedEvent, **options: Any) -> Part:
    """The event's part."""
    found = asked(event, **options)["event"]
    assert isinstance(found, Part), found
    return found


def refused(event: EnrichedEvent, **options: Any) -> tuple[str, str | None]:
    """Why the event's part is refused, and for which field."""
    found = asked(event, **options)["event"]
    assert isinstance(found, Refusal), found
    assert Outcome.REJECTED == found.outcome
    return found.reason, found.field


def params(event: EnrichedEvent, **options: Any) -> dict[str, Any]:
    """The params of an event of its own."""
    body = sent(event, **options).request.body
    return {each["name"]: each["value"] for each in body["params"]}


def test_golden() -> None:
    """The samples' calls are, whole, those that were read and found right."""
    made = {each: calls(YESPO, event, FIELDS) for each, event in first_of_each(YESPO).items()}

    assert golden("yespo", made) == made
    assert {*EVENTS, "profile.changed"} == set(made)


def test_an_order_has_what_both_documents_require() -> None:
    """And nothing that nobody knows: no null, no empty text."""
    body = sent(placed()).request.body

    assert {
        "externalOrderId": "OG-90311",
        "externalCustomerId": "0088123",
        "email": "noor@shop-demo.io",
        "totalCost": 42.5,
        "status": "INITIALIZED",
        "date": "2026-10-01T15:00:00+00:00",
        "currency": "USD",
        "additionalInfo": {"event_type": "order.success"},
        "items": [
            {
                "externalItemId": "77",
                "name": "Oat bars",
                "quantity": 1,
                "cost": 42.5,
                "url": "https://shop-demo.io/77",
                "imageUrl": "https://shop-demo.io/77.jpg",
            }
        ],
    } == body
    assert set(ITEM) == set(body["items"][0])
    assert set(ORDER) - {"phone"} <= set(body)


def test_what_was_typed_in_is_what_the_page_prints() -> None:
    """The two lists of required parameters."""
    for text in TEXTS:
        order, item = re.findall(r"Required parameters for the \w+ array: (.*)\.", text)

        assert list(ORDER) == re.split(r", | or ", order)
        assert list(ITEM) == item.split(", ")


@pytest.mark.parametrize(
    ("order", "field"),
    [
        (replace(WHOLE, total=None), "totalCost"),
        (replace(WHOLE, currency_code=None), "currency"),
        (replace(WHOLE, items=[ItemView("i1", 1, "4.00", product=Product("7"))]), "items.0.name"),
        (
            replace(WHOLE, items=[ItemView("i1", product=PRODUCT)]),
            "items.0.quantity",
        ),
    ],
)
def test_an_order_that_lacks_something_is_refused(order: OrderView, field: str) -> None:
    """With the field named: a 200 of theirs would hide it."""
    assert ("missing_field", field) == refused(placed(order))


def test_an_order_may_have_no_items() -> None:
    """The page asks for them only where messages show products."""
    assert "items" not in sent(placed(replace(WHOLE, items=None))).request.body


@pytest.mark.parametrize("kind", ["success", "reminder"])
def test_somebody_must_be_found(kind: str) -> None:
    """An order wants an address or a number beside the shop's id; an event is content with that."""
    event = placed(who=NOBODY, kind=kind)

    if kind == "success":
        assert ("no_identifier", "email") == refused(event)
    else:
        assert {"externalCustomerId"} == params(event).keys() & {
            "externalCustomerId", "email", "phone"
        }  # fmt: skip


def test_a_number_is_digits_alone() -> None:
    """Country code first, no plus; a bad one is left out."""
    good, bad = (replace(KNOWN, phone_number=each) for each in ("+13125550148", "3125550148"))

    assert "13125550148" == sent(placed(who=good)).request.body["phone"]
    assert "phone" not in sent(placed(who=bad)).request.body


@pytest.mark.parametrize("kind", [each for each in EVENTS if each.startswith("order.")])
def test_what_has_a_status_is_an_order_and_the_rest_events(kind: str) -> None:
    """As the table says."""
    part = sent(placed(kind=kind.removeprefix("order.")))

    if kind in STATUSES:
        assert ("/v1/orders", STATUSES[kind]) == (part.request.path, part.request.body["status"])
    else:
        assert ("/v2/event", f"ordergroove.{kind}", ID) == (
            part.request.path, part.request.body["eventTypeKey"], part.request.body["keyValue"]
        )  # fmt: skip


def test_a_connection_may_map_statuses() -> None:
    """Another status, one more, or none."""
    delivered = sent(placed(), order_statuses={"order.success": "DELIVERED"})
    reminder = sent(placed(kind="reminder"), order_statuses={"order.reminder": "IN_PROGRESS"})
    none = sent(placed(kind="cancel"), order_statuses={"order.cancel": ""})

    assert ["DELIVERED", "IN_PROGRESS"] == [
        each.request.body["status"] for each in (delivered, reminder)
    ]
    assert "/v2/event" == none.request.path


def test_an_order_is_one_thing_in_each_status() -> None:
    """When it is told is no part of what it is; what it costs is."""
    first = sent(placed())
    later = sent(replace(placed(), occurred_at=AT + 60_000))
    dearer = sent(placed(replace(WHOLE, total="50.00")))
    cancelled = sent(placed(kind="skip_order"))

    assert ("OG-90311 INITIALIZED", first.substance) == (later.thing, later.substance)
    assert first.thing == dearer.thing
    assert first.substance != dearer.substance
    assert "OG-90311 CANCELLED" == cancelled.thing


def test_additional_information_is_flat_text() -> None:
    """No number, no list: a flat map of texts."""
    items = [ItemView("i1", 1, "4.00", product=PRODUCT)]
    order = replace(WHOLE, items=items, merchant_order_id="M-1", place="2026-10-05")
    told = sent(placed(replace(order, rejected_code="110"), kind="reject")).request.body

    assert {
        "event_type": "order.reject",
        "merchant_order_id": "M-1",
        "place_date": "2026-10-05",
        "rejected_code": "110",
    } == told["additionalInfo"]


def test_contacts_are_left_alone_where_no_field_is_named() -> None:
    """A field has a number at the vendor, which only the merchant knows."""
    who = replace(KNOWN, status="active")

    assert ["event"] == list(asked(placed(who=who)))
    assert {} == asked(bare("profile.changed", who))


def test_a_contacts_fields_go_by_number() -> None:
    """And the numbers are named once more around them, or nothing would change."""
    who = replace(KNOWN, status="active", active_subscriptions=2)
    [part] = YESPO.render(bare("profile.changed", who), ID, AT, FIELDS)
    assert isinstance(part, Part)
    body = msgspec.json.decode(part.request.framed([msgspec.json.encode(part.request.body)]))

    assert {
        "dedupeOn": "externalCustomerId",
        "contactFields": ["externalCustomerId"],
        "customFieldsIDs": [51001, 51002],
        "restoreDeleted": False,
        "contacts": [
            {
                "externalCustomerId": "0088123",
                "channels": [{"type": "email", "value": "noor@shop-demo.io"}],
                "fields": [{"id": 51001, "value": "active"}, {"id": 51002, "value": "2"}],
            }
        ],
    } == body


def test_late_events_are_not_sent() -> None:
    """Whatever is sent fires; a connection may want that."""
    late = replace(placed(), late=True)

    assert Refusal("event", Outcome.FILTERED, "late") == asked(late)["event"]
    assert Outcome.DELIVERED == sent(late, late_events="trigger").outcome


@pytest.mark.parametrize("character", "<>;,/\\|^?!'\u2018\u2019\"`")
def test_an_events_name_has_no_forbidden_character(character: str) -> None:
    """A name that the connection chose is refused before the vendor does."""
    names = {"order.reminder": f"a{character}b"}

    assert ("forbidden_character", "eventTypeKey") == refused(
        placed(kind="reminder"), event_names=names
    )


def test_an_event_has_a_size() -> None:
    """20 KB: what is larger is refused whole."""
    small, large = (
        placed(
            replace(WHOLE, items=[ItemView("i1", product=Product("7", "n" * size))]),
            kind="reminder",
        )
        for size in (19_000, 20_000)
    )

    assert "items_subset" in params(small)
    assert ("too_large", None) == refused(large)


def test_the_key_is_the_password() -> None:
    """Any user will do."""
    header = YESPO.authorize("k-51f0")["authorization"]

    assert "streams:k-51f0" == b64decode(header.removeprefix("Basic ")).decode()


def test_the_numbers_are_the_published_ones() -> None:
    """350 events a second, 100 of the past, 200 of all else; 1,000 orders; 20 KB, lengths."""
    rules = YESPO.rules
    lengths = {each.path: each.most for each in rules.demands["event"] if isinstance(each, Length)}
    sizes = [each.most for each in rules.demands["event"] if isinstance(each, Bytes)]

    limits = {Limit("api", 200, 1), Limit("event", 350, 1), Limit("past_events", 100, 1)}
    batches = {("orders", 1_000), ("contacts", 1_000), ("past_events", 500)}

    assert limits == set(rules.limits)
    assert batches == {(b.name, b.count) for b in rules.batches}
    assert {"eventTypeKey": 100, "keyValue": 300, "params.*.name": 100} == lengths
    assert [20_000] == sizes


def test_an_item_costs_what_is_paid_for_it() -> None:
    """Discounts taken off: the items add up to the total."""
    items = [ItemView("i1", 2, "24.00", "42.00", PRODUCT), ItemView("i2", 1, "8.00", None, PRODUCT)]
    body = sent(placed(replace(WHOLE, items=items, total="50.00"))).request.body

    assert [21.0, 8.0] == [each["cost"] for each in body["items"]]


def test_every_item_of_an_order_is_sent() -> None:
    """Lists are cut where messages show them, not where they must add up."""
    items = [ItemView(f"i{number}", 1, "1.00", "1.00", PRODUCT) for number in range(26)]

    assert 26 == len(sent(placed(replace(WHOLE, items=items))).request.body["items"])
    assert 25 == len(params(placed(replace(WHOLE, items=items), kind="reminder"))["items_subset"])


def test_a_contact_that_is_as_it_was_is_one_thing() -> None:
    """It is sent once; another status is another."""
    first, again, other = (
        YESPO.render(bare("profile.changed", replace(KNOWN, **who)), ID, AT, FIELDS)[0]
        for who in (
            {"status": "active"},
            {"status": "active", "version": 9},
            {"status": "inactive"},
        )
    )

    assert isinstance(first, Part)
    assert isinstance(again, Part)
    assert isinstance(other, Part)
    assert ("contact", first.substance) == (again.thing, again.substance)
    assert first.substance != other.substance
