"""The console's index on a real broker: filled, killed, filled on; forgetful; and its story."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from streams.avro import registry
from streams.cli.console.customers import Customers
from streams.cli.console.index import filler_of, index_of, index_path_of
from streams.cli.timeline.storytelling import Storyteller, TopicReadings
from streams.console.index import Index, IndexAway, holds
from streams.demo.broker import Broker
from streams.engine.admin import TopicSpec, create_topics, describe_topics
from streams.engine.group_offsets import commit_offsets
from streams.engine.kafka import KafkaSettings
from streams.model.ids import customer_key
from streams.names import ORDERGROOVE, Names
from streams.registry import Schemas
from streams.settings import load_settings
from tests.support.console_index import (
    ERASED,
    EVENTS,
    HASH_KEY,
    LIVE,
    LOW,
    OUTCOMES,
    TABLE,
    ShopTopics,
    contents,
    files_of,
)
from tests.support.engine_world import until
from tests.support.webhooks import MERCHANT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from streams.console.filling import Filler
    from streams.settings import Settings

PARTITIONS = 3
HOUR = 3_600_000
SINCE = int(time.time() * 1_000) - 48 * HOUR
NOOR = "0088771"
KEY = customer_key(MERCHANT, NOOR)
CUSTOMERS = [NOOR, *(f"{number:07}" for number in range(40))]
FILLING = """
import sys, time
from streams.avro import registry
from streams.cli.console.customers import Customers
from streams.cli.console.index import filler_of, index_of
from streams.registry import Schemas
from streams.settings import load_settings
settings = load_settings()
filler = filler_of(settings, index_of(settings), Schemas(registry()))
filler.start()
print("started", flush=True)
time.sleep(600)
"""


class World:
    """One test's topics and settings."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.settings: Settings = load_settings()
        self.kafka = KafkaSettings(bootstrap=bootstrap)
        self.names = Names(prefix)
        self.shop = ShopTopics()
        self._sent = dict.fromkeys(self.shop.records, 0)
        self._producer = Producer(self.kafka.producer())
        self.create([each.name for each in self.names.topics(["klaviyo"])])

    def create(self, names: list[str]) -> None:
        """Make these topics."""
        wanted = {each.name: each for each in self.names.topics(["klaviyo"])}
        specs = [
            TopicSpec(name=n, partitions=PARTITIONS, replication=1, config=wanted[n].config)
            for n in names
        ]
        create_topics(self.kafka, specs)

    def name(self, topic: str) -> str:
        """A topic's name under this prefix."""
        return {
            EVENTS: self.names.events(ORDERGROOVE),
            TABLE: self.names.subscribers_changelog,
            OUTCOMES: self.names.outcomes,
            LIVE: self.names.deliveries("klaviyo"),
            LOW: self.names.low("klaviyo"),
            ERASED: self.names.erased,
        }[topic]

    def append(self) -> None:
        """Write what the shop has more than before."""
        for topic, records in self.shop.records.items():
            for at, key, value in records[self._sent[topic] :]:
                self._producer.produce(self.name(topic), value, key, timestamp=at)
            self._sent[topic] = len(records)
        assert self._producer.flush(30) == 0

    def live(self, events: int, start: int = 0) -> None:
        """Let people live, and write it."""
        for number in range(start, start + events):
            who, at = CUSTOMERS[number % len(CUSTOMERS)], SINCE + number * 10_000
            self.shop.event(who, at)
            self.shop.delivery(who, at + 1_000, LOW if number % 5 == 0 else LIVE)
            if number < len(CUSTOMERS):
                self.shop.row(who, f"{who}@shop-demo.io", None, at)
        self.append()

    def index(self) -> Index:
        """The index."""
        return index_of(self.settings)

    def filler(self, index: Index) -> Filler:
        """What fills it, looking for what has changed all the time."""
        filler = filler_of(self.settings, index, Schemas(registry()))
        filler._look_seconds = 0.3
        return filler

    @contextmanager
    def filling(self) -> Iterator[Index]:
        """The index, with everything in it, and followed."""
        index = self.index()
        filler = self.filler(index)
        filler.start()
        try:
            until(partial(self.filled, index), "outcomes are read")
            until(lambda: index.standing().to_go == 0, "everything is read")
            yield index
        finally:
            filler.close()

    def filled(self, index: Index) -> bool:
        """Whether all outcomes are there."""
        return sum(each.count for each in index.minutes(0)) == len(self.shop.records[OUTCOMES])


@pytest.fixture
def settled(prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], World]:
    """Return what makes topics of the test's own on a broker."""

    def made(bootstrap: str) -> World:
        monkeypatch.chdir(tmp_path)
        for name, value in {
            "PREFIX": prefix,
            "KAFKA__BOOTSTRAP": bootstrap,
            "CONNECTIONS__KLAVIYO__MODE": "shadow",
            "HASH_KEY": HASH_KEY,
            "DERIVE__HISTORY": "complete",
            "DERIVE__FLOWS_FROM": "beginning",
        }.items():
            monkeypatch.setenv(f"STREAMS_{name}", value)
        return World(bootstrap, prefix)

    return made


@pytest.fixture
def world(broker: str, settled: Callable[[str], World]) -> World:
    """Return topics on the broker that all tests share."""
    return settled(broker)


def stood(world: World, index: Index) -> dict[str, object]:
    """What the index answers, but for where records stand among others, which is chance."""
    found = contents(index, CUSTOMERS, [f"{each}@shop-demo.io" for each in CUSTOMERS])
    found["standing"] = index.standing().to_go
    return found


