"""What Klaviyo's answers mean, by status and pointer (contracts/klaviyo.md §6)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from streams.model.delivery import (
    Accepted,
    Part,
    Rejected,
    Repair,
    Request,
    Response,
    Spared,
    Verdict,
)
from tests.support.answers import JUDGED
from tests.support.enriched import KLAVIYO, KNOWN, NOBODY, bare, render

PHONE = "+13125550148"
PROFILE = "/data/attributes/profile/data/attributes"


def request(event_type: str = "order.success", email: str | None = KNOWN.email) -> Request:
    """A request with an address and a number, or with the number alone."""
    part = render(bare(event_type, replace(NOBODY, email=email, phone_number=PHONE)))
    assert isinstance(part, Part), part
    return part.request


def error(pointer: Any, detail: str = "is not usable") -> bytes:
    """An error body with a pointer."""
    told = {"id": "5f0e", "status": 400, "code": "invalid", "title": "Invalid", "detail": detail}
    return msgspec.json.encode({"errors": [{**told, "source": {"pointer": pointer}}]})


def asked_again(sent: Request) -> dict[str, Any]:
    """A request's body without its phone number."""
    body: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(sent.body))
    found = body["data"]["attributes"]
    found = found["profile"]["data"]["attributes"] if "profile" in found else found
    del found["phone_number"]
    return body


def judged(request: Request, response: Response) -> Verdict:
    """What an answer to one request means."""
    (verdict,) = KLAVIYO.classify([request], response)
    return verdict


@pytest.mark.parametrize(
    ("response", "verdict"),
    [
        pytest.param(
            Response(202, {"x-klaviyo-partial-failure": "phone_number"}),
            Accepted("phone_number"),
            id="202 without the phone",
        ),
        pytest.param(
            Response(202, {"x-klaviyo-partial-failure": "phone_number, time"}),
            Accepted("phone_number, time"),
            id="202 without two fields",
        ),
        pytest.param(
            Response(202, {"x-klaviyo-partial-failure": "+13125550148 is no number"}),
            Accepted("partial_failure"),
            id="202 in prose, which may quote",
        ),
        pytest.param(
            Response(202, {"x-klaviyo-partial-failure": ""}), Accepted(), id="202 without a word"
        ),
        *JUDGED,
    ],
)
def test_a_status_decides(response: Response, verdict: Verdict) -> None:
    """What passes is tried again, what stays is rejected, credentials pause the connection."""
    assert verdict == judged(request(), response)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param(error("/data/attributes/time"), "data.attributes.time", id="a pointer"),
        pytest.param(error("/data"), "data", id="a short one"),
        pytest.param(error("/"), None, id="an empty one"),
        pytest.param(error(None), None, id="null"),
        pytest.param(error(5), None, id="a number"),
        pytest.param(b'{"errors":[{"source":null}]}', None, id="no source"),
        pytest.param(b'{"errors":[{}]}', None, id="no pointer"),
        pytest.param(error("/data/attributes/noor@shop-demo.io"), None, id="one that quotes"),
        pytest.param(error("/data" * 100), None, id="one without end"),
        pytest.param(b'{"errors":[5]}', None, id="no object inside"),
        pytest.param(b'{"errors":[]}', None, id="no error"),
        pytest.param(b'{"errors":{}}', None, id="no list"),
        pytest.param(b"[]", None, id="no object"),
        pytest.param(b"", None, id="nothing"),
        pytest.param(b"<html>", None, id="a page"),
        pytest.param(b'{"errors":"\xff"}', None, id="no text"),
        pytest.param(b"[" * 100_000, None, id="nested without end"),
    ],
)
def test_a_rejection_names_the_field(body: bytes, field: str | None) -> None:
    """The error's pointer becomes the field; whatever else comes back is survived."""
    assert Rejected("HTTP 400", field) == judged(request(), Response(400, {}, body))


