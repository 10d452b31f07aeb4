"""The shell of all simulators: recording, control routes, start and stop; shown on Klaviyo's."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import signal
import socket
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from streams.simulators import SIMULATORS, Options, run
from streams.simulators.faults import Fault
from tests.support.klaviyo import BULK, EVENTS, HEADERS, NOW, Account, bulk, event, tell

if TYPE_CHECKING:
    from pathlib import Path

CONTROL = "/_control"


def test_a_record_has_everything() -> None:
    """What arrived, when, and what became of it; the key is masked, the body is as sent."""

    async def story(account: Account) -> Any:
        await account.post("/api/events/?a=1", event())
        [record] = (await account.client.get(f"{CONTROL}/requests")).json()["requests"]
        return record

    record = tell(story)
    headers = record.pop("headers")

    assert {
        "sequence": 1,
        "received_at": "2026-10-01T12:00:00Z",
        "method": "POST",
        "path": "/api/events",
        "query": {"a": "1"},
        "size": len(httpx2.Request("POST", "http://a", json=event()).read()),
        "body": event(),
        "status": 202,
        "fate": "accepted",
        "fates": [],
        "fault": None,
        "answer": None,
    } == record
    assert "Klaviyo-API-Key ***" == headers["authorization"]
    assert "2026-07-15" == headers["revision"]


@pytest.mark.parametrize("value", ["pk_secret", "pk_secret x", "Bearer pk_secret"])
def test_no_key_is_ever_recorded(value: str, tmp_path: Path) -> None:
    """However the header is misused, the secret stays out of memory's records and the file."""
    path = tmp_path / "requests.jsonl"

    async def story(account: Account) -> str:
        await account.post(EVENTS, event(), authorization=value)
        return (await account.client.get(f"{CONTROL}/requests")).text

    assert "secret" not in tell(story, record=path)
    assert "secret" not in path.read_text()


def test_a_refusal_is_recorded_with_its_answer() -> None:
    """The fate names the first pointer, the answer has all of it."""

    async def story(account: Account) -> Any:
        response = await account.post(EVENTS, b"{")
        [record] = (await account.client.get(f"{CONTROL}/requests")).json()["requests"]
        return record, response.json()

    record, answered = tell(story)

    assert (400, "refused:/data/", None) == (record["status"], record["fate"], record["body"])
    assert answered == record["answer"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [("", [1, 2, 3]), ("?since=1", [2, 3]), ("?since=1&limit=1", [2]), ("?since=9", [])],
)
def test_requests_can_be_read_in_pieces(query: str, expected: list[int]) -> None:
    """`since` skips what was seen, `limit` bounds the page."""

    async def story(account: Account) -> list[int]:
        for number in range(3):
            await account.post(EVENTS, event(unique_id=str(number)))
        page = (await account.client.get(f"{CONTROL}/requests{query}")).json()
        return [record["sequence"] for record in page["requests"]]

    assert expected == tell(story)


@pytest.mark.parametrize("query", ["since=x", "limit=-1"])
def test_wrong_pieces_are_named(query: str) -> None:
    """400 with the name of the argument."""

    async def story(account: Account) -> Any:
        response = await account.client.get(f"{CONTROL}/requests?{query}")
        return response.status_code, response.json()["error"].split()[0]

    assert (400, query.partition("=")[0]) == tell(story)


def test_the_summary_counts() -> None:
    """Requests by path and status, rows by fate, faults by kind."""
    fault = Fault(kind="status", status=500, count=1)

    async def story(account: Account) -> Any:
        for document in (event(), event(unique_id="a"), event(unique_id="a"), {}):
            await account.post(EVENTS, document)
        await account.post(BULK, bulk(("kim@shop-demo.io", [{}, {}])))
        return (await account.client.get(f"{CONTROL}/summary")).json()

    assert {
        "requests": 5,
        "paths": {EVENTS: 4, BULK: 1},
        "statuses": {"500": 1, "202": 3, "400": 1},
        "fates": {"refused:/data/": 1, "accepted": 2, "duplicate": 2, "refused:/data": 1},
        "faults": {"status": 1},
    } == tell(story, faults=(fault,))


def test_the_file_has_a_line_for_each_request(tmp_path: Path) -> None:
    """The recording file gets the same records, and is continued by the next run."""
    path = tmp_path / "requests.jsonl"

    async def story(account: Account) -> Any:
        await account.post(EVENTS, event())
        await account.post(EVENTS, {})
        return (await account.client.get(f"{CONTROL}/requests")).json()["requests"]

    told = [tell(story, record=path), tell(story, record=path)]
    written = [json.loads(line) for line in path.read_text().splitlines()]

    assert [(1, 202), (2, 400)] * 2 == [(line["sequence"], line["status"]) for line in written]
    assert told[0] == written[:2]


