"""Loyalty at Attentive and Klaviyo held beside Okendo's page (seed 003), and its golden bodies.

The golden is what the real pipeline and renderers make of the samples, a member's year in the order
in which it happened: every call of every webhook.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from streams.destinations import DESTINATIONS
from streams.destinations.loyalty import EVENTS, NAMES, PROPERTIES
from streams.model.delivery import Options, Part
from streams.model.ids import delivery_id
from streams.model.loyalty import LOYALTY_EVENTS
from streams.pipeline import enriched_of
from tests.support import okendo_page as page
from tests.support.golden import golden
from tests.support.okendo import ENRICHED, SAMPLES, story
from tests.support.okendo_page import OURS, PAGE

SEEDS = Path(__file__).parents[3] / "shared" / "seeds"
TEXTS = [file.read_text(encoding="utf-8") for file in SEEDS.glob("003*.txt")]
"""The vendor's page, where it lies beside this repository."""

VENDORS = ("attentive", "klaviyo")
Call = dict[str, Any]


@cache
def calls() -> dict[str, dict[str, dict[str, list[Call]]]]:
    """Sample → event type → vendor → what is asked of it, judged at the event's own time."""
    found: dict[str, dict[str, dict[str, list[Call]]]] = {}
    for name, processed in zip(SAMPLES, story(), strict=True):
        found[name] = {}
        for told in processed.told:
            event = enriched_of(ENRICHED, told.value)
            found[name][event.type] = {vendor: _asked(vendor, event) for vendor in VENDORS}
    return found


def _asked(vendor: str, event: Any) -> list[Call]:
    id_ = delivery_id(event.event_id, event.type, vendor)
    asked = []
    for part in DESTINATIONS[vendor].render(event, id_, event.occurred_at, Options()):
        assert isinstance(part, Part), part
        request = part.request
        asked.append({"call": f"{request.method} {request.path}", "body": request.body})
    return asked


@cache
def expected() -> Any:
    """The golden."""
    return golden("loyalty", calls())


def told(vendor: str, event_type: str) -> list[dict[str, Any]]:
    """Name and properties of every event of a type at a vendor."""
    found = []
    for by_type in calls().values():
        for call in by_type.get(event_type, {}).get(vendor, [])[-1:]:
            if vendor == "attentive":
                body = call["body"]
                found.append({"name": body["type"], "properties": body["properties"]})
            else:
                body = call["body"]["data"]["attributes"]
                name = body["metric"]["data"]["attributes"]["name"]
                found.append({"name": name, "properties": body["properties"]})
    return found


def profiles(vendor: str) -> list[dict[str, Any]]:
    """The properties of the person in every call that has some, in order."""
    bodies = [
        call["body"]
        for by_type in calls().values()
        for by_vendor in by_type.values()
        for call in by_vendor[vendor]
    ]
    if vendor == "attentive":
        return [body["properties"] for body in bodies if "type" not in body]
    attributes = [body["data"]["attributes"] for body in bodies]
    profile = [
        each["profile"]["data"]["attributes"] if "profile" in each else each for each in attributes
    ]
    return [each["properties"] for each in profile]


@pytest.mark.parametrize("sample", SAMPLES)
def test_golden(sample: str) -> None:
    """What a sample asks of both vendors is, whole, what was read and found right."""
    assert expected()[sample] == calls()[sample]


def test_the_golden_holds_nothing_else() -> None:
    """The golden has the samples, in their order."""
    assert list(SAMPLES) == list(expected())


def test_the_tables_are_the_pages() -> None:
    """Five events and seven properties, in the page's order, and nothing else."""
    assert list(PAGE) == list(EVENTS) == list(NAMES)
    assert frozenset(PAGE) == LOYALTY_EVENTS
    assert list(page.PROPERTIES) == [
        each.format(enrollment="Enrollment") for each in PROPERTIES.values()
    ]


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("event_type", PAGE)
def test_an_event_is_called_what_the_page_calls_it(vendor: str, event_type: str) -> None:
    """The name at the vendor is the page's, to the letter."""
    assert {PAGE[event_type].name} == {each["name"] for each in told(vendor, event_type)}


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("event_type", PAGE)
def test_every_property_of_the_page_is_sent_and_what_is_added_is_named(
    vendor: str, event_type: str
) -> None:
    """The samples together give each property of the page, and none that nobody listed."""
    sent = {name.lower() for each in told(vendor, event_type) for name in each["properties"]}
    wanted = (*PAGE[event_type].fields, *OURS.get(event_type, ()))

    assert {each.lower() for each in wanted} == sent


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_property_of_a_person_is_the_pages(vendor: str) -> None:
    """All seven come, spelled as the vendor's page spells them, and no other."""
    names: tuple[str, ...] = page.PROPERTIES
    if vendor == "klaviyo":
        names = tuple(each.replace(*page.KLAVIYO_SPELLING) for each in names)

    assert set(names) == {name for each in profiles(vendor) for name in each}


def test_attentive_has_the_profile_before_the_event() -> None:
    """Attributes go first, so that a journey which the event starts reads the new ones."""
    for by_type in calls().values():
        for event_type, by_vendor in by_type.items():
            paths = [call["call"].rpartition("/v1/")[2] for call in by_vendor["attentive"]]
            event = [] if event_type == "profile.changed" else ["events/custom"]

            assert ["attributes/custom", *event] == paths


def test_what_was_typed_in_is_what_the_page_prints() -> None:
    """Each name and property stands on the page as it was typed in, and each of its events."""
    for text in TEXTS:
        events = text.partition("Event data\n")[2].partition("Event Data in a message")[0]
        named = re.findall(r"^(.*Okendo Loyalty.*)\n\nTriggered", events, re.MULTILINE)
        properties = text.partition("Property name")[2].partition("Accessing Profile Data")[0]

        assert [row.name for row in PAGE.values()] == named
        assert list(page.PROPERTIES) == re.findall(
            r"^(Okendo Loyalty [A-Z].*(?:Tier|Status|Date|Balance))$", properties, re.MULTILINE
        )
        for row in PAGE.values():
            said = events.partition(f"{row.name}\n")[2].partition(".\n\n")[0]
            said += events.partition(f"{row.name}\n")[2].split("\n\n")[1]

            assert [] == [field for field in row.fields if field not in said]
