"""Topics and workers of the role hydrate, with Ordergroove's simulated API behind it."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Self

import httpx2
from confluent_kafka import Producer

from streams.avro import codec
from streams.demo.broker import free_ports
from streams.demo.children import Child, stop
from streams.demo.observation import Topics
from streams.engine.admin import TopicSpec, create_topics
from streams.engine.kafka import KafkaSettings
from streams.engine.partitioning import partition_of
from streams.hydrate.row import decode_row
from streams.model.ids import customer_key
from streams.names import Names
from streams.sources.ordergroove import record_of
from tests.support.engine_world import until
from tests.support.health_pages import page, until_ready
from tests.support.webhooks import MERCHANT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from types import TracebackType

    from confluent_kafka import Message

    from streams.hydrate.row import Row

PARTITIONS = 3
PATIENCE = 60.0
KLAVIYO = "klaviyo"
SOURCE = codec("sources/ordergroove")
JSON = dict[str, Any]


def key_of(customer: str) -> bytes:
    """The key that a customer's records must have."""
    return customer_key(MERCHANT, customer)


def value_of(body: bytes, received: int, **changed: Any) -> bytes:
    """A record's bytes; received at epoch second `received`."""
    return SOURCE.encode(record_of(body, received * 1_000) | changed)


def decoded(message: Message) -> JSON:
    """A record of the source topic."""
    return SOURCE.decode(message.value())


class HydrateWorld:
    """One test's topics and processes; a context manager that ends them."""

    def __init__(self, bootstrap: str, prefix: str, folder: Path, *, sold: Iterable[JSON]) -> None:
        self.kafka = KafkaSettings(bootstrap=bootstrap)
        self.topics = Topics(bootstrap)
        self.names = Names(prefix)
        self.prefix = prefix
        self.intake = f"{prefix}.intake"
        self.source = self.names.events("ordergroove")
        self._folder = folder
        self._children: list[Child] = []
        self._sold = [*sold]
        self.api = ""

    def __enter__(self) -> Self:
        """Create the topics, start the API."""
        create_topics(
            self.kafka,
            [
                TopicSpec(name=each.name, partitions=PARTITIONS, replication=1, config=each.config)
                for each in self.names.topics([KLAVIYO], hydrated=self.intake)
            ],
        )
        options = ("simulate", "ordergroove", "--port", "0", "--limits", "off")
        api = Child("api", options, self._folder, {})
        self._children.append(api)
        self.api = api.line("http", PATIENCE).split()[-1]
        self.put("products", *self._sold)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the processes."""
        stop(self._children)

    def put(self, kind: str, *entities: JSON) -> None:
        """Have the merchant's account hold these."""
        self._control("PUT", f"entities/{kind}", {"entities": [*entities]})

    def delete(self, kind: str, id_: str) -> None:
        """Have it hold one no more."""
        self._control("DELETE", f"entities/{kind}/{id_}")

    def faults(self, *faults: JSON) -> None:
        """Let these go wrong from now on, and nothing else."""
        self._control("PUT", "faults", {"faults": [*faults]})

    def asked(self) -> Counter[str]:
        """What was asked of the API, by path."""
        told = httpx2.get(f"{self.api}/_control/requests?limit=100000").json()
        return Counter(each["path"] for each in told["requests"])

    def _control(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> None:
        answer = httpx2.request(method, f"{self.api}/_control/{path}", json=body)
        assert answer.is_success, answer.text

    def append(self, customer: str, *values: bytes, key: bytes | None = None) -> None:
        """Append a customer's records to the topic that hydrate reads."""
        producer = Producer(self.kafka.producer())
        for value in values:
            producer.produce(self.intake, value, key or key_of(customer))
        assert producer.flush(PATIENCE) == 0

    def worker(self, role: str, *, rehearse: str | None = None, **more: str) -> Child:
        """Start a worker; of one role there is one, which a later one takes the place of."""
        environment = {
            "STREAMS_PREFIX": self.prefix,
            "STREAMS_KAFKA__BOOTSTRAP": self.kafka.bootstrap,
            "STREAMS_KAFKA__INSTANCE_ID": role,
            "STREAMS_HYDRATE__TOPIC": self.intake,
            f"STREAMS_ORDERGROOVE__API__{MERCHANT}__URL": self.api,
            f"STREAMS_ORDERGROOVE__API__{MERCHANT}__KEY": "invented",
            "STREAMS_DERIVE__HISTORY": "complete",
            "STREAMS_DERIVE__FLOWS_FROM": "beginning",
            f"STREAMS_CONNECTIONS__{KLAVIYO.upper()}__MODE": "shadow",
            **more,
        }
        if rehearse is not None:
            environment["STREAMS_REHEARSE"] = rehearse
        [self._port] = free_ports(1)
        arguments = ("worker", role, "--port", str(self._port))
        child = Child(f"{role}-{len(self._children)}", arguments, self._folder, environment)
        self._children.append(child)
        return child

    def ready_worker(self, role: str, **more: str) -> Child:
        """Start a worker, and wait until it is a member of its group."""
        child = self.worker(role, **more)
        until_ready(child, self._port)
        return child

    def page(self, name: str) -> tuple[int, str]:
        """A page of the worker that was started last."""
        return page(f"http://127.0.0.1:{self._port}/{name}")

    def hydrated(self) -> None:
        """Wait until hydrate has committed all of its topic."""
        group = self.names.hydrate_group
        until(lambda: self.topics.behind(group, self.intake) == 0, "everything is hydrated")

    def written(self) -> dict[bytes, list[Message]]:
        """What hydrate wrote, by key, in order; each where its key belongs."""
        found: defaultdict[bytes, list[Message]] = defaultdict(list)
        for message in self.topics.records(self.source):
            key = message.key() or b""
            assert message.partition() == partition_of(key, PARTITIONS)
            found[key].append(message)
        return dict(found)

    def rows(self) -> dict[bytes, Row]:
        """The newest row of each customer."""
        rows = {m.key(): m.value() for m in self.topics.records(self.names.entities_changelog)}
        return {key or b"": decode_row(value) for key, value in rows.items()}

    def told(self) -> list[JSON]:
        """What derive told Klaviyo, in the order of the partitions."""
        decode = codec("events/enriched").decode
        messages = self.topics.records(self.names.deliveries(KLAVIYO))
        return [decode(each.value()) for each in messages]
