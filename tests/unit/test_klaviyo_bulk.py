"""Klaviyo's bulk event call, for history (contracts/klaviyo.md §3): what goes by it, and how.

The simulator follows the contract and knows nothing of the renderer.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from streams.destinations import DESTINATIONS
from streams.destinations.klaviyo_rules import BULK
from streams.model.delivery import (
    Accepted,
    Options,
    Outcome,
    Part,
    Refusal,
    Rejected,
    Repair,
    Request,
    Response,
    Spared,
    Verdict,
)
from streams.model.demand_sizes import Bytes
from streams.model.enriched import EnrichedEvent, OrderView
from streams.model.ids import delivery_id
from tests.support.destination_tables import samples
from tests.support.enriched import AT, KLAVIYO, KNOWN, NOBODY, bare, render
from tests.support.klaviyo import BULK as PATH
from tests.support.klaviyo import tell

IN_BULK = Options(bulk=True)
PHONE = "+13125550148"
WHOLE = replace(KNOWN, phone_number=PHONE, first_name="Noor", status="active")
ROWS = "/data/attributes/events-bulk-create/data"
OWNER = "attributes/profile/data/attributes"
SOME = ["subscriber.create", "subscription.cancel", "order.success", "loyalty.points_awarded"]


def old(event_type: str = "order.success", **more: Any) -> EnrichedEvent:
    """An event that starts no flow."""
    return bare(event_type, more.pop("profile", WHOLE), late=True, **more)


def record(event: EnrichedEvent, options: Options = IN_BULK) -> Request:
    """The request for an event in bulk."""
    part = render(event, options=options)
    assert isinstance(part, Part), part
    return part.request


@pytest.mark.parametrize("event_type", SOME)
@pytest.mark.parametrize("superseded", [False, True])
def test_it_says_what_the_event_alone_says(event_type: str, *, superseded: bool) -> None:
    """The same profile, the same event, the same outcome; backfill as ever."""
    event = replace(samples("klaviyo")[event_type], late=True)
    [alone], [part] = (
        KLAVIYO.render(event, "6f1d2a52", AT, options, superseded=superseded)
        for options in (Options(), IN_BULK)
    )
    assert isinstance(alone, Part)
    assert isinstance(part, Part)
    told = dict(alone.request.body["data"]["attributes"])
    profile = told.pop("profile")

    assert told["backfill"] is True
    assert {
        "type": "event-bulk-create",
        "attributes": {"profile": profile, "events": {"data": [{"type": "event", **_of(told)}]}},
    } == part.request.body
    assert (PATH, "event-bulk-create-jobs", BULK) == (
        part.request.path,
        part.request.endpoint,
        part.request.frame,
    )
    assert replace(alone, request=part.request) == part
    assert Outcome.DELIVERED_NO_TRIGGER == part.outcome


def _of(told: dict[str, Any]) -> dict[str, Any]:
    return {"attributes": told}


@pytest.mark.parametrize(
    ("event", "options"),
    [
        pytest.param(replace(old(), late=False), IN_BULK, id="not late"),
        pytest.param(old(), replace(IN_BULK, late_events="trigger"), id="late, and triggers"),
        pytest.param(old("profile.changed"), IN_BULK, id="a profile"),
        pytest.param(old(), Options(), id="not in bulk"),
    ],
)
def test_all_else_goes_alone(event: EnrichedEvent, options: Options) -> None:
    """What may start a flow is not held up, and profiles have a call that answers."""
    assert render(event, options=replace(options, bulk=False)) == render(event, options=options)
    assert record(event, options).frame is None


def test_the_call_is_the_contracts() -> None:
    """Each record has a profile and one event; what stands around them, around all."""
    requests = [record(old(profile=replace(KNOWN, email=f"{n}@shop-demo.io"))) for n in "ab"]
    body = msgspec.json.decode(requests[0].framed(msgspec.json.encode(r.body) for r in requests))
    job = body["data"]

    assert "event-bulk-create-job" == job["type"]
    assert ["a@shop-demo.io", "b@shop-demo.io"] == [
        each["attributes"]["profile"]["data"]["attributes"]["email"]
        for each in job["attributes"]["events-bulk-create"]["data"]
    ]
    assert {"2026-07-15"} == {each.headers["revision"] for each in requests}


def test_a_call_has_room_for_a_thousand() -> None:
    """By count, and by bytes with what stands around them; the largest record fits alone."""
    [batch] = [each for each in KLAVIYO.rules.batches if each.name == BULK.batch]
    around = len(BULK.before) + len(BULK.after)
    largest = max(
        each.most
        for each in KLAVIYO.rules.demands[BULK.batch]
        if isinstance(each, Bytes) and not each.path
    )
    record_around = len(msgspec.json.encode(record(old()).body)) - (
        KLAVIYO.rules.sight(record(old()).body, AT, AT).size
    )

    assert (1_000, "event-bulk-create-jobs") == (batch.count, batch.name)
    assert batch.bytes + around <= 5_000_000
    assert largest + record_around + around <= 5_000_000


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(old(profile=NOBODY), id="nobody"),
        pytest.param(replace(old(), occurred_at=0), id="too old"),
        pytest.param(
            old("order.reject", order=OrderView("o1", rejected_message="n" * 100_001)), id="a text"
        ),
        pytest.param(old(profile=replace(KNOWN, first_name="n" * 95_001)), id="the profile"),
    ],
)
def test_what_is_refused_alone_is_refused_in_bulk(event: EnrichedEvent) -> None:
    """By the same rule, with the same field."""
    part = render(event, options=IN_BULK)

    assert isinstance(part, Refusal)
    assert render(event) == part


@cache
def sent() -> tuple[list[Verdict], list[str], list[Any]]:
    """The samples' events in one call: verdicts, fates, and what the vendor has then."""
    told = [each for each in samples("klaviyo").values() if each.type in KLAVIYO.takes]
    events = [replace(each, late=True) for each in told]
    parts = [
        part
        for each in events
        for part in KLAVIYO.render(
            each, delivery_id(each.event_id, each.type, "klaviyo"), each.occurred_at, IN_BULK
        )
        if isinstance(part, Part) and part.name == "event"
    ]
    requests = [each.request for each in parts]

    async def story(account: Any) -> tuple[list[Verdict], list[str], list[Any]]:
        account.now = max(each.occurred_at for each in events) / 1000
        headers = {**requests[0].headers, **KLAVIYO.authorize("pk_1")}
        body = requests[0].framed(msgspec.json.encode(each.body) for each in requests)
        answer = await account.client.post(requests[0].path, content=body, headers=headers)
        response = Response(answer.status_code, dict(answer.headers), answer.content)
        state = await account.state()
        fates = list(account.simulator.received[-1].fates)
        return list(KLAVIYO.classify(requests, response)), fates, state["events"]

    return tell(story)


