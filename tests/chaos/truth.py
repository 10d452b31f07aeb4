"""What derive must have written: the pipeline, once, in one thread, over the source's records.

Stream time is each partition's own, and what is due fires before the next record. The workers' idle
partitions fire earlier, by the clock; that tells the same, since no row changes meanwhile.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from streams.avro import codec
from streams.derive import DeriveOptions
from streams.destinations import DESTINATIONS
from streams.engine.timers import Timers
from streams.errors import BadRecord
from streams.model.dead_letter import Origin, record_dead_letter
from streams.pipeline import Pipeline
from streams.route import Route

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from confluent_kafka import Message

    from streams.names import Names
    from streams.pipeline import Processed

SETTINGS = """\
[derive]
history = "complete"
flows_from = "beginning"
cancel_settle = "1s"
checkout_settle = "1s"
"""
OPTIONS = DeriveOptions(history="complete", cancel_settle=1_000, checkout_settle=1_000)
"""The same for the truth."""

PAST_ALL_TIMERS = 60_000
"""Milliseconds after the last record by which every timer has fired."""

Outputs = dict[tuple[str, bytes], list[bytes]]


class Truth:
    """Outputs by topic and key in order, rows by key, and how many records there were."""

    def __init__(self, names: Names, source: str, connections: Sequence[str]) -> None:
        self.outputs: Outputs = defaultdict(list)
        self.rows: dict[bytes, bytes] = {}
        self.records = 0
        self._names = names
        self._source = source
        self._letters = names.dead_letters("ordergroove")
        takes = DESTINATIONS["klaviyo"].takes
        routes = [Route(name, takes) for name in connections]
        self._pipeline = Pipeline(
            codec("sources/ordergroove"), codec("events/enriched"), routes, OPTIONS
        )
        self._clocks: dict[int, int] = defaultdict(int)
        self._timers: dict[int, Timers] = defaultdict(Timers)

    def read(self, messages: Iterable[Message]) -> None:
        """Process the source's records, and then every timer that is left."""
        for message in messages:
            self._apply(message)
        for partition, now in self._clocks.items():
            self._fire(partition, now + PAST_ALL_TIMERS)

    def _apply(self, message: Message) -> None:
        self.records += 1
        partition, at = message.partition() or 0, message.timestamp()[1]
        now = self._clocks[partition] = max(self._clocks[partition], at)
        self._fire(partition, now)
        try:
            processed = self._pipeline.process(
                message.value(), self.rows.get, now, message.key(), at
            )
        except BadRecord as bad:
            origin = Origin(self._source, partition, message.offset() or 0, at)
            letter = record_dead_letter(bad, origin, message.key(), message.value(), {}, now)
            value = codec("dead_letter").encode(letter)
            self.outputs[self._letters, letter["id"].encode()].append(value)
        else:
            self._keep(partition, processed)

    def _fire(self, partition: int, now: int) -> None:
        while (timer := self._timers[partition].pop(now)) is not None:
            _, key = timer
            self._keep(partition, self._pipeline.fire(key, self.rows[key], now))

    def _keep(self, partition: int, processed: Processed) -> None:
        if processed.value is not None:
            self.rows[processed.key] = processed.value
            self._timers[partition].set(processed.key, processed.due)
        for told in processed.told:
            for connection in told.connections:
                topic = self._names.deliveries(connection)
                self.outputs[topic, processed.key].append(told.value)
