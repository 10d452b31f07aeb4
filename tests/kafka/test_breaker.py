"""The breaker on a real broker: a partition, or a connection, stops before its topic drains."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from confluent_kafka import Producer
from typing_extensions import override

from streams.avro import codec
from streams.breaker import Rule
from streams.demo.broker import free_ports
from streams.demo.children import Child, stop
from streams.demo.observation import Topics, dead_letters
from streams.engine.admin import TopicSpec, create_topics
from streams.engine.job_handler import JobHandler
from streams.engine.kafka import KafkaSettings
from streams.engine.lane import Lane, PollOptions
from streams.engine.transactional import Transactional
from streams.model.ids import customer_key
from streams.names import Names
from streams.simulators.faults import Fault
from streams.sources.ordergroove import record_of
from tests.support.delivery_world import DeliveryWorld, identity, in_order, shop_event
from tests.support.engine_job import Counting
from tests.support.engine_world import PARTITIONS, PATIENCE, Driver, World, until
from tests.support.webhooks import CUSTOMER, MERCHANT, START, subscription, webhook

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from confluent_kafka import Message

    from streams.engine.job import Outputs
    from streams.engine.rows import Rows

RULE = Rule(at_least=20, retry=0.1)
BAD = b"bad"


class Fussy(Counting):
    """Counts, but gives up on records whose value begins with `bad` until it is mended."""

    def __init__(self, out: str) -> None:
        super().__init__(out)
        self._out = out
        self.mended = False

    @override
    def apply(self, message: Message, rows: Rows, outputs: Outputs) -> None:
        """Count, or write a dead letter."""
        value = message.value() or b""
        if value.startswith(BAD) and not self.mended:
            outputs.append((self._out, message.key(), b"dead:" + value, None))
            rows.gave_up("malformed", None)
        else:
            super().apply(message, rows, outputs)


@pytest.fixture
def world(broker: str, prefix: str) -> World:
    """Return topics of the test's own and a group that begins at their beginning."""
    return World(broker, prefix).create()


def fussy(world: World, job: Fussy, name: str = "t") -> Driver:
    """Return the job on the world's topics, exactly once."""
    publication = Transactional(world.kafka, f"{world.prefix}-{name}")
    handler = JobHandler(world.kafka, job, world.log, publication, rule=RULE)
    options = PollOptions(max_batch=50, poison_limit=3, idle_ms=50)
    lane = Lane(
        name="fussy", topic=world.source, group=world.prefix, handler=handler, options=options
    )
    return Driver(world, lane)


def keys(world: World) -> list[bytes]:
    """A key of each partition, in the partitions' order."""
    found = {world.partition(key): key for key in (b"key-%d" % n for n in range(50))}
    return [found[partition] for partition in range(PARTITIONS)]


def values(world: World) -> dict[bytes, list[bytes]]:
    """What was done with each key's records, in order, whatever it was."""
    return {
        key: [line.split(b":", 1)[1] for line in lines] for key, lines in world.outputs().items()
    }


def fed(world: World) -> dict[bytes, list[bytes]]:
    """The records of each key, in order."""
    found: dict[bytes, list[bytes]] = {}
    for key, value in world.fed:
        found.setdefault(key, []).append(value)
    return found


def dead(world: World) -> int:
    """How many were given up on."""
    return sum(line.startswith(b"dead:") for lines in world.outputs().values() for line in lines)


def is_stopped(driver: Driver) -> bool:
    """Whether the lane says that a partition is stopped."""
    return "stopped" in (driver.poller.not_ready or "")


