"""What a destination is told in the samples' story, and what it asks of the vendor then."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from streams.destinations import DESTINATIONS
from streams.model.delivery import Options, Part
from streams.model.ids import delivery_id
from streams.pipeline import enriched_of
from streams.route import Route
from tests.support.driver import ENRICHED, Driver
from tests.support.pages import checkout
from tests.support.samples import story

if TYPE_CHECKING:
    from streams.model.delivery import Destination
    from streams.model.enriched import EnrichedEvent


def first_of_each(destination: Destination) -> dict[str, EnrichedEvent]:
    """The first event of each type that it is told, by type; a profile alone among them."""
    return _first_of_each(destination.name)


@cache
def _first_of_each(name: str) -> dict[str, EnrichedEvent]:
    driver = Driver([Route(name, DESTINATIONS[name].takes)])
    found: dict[str, EnrichedEvent] = {}
    for processed in driver.feed_all(story()):
        for told in processed.told:
            if told.connections:
                event = enriched_of(ENRICHED, told.value)
                found.setdefault(event.type, event)
    made = checkout()
    if made.type in DESTINATIONS[name].takes:
        found[made.type] = made
    return dict(sorted(found.items()))


def parts(
    destination: Destination, event: EnrichedEvent, options: Options | None = None
) -> list[Part]:
    """What is asked, judged at the event's own time; nothing is refused."""
    id_ = delivery_id(event.event_id, event.type, destination.name)
    found = destination.render(event, id_, event.occurred_at, options or Options())
    assert all(isinstance(each, Part) for each in found), found
    return [each for each in found if isinstance(each, Part)]


def calls(
    destination: Destination, event: EnrichedEvent, options: Options | None = None
) -> list[dict[str, Any]]:
    """The calls as a golden keeps them."""
    return [
        {"call": f"{each.request.method} {each.request.path}", "body": each.request.body}
        for each in parts(destination, event, options)
    ]
