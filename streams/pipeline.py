"""The pure whole: (record, row, stream time) → (row', deliveries).

The derive worker, `streams explain`, replay and the tests all run this one function, so what is
explained is what happens. No clock, no I/O, no framework.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import structs

from streams.avro_structs import struct_reader, struct_writer
from streams.derive import Derivation, DeriveOptions, derive, fire
from streams.enrich import enrich
from streams.errors import BadRecord
from streams.model.enriched import STRUCTS, EnrichedEvent
from streams.model.events import Event, Person
from streams.model.fact import Fact
from streams.model.ids import customer_key
from streams.model.row_bytes import decode_row, encode_row, row_due
from streams.model.subscriber import Subscriber
from streams.route import Route, route
from streams.sources.ordergroove import event_reader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from streams.avro import Codec


class Told(msgspec.Struct, frozen=True, gc=False):
    """A fact, the connections that get it, and its one encoding; empty where nobody gets it."""

    fact: Fact
    connections: tuple[str, ...]
    value: bytes


class Processed(msgspec.Struct, frozen=True, gc=False):
    """What a record became. `value` is the row's new bytes (None: delete), `due` its next timer.

    A repetition leaves the row alone: `duplicate` is set and there is nothing to write. A timer has
    no event.
    """

    key: bytes
    event: Event | None
    row: Subscriber | None
    value: bytes | None
    due: int
    told: tuple[Told, ...] = ()
    duplicate: bool = False


class Pipeline:
    """decode → derive → enrich → route, for one source and the connections that are configured."""

    def __init__(
        self, source: Codec, enriched: Codec, routes: Sequence[Route], options: DeriveOptions
    ) -> None:
        self._event = event_reader(source)
        self._encode = struct_writer(enriched)
        self._routes = routes
        self._options = options

    def process(
        self,
        value: bytes | None,
        row_of: Callable[[bytes], bytes | None],
        now: int,
        key: bytes | None = None,
        recorded_at: int | None = None,
        flows_from: int = 0,
    ) -> Processed:
        """Process one record; raises `BadRecord`, also (`failed`) for whatever our own code raises.

        `row_of` gives the row's bytes of a customer key; `now` is stream time and `recorded_at` the
        record's own (default: the same), epoch milliseconds; `key` is the record's own key, which
        must be its customer's. Where flows begin later for this record than for others, they begin
        at `flows_from`, epoch milliseconds.
        """
        try:
            event = self._event(value)
            owner = customer_key(event.merchant, event.customer_id)
            if key is not None and key != owner:
                raise BadRecord("wrong_key", "key", "the record's key is not merchant:customer")
            before = row_of(owner)
            known = None if before is None else decode_row(before)
            options = self._options
            if flows_from > options.flows_from:
                options = structs.replace(options, flows_from=flows_from)
            result = derive(known, event, now, options, recorded_at)
            if result.duplicate or result.row is None:
                return Processed(owner, event, result.row, None, 0, (), result.duplicate)
            return self._told(owner, event, event, result, result.row)
        except BadRecord:
            raise
        except Exception as error:
            raise BadRecord("failed", None, f"{type(error).__name__} in the pipeline") from error

    def fire(self, key: bytes, value: bytes, now: int) -> Processed:
        """Handle the timers of a row that are due by stream time `now`, epoch milliseconds."""
        merchant, _, customer_id = key.decode().partition(":")
        result = fire(decode_row(value), merchant, customer_id, now)
        row = result.row
        if row is None:
            raise ValueError("a timer forgets nobody")
        about = Event(
            event_id="", type="", created=now, merchant=merchant, customer_id=customer_id,
            guard=b"", subject=Person(),
        )  # fmt: skip
        return self._told(key, None, about, result, row)

    def _told(
        self, owner: bytes, event: Event | None, about: Event, result: Derivation, row: Subscriber
    ) -> Processed:
        """The row and the deliveries that a derivation comes to."""
        told = tuple(
            Told(fact, connections, self._value(fact, about, row) if connections else b"")
            for fact, connections in route(result.facts, about.merchant, self._routes)
        )
        return Processed(owner, event, row, encode_row(row), row_due(row), told)

    def _value(self, fact: Fact, event: Event, row: Subscriber) -> bytes:
        return self._encode(enrich(fact, event, row))


def enriched_of(codec: Codec, value: bytes | None) -> EnrichedEvent:
    """The enriched event of a delivery record; raises `BadRecord`."""
    event: EnrichedEvent = _enriched_reader(codec)(value)
    return event


@cache
def _enriched_reader(codec: Codec) -> Callable[[bytes | None], Any]:
    return struct_reader(codec, STRUCTS)