def filled_anew(world: World, path: Path) -> dict[str, object]:
    """What an index answers that is filled from nothing."""
    index = Index(path, HASH_KEY)
    filler = world.filler(index)
    filler.start()
    assert filler.caught_up(60)
    until(partial(world.filled, index), "everything is read")
    filler.close()
    return stood(world, index)


def test_killed_again_and_again_it_holds_everything_once(world: World, tmp_path: Path) -> None:
    """As if it had been filled from nothing, without being cut short."""
    world.live(100)
    for number in range(3):
        began = subprocess.Popen(
            [sys.executable, "-c", FILLING], stdout=subprocess.PIPE, env=dict(os.environ), text=True
        )
        assert began.stdout is not None
        assert began.stdout.readline() == "started\n"
        world.live(400, 100 + number * 400)
        index = world.index()
        if number:
            until(partial(_reads, index, index.standing().newest_at), "it reads on")
        began.send_signal(signal.SIGKILL)
        began.wait()
        began.stdout.close()
    index = world.index()
    filler = world.filler(index)
    filler.start()
    until(partial(world.filled, index), "everything is read")
    until(lambda: index.standing().to_go == 0, "it says so")
    filler.close()

    assert filled_anew(world, tmp_path / "anew") == stood(world, index)
    assert 1_300 == sum(len(index.outcomes(customer_key(MERCHANT, each))) for each in CUSTOMERS)


def test_the_erased_are_gone(world: World) -> None:
    """Meanwhile and by itself, from the file's bytes too."""
    world.live(80)
    with world.filling() as index:
        [found] = index.find(f"{NOOR}@shop-demo.io")
        assert found.key == KEY
        assert KEY in files_of(index.path)
        at = SINCE + 40 * HOUR
        assert holds(index.path, found.token, at)
        world.shop.erase(NOOR, at)
        world.append()
        until(lambda: not holds(index.path, found.token, at), "they are forgotten")
        until(lambda: KEY not in files_of(index.path), "they are gone from the files")

        assert None is index.key_of(found.token)
        assert ([], [], []) == (
            index.find(NOOR), index.outcomes(KEY), index.came(ORDERGROOVE, KEY)
        )  # fmt: skip
        assert 0o600 == index.path.stat().st_mode & 0o777


def test_a_topic_made_anew_and_a_file_that_is_gone_are_noticed(world: World) -> None:
    """Both times it is filled from the beginning, and holds what the topics hold now."""
    world.live(80)
    key, outcomes = customer_key(MERCHANT, CUSTOMERS[1]), world.names.outcomes
    with world.filling() as index:
        admin = AdminClient(world.kafka.client())
        admin.delete_topics([outcomes])[outcomes].result()
        until(lambda: describe_topics(world.kafka, [outcomes])[outcomes] is None, "it is gone")
        world.create([outcomes])
        until(lambda: index.minutes(0) == [], "what it held is forgotten")
        world.shop.delivery(CUSTOMERS[1], SINCE)
        world.append()
        until(lambda: len(index.outcomes(key)) == 1, "what is new is there")
        until(lambda: len(index.deliveries(key)) == 3, "and what the other topics hold")
        index.path.unlink()
        until(partial(_is_there, index, key), "a file that was deleted is filled anew")

        assert (1, 3) == (len(index.outcomes(key)), len(index.deliveries(key)))


@pytest.mark.long
def test_a_broker_that_is_away_is_waited_for(
    settled: Callable[[str], World], tmp_path: Path
) -> None:
    """It goes on by itself where it was."""
    with Broker(tmp_path / "broker") as own:
        world = settled(own.bootstrap)
        world.live(40)
        with world.filling() as index:
            own.kill()
            own.start()
            world.live(40, 40)
            until(partial(world.filled, index), "it reads on")

        assert 80 == sum(len(index.outcomes(customer_key(MERCHANT, each))) for each in CUSTOMERS)


def test_the_index_tells_the_story_that_the_topics_tell(world: World) -> None:
    """Chapters, facts, ends: for each customer the same, and as soon as it has read them."""
    world.live(60)
    world.shop.event("new", SINCE + HOUR)
    world.append()
    schemas = Schemas(registry())
    with world.filling() as index:
        pass
    teller = Storyteller(world.settings, world.kafka, schemas)
    topics = TopicReadings(world.settings, world.kafka, schemas)

    for who in (NOOR, CUSTOMERS[3], "new", "nobody"):
        key = customer_key(MERCHANT, who)
        now = int(time.time() * 1_000)
        by_topics = teller.tell(topics, key, now=now)
        assert by_topics == teller.tell(index, key, now=now)
        assert (who != "nobody") == bool(by_topics.chapters)
    assert index_path_of(world.settings).is_file()


def test_what_derive_has_not_read_yet_is_not_told_as_never_written(world: World) -> None:
    """The index has the record, and the console concludes of it what derive will."""
    world.live(len(CUSTOMERS))
    schemas = Schemas(registry())
    with world.filling() as index:
        [found] = index.find(NOOR)
    teller = Storyteller(world.settings, world.kafka, schemas)
    desk = Customers(world.settings, index, schemas, partial(teller.tell, index, rows=True))

    def why() -> str:
        return desk.why_not(found.token, "subscriber.create", "klaviyo").verdict

    assert "not_derived" == why()
    derived = world.names.derived(ORDERGROOVE)
    ends = {each: len(CUSTOMERS) for each in range(PARTITIONS)}
    commit_offsets(world.kafka, derived.group, derived.topic, ends)
    assert "never_written" == why()


def _reads(index: Index, newest_at: int | None) -> bool:
    return index.standing().newest_at != newest_at


def _is_there(index: Index, key: bytes) -> bool:
    try:
        return len(index.deliveries(key)) == 3
    except IndexAway:
        return False
