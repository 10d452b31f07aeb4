"""The simulated Attentive: what errors look like, and what goes wrong on demand (§6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from streams.simulators.faults import Fault
from tests.support.attentive_account import (
    ATTRIBUTES,
    EMAIL,
    EVENTS,
    KIM,
    PHONE,
    attributes,
    event,
    send,
    tell,
)

if TYPE_CHECKING:
    from tests.support.simulation import Account

BAD = event({"phone": "2065550123"})


def _shape(response: httpx2.Response) -> str:
    """What kind of error body an answer has."""
    if not response.content:
        return "empty"
    if response.headers["content-type"].startswith("text/html"):
        return "html"
    error = response.json()["error"]
    return "text" if isinstance(error, str) else "object"


@pytest.mark.parametrize(
    ("error_body", "shapes"),
    [
        ("rotate", ["object", "text", "empty", "object"]),
        ("object", ["object"] * 4),
        ("text", ["text"] * 4),
        ("empty", ["empty"] * 4),
        ("html", ["html"] * 4),
    ],
)
def test_every_shape_of_an_error(error_body: str, shapes: list[str]) -> None:
    """400 is told in turns in each of the shapes, or always in one; the fate tells all the same."""

    async def story(account: Account) -> Any:
        responses = [await account.post(EVENTS, BAD) for _ in shapes]
        assert {400} == {each.status_code for each in responses}
        return [_shape(each) for each in responses], account.fates

    assert (shapes, ["refused:/user/phone"] * 4) == tell(story, error_body=error_body)


def test_an_error_with_id_and_message() -> None:
    """As seen elsewhere in the vendor's specification; equal causes have equal ids."""

    async def story(account: Account) -> Any:
        sent = (BAD, BAD, event({"email": "kim"}))
        return [(await account.post(EVENTS, each)).json()["error"] for each in sent]

    first, again, other = tell(story, error_body="object")

    assert {"id", "message"} == set(first)
    assert "invalid phone" == first["message"]
    assert first == again
    assert first["id"] != other["id"]


def test_reset_starts_the_turns_over() -> None:
    """After a reset the shapes come in the same order again."""

    async def story(account: Account) -> list[str]:
        shapes = [_shape(await account.post(EVENTS, BAD)) for _ in range(2)]
        await account.client.post("/_control/reset")
        return [*shapes, _shape(await account.post(EVENTS, BAD))]

    assert ["object", "text", "object"] == tell(story)


@pytest.mark.parametrize(
    ("status", "shape"),
    [
        (400, "object"),
        (401, "object"),
        (403, "object"),
        (404, "object"),
        (429, "empty"),
        (500, "html"),
        (502, "html"),
        (503, "html"),
    ],
)
def test_a_status_on_demand(status: int, shape: str) -> None:
    """The request gets that status once, leaves nothing behind, and passes when it is repeated."""
    fault = Fault(kind="status", status=status, count=1)

    async def story(account: Account) -> Any:
        first = await account.post(EVENTS, event())
        kept = await account.state()
        second = await account.post(EVENTS, event())
        answers = first.status_code, _shape(first), second.status_code
        return answers, kept["events"] + kept["people"], account.fates

    expected: Any = ((status, shape, 200), [], ["refused:fault", "accepted"])

    assert expected == tell(story, faults=(fault,))


@pytest.mark.parametrize(
    ("retry_after", "header"), [pytest.param(7, "7", id="said"), pytest.param(None, None, id="not")]
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_fault_may_say_when_to_come_back(
    status: int, retry_after: int | None, header: str | None
) -> None:
    """`Retry-After` is there only if the fault has it."""

    async def story(account: Account) -> Any:
        return (await account.post(EVENTS, event())).headers.get("Retry-After")

    fault = Fault(kind="status", status=status, retry_after=retry_after)

    assert header == tell(story, faults=(fault,))


@pytest.mark.parametrize(
    ("kind", "error", "copies"),
    [
        ("reset", httpx2.ReadError, [0]),
        ("accept_then_reset", httpx2.ReadError, [0, 1]),
        ("timeout", httpx2.ReadTimeout, [0]),
        ("accept_then_timeout", httpx2.ReadTimeout, [0, 1]),
        ("latency", httpx2.ReadTimeout, [0, 1]),
    ],
)
def test_answers_that_never_come(kind: Any, error: type[Exception], copies: list[int]) -> None:
    """The client learns nothing; what was kept nevertheless becomes a copy when it is repeated."""
    fault = Fault(kind=kind, count=1, seconds=3600 if kind == "latency" else None)

    async def story(account: Account) -> Any:
        account.client.timeout = httpx2.Timeout(5, read=0.2)
        with pytest.raises(error):
            await account.post(EVENTS, event(externalEventId="a"))
        account.client.timeout = httpx2.Timeout(5)
        response = await account.post(EVENTS, event(externalEventId="a"))
        return response.status_code, [each["copy"] for each in await account.state("events")]

    assert (200, copies) == tell(story, faults=(fault,))


def test_accepted_things_can_be_lost() -> None:
    """Nothing comes of a 200; what would be refused still is."""

    async def story(account: Account) -> Any:
        codes = await send(account, [event(), attributes(), BAD])
        state = await account.state()
        return codes, account.fates, state["people"] + state["events"] + state["attributes"]

    fates = ["dropped:fault", "dropped:fault", "refused:/user/phone"]

    assert ([200, 200, 400], fates, []) == tell(story, faults=(Fault(kind="drop"),))


@pytest.mark.parametrize(
    ("match", "fires"),
    [
        pytest.param({"email": EMAIL}, [True, True, True], id="email"),
        pytest.param({"phone": PHONE}, [True, True, False], id="phone"),
        pytest.param({"email": "lee@*"}, [False, False, False], id="another email"),
        pytest.param({"type": "ordergroove.*"}, [True, False, False], id="type by pattern"),
        pytest.param({"externalEventId": "e-1"}, [True, False, False], id="externalEventId"),
        pytest.param({"clientUserId": "k"}, [True, False, False], id="clientUserId"),
        pytest.param({"email": EMAIL, "type": "okendo.*"}, [False] * 3, id="all must match"),
        pytest.param({"unique_id": "*"}, [False] * 3, id="no such trait"),
    ],
)
def test_faults_pick_their_requests(match: dict[str, str], fires: list[bool]) -> None:
    """A fault fires where the request has all that it asks for."""
    user = {**KIM, "externalIdentifiers": {"clientUserId": "k"}}

    async def story(account: Account) -> list[bool]:
        responses = [
            await account.post(EVENTS, event(user, externalEventId="e-1")),
            await account.post(ATTRIBUTES, attributes()),
            await account.get(f"{ATTRIBUTES}?email={EMAIL}"),
        ]
        return [each.status_code == 503 for each in responses]

    assert fires == tell(story, faults=(Fault(kind="status", match=match),))


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"user": 1}', b'{"user": {"email": []}}'])
def test_bodies_of_any_shape_can_be_matched(body: bytes) -> None:
    """What cannot be read has nothing to match on, and is judged as usual."""

    async def story(account: Account) -> list[int]:
        return [(await account.post(path, body)).status_code for path in (EVENTS, ATTRIBUTES)]

    assert [400] * 2 == tell(story, faults=(Fault(kind="status", match={"email": "*"}),))
