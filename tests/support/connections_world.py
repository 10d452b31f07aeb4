"""What an operator meets at `streams connections`: topics on a real broker, and the command line.

Deliveries are written as derive writes them, in a transaction, whose markers take offsets too.
"""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner
from confluent_kafka import Producer

from streams.avro import codec
from streams.avro_structs import struct_writer
from streams.cli import commands
from streams.console.index import IndexStanding
from streams.control.records import decode_state, key_of
from streams.control.topic import ControlTopic
from streams.delivery.known import encode_low, low_key
from streams.delivery.outcomes import CONNECTION_HEADER
from streams.engine.admin import TopicSpec, create_topics
from streams.engine.group_offsets import commit_offsets
from streams.engine.kafka import KafkaSettings
from streams.engine.watermarks import Watermarks
from streams.model.ids import customer_key
from streams.model.replayed import MODE, RUN
from streams.names import ORDERGROOVE, Names
from tests.support.delivery_world import shop_event

if TYPE_CHECKING:
    import pytest

    from streams.console.index import Minute
    from streams.control.records import ConnectionState
    from streams.delivery.publisher import Headers

NAME = "klaviyo"
PARTITIONS = 3
MERCHANT = shop_event("c1", 1).merchant
_PATIENCE = 30.0


class EmptyIndex:
    """A console's index that holds nothing, as far as Flow and Connections ask it."""

    def minutes(self, since_ms: int) -> list[Minute]:
        """None."""
        del since_ms
        return []

    def tried(self) -> dict[tuple[str, str], int]:
        """Nothing."""
        return {}

    def standing(self) -> IndexStanding:
        """Nothing is to go."""
        return IndexStanding(0, None, 0)


