"""What Attentive's answers mean: the status alone decides (contracts/attentive.md §6)."""

from __future__ import annotations

import pytest

from streams.model.delivery import Part, Request, Response, Verdict
from tests.support.answers import JUDGED
from tests.support.attentive_rendering import ATTENTIVE, asked
from tests.support.enriched import KNOWN, bare

BODIES = [
    pytest.param(b"", id="nothing"),
    pytest.param(b"{}", id="an empty object"),
    pytest.param(b'{"error":{"id":71,"message":"invalid phone"}}', id="an error with a number"),
    pytest.param(b'{"error":"unauthorized, try again later"}', id="an error in words"),
    pytest.param(b"<html><h1>503 Service Unavailable</h1></html>", id="a page"),
    pytest.param(b"\xff\xfe", id="no text"),
    pytest.param(b"[" * 100_000, id="nested without end"),
]
"""No error body is promised: these all occur somewhere in the vendor's documents."""


def request() -> Request:
    """A request that was sent."""
    part = asked(bare("order.success", KNOWN))["event"]
    assert isinstance(part, Part), part
    return part.request


def judged(request: Request, response: Response) -> Verdict:
    """What an answer to one request means."""
    (verdict,) = ATTENTIVE.classify([request], response)
    return verdict


@pytest.mark.parametrize(("response", "verdict"), JUDGED)
def test_a_status_decides(response: Response, verdict: Verdict) -> None:
    """What passes is tried again, what stays is rejected, credentials pause the connection."""
    assert verdict == judged(request(), response)


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("status", [200, 400, 401, 404, 422, 429, 500])
def test_a_body_decides_nothing(status: int, body: bytes) -> None:
    """Whatever stands in an answer, it means what the same status means without a body."""
    sent = request()

    assert judged(sent, Response(status)) == judged(sent, Response(status, {}, body))
