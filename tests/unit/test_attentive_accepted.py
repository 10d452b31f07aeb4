"""What is asked of Attentive, sent to its simulator over a socket: strict, and with its memory.

The simulator follows contracts/attentive.md and knows nothing of the renderer; the two meet here
only. Every request of the samples' year, and of a shop in disorder, must be taken; every event must
find the status that it should show, and start a journey where its outcome says so.
"""

from __future__ import annotations

import json
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from streams.demo.shop import OPENS, Shop
from streams.destinations.attentive import ATTENTIVE
from streams.errors import BadRecord
from streams.model.delivery import Options, Outcome, Part
from streams.model.ids import delivery_id
from streams.pipeline import enriched_of
from streams.route import Route
from tests.support.attentive_account import STATUS, tell
from tests.support.attentive_page import PAGE, SLIPS
from tests.support.driver import ENRICHED, Driver
from tests.support.samples import story as samples

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from streams.model.enriched import EnrichedEvent
    from streams.pipeline import Processed
    from tests.support.simulation import Account

HOURS = 3_600_000
STRICT: Any = {"error_body": "object", "phone_check": "numbering_plan", "dedup": True}
"""Beside the strict defaults: phones must be somebody's, and no id may come twice."""


def _told(bodies: Iterable[tuple[int, bytes]]) -> Iterator[EnrichedEvent]:
    """What the pipeline tells Attentive of bodies, recorded at these seconds, and of timers."""
    driver = Driver([Route("attentive", ATTENTIVE.takes)])
    for recorded, body in bodies:
        yield from _sent(each for _, each in driver.tick(recorded * 1000))
        with suppress(BadRecord):
            yield from _sent([driver.feed(body, recorded)])
    yield from _sent(each for _, each in driver.settle())


def _sent(processed: Iterable[Processed]) -> Iterator[EnrichedEvent]:
    for each in processed:
        yield from (enriched_of(ENRICHED, told.value) for told in each.told if told.connections)


@cache
def _year() -> list[EnrichedEvent]:
    """The samples' year."""
    return list(_told((json.loads(body)["created"], body) for body in samples()))


@cache
def _shop() -> list[EnrichedEvent]:
    """Many customers of a shop with its repetitions, disorder and dirt, one record a second."""
    return list(_told(enumerate(Shop(seed=7, events=700), OPENS + 26 * 3_600)))


EVENTS = {"samples": _year, "shop": _shop}


async def _send(account: Account, events: list[EnrichedEvent], later: int = 0) -> list[Part]:
    """Send what is asked, in order, `later` milliseconds after each event's own time."""
    headers = ATTENTIVE.authorize("tok")
    sent = []
    for event in events:
        now = event.occurred_at + later
        account.now = now / 1000
        id_ = delivery_id(event.event_id, event.type, "attentive")
        for part in ATTENTIVE.render(event, id_, now, Options(late_events="trigger")):
            if not isinstance(part, Part):
                assert "no_identifier" == part.reason
                continue
            request = part.request
            await account.client.request(
                request.method,
                request.path,
                json=request.body,
                headers={**request.headers, **headers},
            )
            sent.append(part)
    return sent


@cache
def _delivered(source: str) -> tuple[int, list[Any], Any]:
    """How much was sent, what came of each request, and what the vendor then knows."""

    async def story(account: Account) -> tuple[int, list[Any], Any]:
        sent = await _send(account, EVENTS[source]())
        told = [(each.status, each.fate, each.answer) for each in account.simulator.received]
        return len(sent), told, await account.state()

    return tell(story, **STRICT)


@pytest.mark.parametrize("source", EVENTS)
def test_everything_is_taken(source: str) -> None:
    """No request is refused, dropped, silent or taken for a copy."""
    sent, told, _ = _delivered(source)

    assert [(200, "accepted", None)] * sent == told


def test_every_event_of_the_page_is_told() -> None:
    """With the samples the vendor ends up with each event type, under the name that is sent."""
    names = {SLIPS.get(event_type, row.name) for event_type, row in PAGE.items()}

    assert names == {each["name"] for each in _delivered("samples")[2]["types"]}


@pytest.mark.parametrize("source", EVENTS)
def test_every_event_finds_the_right_status(source: str) -> None:
    """When an event comes, its person's status is the one that its own subscriptions make."""
    due = {
        delivery_id(event.event_id, event.type, "attentive"): _status(event)
        for event in EVENTS[source]()
    }
    events = _delivered(source)[2]["events"]
    found = {each["external_event_id"]: each["attributes"].get(STATUS) for each in events}

    assert found
    assert {id_: due[id_] for id_ in found} == found


def _status(event: EnrichedEvent) -> str | None:
    """By the counts, not by the status that the row has come to."""
    who = event.profile
    if not who.ever_subscribed:
        return None
    return "active" if who.active_subscriptions else "inactive"


@pytest.mark.parametrize("source", EVENTS)
def test_nothing_is_lost_on_the_way(source: str) -> None:
    """No type has keys beyond its 200, no field is ignored, no identifier belongs to another."""
    events = _delivered(source)[2]["events"]
    wrong = [each for each in events if each["unusable"] or each["ignored"] or each["conflicts"]]

    assert [] == wrong


@pytest.mark.parametrize(
    ("later", "outcome"),
    [
        pytest.param(0, Outcome.DELIVERED, id="at once"),
        pytest.param(12 * HOURS, Outcome.DELIVERED, id="after 12 hours"),
        pytest.param(12 * HOURS + 1, Outcome.DELIVERED_NO_TRIGGER, id="after 12 hours and a bit"),
    ],
)
def test_outcomes_say_which_events_start_journeys(later: int, outcome: Outcome) -> None:
    """The outcome that an accepted event amounts to is what the vendor does with it."""

    async def story(account: Account) -> Any:
        sent = await _send(account, _year(), later)
        told = [part.outcome for part in sent if part.name == "event"]
        return told, [each["silent"] for each in await account.state("events")]

    told, silent = tell(story)

    assert {outcome} == set(told)
    assert [None if each is Outcome.DELIVERED else "late" for each in told] == silent
