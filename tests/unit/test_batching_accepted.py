"""What is asked of Ometria and Yespo, sent to their simulators over sockets: strict, and grouped.

The simulators follow the vendors' contracts and know nothing of the renderers. Every record of the
samples' year, and of a shop in disorder, must be taken; at the end the vendors know of a customer
what the row knew.
"""

from __future__ import annotations

import json
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from streams.demo.shop import OPENS, Shop
from streams.destinations import DESTINATIONS
from streams.errors import BadRecord
from streams.model.delivery import Accepted, Options, Outcome, Part, Response
from streams.model.ids import delivery_id
from streams.pipeline import enriched_of
from streams.route import Route
from tests.support import ometria_simulator, yespo_simulator
from tests.support.driver import ENRICHED, Driver
from tests.support.samples import story as samples

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from streams.model.enriched import EnrichedEvent
    from tests.support.simulation import Account

OPTIONS = Options(contact_fields={"status": "51006"})
TELL: dict[str, Any] = {"ometria": ometria_simulator.tell, "yespo": yespo_simulator.tell}
STRICT: dict[str, dict[str, Any]] = {
    "ometria": {"personal_ids": "refuse", "repeated_event": "silent"},
    "yespo": {"seed_strict": True, "repeats": "off"},
}
FIELDS = {"ometria": Options(), "yespo": OPTIONS}
BASE = {"ometria": "", "yespo": "/api"}
TOGETHER = 20
"""Records of a kind that are sent in one call."""


def _told(name: str, bodies: Iterable[tuple[int, bytes]]) -> Iterator[EnrichedEvent]:
    """What the pipeline tells of bodies, recorded at these seconds, and of timers."""
    driver = Driver([Route(name, DESTINATIONS[name].takes)])
    for recorded, body in bodies:
        processed = [each for _, each in driver.tick(recorded * 1000)]
        with suppress(BadRecord):
            processed.append(driver.feed(body, recorded))
        yield from _sent(processed)
    yield from _sent([each for _, each in driver.settle()])


def _sent(processed: Iterable[Any]) -> Iterator[EnrichedEvent]:
    for each in processed:
        yield from (enriched_of(ENRICHED, told.value) for told in each.told if told.connections)


@cache
def events(name: str, which: str) -> list[EnrichedEvent]:
    """The samples' year, or many customers with repetitions, disorder and dirt."""
    if which == "samples":
        return list(_told(name, ((json.loads(body)["created"], body) for body in samples())))
    return list(_told(name, enumerate(Shop(seed=7, events=700), OPENS + 26 * 3_600)))


def groups(parts: list[tuple[EnrichedEvent, Part]]) -> Iterator[list[tuple[EnrichedEvent, Part]]]:
    """Neighbours of one kind together; never two of one customer."""
    group: list[tuple[EnrichedEvent, Part]] = []
    for event, part in parts:
        other = group and group[0][1].request.frame != part.request.frame
        mine = any(event.customer_id == each.customer_id for each, _ in group)
        alone = part.request.frame is None
        if group and (other or mine or alone or len(group) >= TOGETHER):
            yield group
            group = []
        group.append((event, part))
    if group:
        yield group


@cache
def delivered(name: str, which: str) -> tuple[list[Any], list[tuple[str, str]], Any]:
    """Verdicts that are not `Accepted`, (outcome, fate) of each event, and the vendor's state."""
    destination, options = DESTINATIONS[name], FIELDS[name]

    async def send(account: Account) -> tuple[list[Any], list[tuple[str, str]], Any]:
        refused: list[Any] = []
        fates: list[tuple[str, str]] = []
        parts = []
        for event in events(name, which):
            id_ = delivery_id(event.event_id, event.type, name)
            rendered = destination.render(event, id_, event.occurred_at, options)
            parts += [(event, each) for each in rendered if isinstance(each, Part)]
        for group in groups(parts):
            account.now = max(event.occurred_at for event, _ in group) / 1000
            request = group[0][1].request
            body = request.framed(msgspec.json.encode(part.request.body) for _, part in group)
            headers = {**request.headers, **destination.authorize("key-1")}
            answer = await account.client.post(
                BASE[name] + request.path, content=body, headers=headers
            )
            verdicts = destination.classify(
                [part.request for _, part in group],
                Response(answer.status_code, dict(answer.headers), answer.content),
            )
            refused += [each for each in verdicts if not isinstance(each, Accepted)]
            received = account.simulator.received[-1]
            rows = list(received.fates) or [received.fate] * len(group)
            fates += [
                (str(part.outcome), fate)
                for (_, part), fate in zip(group, rows, strict=True)
                if part.name == "event"
            ]
        return refused, fates, await account.state()

    found: tuple[list[Any], list[tuple[str, str]], Any] = TELL[name](send, **STRICT[name])
    return found


@pytest.mark.parametrize("which", ["samples", "shop"])
@pytest.mark.parametrize("name", ["ometria", "yespo"])
def test_every_record_is_taken(name: str, which: str) -> None:
    """By its answer, and by what became of it later."""
    refused, fates, state = delivered(name, which)

    assert [] == refused
    assert fates
    assert {"accepted", "silent", "duplicate"} >= {fate.split(":")[0] for _, fate in fates}
    if name == "ometria":
        assert [] == state["errors"]
        assert "optin" not in {each["flag"] for each in state["flags"]}


@pytest.mark.parametrize("which", ["samples", "shop"])
def test_an_event_starts_a_campaign_as_its_outcome_says(which: str) -> None:
    """At Ometria within four hours; what is sent at once is young."""
    _, fates, _ = delivered("ometria", which)
    started = {str(Outcome.DELIVERED): {"accepted"}, str(Outcome.DELIVERED_NO_TRIGGER): set()}

    for outcome, fate in fates:
        assert (fate in started[outcome]) == (outcome == str(Outcome.DELIVERED)), (outcome, fate)


def test_in_the_end_ometria_knows_how_a_customer_stands() -> None:
    """The last row's status and counts; all updates merged into one contact."""
    _, _, state = delivered("ometria", "samples")
    [contact] = state["contacts"]
    last = events("ometria", "samples")[-1].profile

    assert {
        "ordergroove_status": last.status,
        "active_subscriptions": last.active_subscriptions,
        "total_subscription": last.total_subscriptions,
    } == contact["fields"]["properties"]


def test_in_the_end_yespo_knows_how_a_customer_stands() -> None:
    """One contact, its field by number, and its orders by id, each in its last status."""
    _, _, state = delivered("yespo", "samples")
    [contact] = state["contacts"]
    orders = [each.order for each in events("yespo", "samples") if each.order is not None]
    last = events("yespo", "samples")[-1].profile

    assert last.status == contact["fields"]["51006"]
    assert {each["external_order_id"] for each in state["orders"]} <= {each.id for each in orders}
    assert all(each["matched"] for each in state["events"])
