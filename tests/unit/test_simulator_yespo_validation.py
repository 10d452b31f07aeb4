"""The simulated Yespo: which orders fail, and how that is told (§2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.yespo_simulator import (
    ABSENT,
    KIM,
    ORDERS,
    PHONE,
    changed,
    item,
    order,
    orders,
    tell,
)

if TYPE_CHECKING:
    from tests.support.yespo_simulator import JSON, Account

GOOD = "accepted"


def _judged(row: object, **switches: Any) -> str:
    """The fate of one order beside a good one, without the part that names its place."""

    async def story(account: Account) -> str:
        response = await account.post(ORDERS, {"orders": [row, order("OG-2")]})
        kept = [each["external_order_id"] for each in await account.state("orders")]
        fates = account.simulator.received[0].fates
        failed = fates[0].startswith("refused:")
        assert (200, GOOD, failed) == (response.status_code, fates[1], bool(response.content))
        assert failed is (kept == ["OG-2"])
        return fates[0].removeprefix("refused:/orders/0/")

    return tell(story, **switches)


@pytest.mark.parametrize(
    ("field", "value", "where"),
    [
        ("externalOrderId", ABSENT, "externalOrderId"),
        ("externalOrderId", "", "externalOrderId"),
        ("externalOrderId", 7, "externalOrderId"),
        ("totalCost", ABSENT, "totalCost"),
        ("totalCost", "20", "totalCost"),
        ("totalCost", True, "totalCost"),
        ("totalCost", 10**15, "totalCost"),
        ("totalCost", 0, GOOD),
        ("status", ABSENT, "status"),
        ("status", "CONFIRMED", "status"),
        ("status", "delivered", "status"),
        ("date", ABSENT, "date"),
        ("date", "2026-10-01", "date"),
        ("date", "2026-10-01T11:59:58", "date"),
        ("date", "2026-13-01T11:59:58Z", "date"),
        ("date", 1790855998, "date"),
        ("date", "2026-10-01T11:59:58Z", GOOD),
        ("date", "2022-05-14T10:11:10.7022176+03:00", GOOD),
        ("currency", ABSENT, "currency"),
        ("currency", "usd", "currency"),
        ("currency", "US$", "currency"),
        ("currency", "CHF", GOOD),
        ("email", "kim", "email"),
        ("phone", "+12065550123", "phone"),
        ("phone", "206-555", "phone"),
        ("phone", "1234", "phone"),
        ("phone", "1" * 16, "phone"),
        ("phone", 12065550123, "phone"),
        ("firstName", 7, "firstName"),
        ("firstName", "", "firstName"),
        ("restoreUrl", None, "restoreUrl"),
        ("source", "abroad", GOOD),
        ("shipping", "5", "shipping"),
        ("shipping", None, "shipping"),
        ("discount", 2.5, GOOD),
        ("additionalInfo", '{"subscription_id": "8f21"}', "additionalInfo"),
        ("additionalInfo", {"subscription": {"id": "8f21"}}, "additionalInfo/subscription"),
        ("additionalInfo", {"count": 2}, "additionalInfo/count"),
        ("additionalInfo", {"subscription_id": "8f21"}, GOOD),
        ("items", {}, "items"),
        ("items", [], GOOD),
        ("items", ["SKU-1"], "items/0"),
        ("items", [item(), item(externalItemId="")], "items/1/externalItemId"),
        ("items", [item(externalItemId=7)], "items/0/externalItemId"),
        ("items", [item(quantity="2")], "items/0/quantity"),
        ("items", [item(quantity=None)], "items/0/quantity"),
        ("items", [item(cost="10")], "items/0/cost"),
        ("items", [item(category="")], "items/0/category"),
        ("items", [item(color="red")], "items/0/color"),
        ("items", [{"externalItemId": "SKU-1", "quantity": 0.5}], GOOD),
        ("note", "x", "note"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_order_keeps_to_the_specification(field: str, value: object, where: str) -> None:
    """One that does not fails alone; the one beside it is stored."""
    fields: Any = {field: value}

    assert where == _judged(order(**fields))


@pytest.mark.parametrize("row", [None, 7, "OG-1", []])
def test_what_is_no_order_fails_alone(row: object) -> None:
    """Anything in the list that is no object."""
    assert "refused:/orders/0" == _judged(row)


@pytest.mark.parametrize(
    ("fields", "loose", "strict"),
    [
        pytest.param({}, GOOD, GOOD, id="all"),
        pytest.param({"email": ABSENT}, GOOD, GOOD, id="no email"),
        pytest.param({"phone": ABSENT}, GOOD, GOOD, id="no phone"),
        pytest.param({"externalCustomerId": ABSENT}, GOOD, "externalCustomerId", id="no id"),
        pytest.param(
            {"email": ABSENT, "phone": ABSENT},
            "silent:unmatched",
            "externalCustomerId",
            id="only an id",
        ),
        pytest.param(
            {"externalCustomerId": ABSENT, "email": ABSENT, "phone": ABSENT},
            "externalCustomerId",
            "externalCustomerId",
            id="nobody",
        ),
        pytest.param({"items": ABSENT}, GOOD, GOOD, id="no items"),
        pytest.param({"currency": ABSENT}, "currency", "currency", id="no currency"),
    ],
)
def test_somebody_must_be_named(fields: Any, loose: str, strict: str) -> None:
    """One of three identifiers; by the older page the id and one of the other two."""
    row = order(**fields)

    assert (loose, strict) == (_judged(row), _judged(row, seed_strict=True))


@pytest.mark.parametrize("field", ["name", "cost", "url", "imageUrl"])
def test_the_older_page_wants_more_of_items(field: str) -> None:
    """Name, cost, url and imageUrl, by a switch."""
    row = changed(order(), f"/items/0/{field}", ABSENT)

    assert (GOOD, f"items/0/{field}") == (_judged(row), _judged(row, seed_strict=True))


@pytest.mark.parametrize(
    ("switch", "value", "row"),
    [
        ("unknown_fields", "ignore", order(note="x")),
        ("empty_values", "absent", order(firstName="", shipping=None)),
        ("number_strings", "accept", order(totalCost="20.50", items=[item(quantity="2")])),
        ("local_dates", "accept", order(date="2026-10-01T11:59:58")),
        ("phone_form", "plus", order(phone=f"+{PHONE}")),
        ("currencies", ["CHF"], order(currency="CHF")),
    ],
)
def test_switches_that_let_pass(switch: str, value: object, row: JSON) -> None:
    """What is refused for want of a fact can be let pass."""
    beside: Any = {"currency": "CHF"} if switch == "currencies" else {}
    switches: Any = {switch: value}

    async def story(account: Account) -> list[str]:
        await account.post(ORDERS, orders(row, order("OG-2", **beside)))
        return list(account.simulator.received[0].fates)

    assert [GOOD, GOOD] == tell(story, **switches)


def test_switches_that_stop() -> None:
    """Only the listed currencies; numbers as texts that are none."""
    assert "currency" == _judged(order(currency="GBP"), currencies=["USD"])
    assert "totalCost" == _judged(order(totalCost="1e3"), number_strings="accept")


def test_a_number_as_a_text_counts_as_the_number() -> None:
    """Where texts are let pass, they are read."""

    async def story(account: Account) -> Any:
        await account.post(ORDERS, orders(order(totalCost="20.5", status="DELIVERED")))
        [person] = await account.state("contacts")
        return person["revenue"]

    assert {"USD": 20.5} == tell(story, number_strings="accept")


@pytest.mark.parametrize("shape", ["object", "array"])
def test_one_failed_order_may_be_an_object(shape: str) -> None:
    """Two are always a list; each has the order as it was sent, and why."""
    bad = [order("a", currency=ABSENT), order("b", email="kim", phone=ABSENT)]

    async def story(account: Account) -> Any:
        one = await account.post(ORDERS, orders(bad[0], order()))
        two = await account.post(ORDERS, orders(*bad))
        return one.json()["failedOrders"], two.json()["failedOrders"], account.fates

    one, two, fates = tell(story, single_failure=shape)
    expected = {"order": bad[0], "error": "currency is empty"}

    assert (expected if shape == "object" else [expected]) == one
    assert [expected, {"order": bad[1], "error": "email is not valid"}] == two
    assert [GOOD, "refused:/orders/0/currency"] == fates


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({}, 400),
        ([], 400),
        ({"orders": []}, 400),
        ({"orders": {}}, 400),
        ({"orders": [order(str(number)) for number in range(1_000)]}, 200),
        ({"orders": [order(str(number)) for number in range(1_001)]}, 400),
    ],
    ids=["object", "list", "none", "no list", "1000", "1001"],
)
def test_a_request_has_1_to_1000_orders(document: object, status: int) -> None:
    """Anything else is refused whole."""

    async def story(account: Account) -> Any:
        response = await account.post(ORDERS, document)
        return response.status_code, account.fates[0], len(await account.state("orders"))

    fate, count = (GOOD, 1_000) if status == 200 else ("refused:/orders", 0)

    assert (status, fate, count) == tell(story)


def test_what_failed_can_be_sent_again_when_it_is_right() -> None:
    """Nothing of a failed order stays behind."""

    async def story(account: Account) -> Any:
        await account.post(ORDERS, orders(order(email="kim")))
        state = await account.state()
        kept = [state[kind] for kind in ("contacts", "orders", "events")]
        return kept, (await account.post(ORDERS, orders(order(email=KIM)))).content

    assert ([[], [], []], b"") == tell(story)
