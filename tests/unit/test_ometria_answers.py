"""What Ometria's answers mean (contracts/ometria.md §2): counts that name no record."""

from __future__ import annotations

import pytest

from streams.destinations.ometria import OMETRIA
from streams.model.delivery import Accepted, Part, Rejected, Request, Response, Verdict
from tests.support.answers import JUDGED
from tests.support.enriched import bare
from tests.support.told import parts

OK = b'{"status":"OK","request_id":"0b6f4f0e","accepted":2,"rejected":%d}'


def requests(count: int) -> list[Request]:
    """So many records that were sent."""
    [part] = parts(OMETRIA, bare("order.reminder"))
    assert isinstance(part, Part)
    return [part.request] * count


@pytest.mark.parametrize(("response", "verdict"), JUDGED)
def test_a_status_decides(response: Response, verdict: Verdict) -> None:
    """What passes is tried again, what stays is rejected, credentials pause the connection."""
    assert [verdict] * 2 == OMETRIA.classify(requests(2), response)


@pytest.mark.parametrize(
    ("count", "rejected", "verdict"),
    [
        pytest.param(2, 0, Accepted(), id="none"),
        pytest.param(1, 1, Rejected("rejected_by_vendor"), id="the only one"),
        pytest.param(2, 2, Rejected("rejected_by_vendor"), id="all"),
        pytest.param(3, 1, Accepted("some_rejected"), id="one, and nobody knows"),
    ],
)
def test_a_count_is_told_where_it_names_nobody(count: int, rejected: int, verdict: Verdict) -> None:
    """A rejected record is a rejection only where it can be no other."""
    assert [verdict] * count == OMETRIA.classify(requests(count), Response(202, {}, OK % rejected))


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b'{"rejected":"many"}', b"[" * 100_000])
def test_a_body_that_counts_nothing_is_survived(body: bytes) -> None:
    """The status stands."""
    assert [Accepted()] == OMETRIA.classify(requests(1), Response(202, {}, body))
