"""Timers of the derive worker on a real broker: they live in the row, so they survive its owner.

The source topic of most tests here says its records' times itself (`CreateTime`), and they lie ten
minutes ahead: no clock reaches a timer, only a later record does. So it is certain what happens
between a record and its timer. The last test leaves time to the clock, as in production.
"""

from __future__ import annotations

import signal
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest
from confluent_kafka import Producer

from streams.avro import codec
from streams.demo.broker import free_ports
from streams.demo.children import Child, stop
from streams.demo.observation import Topics
from streams.engine.admin import TopicSpec, create_topics
from streams.engine.kafka import KafkaSettings
from streams.engine.partitioning import partition_of
from streams.model.ids import customer_key, fact_id
from streams.model.row_bytes import decode_row, row_due
from streams.names import Names
from streams.sources.ordergroove import record_of
from tests.support.engine_world import until
from tests.support.health_pages import until_ready
from tests.support.webhooks import MERCHANT, order, subscription, webhook

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

SKEW = Path(__file__).parents[1] / "chaos" / "skew"
"""Where a process finds its wrong clock."""
PARTITIONS = 4
PATIENCE = 60.0
SETTLE = 3_000
AHEAD = 600_000
"""Milliseconds by which records lie ahead of the clock: it must not reach them in a test."""
SAMPLE = codec("sources/ordergroove")
KLAVIYO = "klaviyo"
CREATED, CREATE, CANCEL = (
    f"subscriber.{each}" for each in ("subscriptions_created", "create", "cancel")
)
Told = tuple[str, str]


class Shop:
    """Topics of one test, webhooks in them, and derive workers as children."""

    def __init__(self, bootstrap: str, prefix: str, folder: Path) -> None:
        self.names = Names(prefix)
        self.source = self.names.events("ordergroove")
        self.topics = Topics(bootstrap)
        self._bootstrap = bootstrap
        self._prefix = prefix
        self._folder = folder
        self._children: list[Child] = []
        self._port = 0
        self.begin = int(time.time()) * 1_000

    def __enter__(self) -> Self:
        """Return the shop."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the workers."""
        stop(self._children)

    def create(self, *, clock: bool) -> Self:
        """Create all topics; `clock`: the source's times are the broker's."""
        kind = {"message.timestamp.type": "LogAppendTime" if clock else "CreateTime"}
        create_topics(
            KafkaSettings(bootstrap=self._bootstrap),
            [
                TopicSpec(
                    name=each.name,
                    partitions=PARTITIONS,
                    replication=1,
                    config=each.config | (kind if each.name == self.source else {}),
                )
                for each in self.names.topics([KLAVIYO])
            ],
        )
        return self

    def append(self, bodies: Sequence[bytes], at: int) -> None:
        """Append webhooks as records of epoch millisecond `at`."""
        producer = Producer({"bootstrap.servers": self._bootstrap, "partitioner": "murmur2_random"})
        for body in bodies:
            record = record_of(body, at)
            key = customer_key(record["merchant"], record["customer_id"])
            producer.produce(self.source, SAMPLE.encode(record), key, timestamp=at)
        assert producer.flush(PATIENCE) == 0

    def worker(
        self, name: str, *, static: bool = True, rehearse: str | None = None, off: int = 0
    ) -> Child:
        """Start a derive worker; with a name that was used before it is a restart of that one.

        A static member's partitions wait for its restart, a dynamic one's are given to others.
        `off`: seconds by which its clock is wrong.
        """
        environment = {
            "STREAMS_PREFIX": self._prefix,
            "STREAMS_KAFKA__BOOTSTRAP": self._bootstrap,
            "STREAMS_DERIVE__HISTORY": "complete",
            "STREAMS_DERIVE__FLOWS_FROM": "beginning",
            "STREAMS_DERIVE__CHECKOUT_SETTLE": f"{SETTLE}ms",
            "STREAMS_DERIVE__CANCEL_SETTLE": f"{SETTLE}ms",
            f"STREAMS_CONNECTIONS__{KLAVIYO.upper()}__MODE": "shadow",
        }
        if static:
            environment["STREAMS_KAFKA__INSTANCE_ID"] = name
        if off:
            environment |= {"STREAMS_TEST_CLOCK": str(off), "PYTHONPATH": str(SKEW)}
        if rehearse is not None:
            environment["STREAMS_REHEARSE"] = rehearse
        [port] = free_ports(1)
        arguments = ("worker", "derive", "--port", str(port))
        child = Child(f"{name}-{len(self._children)}", arguments, self._folder, environment)
        self._children.append(child)
        self._port = port
        return child

    def ready_worker(self, name: str, *, static: bool = True) -> Child:
        """Start a derive worker, and wait until it is a member with its state restored."""
        child = self.worker(name, static=static)
        until_ready(child, self._port)
        return child

    def committed(self) -> None:
        """Wait until every record is committed."""
        group = self.names.derive_group
        until(lambda: self.topics.behind(group, self.source) == 0, "everything is committed")

    def told(self) -> dict[bytes, list[Told]]:
        """Customer → (type, id) of each delivery that a `read_committed` reader sees, in order."""
        decode = codec("events/enriched").decode
        found: defaultdict[bytes, list[Told]] = defaultdict(list)
        for message in self.topics.records(self.names.deliveries(KLAVIYO)):
            event = decode(message.value())
            found[message.key() or b""].append((event["type"], event["event_id"]))
        return dict(found)

    def waiting(self) -> set[bytes]:
        """The customers whose newest row has a timer."""
        rows = {m.key(): m.value() for m in self.topics.records(self.names.subscribers_changelog)}
        return {key or b"" for key, value in rows.items() if value and row_due(decode_row(value))}


