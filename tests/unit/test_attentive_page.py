"""Attentive held beside its page (seed 000), row by row, and its golden bodies.

The golden is what the real pipeline and renderer make of the samples, fed in the order in which
they happened; each event type's first calls are kept, and that of a profile alone.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from streams.destinations.attentive import ATTENTIVE
from streams.destinations.attentive_payloads import EVENTS
from streams.destinations.fields import STATUS
from streams.model.delivery import Options, Part
from streams.model.ids import delivery_id
from streams.model.loyalty import LOYALTY_EVENTS
from streams.pipeline import enriched_of
from streams.route import Route
from tests.support import attentive_page as page
from tests.support.attentive_page import NEWER, OURS, PAGE, SLIPS
from tests.support.driver import ENRICHED, Driver
from tests.support.golden import golden
from tests.support.pages import checkout, paths
from tests.support.samples import story

if TYPE_CHECKING:
    from streams.model.enriched import EnrichedEvent

SEEDS = Path(__file__).parents[3] / "shared" / "seeds"
TEXTS = [file.read_text(encoding="utf-8") for file in SEEDS.glob("000*.txt")]
"""The vendor's page, where it lies beside this repository."""

CANCELS = ("subscriber.cancel", "subscription.cancel")


@cache
def bodies() -> dict[str, list[dict[str, Any]]]:
    """Event type → the calls of its first delivery in the samples' story, in the page's order."""
    found: dict[str, list[dict[str, Any]]] = {}
    driver = Driver([Route("attentive", ATTENTIVE.takes)])
    for processed in driver.feed_all(story()):
        for told in processed.told:
            if told.connections:
                event = enriched_of(ENRICHED, told.value)
                found.setdefault(event.type, _calls(event))
    event = checkout()
    found[event.type] = _calls(event)
    return {each: found[each] for each in (*PAGE, "profile.changed")}


def _calls(event: EnrichedEvent) -> list[dict[str, Any]]:
    """What is asked, judged at the event's own time."""
    id_ = delivery_id(event.event_id, event.type, "attentive")
    calls = []
    for part in ATTENTIVE.render(event, id_, event.occurred_at, Options()):
        assert isinstance(part, Part), part
        request = part.request
        calls.append({"call": f"{request.method} {request.path}", "body": request.body})
    return calls


def event_of(event_type: str) -> dict[str, Any]:
    """The body of the call that tells an event."""
    body: dict[str, Any] = bodies()[event_type][-1]["body"]
    return body


@cache
def expected() -> Any:
    """The golden."""
    return golden("attentive", bodies())


@pytest.mark.parametrize("event_type", [*PAGE, "profile.changed"])
def test_golden(event_type: str) -> None:
    """A sample's requests are, whole, those that were read and found right."""
    assert expected()[event_type] == bodies()[event_type]


def test_the_golden_holds_nothing_else() -> None:
    """The golden has the page's events and the profile alone, in that order."""
    assert [*PAGE, "profile.changed"] == list(expected())


def test_the_destination_takes_the_pages_events() -> None:
    """The table has the page's 21 events, in its order; beside it Attentive takes loyalty's."""
    assert list(PAGE) == list(EVENTS)
    assert frozenset(PAGE) | LOYALTY_EVENTS == ATTENTIVE.takes
    assert 21 == len(PAGE)


@pytest.mark.parametrize("event_type", PAGE)
def test_an_event_is_called_what_the_page_calls_it(event_type: str) -> None:
    """The type is the page's event name; where that is another event's, its own."""
    assert SLIPS.get(event_type, PAGE[event_type].name) == event_of(event_type)["type"]


def test_no_two_events_share_a_name() -> None:
    """With the slips mended, each name means one event."""
    assert len(PAGE) == len({event_of(event_type)["type"] for event_type in PAGE})


@pytest.mark.parametrize("event_type", PAGE)
def test_every_field_of_the_page_is_sent_and_what_is_added_is_named(event_type: str) -> None:
    """A sample that has everything gives each field of the page, and none that nobody listed."""
    more = (*NEWER.get(event_type, ()), *OURS.get(event_type, ()))

    assert sorted((*PAGE[event_type].fields, *more)) == sorted(
        set(paths(event_of(event_type)["properties"]))
    )


@pytest.mark.parametrize("event_type", PAGE)
def test_every_event_sets_the_status_first(event_type: str) -> None:
    """The customer property, from the row and in lower case, goes before the event."""
    first, second = bodies()[event_type]
    status = "inactive" if event_type in CANCELS else "active"

    assert page.STATUS == STATUS
    assert ("POST /v1/attributes/custom", {page.STATUS: status}) == (
        first["call"],
        first["body"]["properties"],
    )
    assert "POST /v1/events/custom" == second["call"]


@pytest.mark.parametrize("event_type", PAGE)
def test_an_event_type_stays_far_from_two_hundred_keys(event_type: str) -> None:
    """Keys beyond 200 of one event type are of no use in journeys (contract §2)."""
    assert len(set(paths(event_of(event_type)["properties"]))) < 100


@pytest.mark.parametrize(
    "event_type",
    [each for each in PAGE if each.startswith("subscription.")] + ["item.out_of_stock"],
)
def test_a_text_can_name_the_product(event_type: str) -> None:
    """The flat fields for texts say what the nested product says to e-mails."""
    told = event_of(event_type)["properties"]

    assert {f"product_{field}": told["product"][field] for field in ("id", "name", "sku")} == {
        field: value for field, value in told.items() if field.startswith("product_")
    }


def test_what_was_typed_in_is_what_the_page_prints() -> None:
    """Every event's name and fields, one by one and in order, are those of the vendor's page."""
    typed = [(row.name, [path.replace("[]", "") for path in row.fields]) for row in PAGE.values()]
    for text in TEXTS:
        sections = re.split(r"Attentive Event Name:\s+", text)[1:]

        assert typed == [(each.split(maxsplit=1)[0], _printed(each)) for each in sections]
        assert page.STATUS in text


def _printed(section: str) -> list[str]:
    """The paths of the fields that a section of the page prints, brace by brace."""
    found: list[str] = []
    inside: list[str] = []
    for line in map(str.strip, section.splitlines()[1:]):
        if opened := re.fullmatch(r"(?:([a-z]\w*): ?)?[\[{]", line):
            inside.append(opened[1] or "")
        elif re.fullmatch(r"[\]}],?", line):
            inside.pop()
        elif field := re.fullmatch(r"([a-z]\w*)(?::.*)?", line):
            found.append(".".join([*filter(None, inside), field[1]]))
    return found
