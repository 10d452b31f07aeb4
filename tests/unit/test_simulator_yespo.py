"""The simulated Yespo: orders that are kept, their events, and whose they are (§2)."""

from __future__ import annotations

import select
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from tests.support.yespo_simulator import (
    ABSENT,
    CONTACT,
    HEADERS,
    INFO,
    KIM,
    LEE,
    ORDERS,
    PHONE,
    contact,
    order,
    orders,
    tell,
)

if TYPE_CHECKING:
    from tests.support.yespo_simulator import JSON, Account


def _sent(*batches: list[JSON], **switches: Any) -> Any:
    """The state after orders were sent, one batch after the other, all with status 200."""

    async def story(account: Account) -> Any:
        for batch in batches:
            assert 200 == (await account.post(ORDERS, orders(*batch))).status_code
        return {**(await account.state()), "fates": account.simulator.received[-1].fates}

    return tell(story, **switches)


def test_a_vendor_that_can_be_started_from_the_command_line() -> None:
    """`streams simulate yespo` prints its address and answers there."""
    command = [sys.executable, "-m", "streams", "simulate", "yespo", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None
            select.select([program.stdout], [], [], 60)
            url = program.stdout.readline().strip()
            response = httpx2.get(f"{url}{INFO}", headers=HEADERS, trust_env=False)
        finally:
            program.terminate()

    assert {"userEmail": "hello@shop-demo.io", "organisationName": "Shop Demo"} == response.json()
    assert 0 == program.returncode


@pytest.mark.parametrize(
    ("switches", "body"),
    [
        ({}, b""),
        ({"success_body": "object"}, b"{}"),
        ({"success_body": "list"}, b'{"failedOrders":[]}'),
    ],
)
def test_orders_are_stored_with_200(switches: Any, body: bytes) -> None:
    """The answer to orders of which none failed has no body, or says that none failed."""

    async def story(account: Account) -> Any:
        response = await account.post(ORDERS, orders(order("OG-1"), order("OG-2")))
        ids = [each["external_order_id"] for each in await account.state("orders")]
        return response.status_code, response.content, account.fates, ids

    assert (200, body, ["accepted"], ["OG-1", "OG-2"]) == tell(story, **switches)


def test_an_order_is_updated_by_its_id() -> None:
    """The last one holds; each that came raised its event, with the parameters of the contract."""
    told = _sent([order()], [order(status="IN_PROGRESS", totalCost=30)])
    [stored], [person] = told["orders"], told["contacts"]

    assert ("IN_PROGRESS", 30) == (stored["status"], stored["total_cost"])
    assert ["INITIALIZED", "IN_PROGRESS"] == stored["received"]
    assert ["orderINITIALIZED", "orderIN_PROGRESS"] == [each["type"] for each in told["events"]]
    assert {
        "eventKey": "OG-1",
        "orderId": stored["id"],
        "contactId": person["id"],
        "EmailAddress": KIM,
        "SMS": PHONE,
    } == told["events"][0]["params"]
    assert told["events"][1]["params"]["orderId"] == stored["id"]


def test_an_order_that_comes_twice_raises_its_event_twice() -> None:
    """Also within one request, and also where nothing changed (pitfall 2)."""
    told = _sent([order(), order()], [order("OG-2"), order()])
    keys = [(each["key"], each["starts"]) for each in told["events"]]

    assert [("OG-1", True), ("OG-1", True), ("OG-2", True), ("OG-1", True)] == keys
    assert 2 == len(told["orders"])


def test_every_status_has_its_event() -> None:
    """The name is `order` and the status."""
    statuses = (
        "INITIALIZED", "IN_PROGRESS", "DELIVERED", "CANCELLED", "ABANDONED_SHOPPING_CART",
    )  # fmt: skip
    told = _sent([order(status=status) for status in statuses])

    assert [f"order{status}" for status in statuses] == told["types"]


def test_only_what_is_delivered_counts_as_revenue() -> None:
    """By contact and currency, by the status that holds now."""
    told = _sent(
        [order("a", status="DELIVERED"), order("b", status="DELIVERED", totalCost=5.5)],
        [order("c", status="DELIVERED", currency="EUR"), order("d", status="CANCELLED")],
        [order("e", status="DELIVERED"), order("e", status="CANCELLED")],
        [order("f", status="DELIVERED", externalCustomerId="C-2", email=LEE, phone=ABSENT)],
    )

    assert [{"USD": 25.5, "EUR": 20}, {"USD": 20}] == [
        person["revenue"] for person in told["contacts"]
    ]


def test_the_first_order_binds_an_external_id_for_good() -> None:
    """Later orders with it are that contact's, even with the address of somebody else."""
    told = _sent(
        [order("a"), order("b", externalCustomerId="C-2", email=LEE, phone=ABSENT)],
        [order("c", email=LEE, phone="12065550199")],
    )
    kim, lee = told["contacts"]

    assert [kim["id"], lee["id"], kim["id"]] == [each["contact_id"] for each in told["orders"]]
    assert LEE == told["events"][2]["params"]["EmailAddress"]
    assert ["C-1", "C-2"] == [kim["externalCustomerId"], lee["externalCustomerId"]]
    assert KIM == kim["values"]["email"]


@pytest.mark.parametrize(
    "address",
    [
        pytest.param({"email": KIM, "phone": ABSENT}, id="email"),
        pytest.param({"email": KIM.upper(), "phone": ABSENT}, id="email in capitals"),
        pytest.param({"email": ABSENT, "phone": PHONE}, id="phone"),
        pytest.param({"email": LEE, "phone": PHONE}, id="phone before email"),
    ],
)
@pytest.mark.parametrize("external_id", ["C-9", ABSENT])
def test_a_new_external_id_is_matched_by_phone_or_email(address: Any, external_id: object) -> None:
    """And is bound to whom it was matched with, beside the id that they have (pitfall 5)."""
    told = _sent([order()], [order("OG-2", externalCustomerId=external_id, **address)])
    [kim] = told["contacts"]

    assert ("C-1", ["C-9"] if external_id == "C-9" else []) == (
        kim["externalCustomerId"],
        kim["bound"],
    )
    assert [kim["id"]] * 2 == [each["contact_id"] for each in told["events"]]


@pytest.mark.parametrize(("first", "winner"), [("phone", 0), ("email", 1)])
def test_phone_and_email_may_be_of_different_people(first: str, winner: int) -> None:
    """A switch says which of them decides."""
    lee = order("b", externalCustomerId="C-2", email=LEE, phone=ABSENT)
    mixed = order("c", externalCustomerId="C-3", email=LEE, phone=PHONE)
    told = _sent([order("a"), lee], [mixed], match_first=first)

    assert told["contacts"][winner]["id"] == told["orders"][2]["contact_id"]


@pytest.mark.parametrize(
    ("fields", "switches"),
    [
        pytest.param({"email": ABSENT, "phone": ABSENT}, {}, id="a new id alone"),
        pytest.param({}, {"orders_create_contacts": False}, id="nobody has the address"),
    ],
)
def test_an_order_of_nobody_starts_nothing(fields: Any, switches: Any) -> None:
    """It is stored and its event is kept, but matched with nobody."""
    told = _sent([order(**fields)], **switches)
    [stored], [raised] = told["orders"], told["events"]

    assert ([], ["silent:unmatched"]) == (told["contacts"], told["fates"])
    assert (None, False, False) == (stored["contact_id"], raised["matched"], raised["starts"])
    assert "contactId" not in raised["params"]


def test_an_order_makes_a_contact_but_does_not_change_one() -> None:
    """Addresses and names of the first order are kept, those of later ones are not."""
    told = _sent(
        [order("a", firstName="Kim", lastName="Ray")],
        [order("b", firstName="Kimberly", email=LEE, phone="12065550199")],
    )
    [kim] = told["contacts"]

    assert {"firstName": "Kim", "lastName": "Ray", "email": KIM, "sms": PHONE} == kim["values"]
    assert "orders" == kim["source"]


def test_orders_find_contacts_that_were_added_otherwise() -> None:
    """A contact's externalCustomerId holds for orders too."""

    async def story(account: Account) -> Any:
        added = await account.post(CONTACT, contact(LEE, externalCustomerId="C-1"))
        await account.post(ORDERS, orders())
        [stored] = await account.state("orders")
        return added.json()["id"], stored["contact_id"], len(await account.state("contacts"))

    known, found, count = tell(story)

    assert (known, 1) == (found, count)


@pytest.mark.parametrize(
    ("fields", "notes"),
    [
        pytest.param({}, [], id="items alone"),
        pytest.param({"totalCost": 25, "shipping": 5}, [], id="with shipping"),
        pytest.param({"totalCost": 22.5, "taxes": 2.5}, [], id="with taxes"),
        pytest.param({"totalCost": 27.5, "shipping": 5, "taxes": 2.5}, [], id="with both"),
        pytest.param({"totalCost": 18, "discount": 2}, ["prices"], id="less a discount"),
        pytest.param({"totalCost": 21}, ["prices"], id="too much"),
        pytest.param({"totalCost": 21, "items": ABSENT}, [], id="no items"),
    ],
)
def test_prices_that_do_not_add_up_are_noted(fields: Any, notes: list[str]) -> None:
    """They must, and yet they are not refused."""
    [stored] = _sent([order(**fields)])["orders"]

    assert notes == stored["notes"]