def names(count: int) -> list[str]:
    """Customers, so many in each partition."""
    found: defaultdict[int, list[str]] = defaultdict(list)
    number = 0
    while len(found) < PARTITIONS or min(map(len, found.values())) < count:
        name = f"{number:05}"
        place = found[partition_of(customer_key(MERCHANT, name), PARTITIONS)]
        place += [name] * (len(place) < count)
        number += 1
    return [name for place in found.values() for name in place]


def life(name: str, at: int, *, back: bool) -> list[bytes]:
    """Two subscriptions of one checkout, both cancelled; `back`: one lives again at once."""
    second = at // 1_000

    def one(action: str, which: str, when: int, *, live: bool) -> bytes:
        content = subscription(f"{name}-{which}", when, live=live, merchant_order_id=f"no-{name}")
        return webhook(f"subscription.{action}", content | {"customer": name}, when)

    bodies = [one("create", which, second, live=True) for which in "ab"]
    bodies += [one("cancel", which, second + 1, live=False) for which in "ab"]
    return [*bodies, one("reactivate", "a", second + 2, live=True)] if back else bodies


def concluded(name: str, at: int, *, back: bool) -> list[Told]:
    """What is concluded of that life, in order: the customer leaves, unless back in time."""
    second = at // 1_000 * 1_000
    create = (CREATE, fact_id(CREATE, MERCHANT, name))
    checkout = (CREATED, fact_id(CREATED, MERCHANT, name, f"no-{name}"))
    last = max(f"{name}-a", f"{name}-b", key=lambda id_: ends(id_, second))
    cancel = (CANCEL, fact_id(CANCEL, MERCHANT, name, last, second + 1_000))
    return [create, checkout] if back else [create, checkout, cancel]


def ends(id_: str, second: int) -> str:
    """The event id of a subscription's end, which of two in one second says the newest."""
    name = id_.partition("-")[0]
    bodies = life(name, second, back=False)
    records = [record_of(body) for body in bodies[2:]]
    [found] = [r["event_id"] for r in records if r["object"][1]["public_id"] == id_]
    return str(found)


@pytest.fixture
def shop(broker: str, prefix: str, tmp_path: Path) -> Shop:
    """Return a shop; its topics are still to be created."""
    return Shop(broker, prefix, tmp_path)