def test_the_vendor_takes_all_of_it() -> None:
    """Every type of event, in one call, none starting a flow."""
    verdicts, fates, events = sent()

    assert {Accepted()} == set(verdicts)
    assert len(DESTINATIONS["klaviyo"].takes) == len(verdicts) == len(events)
    assert {"accepted"} == set(fates)
    assert {False} == {each["triggers"] for each in events}


def refused(*pointers: str) -> Response:
    """An answer that points at these places."""
    errors = [{"source": {"pointer": f"{ROWS}/{each}"}} for each in pointers]
    return Response(400, {}, msgspec.json.encode({"errors": errors}))


def test_a_bad_phone_of_a_record_is_left_out_once() -> None:
    """As of an event alone; the others are spared, and the record goes again without it."""
    request = record(old())
    verdicts = KLAVIYO.classify([request] * 3, refused(f"1/{OWNER}/phone_number"))
    [repair] = [each for each in verdicts if isinstance(each, Repair)]
    profile: Any = repair.request.body["attributes"]["profile"]["data"]["attributes"]
    before: Any = request.body["attributes"]["profile"]["data"]["attributes"]

    assert [Spared(), repair, Spared()] == verdicts
    assert "phone_number refused" == repair.reason
    assert {**before} == {**profile, "phone_number": PHONE}
    assert "phone_number" not in profile
    assert replace(request, body=repair.request.body) == repair.request
    again = KLAVIYO.classify([repair.request], refused(f"0/{OWNER}/phone_number"))
    assert [Rejected("HTTP 400", f"{OWNER}/phone_number".replace("/", "."), named=True)] == again


def test_what_it_has_is_no_fault() -> None:
    """After a lost answer all of it comes again: each event then goes alone, and is a duplicate."""
    events = [old(profile=replace(KNOWN, email=f"{name}@shop-demo.io")) for name in "ab"]
    requests = [record(each) for each in events]

    async def post(account: Any, *sent: Request) -> Response:
        account.now = AT / 1000
        body = sent[0].framed(msgspec.json.encode(each.body) for each in sent)
        headers = {**sent[0].headers, **KLAVIYO.authorize("pk_1")}
        answer = await account.client.post(sent[0].path, content=body, headers=headers)
        return Response(answer.status_code, dict(answer.headers), answer.content)

    async def story(account: Any) -> tuple[list[Verdict], list[tuple[str, str]]]:
        await post(account, *requests)
        verdicts = list(KLAVIYO.classify(requests, await post(account, *requests)))
        for each in verdicts:
            assert isinstance(each, Repair)
            assert each.request.endpoint == "events"
            assert (await post(account, each.request)).status == 202
        received = account.simulator.received[-2:]
        return verdicts, [(each.path, each.fate) for each in received]

    verdicts, came = tell(story, bulk_repeats="refuse")
    alone = [render(each) for each in events]

    assert 2 == len(verdicts)
    assert verdicts == [
        Repair(each.request, "unique_id repeated") for each in alone if isinstance(each, Part)
    ]
    assert [("/api/events", "duplicate")] * 2 == came


@pytest.mark.parametrize(
    ("event", "field"),
    [
        pytest.param(old(), "email", id="another field"),
        pytest.param(old(profile=replace(NOBODY, phone_number=PHONE)), "phone_number", id="alone"),
    ],
)
def test_else_the_record_is_dropped(event: EnrichedEvent, field: str) -> None:
    """Alone or beside others, it is the one at fault."""
    request = record(event)
    no = Rejected("HTTP 400", f"{OWNER}/{field}".replace("/", "."), named=True)

    assert [no] == KLAVIYO.classify([request], refused(f"0/{OWNER}/{field}"))
    assert [no, Spared()] == KLAVIYO.classify([request] * 2, refused(f"0/{OWNER}/{field}"))


@pytest.mark.parametrize(
    ("count", "header", "note"),
    [
        pytest.param(1, "phone_number", "phone_number", id="its own"),
        pytest.param(3, "phone_number", "partial_failure", id="nobody says whose"),
        pytest.param(3, "", None, id="nothing"),
    ],
)
def test_what_was_ignored_is_noted(count: int, header: str, note: str | None) -> None:
    """Of a call of several, nobody says whose field it was: none of them is blamed by name."""
    answer = Response(202, {"x-klaviyo-partial-failure": header})

    assert [Accepted(note)] * count == KLAVIYO.classify([record(old())] * count, answer)