@pytest.mark.parametrize(
    ("event_type", "status", "pointer", "reason"),
    [
        pytest.param(
            "order.success",
            400,
            f"{PROFILE}/phone_number",
            "phone_number refused",
            id="an event's phone",
        ),
        pytest.param(
            "profile.changed",
            400,
            "/data/attributes/phone_number",
            "phone_number refused",
            id="a profile's phone",
        ),
        pytest.param(
            "profile.changed",
            409,
            None,
            "phone_number belongs to another profile",
            id="a phone of somebody else",
        ),
    ],
)
def test_a_bad_phone_is_left_out_once(
    event_type: str, status: int, pointer: str | None, reason: str
) -> None:
    """Where an address remains, the request goes again without the number, else as it was."""
    sent = request(event_type)
    before = msgspec.json.encode(sent.body)
    verdict = judged(sent, Response(status, {}, error(pointer)))

    assert Repair(replace(sent, body=asked_again(sent)), reason) == verdict
    assert before == msgspec.json.encode(sent.body)


@pytest.mark.parametrize(
    ("event_type", "email", "status", "pointer"),
    [
        pytest.param("order.success", None, 400, "phone_number", id="no address remains"),
        pytest.param("profile.changed", None, 409, None, id="somebody else's, no address"),
        pytest.param("order.success", KNOWN.email, 409, None, id="an event has no such conflict"),
        pytest.param("order.success", KNOWN.email, 400, "email", id="another field"),
    ],
)
def test_else_it_is_rejected(
    event_type: str, email: str | None, status: int, pointer: str | None
) -> None:
    """Nothing to identify by, or nothing to do with the number: no second try."""
    verdict = judged(
        request(event_type, email), Response(status, {}, error(pointer and f"/{pointer}"))
    )

    assert Rejected(f"HTTP {status}", pointer) == verdict


def test_a_repaired_request_is_not_repaired_again() -> None:
    """Without a number in it, the same answer is a rejection."""
    first = judged(request(), Response(400, {}, error(f"{PROFILE}/phone_number")))
    assert isinstance(first, Repair)
    again = judged(first.request, Response(400, {}, error(f"{PROFILE}/phone_number")))

    assert isinstance(again, Rejected)


def test_the_words_of_an_answer_decide_nothing() -> None:
    """A detail that speaks of a phone is no pointer to one."""
    body = error("/data/attributes/time", "phone_number")

    assert isinstance(judged(request(), Response(400, {}, body)), Rejected)


def pointing(*pointers: str) -> bytes:
    """An error body with a pointer for each error."""
    return msgspec.json.encode({"errors": [{"source": {"pointer": each}} for each in pointers]})


BULK = "/data/attributes/events-bulk-create/data"
IMPORT = "/data/attributes/profiles/data"
NO = Rejected("HTTP 400", named=True)
TIME = "attributes.events.data.0.attributes.time"


@pytest.mark.parametrize(
    ("body", "verdicts"),
    [
        pytest.param(pointing(f"{BULK}/1"), [Spared(), NO, Spared()], id="one row"),
        pytest.param(
            pointing(f"{BULK}/1/{TIME.replace('.', '/')}"),
            [Spared(), Rejected("HTTP 400", TIME, named=True), Spared()],
            id="a field of a row",
        ),
        pytest.param(
            pointing(f"{IMPORT}/0/attributes/email", f"{IMPORT}/2", "/data"),
            [Rejected("HTTP 400", "attributes.email", named=True), Spared(), NO],
            id="two rows of profiles",
        ),
        pytest.param(
            pointing(f"{BULK}/0/a", f"{BULK}/0/b"),
            [Rejected("HTTP 400", "a", named=True), Spared(), Spared()],
            id="the first fault of a row",
        ),
        pytest.param(pointing(*(f"{BULK}/{row}" for row in range(3))), [NO] * 3, id="all rows"),
        pytest.param(pointing("/data"), [Rejected("HTTP 400", "data")] * 3, id="no row"),
        pytest.param(
            pointing(f"{BULK}/3"),
            [Rejected("HTTP 400", f"{BULK.strip('/').replace('/', '.')}.3")] * 3,
            id="a row that was not sent",
        ),
        pytest.param(b"", [Rejected("HTTP 400")] * 3, id="no body"),
    ],
)
def test_a_call_of_several_is_refused_for_those_at_fault(
    body: bytes, verdicts: list[Verdict]
) -> None:
    """All or nothing (§3): a pointer names the row, the others are spared."""
    assert verdicts == KLAVIYO.classify([request()] * 3, Response(400, {}, body))


def test_a_call_of_several_that_is_too_large_names_nobody() -> None:
    """Whatever its body says."""
    refused = Response(413, {}, pointing(f"{BULK}/1"))

    assert [Rejected("too_large")] * 3 == KLAVIYO.classify([request()] * 3, refused)
