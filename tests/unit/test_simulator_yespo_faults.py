"""The simulated Yespo: what goes wrong on demand, and to which requests."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from streams.simulators.faults import Fault
from tests.support.yespo_simulator import (
    CONTACT,
    CONTACTS,
    EVENT,
    KIM,
    LEE,
    ORDERS,
    Account,
    bulk,
    contact,
    event,
    order,
    orders,
    tell,
)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 500, 502, 503, 504])
def test_a_status_on_demand(status: int) -> None:
    """The request gets that status once, leaves nothing behind, and passes when it is repeated."""
    fault = Fault(kind="status", status=status, count=1)

    async def story(account: Account) -> Any:
        answers = [await account.post(ORDERS, orders())]
        kept = (await account.state())["orders"]
        answers.append(await account.post(ORDERS, orders()))
        return [each.status_code for each in answers], kept, answers[0].text

    statuses, kept, text = tell(story, faults=(fault,))

    assert ([status, 200], []) == (statuses, kept)
    assert text.startswith("<html>") is (status >= 500)
    assert (text == "Duplicated request") is (status == 409)


@pytest.mark.parametrize(("retry_after", "header"), [(7, "7"), (None, None)])
@pytest.mark.parametrize("status", [429, 503])
def test_a_fault_may_say_when_to_come_back(
    status: int, retry_after: int | None, header: str | None
) -> None:
    """`Retry-After` is there only if the fault has it."""
    fault = Fault(kind="status", status=status, retry_after=retry_after)

    async def story(account: Account) -> Any:
        return (await account.post(EVENT, event())).headers.get("Retry-After")

    assert header == tell(story, faults=(fault,))


@pytest.mark.parametrize(
    ("kind", "error", "fates"),
    [
        ("reset", httpx2.ReadError, ["dropped:reset", "accepted"]),
        ("accept_then_reset", httpx2.ReadError, ["accepted", "duplicate"]),
        ("timeout", httpx2.ReadTimeout, ["dropped:timeout", "accepted"]),
        ("accept_then_timeout", httpx2.ReadTimeout, ["accepted", "duplicate"]),
    ],
)
def test_answers_that_never_come(kind: Any, error: type[Exception], fates: list[str]) -> None:
    """The client learns nothing; whether the orders were kept shows when they are sent again."""
    fault = Fault(kind=kind, count=1)

    async def story(account: Account) -> Any:
        account.client.timeout = httpx2.Timeout(5, read=0.2)
        with pytest.raises(error):
            await account.post(ORDERS, orders())
        account.client.timeout = httpx2.Timeout(5)
        await account.post(ORDERS, orders())
        return account.fates, len(await account.state("events"))

    assert (fates, 1) == tell(story, faults=(fault,))


def test_accepted_things_can_be_dropped() -> None:
    """Success, and nothing comes of it; an import then ends as an error."""

    async def story(account: Account) -> Any:
        await account.post(ORDERS, orders(order("a"), order("b", email="kim")))
        await account.post(EVENT, event())
        response = await account.post(CONTACTS, bulk(contact()))
        answers = []
        for _ in range(4):
            path = f"/api/v1/importstatus/{response.json()['asyncSessionId']}"
            answers.append((await account.get(path)).json()["status"])
        state = await account.state()
        kept = [len(state[kind]) for kind in ("contacts", "orders", "events", "imports")]
        statuses = {record.status for record in account.simulator.received}
        fates = [record.fates or record.fate for record in account.simulator.received[:3]]
        return statuses, fates, kept, answers

    statuses, fates, kept, answers = tell(story, faults=(Fault(kind="drop"),))

    assert ({200}, [0, 0, 0, 1]) == (statuses, kept)
    assert [
        ["dropped:fault", "refused:/orders/1/email"],
        "dropped:fault",
        ["dropped:fault"],
    ] == fates
    assert ["STARTED", "IMPORTING", "ERROR", "ERROR"] == answers


def test_rows_can_fail_on_demand() -> None:
    """The first orders that match are told as failed and not kept."""
    fault = Fault(kind="fail_rows", rows=2, match={"externalOrderId": "OG-[2-9]"})
    document = orders(*(order(f"OG-{number}") for number in range(1, 6)))

    async def story(account: Account) -> Any:
        response = await account.post(ORDERS, document)
        kept = [each["external_order_id"] for each in await account.state("orders")]
        return response.json()["failedOrders"], kept, account.simulator.received[0].fates

    failed, kept, fates = tell(story, faults=(fault,))

    assert ["OG-2", "OG-3"] == [each["order"]["externalOrderId"] for each in failed]
    assert {"It cannot be stored now"} == {each["error"] for each in failed}
    assert ["OG-1", "OG-4", "OG-5"] == kept
    assert ["accepted", "refused:/orders/1", "refused:/orders/2", "accepted", "accepted"] == fates


def test_contacts_of_an_import_can_fail_on_demand() -> None:
    """One that matches, told as `failedContacts`."""
    fault = Fault(kind="fail_rows", match={"email": LEE})

    async def story(account: Account) -> Any:
        response = await account.post(CONTACTS, bulk(contact(), contact(LEE)))
        people = [each["values"]["email"] for each in await account.state("contacts")]
        return response.json()["failedContacts"]["channels"][0]["value"], people

    assert (LEE, [KIM]) == tell(story, faults=(fault,))


@pytest.mark.parametrize(
    ("match", "path", "fires"),
    [
        pytest.param({"externalOrderId": "OG-2"}, ORDERS, True, id="order"),
        pytest.param({"externalOrderId": "OG-3"}, ORDERS, False, id="another order"),
        pytest.param({"status": "DELIV*"}, ORDERS, True, id="status by pattern"),
        pytest.param({"status": "delivered"}, ORDERS, False, id="case matters"),
        pytest.param({"externalCustomerId": "C-1"}, ORDERS, True, id="customer"),
        pytest.param({"externalOrderId": "OG-1", "status": "DELIVERED"}, ORDERS, False, id="both"),
        pytest.param({"email": KIM}, ORDERS, True, id="email of an order"),
        pytest.param({"eventTypeKey": "ordergroove.*"}, EVENT, True, id="type"),
        pytest.param({"eventTypeKey": "okendo.*"}, EVENT, False, id="another type"),
        pytest.param({"email": KIM}, EVENT, True, id="email of an event"),
        pytest.param({"externalCustomerId": "C-1"}, EVENT, True, id="customer of an event"),
        pytest.param({"phone": "*"}, EVENT, False, id="no such trait"),
        pytest.param({"email": LEE}, CONTACTS, True, id="row of an import"),
        pytest.param({"externalCustomerId": "C-2"}, CONTACTS, True, id="customer of a row"),
        pytest.param({"email": KIM}, CONTACT, True, id="one contact"),
    ],
)
def test_faults_pick_their_requests(match: dict[str, str], path: str, fires: bool) -> None:
    """A fault fires where one row has all that it asks for."""
    documents = {
        ORDERS: orders(order("OG-1"), order("OG-2", status="DELIVERED")),
        EVENT: event(),
        CONTACTS: bulk(contact(), contact(LEE, externalCustomerId="C-2")),
        CONTACT: contact(),
    }

    async def story(account: Account) -> bool:
        return (await account.post(path, documents[path])).status_code == 503

    assert fires is tell(story, faults=(Fault(kind="status", match=match),))


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"orders": 1}', b'{"orders": [1]}', b'{"params": [{"name": []}]}']
)
def test_bodies_of_any_shape_can_be_matched(body: bytes) -> None:
    """What cannot be read has nothing to match on, and is judged as usual."""

    async def story(account: Account) -> set[int]:
        paths = (ORDERS, EVENT, CONTACT, CONTACTS)
        return {(await account.post(path, body)).status_code for path in paths}

    told = tell(story, faults=(Fault(kind="status", match={"email": "*"}),))

    assert told <= {200, 400}
