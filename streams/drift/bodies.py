"""A story → what the vendors would be sent, leaf by leaf, by the real pipeline and renderers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from streams.avro import codec
from streams.derive import DeriveOptions
from streams.destinations import DESTINATIONS
from streams.engine.timers import Timers
from streams.errors import BadRecord
from streams.model.delivery import Options, Part
from streams.model.ids import delivery_id
from streams.pipeline import Pipeline, enriched_of
from streams.route import Route

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from streams.avro import Record
    from streams.model.delivery import Refusal
    from streams.model.enriched import EnrichedEvent
    from streams.pipeline import Processed


class Leaf(NamedTuple):
    """A value in a vendor's request: `path` within the body, a list's elements all alike."""

    destination: str
    event_type: str
    path: str


WHOLE = ""
"""The path of a request itself, which is sent even if nothing is in it."""

VALUE = "value"
"""The key of the value, where a vendor writes a field as a pair of name (or id) and value."""

Bodies = dict[Leaf, list[Any]]
"""Leaf → its values, in the order in which they are told. Nulls are not told."""


class Rehearsal:
    """The pipeline for all destinations, and what each renders."""

    def __init__(self) -> None:
        routes = [Route(name, each.takes) for name, each in DESTINATIONS.items()]
        self.source, self._enriched = codec("sources/ordergroove"), codec("events/enriched")
        options = DeriveOptions(history="complete")
        self.pipeline = Pipeline(self.source, self._enriched, routes, options)

    def bodies(self, story: Iterable[Record | None]) -> Bodies:
        """What comes of a story, its timers included.

        None in place of a record, and one that is given up on, tell nothing.
        """
        run = _Run(self)
        for record in story:
            if record is not None:
                run.tell(record)
        run.fire(math.inf)
        return run.found

    def told(self, processed: Processed) -> Iterator[tuple[Leaf, Any]]:
        """The leaves of the requests that a record or timer leads to."""
        for told in processed.told:
            for connection in told.connections:
                event = enriched_of(self._enriched, told.value)
                id_ = delivery_id(event.event_id, event.type, connection)
                for part in _rendered(connection, event, id_):
                    if isinstance(part, Part):
                        yield Leaf(connection, event.type, WHOLE), True
                        for path, value in _leaves(part.request.body, ""):
                            yield Leaf(connection, event.type, path), value


def _rendered(connection: str, event: EnrichedEvent, id_: str) -> list[Part | Refusal]:
    """The parts of a delivery; a renderer that raises sends nothing, as in the deliver role."""
    try:
        return DESTINATIONS[connection].render(event, id_, event.occurred_at, Options())
    except Exception:  # noqa: BLE001 - the delivery would be a dead letter
        return []


class _Run:
    """One customer's rows and timers."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self.found: Bodies = {}
        self._rehearsal = rehearsal
        self._rows: dict[bytes, bytes] = {}
        self._timers = Timers()

    def tell(self, record: Record) -> None:
        at = record["created"]
        self.fire(at)
        try:
            value = self._rehearsal.source.encode(record)
            processed = self._rehearsal.pipeline.process(value, self._rows.get, at)
        except BadRecord:
            return
        self._keep(processed)

    def fire(self, until: float) -> None:
        while self._timers.earliest and self._timers.earliest <= until:
            now = self._timers.earliest
            due = self._timers.pop(now)
            if due is not None:
                key = due[1]
                self._keep(self._rehearsal.pipeline.fire(key, self._rows[key], now))

    def _keep(self, processed: Processed) -> None:
        if processed.value is not None:
            self._rows[processed.key] = processed.value
            self._timers.set(processed.key, processed.due)
        for leaf, value in self._rehearsal.told(processed):
            self.found.setdefault(leaf, []).append(value)


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _leaves(each, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _leaves(*_element(each, path))
    elif value is not None:
        yield path, value


def _element(value: Any, path: str) -> tuple[Any, str]:
    """An element of a list and its path: by its name where it is a pair of name and value."""
    if isinstance(value, dict) and VALUE in value and len(value) == 2:
        (name,) = value.keys() - {VALUE}
        return value[VALUE], f"{path}[{value[name]}]"
    return value, f"{path}[]"
