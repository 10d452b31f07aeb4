"""The simulated Ometria: what refusals look like, and what goes wrong on demand (§2, §7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from streams.simulators.faults import Fault
from tests.support.ometria_simulator import (
    EMAIL,
    ERRORS,
    PUSH,
    contact,
    errors,
    push,
    reminder,
    row_fates,
    tell,
)

if TYPE_CHECKING:
    from tests.support.simulation import Account


def _shape(response: httpx2.Response) -> str:
    """What kind of error body an answer has."""
    if not response.content:
        return "empty"
    html = response.headers["content-type"].startswith("text/html")
    return "html" if html else next(iter(response.json()))


@pytest.mark.parametrize(
    ("error_body", "shapes"),
    [
        ("rotate", ["error_message", "empty", "error_message"]),
        ("object", ["error_message"] * 3),
        ("empty", ["empty"] * 3),
        ("html", ["html"] * 3),
    ],
)
def test_every_shape_of_a_refusal(error_body: str, shapes: list[str]) -> None:
    """400 is told in turns in each of the shapes, or always in one; the fate tells all the same."""

    async def story(account: Account) -> Any:
        responses = [await account.post(PUSH, reminder()) for _ in shapes]
        assert {400} == {each.status_code for each in responses}
        return [_shape(each) for each in responses], account.fates

    assert (shapes, ["refused:/"] * 3) == tell(story, error_body=error_body)


@pytest.mark.parametrize(
    ("status", "shape"),
    [(400, "error_message"), (403, "error_message"), (429, "error_message"), (502, "html")],
)
def test_a_status_on_demand(status: int, shape: str) -> None:
    """The request gets that status once, leaves nothing behind, and passes when it is repeated."""
    fault = Fault(kind="status", status=status, count=1, retry_after=7)

    async def story(account: Account) -> Any:
        first = await push(account, reminder())
        kept = await account.state("events")
        second = await push(account, reminder())
        told = first.headers.get("retry-after")
        return first.status_code, _shape(first), told, kept, second.status_code, account.fates

    fates = ["refused:fault", "accepted"]

    assert (status, shape, "7", [], 202, fates) == tell(story, faults=(fault,))


@pytest.mark.parametrize(
    ("kind", "error", "arrivals"),
    [
        ("reset", httpx2.ReadError, 1),
        ("accept_then_reset", httpx2.ReadError, 2),
        ("timeout", httpx2.ReadTimeout, 1),
        ("accept_then_timeout", httpx2.ReadTimeout, 2),
    ],
)
def test_answers_that_never_come(kind: Any, error: type[Exception], arrivals: int) -> None:
    """The client learns nothing; what was kept nevertheless comes a second time."""
    fault = Fault(kind=kind, count=1)

    async def story(account: Account) -> Any:
        account.client.timeout = httpx2.Timeout(5, read=0.2)
        with pytest.raises(error):
            await push(account, reminder())
        account.client.timeout = httpx2.Timeout(5)
        response = await push(account, reminder())
        [event] = await account.state("events")
        return response.status_code, len(event["arrivals"])

    assert (202, arrivals) == tell(story, faults=(fault,))


def test_accepted_records_can_be_lost() -> None:
    """They are counted as accepted and never heard of again; what is refused still is."""

    async def story(account: Account) -> Any:
        body = (await push(account, reminder(), reminder("e-2"))).json()
        refused = await account.post(PUSH, reminder())
        state = await account.state()
        kept = state["events"] + state["errors"]
        return body["accepted"], refused.status_code, row_fates(account)[0], kept

    fates = ["dropped:fault"] * 2

    assert (2, 400, fates, []) == tell(story, faults=(Fault(kind="drop"),))


def test_rows_can_fail_late() -> None:
    """The first that match are accepted, show among the errors, and are not kept."""
    fault = Fault(kind="fail_rows", rows=2, match={"id": "x-*"})
    sent = [reminder(id_) for id_ in ("a", "x-1", "b", "x-2", "x-3")]

    async def story(account: Account) -> Any:
        body = (await push(account, *sent)).json()
        kept = [each["id"] for each in await account.state("events")]
        counts = body["accepted"], body["rejected"]
        return counts, await errors(account), kept, row_fates(account)[0]

    told = [("not a valid value", "root")] * 2
    fates = ["accepted", "dropped:fault", "accepted", "dropped:fault", "accepted"]

    assert ((5, 0), told, ["a", "b", "x-3"], fates) == tell(story, faults=(fault,))


def test_rows_can_be_rejected_on_demand() -> None:
    """With wrong records rejected at once, so are those that fail by a fault."""
    fault = Fault(kind="fail_rows", count=1)

    async def story(account: Account) -> Any:
        replies = [(await push(account, reminder(), reminder("e-2"))).json() for _ in range(2)]
        return [each["rejected"] for each in replies], row_fates(account)

    fates = [["refused:fault", "accepted"], ["accepted", "accepted"]]

    assert ([1, 0], fates) == tell(story, faults=(fault,), wrong_record="reject")


def test_a_reply_may_say_what_was_rejected() -> None:
    """`rejected_items` as one peer saw it; nobody knows its shape."""
    fault = Fault(kind="fail_rows", rows=3)

    async def story(account: Account) -> Any:
        body = (await push(account, *(reminder(str(number)) for number in range(3)))).json()
        return body["accepted"], body["rejected"], body["rejected_items"], account.fates

    items = [{"error_message": "not a valid value", "error_path": "root"}] * 3
    switches: Any = {"wrong_record": "reject", "rejected_items": True}

    assert (0, 3, items, ["refused:fault"]) == tell(story, faults=(fault,), **switches)


@pytest.mark.parametrize(
    ("match", "fires"),
    [
        pytest.param({"email": EMAIL}, [True, True, False], id="email"),
        pytest.param({"type": "custom_event"}, [True, False, False], id="type"),
        pytest.param({"event_type": "Ordergroove_*"}, [True, False, False], id="event type"),
        pytest.param({"id": "C-1"}, [False, True, False], id="id"),
        pytest.param({"id": "e-2", "email": "lee@*"}, [True, False, False], id="in one row"),
        pytest.param({"id": "e-1", "email": "lee@*"}, [False] * 3, id="in different rows"),
        pytest.param({"unique_id": "*"}, [False] * 3, id="no such trait"),
    ],
)
def test_faults_pick_their_requests(match: dict[str, str], fires: list[bool]) -> None:
    """A fault fires where one record has all that it asks for."""

    async def story(account: Account) -> list[bool]:
        responses = [
            await push(account, reminder(), reminder("e-2", identity_email="lee@shop-demo.io")),
            await push(account, contact()),
            await account.get(ERRORS),
        ]
        return [each.status_code == 503 for each in responses]

    assert fires == tell(story, faults=(Fault(kind="status", match=match),))


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"{}", 400), (b"[1, null, []]", 202), (b'[{"id": {}}]', 202)],
)
@pytest.mark.parametrize("kind", ["status", "fail_rows"])
def test_bodies_of_any_shape_can_be_matched(body: bytes, status: int, kind: Any) -> None:
    """What cannot be read has nothing to match on, and is judged as usual."""

    async def story(account: Account) -> int:
        return (await account.post(PUSH, body)).status_code

    assert status == tell(story, faults=(Fault(kind=kind, match={"email": "*"}),))


def test_reset_forgets_everything() -> None:
    """Contacts, events, errors, what waits and whose turn it is."""

    async def story(account: Account) -> Any:
        await push(account, reminder(), reminder("bad", timestamp="now"))
        await account.post(PUSH, {})
        await account.client.post("/_control/reset")
        state = await account.state()
        return [kind for kind, kept in state.items() if kept], _shape(await account.post(PUSH, {}))

    assert ([], "error_message") == tell(story)
