"""The pure whole: (record, row, stream time) → (row', deliveries).

The derive worker, `streams explain`, replay and the tests all run this one function, so what is
explained is what happens. No clock, no I/O, no framework.
"""

from __future__ import annotations

from copy import copy
from functools import cache
from typing import TYPE_CHECKING, Any, Generic

import msgspec
from msgspec import structs
from typing_extensions import TypeVar

from streams.avro_structs import struct_reader, struct_writer
from streams.errors import BadRecord
from streams.families import SUBSCRIBERS, Family
from streams.model.enriched import STRUCTS, EnrichedEvent
from streams.model.events import Event
from streams.model.fact import Fact
from streams.model.ids import customer_key
from streams.model.loyalty import LoyaltyEvent
from streams.model.subscriber import Subscriber
from streams.route import Route, route

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from streams.avro import Codec
    from streams.derive import Derivation, DeriveOptions, LoyaltyOptions

Row = TypeVar("Row", default=Subscriber)
"""A row of whichever table: a subscriber's, where nothing is said."""


class Told(msgspec.Struct, frozen=True, gc=False):
    """A fact, the connections that get it, and its one encoding; empty where nobody gets it."""

    fact: Fact
    connections: tuple[str, ...]
    value: bytes


class Processed(msgspec.Struct, Generic[Row], frozen=True, gc=False):
    """What a record became. `value` is the row's new bytes (None: delete), `due` its next timer.

    A repetition leaves the row alone: `duplicate` is set and there is nothing to write. A timer has
    no event.
    """

    key: bytes
    event: Event | LoyaltyEvent | None
    row: Row | None
    value: bytes | None
    due: int
    told: tuple[Told, ...] = ()
    duplicate: bool = False


class Pipeline(Generic[Row]):
    """decode → derive → enrich → route, for one source and the connections that are configured.

    Attributes:
        source: whose records it reads.
        due: stream time of the next timer in a row's bytes, epoch milliseconds; 0 for none.
        decode: a row of its bytes.
    """

    def __init__(
        self,
        source: Codec,
        enriched: Codec,
        routes: Sequence[Route],
        options: DeriveOptions | LoyaltyOptions,
        family: Family[Row, Any, Any] = SUBSCRIBERS,  # type: ignore[assignment]  # the default
        events: Callable[[bytes | None, bytes | None], Sequence[Any]] | None = None,
    ) -> None:
        """Prepare. `options` are those of the family's derivation.

        `events`: (a record's value, its key) → its events, where a record may be several or none;
        it also judges the key, and raises `BadRecord` for the record as a whole. None: a record is
        one event, under its customer's key.
        """
        self.source = family.source
        self.due = family.due_of
        self.decode = family.decode
        self._family = family
        self._event = family.event_reader(source)
        self._events = events
        self._encode = struct_writer(enriched)
        self._routes = [each for each in routes if family.concerns(each.takes)]
        self._options = options

    def under(self, **changes: Any) -> Pipeline[Row]:
        """The same pipeline, with other options of derivation."""
        other = copy(self)
        other._options = structs.replace(self._options, **changes)  # noqa: SLF001 - its own copy
        return other

    def process(
        self,
        value: bytes | None,
        row_of: Callable[[bytes], bytes | None],
        now: int,
        key: bytes | None = None,
        recorded_at: int | None = None,
        flows_from: int = 0,
    ) -> Processed[Row]:
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
            return self._processed(owner, event, row_of(owner), now, recorded_at, flows_from)
        except BadRecord:
            raise
        except Exception as error:
            raise BadRecord("failed", None, f"{type(error).__name__} in the pipeline") from error

    def process_all(
        self,
        value: bytes | None,
        row_of: Callable[[bytes], bytes | None],
        now: int,
        key: bytes | None = None,
        recorded_at: int | None = None,
        flows_from: int = 0,
    ) -> Sequence[Processed[Row]]:
        """Process one record that may be several events; arguments and errors are `process`'s.

        What is raised is raised before anything is kept: a record is told whole or not at all.
        """
        if self._events is None:
            return (self.process(value, row_of, now, key, recorded_at, flows_from),)
        try:
            events = self._events(value, key)
        except BadRecord:
            raise
        except Exception as error:
            raise BadRecord("failed", None, f"{type(error).__name__} in the pipeline") from error
        return self.process_events(events, row_of, now, recorded_at, flows_from)

    def process_events(
        self,
        events: Sequence[Event | LoyaltyEvent],
        row_of: Callable[[bytes], bytes | None],
        now: int,
        recorded_at: int | None = None,
        flows_from: int = 0,
    ) -> list[Processed[Row]]:
        """Process the events of one record, each over the row that the one before it left."""
        written: dict[bytes, bytes | None] = {}
        found = []
        try:
            for event in events:
                owner = customer_key(event.merchant, event.customer_id)
                before = written[owner] if owner in written else row_of(owner)
                each = self._processed(owner, event, before, now, recorded_at, flows_from)
                if not each.duplicate:
                    written[owner] = each.value
                found.append(each)
        except BadRecord:
            raise
        except Exception as error:
            raise BadRecord("failed", None, f"{type(error).__name__} in the pipeline") from error
        return found

    def _processed(
        self,
        owner: bytes,
        event: Event | LoyaltyEvent,
        before: bytes | None,
        now: int,
        recorded_at: int | None,
        flows_from: int,
    ) -> Processed[Row]:
        """What an event makes of the row before it."""
        known = None if before is None else self._family.decode(before)
        options = self._options
        if flows_from > options.flows_from:
            options = structs.replace(options, flows_from=flows_from)
        result = self._family.derive(known, event, now, options, recorded_at)
        if result.duplicate or result.row is None:
            return Processed(owner, event, result.row, None, 0, (), result.duplicate)
        return self._told(owner, event, event, result, result.row)

    def fire(self, key: bytes, value: bytes, now: int) -> Processed[Row]:
        """Handle the timers of a row that are due by stream time `now`, epoch milliseconds."""
        merchant, _, customer_id = key.decode().partition(":")
        before = self._family.decode(value)
        result = self._family.fire(before, merchant, customer_id, now, self._options)
        row = result.row
        if row is None:
            raise ValueError("a timer forgets nobody")
        about = self._family.nothing(merchant, customer_id, now)
        return self._told(key, None, about, result, row)

    def _told(
        self,
        owner: bytes,
        event: Event | LoyaltyEvent | None,
        about: Event | LoyaltyEvent,
        result: Derivation[Row],
        row: Row,
    ) -> Processed[Row]:
        """The row and the deliveries that a derivation comes to."""
        told = tuple(
            Told(fact, connections, self._value(fact, about, row) if connections else b"")
            for fact, connections in route(result.facts, about.merchant, self._routes)
        )
        family = self._family
        return Processed(owner, event, row, family.encode(row), family.due(row), told)

    def _value(self, fact: Fact, event: Event | LoyaltyEvent, row: Row) -> bytes:
        about = event if fact.about is None else fact.about
        return self._encode(self._family.enrich(fact, about, row))


def enriched_of(codec: Codec, value: bytes | None) -> EnrichedEvent:
    """The enriched event of a delivery record; raises `BadRecord`."""
    event: EnrichedEvent = _enriched_reader(codec)(value)
    return event


@cache
def _enriched_reader(codec: Codec) -> Callable[[bytes | None], Any]:
    return struct_reader(codec, STRUCTS)