def test_faults_can_be_changed_while_it_runs() -> None:
    """PUT replaces the faults, GET tells how often they fired, DELETE ends them."""
    path = f"{CONTROL}/faults"

    async def story(account: Account) -> Any:
        statuses = []
        put = await account.client.put(path, json={"faults": [{"kind": "status", "status": 500}]})
        statuses.append((await account.post(EVENTS, event())).status_code)
        shown = (await account.client.get(path)).json()["faults"]
        deleted = await account.client.delete(path)
        statuses.append((await account.post(EVENTS, event())).status_code)
        return put.status_code, statuses, shown, deleted.json()

    put, statuses, [shown], left = tell(story)

    assert (200, [500, 202], {"faults": []}) == (put, statuses, left)
    assert ("status", 500, 1, 1) == tuple(shown[n] for n in ("kind", "status", "seen", "fired"))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{", "truncated"),
        ("[]", "the body must be"),
        ('{"fault": []}', "the body must be"),
        ('{"faults": [{"kind": "flood"}]}', "flood"),
        ('{"faults": [{"kind": "drop", "once": true}]}', "once"),
    ],
)
def test_wrong_faults_change_nothing(body: str, message: str) -> None:
    """400 that names what is wrong; the faults in force stay."""

    async def story(account: Account) -> Any:
        response = await account.client.put(f"{CONTROL}/faults", content=body)
        status = (await account.post(EVENTS, event())).status_code
        return response.status_code, response.json()["error"], status

    status, error, after = tell(story, faults=(Fault(kind="status", status=500),))

    assert (400, 500) == (status, after)
    assert message in error


def test_reset_goes_back_to_the_start() -> None:
    """No requests, nothing kept, windows new, the first faults again; counting starts over."""

    async def story(account: Account) -> Any:
        await account.post(EVENTS, event())
        account.simulator.set_faults(())
        statuses = [(await account.post(EVENTS, event())).status_code for _ in range(2)]
        reset = await account.client.post(f"{CONTROL}/reset")
        left = account.fates, await account.state()
        statuses += [(await account.post(EVENTS, event())).status_code for _ in range(2)]
        return reset.status_code, statuses, left, account.simulator.received[0].sequence

    fault = Fault(kind="status", status=500, count=1)
    nothing: Any = ([], {"profiles": [], "events": [], "jobs": []})

    assert (204, [202, 429, 500, 202], nothing, 1) == tell(story, faults=(fault,), limits=1 / 350)


def test_control_routes_are_no_requests() -> None:
    """Asking leaves no trace, and a slip is told as such."""

    async def story(account: Account) -> Any:
        paths = ("summary", "requests", "summaries")
        asked = [(await account.client.get(f"{CONTROL}/{path}")).status_code for path in paths]
        asked.append((await account.client.post(f"{CONTROL}/faults")).status_code)
        return asked, account.fates

    assert ([200, 200, 404, 404], []) == tell(story)


def test_arrival_is_the_order_of_processing() -> None:
    """Many at once with answers of any lateness: records and events are in one order."""

    async def story(account: Account) -> Any:
        sent = (account.post(EVENTS, event(unique_id=str(number))) for number in range(40))
        await asyncio.gather(*sent)
        records: list[Any] = account.simulator.received
        arrived = [record.body["data"]["attributes"]["unique_id"] for record in records]
        stored = [each["unique_id"] for each in (await account.state())["events"]]
        return [record.sequence for record in records], arrived, stored

    sequences, arrived, stored = tell(story, faults=(Fault(kind="latency", jitter=0.02),))

    assert list(range(1, 41)) == sequences
    assert arrived == stored
    assert {str(number) for number in range(40)} == set(stored)


def test_stopping_breaks_off_what_is_held() -> None:
    """A client that waits for an answer in vain does not keep the server up."""

    async def story() -> list[object]:
        arrived = asyncio.Event()

        def clock() -> float:
            arrived.set()  # asked once a request is read; the rest of its processing is one step
            return NOW

        options = Options(faults=(Fault(kind="accept_then_timeout"),), clock=clock)
        simulator = SIMULATORS["klaviyo"](options)
        async with simulator, httpx2.AsyncClient(base_url=simulator.url) as client:
            account = Account(simulator, client, HEADERS)
            waiting = asyncio.ensure_future(account.post(EVENTS, event()))
            await arrived.wait()
            await simulator.stop()
            return list(await asyncio.gather(waiting, return_exceptions=True))

    assert [httpx2.RemoteProtocolError] == [type(each) for each in asyncio.run(story())]


def test_a_taken_port_is_an_error() -> None:
    """OSError at once, and the simulator can be started elsewhere."""

    async def story() -> str:
        simulator = SIMULATORS["klaviyo"](Options())
        with (
            socket.create_server(("127.0.0.1", 0)) as taken,
            pytest.raises(OSError, match="address already in use"),
        ):
            await simulator.start(port=taken.getsockname()[1])
        async with simulator:
            return simulator.url

    assert asyncio.run(story()).startswith("http://127.0.0.1:")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_serves_until_a_signal(number: signal.Signals) -> None:
    """`run` tells its URL when it takes requests, and returns after SIGTERM or SIGINT."""
    simulator = SIMULATORS["klaviyo"](Options(clock=lambda: NOW))
    urls = []

    def ready(url: str) -> None:
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))):
            urls.append(url)
        os.kill(os.getpid(), number)

    run(simulator, ready=ready)

    assert [True] == [url.startswith("http://127.0.0.1:") for url in urls]
    assert "" == simulator.url


