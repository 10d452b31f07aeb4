"""The whole program around two people, of whom one is erased: processes, vendors, and a scan.

The scan looks for somebody wherever readers would still find them: the newest record of each key of
compacted topics, and what the vendors know. Their key alone may stand there, beside the mark.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from confluent_kafka import Producer

from streams.avro import codec
from streams.demo.broker import free_ports
from streams.demo.children import Child, stop
from streams.demo.observation import Topics
from streams.engine.admin import describe_topics
from streams.engine.kafka import KafkaSettings
from streams.model.ids import customer_key
from streams.names import Names
from streams.sources import okendo, ordergroove
from tests.support.engine_world import until
from tests.support.health_pages import until_ready
from tests.support.webhooks import MERCHANT, order, person, subscription, webhook

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path
    from types import TracebackType

VENDORS = ("klaviyo", "attentive", "ometria")
DELETING = ("klaviyo", "attentive")
"""Those that offer deletion, and are simulated; the other one is in shadow."""
PARTITIONS = 3
PATIENCE = 120.0
MARK = 45
"""Bytes of a row that is a mark, at most."""
HASH_KEY = "sixteen bytes and more"
ENRICHED = codec("events/enriched")


class Somebody(NamedTuple):
    """A customer of the shop who is a member of its programme too."""

    customer: str
    member: str
    email: str
    phone: str
    first_name: str
    last_name: str

    @property
    def key(self) -> bytes:
        """Of the customer."""
        return customer_key(MERCHANT, self.customer)

    @property
    def traces(self) -> list[str]:
        """What nobody may find of them any more."""
        return [*self]

    def events(self, at: int, id_: str = "a1") -> list[bytes]:
        """They come, and subscribe; times are epoch seconds."""
        own = {"merchant_user_id": self.customer, "customer": self.customer}
        who = person(
            email=self.email,
            phone_number=self.phone,
            first_name=self.first_name,
            last_name=self.last_name,
            created=at,
        )
        bought = subscription(f"{id_}-{self.customer}", at, created=at)
        return [
            webhook("subscriber.create", who | own, at),
            webhook("subscription.create", bought | own, at + 1),
            webhook("order.success", order(f"o-{self.customer}-{at}") | own, at + 2),
        ]


NOOR = Somebody(
    "0088771", "6d1b7c1e-9a10", "noor.quill@shop-demo.io", "+12125550147", "Noorwen", "Quillfeather"
)
NINA = Somebody(
    "0099442", "7e2c8d2f-0b21", "nina.vale@shop-demo.io", "+13125550148", "Ninabel", "Valestrand"
)


class Said(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


class EraseWorld:
    """One test's broker, topics, vendors and workers; a context manager that ends them."""

    def __init__(self, bootstrap: str, prefix: str, folder: Path) -> None:
        self.kafka = KafkaSettings(bootstrap=bootstrap)
        self.names = Names(prefix)
        self.topics = Topics(bootstrap)
        self._folder = folder
        self._children: dict[str, Child] = {}
        ports = free_ports(len(DELETING))
        self.urls = {v: f"http://127.0.0.1:{p}" for v, p in zip(DELETING, ports, strict=True)}
        self.environment = {
            "STREAMS_PREFIX": prefix,
            "STREAMS_KAFKA__BOOTSTRAP": bootstrap,
            "STREAMS_TOPICS__PARTITIONS": str(PARTITIONS),
            "STREAMS_TOPICS__REPLICATION": "1",
            "STREAMS_DERIVE__HISTORY": "complete",
            "STREAMS_DERIVE__FLOWS_FROM": "beginning",
            "STREAMS_DERIVE__CHECKOUT_SETTLE": "0s",
            "STREAMS_OKENDO__TIERS": '["Bronze"]',
            "STREAMS_HASH_KEY": HASH_KEY,
            "STREAMS_CONNECTIONS__OMETRIA__MODE": "shadow",
            "STREAMS_CONNECTIONS__OMETRIA__START": "beginning",
        }
        for vendor, url in self.urls.items():
            ours = f"STREAMS_CONNECTIONS__{vendor.upper()}"
            self.environment |= {
                f"{ours}__MODE": "live",
                f"{ours}__START": "beginning",
                f"{ours}__CREDENTIALS": "pk_7d1c0f5e",
                f"{ours}__LIMITS": "off",
                f"{ours}__PARK_AFTER": "1s",
                f"{ours}__URL": url,
            }

    def __enter__(self) -> Self:
        """Create the topics; have the vendors, and the workers."""
        assert self.run("topics", "create").code == 0
        for vendor, url in self.urls.items():
            port = url.rpartition(":")[2]
            self._start(vendor, "simulate", vendor, "--port", port, "--limits", "off")
        self.work()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End all processes."""
        stop(list(self._children.values()))

    def work(self) -> None:
        """Start the workers that do not run."""
        ports = free_ports(2)
        roles = {"derive": ("derive",), "deliver": ("deliver", "--all")}
        started = [
            (self._start(name, "worker", *role, "--port", str(port)), port)
            for (name, role), port in zip(roles.items(), ports, strict=True)
        ]
        for child, port in started:
            until_ready(child, port)

    def kill(self) -> None:
        """Kill the workers, as a machine that fails does."""
        for name in ("derive", "deliver"):
            child = self._children.pop(name)
            child.process.send_signal(signal.SIGKILL)
            child.process.wait()

    def run(self, *arguments: str) -> Said:
        """Run a command to its end."""
        done = subprocess.run(
            [sys.executable, "-m", "streams", *arguments],
            cwd=self._folder,
            env=dict(os.environ) | self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def tell(self, *bodies: bytes) -> None:
        """Write webhooks of the shop to their topic, as ingest maps them."""
        records = [ordergroove.record_of(each) for each in bodies]
        keyed = [(customer_key(each["merchant"], each["customer_id"]), each) for each in records]
        topic, encode = self.names.events("ordergroove"), codec("sources/ordergroove").encode
        self.append(topic, [(key, encode(each)) for key, each in keyed])

    def tell_loyalty(self, *bodies: bytes) -> None:
        """The same of the programme's."""
        now = time.time_ns() // 1_000_000
        records = [okendo.record_of(okendo.Webhook(each), now) for each in bodies]
        keyed = [(customer_key(each["merchant"], each["customer_id"]), each) for each in records]
        topic, encode = self.names.events("okendo"), codec("sources/okendo").encode
        self.append(topic, [(key, encode(each)) for key, each in keyed])

    def append(self, topic: str, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Append records as they are, (key, value)."""
        producer = Producer(self.kafka.producer())
        for key, value in records:
            producer.produce(topic, value, key)
        assert producer.flush(PATIENCE) == 0

    def faults(self, vendor: str, *faults: Mapping[str, Any]) -> None:
        """Have a vendor do these things wrong from now on."""
        body = json.dumps({"faults": faults}).encode()
        url = f"{self.urls[vendor]}/_control/faults"
        kind = {"content-type": "application/json"}
        asked = urllib.request.Request(url, body, kind, method="PUT")  # noqa: S310 - our simulator
        with urllib.request.urlopen(asked, timeout=PATIENCE):  # noqa: S310 - as above
            pass

    def state(self, vendor: str) -> str:
        """All that a vendor knows, as text."""
        url = f"{self.urls[vendor]}/_control/state"
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:  # noqa: S310 - as above
            return str(answer.read().decode())

    def outcomes(self) -> list[dict[str, Any]]:
        """All outcomes."""
        decode = codec("outcome").decode
        return [decode(each.value()) for each in self.topics.records(self.names.outcomes)]

    def live(self, topic: str) -> dict[bytes, bytes]:
        """What a compacted topic says: the newest of each key."""
        newest: dict[bytes, bytes | None] = {}
        for message in self.topics.records(topic):
            newest[message.key() or b""] = message.value()
        return {key: value for key, value in newest.items() if value is not None}

    def views(self) -> Iterator[tuple[str, bytes]]:
        """(Where, what readers find there): a record's value, and its key but for marks' keys."""
        compacted = [
            each.name
            for each in self.names.topics(VENDORS, ("ordergroove", "okendo"))
            if "compact" in each.config["cleanup.policy"]
        ]
        rebuilt = self.names.changelog("ordergroove", 1)
        if describe_topics(self.kafka, [rebuilt])[rebuilt] is not None:
            compacted.append(rebuilt)
        for topic in compacted:
            for key, value in self.live(topic).items():
                yield topic, value
                if not (".changelog" in topic and len(value) <= MARK):
                    yield topic, key
        for vendor in DELETING:
            yield vendor, self.state(vendor).encode()

    def found(self, who: Somebody) -> set[tuple[str, str]]:
        """(Where, which trace) of somebody."""
        return {
            (where, trace)
            for where, what in self.views()
            for trace in who.traces
            if trace.lower().encode() in what.lower()
        }

    def passed(self) -> None:
        """Wait until derive has read all there is."""
        for source in ("ordergroove", "okendo"):
            until(partial(self._is_derived, source), f"{source} is derived")

    def _is_derived(self, source: str) -> bool:
        derived = self.names.derived(source)
        return self.topics.behind(derived.group, derived.topic) == 0

    def concluded(self, event_type: str, who: Somebody) -> dict[str, str]:
        """Connection → final outcome of somebody's events of a type."""
        return {
            each["connection"]: each["outcome"]
            for each in self.outcomes()
            if (each["type"], each["customer_id"]) == (event_type, who.customer) and each["final"]
        }

    def _start(self, name: str, *arguments: str) -> Child:
        child = Child(name, arguments, self._folder, self.environment)
        self._children[name] = child
        return child
