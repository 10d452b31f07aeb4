"""Runs the real pipeline over a dictionary of rows, as the derive worker does, and renders.

Records come in the order in which they are fed; stream time is the greatest record time so far. A
record's time is its event's own, unless told otherwise: nothing is late by itself.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from streams.avro import codec
from streams.derive import DeriveOptions
from streams.destinations import DESTINATIONS
from streams.model.delivery import Options, Part, Refusal
from streams.model.ids import customer_key, delivery_id
from streams.model.subscriber import Subscriber, decode_row
from streams.pipeline import Pipeline, Processed, Told, enriched_of
from streams.route import Route
from streams.sources.ordergroove import record_of
from tests.support.webhooks import CUSTOMER, MERCHANT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from streams.model.enriched import EnrichedEvent

KLAVIYO = DESTINATIONS["klaviyo"]
SOURCE = codec("sources/ordergroove")
ENRICHED = codec("events/enriched")
ROUTES = (Route("klaviyo", KLAVIYO.takes),)


class Driver:
    """A pipeline and the rows of its table."""

    def __init__(self, routes: Sequence[Route] = ROUTES) -> None:
        self.rows: dict[bytes, bytes] = {}
        self.now = 0
        self._pipeline = Pipeline(SOURCE, ENRICHED, routes, DeriveOptions())

    def feed(self, body: bytes, recorded: int | None = None, key: bytes | None = None) -> Processed:
        """Process a body; `recorded` is the record's time in epoch seconds, `key` its own key."""
        time = json.loads(body)["created"] if recorded is None else recorded
        self.now = max(self.now, time * 1000)
        processed = self.process(SOURCE.encode(record_of(body, time * 1000)), key, time * 1000)
        if processed.value is not None:
            self.rows[processed.key] = processed.value
        return processed

    def process(
        self, record: bytes | None, key: bytes | None = None, recorded_at: int | None = None
    ) -> Processed:
        """Process a record's bytes without keeping the row."""
        return self._pipeline.process(record, self.rows.get, self.now, key, recorded_at)

    def feed_all(self, bodies: Iterable[bytes]) -> list[Processed]:
        """Process bodies one after another."""
        return [self.feed(body) for body in bodies]

    def row(self, customer: str = CUSTOMER, merchant: str = MERCHANT) -> Subscriber:
        """The row of a customer."""
        return decode_row(self.rows[customer_key(merchant, customer)])


def enriched(processed: Processed, event_type: str | None = None) -> EnrichedEvent:
    """The first enriched event that goes anywhere, or the first of a type."""
    values = (
        told.value
        for told in processed.told
        if told.connections and event_type in (None, told.fact.type)
    )
    return enriched_of(ENRICHED, next(values))


def rendered(told: Told, connection: str = "klaviyo") -> list[Part | Refusal]:
    """What a fact asks of Klaviyo, judged at its own time."""
    fact = told.fact
    event = enriched_of(ENRICHED, told.value)
    id_ = delivery_id(fact.event_id, fact.type, connection)
    return KLAVIYO.render(event, id_, fact.occurred_at, Options())


def properties(processed: Processed, event_type: str | None = None) -> dict[str, Any]:
    """The event properties that Klaviyo gets of a record."""
    event = enriched(processed, event_type)
    [part] = KLAVIYO.render(event, "d", event.occurred_at, Options())
    assert isinstance(part, Part), part
    found: dict[str, Any] = part.request.body["data"]["attributes"]["properties"]
    return found