class Customers:
    """Who leaves and who is back, and what must be told of each."""

    def __init__(self, at: int) -> None:
        self.at = at
        found = names(3)
        self._strangers = found[2::3]
        self.back = dict.fromkeys(found[0::3], False) | dict.fromkeys(found[1::3], True)
        self.keys = {customer_key(MERCHANT, name) for name in self.back}

    def bodies(self) -> list[bytes]:
        """All their webhooks."""
        return [body for name, back in self.back.items() for body in life(name, self.at, back=back)]

    def later(self) -> list[bytes]:
        """A webhook of somebody else in each partition: time goes on with it, and nothing else."""
        second = self.at // 1_000 + 60
        return [
            webhook("order.create", order() | {"customer": name}, second)
            for name in self._strangers
        ]

    def concluded(self) -> dict[bytes, list[Told]]:
        """Everything that is concluded of them."""
        return {
            customer_key(MERCHANT, name): concluded(name, self.at, back=back)
            for name, back in self.back.items()
        }


def conclusions(told: dict[bytes, list[Told]]) -> dict[bytes, list[Told]]:
    """What was told without the source's own events and profiles."""
    return {
        key: [each for each in of if each[0].startswith("subscriber.")] for key, of in told.items()
    }


def of_records(expected: dict[bytes, list[Told]]) -> dict[bytes, list[Told]]:
    """What is told with the records, before any timer."""
    return {key: of[:1] for key, of in expected.items()}


def test_timers_outlive_a_killed_worker(shop: Shop) -> None:
    """Kill -9 between the records and their timers, then inside the very transaction that tells.

    Everything is told exactly once, to a `read_committed` reader, and nothing waits any more.
    """
    at = shop.begin + AHEAD
    people = Customers(at)
    with shop.create(clock=False):
        shop.append(people.bodies(), at)
        worker = shop.ready_worker("w")
        shop.committed()
        worker.process.send_signal(signal.SIGKILL)
        worker.process.wait()
        before, waiting = conclusions(shop.told()), shop.waiting()
        shop.append(people.later(), at + SETTLE)
        code = shop.worker("w", rehearse="kill@offsets#1").process.wait(PATIENCE)
        cut_short = conclusions(shop.told())
        shop.ready_worker("w")
        shop.committed()
        after = conclusions(shop.told())
        left = shop.waiting()

    assert of_records(people.concluded()) == before == cut_short
    assert people.keys == waiting
    assert -signal.SIGKILL == code
    assert people.concluded() == after
    assert set() == left


def test_timers_move_with_their_partitions(shop: Shop) -> None:
    """A worker leaves with timers pending: who gets its partitions fires them, once each."""
    at = shop.begin + AHEAD
    people = Customers(at)
    with shop.create(clock=False):
        first, _ = (shop.ready_worker(name, static=False) for name in ("w1", "w2"))
        shop.append(people.bodies(), at)
        shop.committed()
        before, waiting = conclusions(shop.told()), shop.waiting()
        first.process.send_signal(signal.SIGTERM)
        code = first.process.wait(PATIENCE)
        shop.append(people.later(), at + SETTLE)
        shop.committed()
        after = conclusions(shop.told())

    assert of_records(people.concluded()) == before
    assert people.keys == waiting
    assert 0 == code
    assert people.concluded() == after
    assert set() == shop.waiting()


@pytest.mark.parametrize(
    "off",
    [pytest.param(0, marks=pytest.mark.long), -7_200, 7_200],
    ids=["right", "behind", "ahead"],
)
def test_an_idle_topic_fires_by_the_clock(shop: Shop, off: int) -> None:
    """No record comes any more, and the worker that had read them was killed at its commit.

    Time goes on all the same, and its successor tells, however far off its own clock is.
    """
    people = Customers(shop.begin)
    with shop.create(clock=True):
        shop.append(people.bodies(), shop.begin)
        killed = shop.worker("w", rehearse="kill@committed#1").process.wait(PATIENCE)
        waiting = shop.waiting()
        shop.worker("w", off=off)
        shop.committed()
        until(lambda: not shop.waiting(), "nothing waits any more")
        told = conclusions(shop.told())

    assert -signal.SIGKILL == killed
    assert waiting
    assert people.concluded() == told
