"""Klaviyo held beside its page (seed 001), row by row, and its golden bodies.

The golden is what the real pipeline and renderer make of the samples, fed in the order in which
they happened; each event type's first body is kept, and that of a profile alone.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from streams.destinations.fields import STATUS
from streams.destinations.klaviyo import KLAVIYO, NAMES
from streams.destinations.klaviyo_payloads import EVENTS
from streams.model.delivery import Options, Part
from streams.model.ids import delivery_id
from streams.model.loyalty import LOYALTY_EVENTS
from tests.support import klaviyo_page as page
from tests.support.driver import Driver, rendered
from tests.support.golden import golden
from tests.support.klaviyo_page import PAGE
from tests.support.pages import CHECKOUT, checkout, paths
from tests.support.samples import story

SEEDS = Path(__file__).parents[3] / "shared" / "seeds"
TEXTS = [file.read_text(encoding="utf-8") for file in SEEDS.glob("001*.txt")]
"""The vendor's page, where it lies beside this repository."""

FIELDS = {
    word
    for row in PAGE.values()
    for path in row.fields
    for word in path.replace("[]", "").split(".")
}
PAYLOADS = {
    "Subscriber base payload (no additions).": page.SUBSCRIBER,
    "Subscriber base payload, except total_subscriptions_count is not included.": (
        page.SUBSCRIPTIONS_CREATED
    ),
    "Subscription base payload (no additions).": page.SUBSCRIPTION,
    "Subscription base payload, plus the following additional fields:": (
        *page.SUBSCRIPTION,
        *page.CANCELLATION,
    ),
    "Order base payload (no additions).": page.ORDER,
    "Order base payload, plus the following additional fields:": (*page.ORDER, *page.REJECTION),
    "Order base payload. Shopify merchants also receive these additional fields:": (
        *page.ORDER,
        *page.REJECTION,
    ),
}
"""How the page says what an event carries."""

CANCELS = ("subscriber.cancel", "subscription.cancel")


@cache
def bodies() -> dict[str, Any]:
    """Event type → the call of its first delivery in the samples' story, in the page's order."""
    found: dict[str, Any] = {}
    for processed in Driver().feed_all(story()):
        for told in processed.told:
            if told.connections:
                [part] = rendered(told)
                assert isinstance(part, Part), part
                found.setdefault(told.fact.type, _call(part))
    event = checkout()
    id_ = delivery_id(event.event_id, event.type, "klaviyo")
    [part] = KLAVIYO.render(event, id_, CHECKOUT, Options())
    assert isinstance(part, Part)
    found[event.type] = _call(part)
    return {each: found[each] for each in (*PAGE, "profile.changed")}


def _call(part: Part) -> dict[str, Any]:
    request = part.request
    return {"call": f"{request.method} {request.path}", "body": request.body}


@cache
def expected() -> Any:
    """The golden."""
    return golden("klaviyo", bodies())


@pytest.mark.parametrize("event_type", [*PAGE, "profile.changed"])
def test_golden(event_type: str) -> None:
    """A sample's request is, whole, the one that was read and found right."""
    assert expected()[event_type] == bodies()[event_type]


def test_the_golden_holds_nothing_else() -> None:
    """The golden has the page's events and the profile alone, in that order."""
    assert [*PAGE, "profile.changed"] == list(expected())


def test_the_destination_takes_the_pages_events() -> None:
    """The table has the page's events, in its order; beside it Klaviyo takes loyalty's."""
    assert list(PAGE) == list(EVENTS)
    assert frozenset(PAGE) | LOYALTY_EVENTS == KLAVIYO.takes
    assert frozenset(PAGE) >= set(NAMES)


@pytest.mark.parametrize("event_type", PAGE)
def test_an_event_is_called_what_the_page_calls_it(event_type: str) -> None:
    """The metric's name is the page's event name, the one without the prefix too."""
    attributes = bodies()[event_type]["body"]["data"]["attributes"]

    assert PAGE[event_type].name == attributes["metric"]["data"]["attributes"]["name"]


@pytest.mark.parametrize("event_type", PAGE)
def test_every_field_of_the_page_is_sent_and_no_other(event_type: str) -> None:
    """A sample that has everything gives each field of the page, and nothing beside them."""
    properties = bodies()[event_type]["body"]["data"]["attributes"]["properties"]

    assert sorted(PAGE[event_type].fields) == sorted(set(paths(properties)))


@pytest.mark.parametrize("event_type", PAGE)
def test_every_event_sets_the_status(event_type: str) -> None:
    """Each event's profile carries the customer property, from the row and in lower case."""
    profile = bodies()[event_type]["body"]["data"]["attributes"]["profile"]["data"]
    status = "inactive" if event_type in CANCELS else "active"

    assert page.STATUS == STATUS
    assert {page.STATUS: status} == profile["attributes"]["properties"]


def test_what_was_typed_in_stands_on_the_page() -> None:
    """Every event name and every word of a field path is on the vendor's page, where that is."""
    for text in TEXTS:
        named = re.findall(r"^Event Name: (\S+)$", text, re.MULTILINE)
        words = set(re.findall(r"\w+", text))

        assert [row.name for row in PAGE.values()] == named
        assert set() == FIELDS - words
        assert page.STATUS in text


def test_what_stands_on_the_page_was_typed_in() -> None:
    """Every word that stands alone on a line of the vendor's page is a field of ours."""
    for text in TEXTS:
        alone = re.findall(r"^\s*([a-z]\w*)(?: ?[{]|: [\[{])?$", text, re.MULTILINE)

        assert set() == set(alone) - FIELDS


def test_payloads_are_those_that_the_page_says() -> None:
    """Each event has the base payload and the additions that the vendor's page gives it."""
    for text in TEXTS:
        said = re.findall(
            r"^Event Name: (\S+)$.*?^Payload: ([^\n]+)$", text, re.MULTILINE | re.DOTALL
        )
        fields = {row.name: row.fields for row in PAGE.values()}
        fields.pop("ordergroove.item.out_of_stock")

        assert {name: PAYLOADS[payload] for name, payload in said} == fields
