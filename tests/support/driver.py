"""Runs the real pipeline over a dictionary of rows, as the derive worker does, and renders.

Records come in the order in which they are fed; stream time is the greatest record time so far. A
record's time is its event's own, unless told otherwise: nothing is late by itself. Rows are kept as
bytes, so every step begins as after a restart. All of the past is known, unless told otherwise.
Timers fire only where a test asks for it: `tick`, `settle`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from streams.avro import codec
from streams.derive import DeriveOptions
from streams.destinations import DESTINATIONS
from streams.engine.timers import Timers
from streams.model.delivery import Options, Part, Refusal
from streams.model.ids import customer_key, delivery_id
from streams.model.row_bytes import decode_row
from streams.pipeline import Pipeline, Processed, Told, enriched_of
from streams.route import Route
from streams.sources.ordergroove import record_of
from tests.support.webhooks import CUSTOMER, MERCHANT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from streams.model.enriched import EnrichedEvent
    from streams.model.events import Kind
    from streams.model.subscriber import Subscriber

KLAVIYO = DESTINATIONS["klaviyo"]
SOURCE = codec("sources/ordergroove")
ENRICHED = codec("events/enriched")
ROUTES = (Route("klaviyo", KLAVIYO.takes),)
COMPLETE = DeriveOptions(history="complete")


class Driver:
    """A pipeline and the rows of its table."""

    def __init__(self, routes: Sequence[Route] = ROUTES, options: DeriveOptions = COMPLETE) -> None:
        self.rows: dict[bytes, bytes] = {}
        self.now = 0
        self._timers = Timers()
        self._pipeline = Pipeline(SOURCE, ENRICHED, routes, options)

    def feed(
        self,
        body: bytes,
        recorded: int | None = None,
        key: bytes | None = None,
        kind: Kind = "event",
    ) -> Processed:
        """Process a body; `recorded` is the record's time in epoch seconds, `key` its own key."""
        time = json.loads(body)["created"] if recorded is None else recorded
        self.now = max(self.now, time * 1000)
        record = record_of(body, time * 1000) | {"kind": kind}
        return self._kept(self.process(SOURCE.encode(record), key, time * 1000))

    def tick(self, now: int) -> list[tuple[int, Processed]]:
        """Let stream time go on to epoch millisecond `now`: (due, what came of it) in order."""
        self.now = max(self.now, now)
        fired = []
        while (timer := self._timers.pop(self.now)) is not None:
            due, key = timer
            processed = self._kept(self._pipeline.fire(key, self.rows[key], self.now))
            assert not 0 < processed.due <= self.now, "what was due is over"
            fired.append((due, processed))
        return fired

    def settle(self) -> list[tuple[int, Processed]]:
        """Let stream time go on until no timer is left: (due, what came of it) in order."""
        fired = []
        while self._timers.earliest:
            fired += self.tick(self._timers.earliest)
        return fired

    def _kept(self, processed: Processed) -> Processed:
        if processed.value is not None:
            self.rows[processed.key] = processed.value
            self._timers.set(processed.key, processed.due)
        elif not processed.duplicate:
            self.rows.pop(processed.key, None)
            self._timers.set(processed.key, 0)
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