def test_the_registry_has_the_vendors() -> None:
    """Every simulator is found by its vendor's name."""
    simulators = {name: make(Options()) for name, make in SIMULATORS.items()}

    assert {name: simulator.vendor.name for name, simulator in simulators.items()} == {
        name: name for name in simulators
    }
    assert "klaviyo" in simulators


def test_one_kind_of_what_is_kept() -> None:
    """`state/KIND` is that part of the state; a slip names the kinds."""

    async def story(account: Account) -> Any:
        await account.post(EVENTS, event())
        whole = await account.state()
        slip = await account.client.get(f"{CONTROL}/state/people")
        return whole, {kind: await account.state(kind) for kind in whole}, slip

    whole, parts, slip = tell(story)

    assert whole == parts
    assert (404, {"error": "kept are: profiles, events, jobs"}) == (slip.status_code, slip.json())


def test_switches_can_be_changed_while_it_runs() -> None:
    """PUT changes those that it names; what is kept stays, and a reset brings the first back."""
    unknown = {"data": {**event()["data"], "extra": 1}}

    async def story(account: Account) -> Any:
        async def told(**switches: object) -> tuple[int, int]:
            response = await account.client.put(f"{CONTROL}/switches", json={"switches": switches})
            status = (await account.post(EVENTS, unknown)).status_code
            return response.status_code, status

        answers = [await told(), await told(unknown_fields="ignore"), await told(gzip=False)]
        kept = len(await account.state("events"))
        await account.client.post(f"{CONTROL}/reset")
        return answers, kept, await told()

    assert ([(204, 400), (204, 202), (204, 202)], 1, (204, 400)) == tell(story)


def test_switches_of_limits_and_compression_can_be_changed_while_it_runs() -> None:
    """They are in force with the next window and the next request."""
    switches = {"gzip": False, "stolen_share": 1}

    async def story(account: Account) -> Any:
        before = await account.post(EVENTS, gzip.compress(b"{"), content_encoding="gzip")
        account.simulator.set_switches(switches)
        account.now += 60
        throttled = (await account.post(EVENTS, event())).status_code
        account.simulator.set_switches({"stolen_share": 0})
        account.now += 60
        after = await account.post(EVENTS, gzip.compress(b"{"), content_encoding="gzip")
        return before.status_code, throttled, after.status_code

    assert (400, 429, 415) == tell(story, limits=1)


def test_switches_of_events_can_be_changed_while_it_runs() -> None:
    """An id is then forgotten after its new retention."""

    async def story(account: Account) -> list[str]:
        await account.post(EVENTS, event(unique_id="a"))
        await account.post(EVENTS, event(unique_id="a"))
        account.simulator.set_switches({"dedup_seconds": 30})
        account.now += 31
        await account.post(EVENTS, event(unique_id="a"))
        return account.fates

    assert ["accepted", "duplicate", "accepted"] == tell(story)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{", "truncated"),
        ('{"faults": {}}', "the body must be"),
        ('{"switches": []}', "object"),
        ('{"switches": {"bad_phones": "refuse"}}', "bad_phones"),
        ('{"switches": {"gzip": false, "bad_phone": "maybe"}}', "maybe"),
    ],
)
def test_wrong_switches_change_nothing(body: str, message: str) -> None:
    """400 that names what is wrong; all others stay as they were too."""

    async def story(account: Account) -> Any:
        response = await account.client.put(f"{CONTROL}/switches", content=body)
        packed = gzip.compress(json.dumps(event()).encode())
        taken = await account.post(EVENTS, packed, content_encoding="gzip")
        return response.status_code, response.json()["error"], taken.status_code

    status, error, taken = tell(story)

    assert (400, 202) == (status, taken)
    assert message in error


def test_what_is_received_can_be_told(tmp_path: Path) -> None:
    """Headers that are no UTF-8 and bodies that are nested endlessly spoil no record."""
    deep = b"[" * 996 + b"]" * 996

    async def story(account: Account) -> Any:
        headers = {name.encode(): value.encode() for name, value in account.headers.items()}
        headers[b"x-odd"] = b"a\xff"
        await account.client.post(EVENTS, content=deep, headers=headers)
        [record] = (await account.client.get(f"{CONTROL}/requests")).json()["requests"]
        return record["status"], record["headers"]["x-odd"], record["body"]

    assert (400, "a?", None) == tell(story, record=tmp_path / "requests.jsonl")


@pytest.mark.parametrize(("levels", "status"), [(201, 400), (200, 202)])
def test_nesting_has_an_end(levels: int, status: int) -> None:
    """A body of 200 levels is read, one more is no JSON to us."""
    inner = levels - 4  # data, attributes, properties and the objects around the value
    value: object = 1
    for _ in range(inner):
        value = [value]
    document = event(properties={"deep": value})

    async def story(account: Account) -> int:
        account.simulator.set_switches({"over_limit": "drop"})
        return (await account.post(EVENTS, document)).status_code

    assert status == tell(story)