def test_a_partition_stops_and_goes_on_after_the_fix(world: World) -> None:
    """Nothing of it is committed, others go on, the process lives; mended, all are done once."""
    bad, *good = keys(world)
    world.feed([(bad, b"bad %d" % n) for n in range(100)])
    world.feed([(key, b"good %d" % n) for key in good for n in range(60)])
    job = Fussy(world.out)

    async def scenario() -> tuple[Mapping[str, int], str | None, int, int]:
        async with fussy(world, job) as driver:
            await driver.until(lambda: is_stopped(driver), "it stops")
            statistics = driver.poller.statistics
            await driver.until(lambda: statistics.resets > 5, "it was tried again and again")
            await driver.until(lambda: world.committed() >= 60 * len(good), "the others go on")
            await driver.until(lambda: driver.poller.lag.get(0, 0) > 0, "its lag is seen")
            states, reason = statistics.breakers, driver.poller.not_ready
            committed, given_up = world.committed(), dead(world)
            job.mended = True
            await driver.until(lambda: world.committed() >= len(world.fed), "all is committed")
            assert not driver.poller.not_ready
            assert {"0": 0, "1": 0, "2": 0, "3": 0} == statistics.breakers
            return states, reason, committed, given_up

    states, reason, committed, given_up = asyncio.run(scenario())

    assert {"0": 1, "1": 0, "2": 0, "3": 0} == states
    assert "partition 0 stopped, " in str(reason)
    assert "failed alike: malformed" in str(reason)
    assert 60 * len(good) + given_up == committed
    assert given_up == dead(world) < RULE.at_least
    assert fed(world) == values(world)


def test_a_restart_goes_on_from_the_committed_offset(world: World) -> None:
    """The worker that stopped ends in the orderly way; its mended successor does the rest."""
    bad, *_ = keys(world)
    world.feed([(bad, b"bad %d" % n) for n in range(100)])

    async def scenario() -> int:
        async with fussy(world, Fussy(world.out)) as driver:
            await driver.until(lambda: is_stopped(driver), "it stops")
        given_up = dead(world)
        mended = Fussy(world.out)
        mended.mended = True
        async with fussy(world, mended) as driver:
            await driver.until(lambda: world.committed() >= 100, "all is committed")
        return given_up

    given_up = asyncio.run(scenario())

    assert given_up == dead(world) < RULE.at_least
    assert fed(world) == values(world)


def test_a_partition_is_given_up_while_it_is_stopped(world: World) -> None:
    """Another worker takes it over and begins closed; the first one is ready without it."""
    world.feed([(key, b"bad %d" % n) for key in keys(world) for n in range(40)])
    first, second = Fussy(world.out), Fussy(world.out)
    second.mended = True

    async def scenario() -> None:
        async with fussy(world, first) as stopped:
            every = dict.fromkeys("0123", 1)
            await stopped.until(lambda: stopped.poller.statistics.breakers == every, "all stop")
            async with fussy(world, second, "u") as going:
                await going.until(lambda: len(going.poller.owned) == 2, "it has its share")
                mine = {str(each) for each in stopped.poller.owned}
                await stopped.until(
                    lambda: stopped.poller.statistics.breakers == dict.fromkeys(mine, 1),
                    "the first forgets the others",
                )
                assert not any(
                    f"partition {each} " in str(stopped.poller.not_ready)
                    for each in going.poller.owned
                )
                first.mended = True
                await going.until(lambda: world.committed() >= len(world.fed), "all is committed")

    asyncio.run(scenario())

    assert fed(world) == values(world)
    assert dead(world) < RULE.at_least * PARTITIONS


class Garbage:
    """A source topic of garbage with one good record behind it, and derive workers."""

    def __init__(self, bootstrap: str, prefix: str, folder: Path, number: int) -> None:
        self.names = Names(prefix)
        self.topics = Topics(bootstrap)
        self.children: list[Child] = []
        self._folder = folder
        self._environment = {
            "STREAMS_PREFIX": prefix,
            "STREAMS_KAFKA__BOOTSTRAP": bootstrap,
            "STREAMS_DERIVE__HISTORY": "complete",
            "STREAMS_CONNECTIONS__KLAVIYO__MODE": "shadow",
            "STREAMS_BREAKER__RETRY": "500ms",
        }
        kafka = KafkaSettings(bootstrap=bootstrap)
        specs = [
            TopicSpec(name=each.name, partitions=PARTITIONS, replication=1, config=each.config)
            for each in self.names.topics(["klaviyo"])
        ]
        create_topics(kafka, specs)
        body = webhook("subscription.create", subscription("a1", START, live=True))
        good = codec("sources/ordergroove").encode(record_of(body, START * 1_000))
        producer = Producer(kafka.producer())
        for value in (*(b"\x00\x00\x00\x00\x01no" for _ in range(number)), good):
            producer.produce(
                self.names.events("ordergroove"), value, customer_key(MERCHANT, CUSTOMER)
            )
        assert producer.flush(PATIENCE) == 0

    def worker(self, at_least: int) -> Child:
        """Start a worker whose breaker wants so many."""
        [self._port] = free_ports(1)
        environment = self._environment | {"STREAMS_BREAKER__AT_LEAST": str(at_least)}
        arguments = ("worker", "derive", "--port", str(self._port))
        name = f"derive-{len(self.children)}"
        self.children.append(Child(name, arguments, self._folder, environment))
        return self.children[-1]

    def page(self, path: str) -> str:
        """A page of the last worker; empty while it does not answer."""
        self.children[-1].check()
        try:
            return httpx2.get(f"http://127.0.0.1:{self._port}{path}").text
        except httpx2.TransportError:
            return ""

    def behind(self) -> int:
        """How many source records are not committed."""
        return self.topics.behind(self.names.derive_group, self.names.events("ordergroove"))

    def letters(self) -> Counter[str]:
        """Committed dead letters by reason."""
        return dead_letters(self.topics, self.names.dead_letters("ordergroove"))


