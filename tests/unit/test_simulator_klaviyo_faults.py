"""The simulated Klaviyo: what goes wrong on demand, and to which requests (contract §8)."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from streams.simulators.faults import Fault
from tests.support.klaviyo import (
    BULK,
    DELETIONS,
    EVENTS,
    IMPORT,
    JOBS,
    Account,
    bulk,
    event,
    job,
    profile,
    tell,
)

KIM, LEE = "kim@shop-demo.io", "lee@shop-demo.io"


@pytest.mark.parametrize("status", [401, 403, 404, 409, 429, 500, 502, 503, 504, 524])
def test_a_status_on_demand(status: int) -> None:
    """The request gets that status once, leaves nothing behind, and passes when it is repeated."""
    fault = Fault(kind="status", status=status, count=1)

    async def story(account: Account) -> Any:
        answers = [(await account.post(EVENTS, event())).status_code]
        kept = await account.state()
        answers.append((await account.post(EVENTS, event())).status_code)
        faults = [record.fault for record in account.simulator.received]
        return answers, kept["events"] + kept["profiles"], account.fates[1], faults

    assert ([status, 202], [], "accepted", ["status", None]) == tell(story, faults=(fault,))


@pytest.mark.parametrize("status", [502, 504, 524])
def test_the_gateway_answers_with_a_web_page(status: int) -> None:
    """What stands in front of Klaviyo does not speak JSON."""

    async def story(account: Account) -> httpx2.Response:
        return await account.post(EVENTS, event())

    response = tell(story, faults=(Fault(kind="status", status=status),))

    assert response.headers["content-type"].startswith("text/html")
    assert response.text.startswith("<html>")


@pytest.mark.parametrize(
    ("status", "retry_after", "header"),
    [(429, 7, "7"), (429, None, None), (503, 3, "3"), (503, None, None)],
)
def test_a_fault_may_say_when_to_come_back(
    status: int, retry_after: int | None, header: str | None
) -> None:
    """`Retry-After` is there only if the fault has it."""

    async def story(account: Account) -> Any:
        return (await account.post(EVENTS, event())).headers.get("Retry-After")

    fault = Fault(kind="status", status=status, retry_after=retry_after)

    assert header == tell(story, faults=(fault,))


def test_a_conflict_names_a_profile() -> None:
    """409 on demand has `meta.duplicate_profile_id`, as the real one."""

    async def story(account: Account) -> Any:
        return (await account.post(IMPORT, profile(email=KIM))).json()["errors"][0]

    error = tell(story, faults=(Fault(kind="status", status=409, endpoint=IMPORT),))

    assert "duplicate_profile" == error["code"]
    assert error["meta"]["duplicate_profile_id"]


@pytest.mark.parametrize(
    ("kind", "error", "fates"),
    [
        ("reset", httpx2.ReadError, ["dropped:reset", "accepted"]),
        ("accept_then_reset", httpx2.ReadError, ["accepted", "duplicate"]),
        ("timeout", httpx2.ReadTimeout, ["dropped:timeout", "accepted"]),
        ("accept_then_timeout", httpx2.ReadTimeout, ["accepted", "duplicate"]),
        ("latency", httpx2.ReadTimeout, ["accepted", "duplicate"]),
    ],
)
def test_answers_that_never_come(kind: Any, error: type[Exception], fates: list[str]) -> None:
    """The client learns nothing; whether the event was kept shows when it is sent again."""
    seconds = 3600 if kind == "latency" else None
    fault = Fault(kind=kind, count=1, seconds=seconds)

    async def story(account: Account) -> Any:
        account.client.timeout = httpx2.Timeout(5, read=0.2)
        with pytest.raises(error):
            await account.post(EVENTS, event(unique_id="a"))
        account.client.timeout = httpx2.Timeout(5)
        response = await account.post(EVENTS, event(unique_id="a"))
        statuses = [record.status for record in account.simulator.received]
        return account.fates, response.status_code, statuses, await account.state()

    told, status, statuses, state = tell(story, faults=(fault,))

    assert (fates, 202, 1) == (told, status, len(state["events"]))
    assert [202 if kind == "latency" else None, 202] == statuses


def test_a_silence_can_end() -> None:
    """After the fault's seconds the connection is closed without an answer."""

    async def story(account: Account) -> None:
        with pytest.raises(httpx2.RemoteProtocolError):
            await account.post(EVENTS, event())

    tell(story, faults=(Fault(kind="timeout", seconds=0.01),))


