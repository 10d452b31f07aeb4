"""From a vendor's answer on a real socket to the outcome of each part: what it says, and shows."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import msgspec
import pytest

from streams.delivery.attempts import Attempts
from streams.delivery.clock import Clock
from streams.delivery.http import Http
from streams.delivery.pending import Conclusion, Step
from streams.delivery.retry import Policies
from streams.delivery.statistics import Statistics
from streams.delivery.verdicts import Wait, judge
from streams.destinations import DESTINATIONS
from streams.model.delivery import Outcome
from tests.support.answer_samples import SAMPLES, Sample, requests
from tests.support.delivery_vendor import Answer, Seen, Server

DELIVERED = ("delivered", None, None)
REFUSED = ("rejected", "rejected_by_vendor")


def concluded(name: str, *samples: Sample | None) -> list[tuple[str, str | None, str | None]]:
    """What came of each record, its reason and the excerpt, after these answers (None: none)."""
    first = next(each for each in samples if each is not None)
    destination = DESTINATIONS[name]
    steps = [
        Step("event", each, msgspec.json.encode(each.body), Outcome.DELIVERED)
        for each in requests(name, first)
    ]

    async def attempt() -> Any:
        found: Any = []
        async with Server() as server:
            http = Http(server.url, {}, concurrency=1)
            attempts = Attempts(destination, http, Statistics(), Clock())
            for sample in samples:
                server.answer = partial(_answer, sample)
                found = await attempts.make(steps)
            await http.aclose()
        return found

    schedules = Policies(destination.rules.retries)
    return [
        _said(judge(step, verdict, schedules, 0.5), step)
        for step, verdict in zip(steps, asyncio.run(attempt()), strict=True)
    ]


def _answer(sample: Sample | None, _: Seen) -> Answer:
    if sample is None:
        return Answer(cut=True)
    return Answer(sample.status, dict(sample.headers), sample.response.body)


def _said(following: object, step: Step) -> tuple[str, str | None, str | None]:
    assert isinstance(following, (Conclusion, Wait)), following
    outcome = following.outcome if isinstance(following, Conclusion) else Outcome.RETRYING
    shown = step.answer.excerpt() if step.answer and following.reason else None
    return outcome.value, following.reason, shown


def of(name: str, row: str, records: int) -> Sample:
    """A sample by its row."""
    return next(each for each in SAMPLES[name] if (each.row, each.records) == (row, records))


def test_klaviyos_partial_failure_is_the_parts_own_note() -> None:
    """The event is delivered, and its outcome says what was left out."""
    assert [("delivered", "phone_number", None)] == concluded(
        "klaviyo", of("klaviyo", "§6 phone ignored", 1)
    )


def test_yespos_failed_order_is_its_own_outcome() -> None:
    """One of three is rejected, with the vendor's words; what it quotes is masked."""
    excerpt = '{"failedOrders":{"order":{"externalOrderId":"2"},"error":"currency is empty"}}'

    assert [DELIVERED, (*REFUSED, excerpt), DELIVERED] == concluded(
        "yespo", of("yespo", "§2 one refused", 3)
    )


def test_a_failed_order_that_is_quoted_whole_tells_nobody_who_it_was() -> None:
    """Yespo quotes the order as it was sent, the customer's name and address in it."""
    sample = of("yespo", "§2 one refused", 1)
    [sent] = requests("yespo", sample)
    quoted = {"order": sent.body, "error": f"no contact {sent.body['email']}"}
    answer = sample._replace(body=msgspec.json.encode({"failedOrders": quoted}))
    [(outcome, reason, excerpt)] = concluded("yespo", answer)

    assert (*REFUSED, True) == (outcome, reason, "failedOrders" in (excerpt or ""))
    for value in ("email", "phone", "firstName", "lastName", "deliveryAddress"):
        assert sent.body[value] not in (excerpt or "")


def test_ometrias_count_that_names_nobody_is_a_note_of_all() -> None:
    """It is in the excerpt how many of how many."""
    shown = '{"status":"OK","request_id":"0b6f4f0e","accepted":2,"rejected":1}'

    assert [("delivered", "some_rejected", shown)] * 3 == concluded(
        "ometria", of("ometria", "§2 some rejected", 3)
    )


@pytest.mark.parametrize("name", sorted(DESTINATIONS))
def test_what_was_answered_before_is_not_said_of_no_answer(name: str) -> None:
    """A connection that breaks leaves no excerpt of an earlier attempt."""
    busy = Sample("", 503, "<h1>Busy</h1>")

    assert [("retrying", "server_error", "<h1>Busy</h1>")] == concluded(name, busy)
    assert [("retrying", "connection_broken", None)] == concluded(name, busy, None)
