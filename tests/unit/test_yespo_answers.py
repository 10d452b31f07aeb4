"""What Yespo's answers mean (contracts/yespo.md §2, §4): a 200 may have refused some."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from streams.destinations.yespo import YESPO
from streams.model.delivery import (
    Accepted,
    Frame,
    Rejected,
    Request,
    Response,
    Retry,
    Unauthorized,
    Verdict,
)
from tests.support.answers import JUDGED

NO = Rejected("rejected_by_vendor", named=True)


def order(number: int, status: str = "INITIALIZED") -> Request:
    """An order that was sent."""
    body = {"externalOrderId": f"o{number}", "status": status, "externalCustomerId": f"c{number}"}
    return Request("POST", "/v1/orders", {}, body, "api")


def contact(number: int) -> Request:
    """A contact that was sent."""
    return Request("POST", "/v1/contacts", {}, {"externalCustomerId": f"c{number}"}, "api")


def answer(document: Any, status: int = 200) -> Response:
    """An answer with this body."""
    return Response(status, {}, msgspec.json.encode(document))


def failed(number: int, error: str = "currency is empty", **more: str) -> dict[str, Any]:
    """How a refused order is quoted."""
    return {"order": {"externalOrderId": f"o{number}", **more}, "error": error}


@pytest.mark.parametrize(("response", "verdict"), JUDGED)
def test_a_status_decides(response: Response, verdict: Verdict) -> None:
    """What passes is tried again, what stays is rejected, credentials pause the connection."""
    assert [verdict] * 2 == YESPO.classify([order(1), order(2)], response)


@pytest.mark.parametrize("body", [b"", b"{}", b'{"failedOrders":[]}', b'{"failedOrders":null}'])
def test_an_answer_without_failures_is_a_success(body: bytes) -> None:
    """An empty one is the usual one."""
    assert [Accepted()] == YESPO.classify([order(1)], Response(200, {}, body))


@pytest.mark.parametrize("as_list", [True, False])
def test_the_refused_one_is_refused_and_no_other(as_list: bool) -> None:
    """One failure comes as an object or as an array of one."""
    entry = failed(2)
    response = answer({"failedOrders": [entry] if as_list else entry})

    assert [Accepted(), NO, Accepted()] == YESPO.classify([order(1), order(2), order(3)], response)


def test_an_order_is_known_by_its_status_too() -> None:
    """Where the quotation has one."""
    response = answer({"failedOrders": failed(1, status="CANCELLED")})

    assert [Accepted(), NO] == YESPO.classify([order(1), order(1, "CANCELLED")], response)


def test_a_contact_is_known_by_the_shops_id() -> None:
    """In its own list, quoted with or without a name around it."""
    quoted = {"contact": {"externalCustomerId": "c1"}, "error": "no"}
    bare = {"externalCustomerId": "c2", "error": "no"}
    response = answer({"asyncSessionId": "a1", "failedContacts": [quoted, bare]})

    assert [NO, NO, Accepted()] == YESPO.classify([contact(1), contact(2), contact(3)], response)


def test_a_contact_may_be_quoted_by_its_channels_alone() -> None:
    """Their own description of a refused contact has no id of the shop's."""
    channels = [{"type": "email", "value": "a@shop-demo.io"}, {"type": "sms", "value": "131255501"}]
    first = contact(1)
    sent = msgspec.structs.replace(first, body={**first.body, "channels": channels})
    other = [{"type": "email", "value": "b@shop-demo.io"}]
    ours, theirs = (
        answer({"failedContacts": {"channels": each, "error": "no"}})
        for each in (channels[::-1], other)
    )

    assert [NO] == YESPO.classify([sent], ours)
    assert [Accepted()] == YESPO.classify([sent], theirs)


@pytest.mark.parametrize(
    "response",
    [
        pytest.param(answer({"failedOrders": failed(1, "Duplicated request")}), id="in the list"),
        pytest.param(Response(409, {}, b"Duplicated request within 1 minute"), id="as a conflict"),
        pytest.param(Response(400, {}, b'{"error":"duplicated Request"}'), id="as a bad request"),
    ],
)
def test_a_repetition_has_landed_before(response: Response) -> None:
    """The first one is with them; only its answer was lost."""
    assert [Accepted("repeated")] == YESPO.classify([order(1)], response)


def test_an_equal_contact_goes_again_when_it_is_forgotten() -> None:
    """It may have been something else in between; what it is now must be what stays."""
    sent = msgspec.structs.replace(contact(1), frame=Frame("contacts", b"[", b"]"))
    named = answer({"failedContacts": {"externalCustomerId": "c1", "error": "Duplicated request"}})

    for response in (Response(409, {}, b"Duplicated request"), named):
        assert [Retry("repeated", 61.0)] == YESPO.classify([sent], response)


@pytest.mark.parametrize(
    "document",
    [[], "no", 5, {"failedOrders": "no"}, {"failedOrders": [5, None, {}]}, {"failedOrders": 5},
     {"status": "401"}, {"status": 200}],
)  # fmt: skip
def test_whatever_else_comes_is_survived(document: Any) -> None:
    """What names no record refuses none."""
    assert [Accepted()] == YESPO.classify([order(1)], answer(document))


@pytest.mark.parametrize(
    "entry", [{"order": None, "error": 5}, {"order": [1]}, {"order": {}, "error": "no e-mail"}]
)
def test_a_failure_that_names_nobody_is_the_only_ones(entry: Any) -> None:
    """Of several it is known how many were refused, and not which."""
    one, two = answer({"failedOrders": entry}), answer({"failedOrders": [entry, failed(2)]})
    unsure = Accepted("some_rejected")

    assert [NO] == YESPO.classify([order(1)], one)
    assert [unsure, unsure] == YESPO.classify([order(1), order(2)], one)
    assert [NO, NO] == YESPO.classify([order(1), order(2)], two)
    assert [unsure, NO, unsure] == YESPO.classify([order(1), order(2), order(3)], two)


def test_a_bad_key_may_be_said_in_a_body() -> None:
    """With 200 around it, as contacts have been seen to do."""
    assert [Unauthorized("HTTP 401")] * 2 == YESPO.classify(
        [contact(1), contact(2)], answer({"status": 401, "message": "Unauthorized"})
    )


def test_a_page_in_place_of_an_answer_is_survived() -> None:
    """Bytes that are no JSON, nested without end."""
    for body in (b"<html>", b"\xff", b"[" * 100_000):
        assert [Accepted()] == YESPO.classify([order(1)], Response(200, {}, body))
        assert [Rejected("HTTP 400")] == YESPO.classify([order(1)], Response(400, {}, body))


def test_what_it_says_is_not_repeated() -> None:
    """Its words may quote the customer's data."""
    response = answer({"failedOrders": failed(1, "bad e-mail noor@shop-demo.io")})

    assert "noor" not in repr(YESPO.classify([order(1)], response))
