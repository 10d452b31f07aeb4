"""Yespo's events of the past: what is asked, what the simulator makes of it, what answers mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from msgspec.structs import replace

from streams.destinations import DESTINATIONS
from streams.model.delivery import Accepted, Options, Part, Rejected, Response
from tests.support.enriched import AT, KNOWN, bare
from tests.support.yespo_simulator import tell

if TYPE_CHECKING:
    from streams.model.delivery import Request
    from tests.support.yespo_simulator import JSON, Account

PAST = "/api/v2/past_events"
YESPO = DESTINATIONS["yespo"]
BULK = Options(bulk=True)


def request(customer: str = "c1") -> Request:
    """What an event that must start nothing asks for."""
    event = replace(bare("subscription.cancel", KNOWN), late=True, customer_id=customer)
    *_, part = YESPO.render(event, f"6f1d2a52-{customer}", AT, BULK)
    assert isinstance(part, Part)
    return part.request


def framed(*requests: Request) -> JSON:
    """The body of a call with these."""
    bodies = [msgspec.json.encode(each.body) for each in requests]
    document: JSON = msgspec.json.decode(requests[0].framed(bodies))
    return document


def test_the_simulator_takes_what_is_asked_and_starts_nothing() -> None:
    """Of somebody it knows by an order, too: the same event now would start a workflow."""

    async def story(account: Account) -> tuple[JSON, Any]:
        answer = await account.post(PAST, framed(request("c1"), request("c2")))
        assert 200 == answer.status_code
        return answer.json(), await account.state("events")

    said, found = tell(story, unmatched_events="start")

    assert {"results": [{"success": True}] * 2, "successCount": 2, "errorCount": 0} == said
    assert ["6f1d2a52-c1", "6f1d2a52-c2"] == [each["key"] for each in found]
    assert not any(each["starts"] for each in found)


@pytest.mark.parametrize(
    "document",
    [{}, {"events": []}, {"events": {}}, {"events": [{}] * 501}, []],
)
def test_a_list_of_at_most_500_is_wanted(document: object) -> None:
    """Anything else is refused whole."""

    async def story(account: Account) -> int:
        return (await account.post(PAST, document)).status_code

    assert 400 == tell(story)


def test_one_that_is_no_good_is_counted() -> None:
    """The others are kept."""

    async def story(account: Account) -> JSON:
        document = framed(request("c1"), request("c2"))
        del document["events"][0]["occurred"]
        answer: JSON = (await account.post(PAST, document)).json()
        return answer

    said = tell(story)

    assert (1, 1) == (said["successCount"], said["errorCount"])


@pytest.mark.parametrize(
    ("document", "verdicts"),
    [
        ({"successCount": 2, "errorCount": 0}, [Accepted()] * 2),
        ({}, [Accepted()] * 2),
        ({"errorCount": 1}, [Accepted("some_rejected")] * 2),
        ({"errorCount": 2}, [Rejected("rejected_by_vendor", named=True)] * 2),
        ({"errorCount": "2"}, [Accepted()] * 2),
    ],
)
def test_answers_are_counted(document: JSON, verdicts: list[object]) -> None:
    """How many were refused is told; which, in no form that is documented."""
    response = Response(200, {}, msgspec.json.encode(document))

    assert verdicts == YESPO.classify([request("c1"), request("c2")], response)


def test_nothing_goes_so_that_may_go_as_it_is() -> None:
    """Only what is data, and only where many may go together; an order never."""
    late = replace(bare("subscription.cancel", KNOWN), late=True)
    *_, fresh = YESPO.render(replace(late, late=False), "6f1d2a52", AT, BULK)
    *_, alone = YESPO.render(late, "6f1d2a52", AT, Options())
    *_, order = YESPO.render(replace(bare("order.success", KNOWN), late=True), "6f1", AT, BULK)

    assert isinstance(fresh, Part)
    assert "/v2/event" == fresh.request.path
    assert ["late", "late"] == [getattr(each, "reason", None) for each in (alone, order)]