class ConnectionsWorld:
    """One test's topics, and what is written there."""

    def __init__(self, bootstrap: str, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Make the topics; the connection is a shadow with credentials."""
        for name in list(os.environ):
            if name.startswith("STREAMS_CONNECTIONS"):
                monkeypatch.delenv(name)
        monkeypatch.setenv("STREAMS_PREFIX", prefix)
        monkeypatch.setenv("STREAMS_KAFKA__BOOTSTRAP", bootstrap)
        monkeypatch.setenv("STREAMS_CONNECTIONS__KLAVIYO__MODE", "shadow")
        monkeypatch.setenv("STREAMS_CONNECTIONS__KLAVIYO__CREDENTIALS", "pk_81c2f0aa")
        self.kafka = KafkaSettings(bootstrap=bootstrap)
        self.names = Names(prefix)
        self.control = ControlTopic(self.kafka, self.names.control)
        self.topic = self.names.deliveries(NAME)
        self._producer = Producer(self.kafka.producer())
        specs = [
            TopicSpec(name=each.name, partitions=PARTITIONS, replication=1, config=each.config)
            for each in self.names.topics([NAME])
        ]
        create_topics(self.kafka, specs)

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run `streams connections …`; exit status (2: a wrong setting), and all that it said."""
        result = CliRunner().invoke(commands, ["connections", *arguments])
        raised = result.exception
        if raised is None or isinstance(raised, SystemExit):
            return result.exit_code, result.output
        return 2, f"{result.output}{type(raised).__name__}: {raised}"

    def standing(self) -> dict[str, Any]:
        """What `list --json` says of the connection."""
        code, said = self.run("list", "--json")

        assert code == 0, said
        found: dict[str, Any] = json.loads(said)
        return found

    @property
    def state(self) -> ConnectionState:
        """What was decided."""
        return self.control.states().get(NAME) or decode_state(NAME, None)

    def write(self, connection: str, value: bytes | None) -> None:
        """Write a record of the control topic as it is."""
        self._produce(self.names.control, key_of(connection).encode(), value)

    def deliver(self, *customers: str, times: int = 1) -> None:
        """Append an event of each customer, in so many transactions."""
        producer = Producer(self.kafka.transactional(f"{self.topic}-{time.monotonic_ns()}"))
        producer.init_transactions(_PATIENCE)
        encode = struct_writer(codec("events/enriched"))
        for number in range(times):
            producer.begin_transaction()
            for each in customers:
                event = shop_event(each, number)
                producer.produce(
                    self.topic, encode(event), customer_key(event.merchant, event.customer_id)
                )
            producer.commit_transaction(_PATIENCE)

    def low(self, mode: str, *customers: str) -> None:
        """Append an event of each customer to the low topic, as a replay of this mode does."""
        producer, topic = Producer(self.kafka.producer()), self.names.low(NAME)
        encode = struct_writer(codec("events/enriched"))
        for each in customers:
            event = shop_event(each, 1)
            key = customer_key(event.merchant, event.customer_id)
            headers: Headers = [(MODE, mode.encode()), (RUN, b"r1")]
            producer.produce(topic, encode(event), key, headers=headers)

        assert producer.flush(_PATIENCE) == 0

    def low_passes(self) -> None:
        """Let the low lane have finished all that it holds now."""
        topic = self.names.profiles_changelog(NAME)
        ends = Watermarks(self.kafka, self.names.low(NAME)).stable(range(PARTITIONS))
        for partition, end in ends.items():
            value = encode_low(end, "outcomes=0")
            self._producer.produce(topic, value, low_key(), partition=partition)

        assert self._producer.flush(_PATIENCE) == 0

    def begin(self, group: str, topic: str) -> None:
        """Let a group have finished all that a topic holds now."""
        ends = Watermarks(self.kafka, topic).stable(range(PARTITIONS))
        commit_offsets(self.kafka, group, topic, ends)

    def derive_begins(self) -> None:
        """Let derive have finished all there is."""
        derived = self.names.derived(ORDERGROOVE)
        self.begin(derived.group, derived.topic)

    def deliver_begins(self) -> None:
        """Let the connection's workers have finished all there is."""
        self.begin(self.names.deliver_group(NAME), self.topic)

    def outcome(self, customer: str, number: int, *, at: int = 0, **told: Any) -> None:
        """Write an outcome of a customer's event, now or `at`; `filtered: shadow` unless told."""
        now = time.time_ns() // 1_000_000
        record = {
            "delivery_id": f"{customer}-{number}",
            "part": "event",
            "connection": NAME,
            "destination": NAME,
            "event_id": f"{customer}-{number}",
            "type": "order.success",
            "merchant": MERCHANT,
            "customer_id": customer,
            "outcome": "filtered",
            "reason": "shadow",
            "field": None,
            "final": True,
            "attempts": 0,
            "status": None,
            "latency_ms": None,
            "request_digest": None,
            "field_hashes": {},
            "topic": self.topic,
            "partition": 0,
            "offset": number,
            "occurred_at": now,
            "recorded_at": now,
        } | told
        value = codec("outcome").encode(record)
        name = str(record["connection"]).encode()
        self._produce(self.names.outcomes, customer.encode(), value, name, at)

    def dead_letter(self, key: str, value: bytes | None) -> None:
        """Write a dead letter, or settle it."""
        self._produce(self.names.dead_letters(NAME), key.encode(), value)

    def source_record(self, timestamp: int) -> None:
        """Write a record that derive has not seen, at a time (epoch milliseconds)."""
        topic = self.names.derived(ORDERGROOVE).topic
        self._producer.produce(topic, b"?", b"m:c", timestamp=timestamp)

        assert self._producer.flush(_PATIENCE) == 0

    def _produce(
        self, topic: str, key: bytes, value: bytes | None, connection: bytes = b"", at: int = 0
    ) -> None:
        headers: Headers = [(CONNECTION_HEADER, connection)]
        self._producer.produce(topic, value, key, headers=headers, timestamp=at)

        assert self._producer.flush(_PATIENCE) == 0
