"""What peers are given to do, free of any engine: a record and its row in, row and outputs out.

Pure, so that every engine runs the very same code. A peer keeps rows and moves bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from streams.avro import codec
from streams.derive import DeriveOptions
from streams.destinations import DESTINATIONS
from streams.errors import BadRecord
from streams.model.dead_letter import Origin, record_dead_letter
from streams.names import Names
from streams.pipeline import Pipeline
from streams.route import Route
from tests.bench.reference import job as reference

if TYPE_CHECKING:
    from collections.abc import Callable

CONNECTIONS = {
    "klaviyo": "klaviyo",
    "klaviyo-eu": "klaviyo",
    "attentive": "attentive",
    "attentive-eu": "attentive",
}
"""The product's connections, two of each destination: name → destination."""

CONNECTION_TABLES = "".join(
    f'[connections.{name}]\ndestination = "{to}"\n' for name, to in CONNECTIONS.items()
)
"""The same in a settings file."""

OPTIONS = DeriveOptions(history="complete", native_subscriptions_created=True)
"""How the product derives here: nothing waits, so that no engine needs timers."""

SETTINGS = """\
[derive]
history = "complete"
flows_from = "beginning"
cancel_settle = "0s"
native_subscriptions_created = true
"""
"""The same for our own worker."""


class Place(NamedTuple):
    """Where a record is, and its timestamp, epoch milliseconds."""

    partition: int
    offset: int
    timestamp: int


class Result(NamedTuple):
    """The row afterwards (the same object: unchanged), and (topic, key, value) to write."""

    row: bytes | None
    outputs: list[tuple[str, bytes, bytes]]


class Job(Protocol):
    """What is done with each record of a topic.

    Attributes:
        source: the topic.
        outputs: the topics that it writes.
    """

    source: str
    outputs: list[str]

    def apply(self, key: bytes, value: bytes, row: bytes | None, place: Place) -> Result:
        """Apply one record to its key's row."""


class Reference:
    """The reference job."""

    def __init__(self, prefix: str) -> None:
        self.source = f"{prefix}.in"
        self.outputs = [f"{prefix}.{name}" for name in reference.OUTPUTS]

    def apply(self, key: bytes, value: bytes, row: bytes | None, place: Place) -> Result:  # noqa: ARG002
        """Apply one record."""
        applied = reference.apply(value, row)
        outputs = [(topic, key, event) for event in applied.events for topic in self.outputs]
        return Result(applied.row, outputs)


class Product:
    """The product's pipeline, as the derive role has it: deliveries, and dead letters."""

    def __init__(self, prefix: str) -> None:
        names = Names(prefix)
        self.source = names.events("ordergroove")
        self._deliveries = {name: names.deliveries(name) for name in CONNECTIONS}
        self._letters = names.dead_letters("ordergroove")
        self.outputs = [*self._deliveries.values(), self._letters]
        routes = [Route(name, DESTINATIONS[to].takes) for name, to in CONNECTIONS.items()]
        self._pipeline = Pipeline(
            codec("sources/ordergroove"), codec("events/enriched"), routes, OPTIONS
        )
        self._letter = codec("dead_letter").encode
        self._clocks: dict[int, int] = {}

    def apply(self, key: bytes, value: bytes, row: bytes | None, place: Place) -> Result:
        """Apply one record; stream time is the largest timestamp of its partition."""
        now = self._clocks[place.partition] = max(
            self._clocks.get(place.partition, 0), place.timestamp
        )
        try:
            processed = self._pipeline.process(value, lambda _owner: row, now, key, place.timestamp)
        except BadRecord as bad:
            origin = Origin(self.source, *place)
            letter = record_dead_letter(bad, origin, key, value, {}, now)
            return Result(row, [(self._letters, letter["id"].encode(), self._letter(letter))])
        assert not processed.due, "a timer, which not every engine has"
        outputs = [
            (self._deliveries[connection], processed.key, told.value)
            for told in processed.told
            for connection in told.connections
        ]
        return Result(row if processed.duplicate else processed.value, outputs)


JOBS: dict[str, Callable[[str], Job]] = {"reference": Reference, "product": Product}
"""Table of the bench → its job, made for a prefix."""