def test_a_topic_of_garbage_stops_the_derive_worker(
    broker: str, prefix: str, tmp_path: Path
) -> None:
    """It says so in health and metrics; who has looked and lets it through loses nothing."""
    shop = Garbage(broker, prefix, tmp_path, 150)
    try:
        stopped = shop.worker(at_least=100)
        until(lambda: "stopped" in shop.page("/readyz"), "it is unready")
        reason, metrics = shop.page("/readyz"), shop.page("/metrics")
        stop([stopped])
        behind, before = shop.behind(), shop.letters()
        shop.worker(at_least=1_000_000)
        until(lambda: shop.behind() == 0, "all is committed")
    finally:
        stop(shop.children)
    deliveries = list(shop.topics.records(shop.names.deliveries("klaviyo")))
    states = [line for line in metrics.splitlines() if line.startswith("streams_breaker_open{")]

    assert "failed alike: malformed" in reason
    assert ["1.0"] == [line.rsplit(" ", 1)[1] for line in states]
    assert 0 <= before["malformed"] < 100
    assert 151 - before["malformed"] == behind
    assert Counter(malformed=150) == shop.letters()
    assert deliveries


def test_a_vendor_that_refuses_everything_stops_the_deliver_worker(
    broker: str, prefix: str
) -> None:
    """After the fix all others arrive, once and in order; nothing more was given up."""
    day = [shop_event(f"c{c}", n) for n in range(6) for c in range(20)]

    async def story(world: DeliveryWorld) -> None:
        async with world:
            world.feed(*day)
            (port,) = free_ports(1)
            await world.start("--port", str(port))
            url = f"http://127.0.0.1:{port}"
            await asyncio.to_thread(until_shown, url, 1)
            before.extend(await world.dead_letters())
            before_lag.append(await world.lag())
            world.simulator.set_faults(())
            await world.until_concluded()
            await asyncio.to_thread(until_shown, url, 0)
            letters.extend(await world.dead_letters())

    before: list[Any] = []
    before_lag: list[int] = []
    letters: list[Any] = []
    refusing = [Fault(kind="status", status=400)]
    world = DeliveryWorld(broker, prefix, refusing, BREAKER__AT_LEAST="30", BREAKER__RETRY="500ms")
    asyncio.run(story(world))
    lost = {each["delivery_id"] for each in letters}

    assert 29 == len(lost)
    assert len(day) - 29 <= before_lag[0]
    assert sorted({identity(each) for each in day} - lost) == sorted(world.accepted)
    assert in_order(day, world.accepted)


def until_shown(url: str, state: int) -> None:
    """Wait until a connection's worker shows its breaker as open (1) or closed (0)."""
    line = f'streams_breaker_open{{lane="klaviyo",partition="all"}} {state}.0'

    def is_shown() -> bool:
        with closing(httpx2.Client(base_url=url)) as client:
            try:
                ready = client.get("/readyz").status_code == 200
                return line in client.get("/metrics").text and ready is (state == 0)
            except httpx2.TransportError:
                return False

    until(is_shown, f"the breaker shows {state}")