def test_delays_add_to_another_fault() -> None:
    """A late answer may also be a bad one; the delay alone is told as `latency`."""
    faults = (
        Fault(kind="latency", seconds=0.001, jitter=0.001),
        Fault(kind="status", status=500, count=1),
    )

    async def story(account: Account) -> Any:
        statuses = [(await account.post(EVENTS, event())).status_code for _ in range(2)]
        return statuses, [record.fault for record in account.simulator.received]

    assert ([500, 202], ["status", "latency"]) == tell(story, faults=faults)


def test_accepted_things_can_be_dropped() -> None:
    """Where Klaviyo promises only to process later, nothing may come of a 202."""

    async def story(account: Account) -> Any:
        deletion = {"profile": {"data": {"type": "profile", "attributes": {"email": KIM}}}}
        await account.post(IMPORT, profile(email=KIM))
        statuses = [
            (await account.post(path, document)).status_code
            for path, document in (
                (EVENTS, event()),
                (BULK, bulk((KIM, [{}, {}]))),
                (JOBS, job({"email": LEE})),
                (
                    DELETIONS,
                    {"data": {"type": "data-privacy-deletion-job", "attributes": deletion}},
                ),
            )
        ]
        state = await account.state()
        return statuses, account.fates[1:], len(state["events"]), len(state["profiles"])

    expected = ([202] * 4, ["dropped:fault"] * 4, 0, 1)

    assert expected == tell(story, faults=(Fault(kind="drop"),))


@pytest.mark.parametrize(
    ("match", "path", "fires"),
    [
        pytest.param({"email": KIM}, EVENTS, True, id="email"),
        pytest.param({"email": LEE}, EVENTS, False, id="another email"),
        pytest.param({"metric": "ordergroove.*"}, EVENTS, True, id="metric by pattern"),
        pytest.param({"metric": "okendo.*"}, EVENTS, False, id="another metric"),
        pytest.param({"unique_id": "a"}, EVENTS, True, id="unique_id"),
        pytest.param({"unique_id": "A"}, EVENTS, False, id="case matters"),
        pytest.param({"email": KIM, "unique_id": "b"}, EVENTS, False, id="all must match"),
        pytest.param({"phone": "*"}, EVENTS, False, id="no such trait"),
        pytest.param({"email": LEE, "unique_id": "b"}, BULK, True, id="one row of many"),
        pytest.param({"email": KIM, "unique_id": "b"}, BULK, False, id="no single row"),
        pytest.param({"email": KIM}, IMPORT, True, id="profile"),
        pytest.param({"email": LEE}, JOBS, True, id="row of a job"),
    ],
)
def test_faults_pick_their_requests(match: dict[str, str], path: str, fires: bool) -> None:
    """A fault fires where one row has all that it asks for."""
    documents = {
        EVENTS: event(KIM, unique_id="a"),
        BULK: bulk((KIM, [{"unique_id": "a"}]), (LEE, [{"unique_id": "b"}])),
        IMPORT: profile(email=KIM),
        JOBS: job({"email": KIM}, {"email": LEE}),
    }

    async def story(account: Account) -> bool:
        return (await account.post(path, documents[path])).status_code == 503

    assert fires is tell(story, faults=(Fault(kind="status", match=match),))


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"data": 1}', b'{"data": {"attributes": []}}'])
def test_bodies_of_any_shape_can_be_matched(body: bytes) -> None:
    """What cannot be read has nothing to match on, and is judged as usual."""

    async def story(account: Account) -> list[int]:
        return [(await account.post(path, body)).status_code for path in (EVENTS, BULK, JOBS)]

    assert [400] * 3 == tell(story, faults=(Fault(kind="status", match={"email": "*"}),))
