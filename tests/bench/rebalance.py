"""`./run bench rebalance`: how long a partition stands while a worker joins, and while it leaves.

One worker is under steady load; a second one joins it, and leaves again. Every output record tells
when the broker took it (`LogAppendTime`), so the timeline of each partition is the broker's own;
what was aborted does not count. A gap is the longest time between two outputs of one partition.
"""

from __future__ import annotations

import argparse
import signal
import threading
import time
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource

from tests.bench.measure import plain_table
from tests.bench.program import on_a_broker
from tests.bench.targets import at_most, print_targets
from tests.support.engine_world import PARTITIONS, Worker, World, until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

PROTOCOLS = ("classic", "consumer")
GAP_SECONDS = 1.1
"""The largest that was seen in the spike (the project's engine notes)."""
KEYS = 400
_TICK_SECONDS = 0.02


class Run(NamedTuple):
    """What one protocol came to: when it happened, epoch seconds, and whom it moved."""

    joins: float
    leaves: float
    ends: float
    stayed: frozenset[int]
    outputs: dict[int, list[float]]

    def gap(self, partition: int, since: float, until: float) -> float:
        """Return the longest time between two outputs of a partition, of those in this time."""
        times = self.outputs[partition]
        return max(
            (later - earlier for earlier, later in pairwise(times) if since < later < until),
            default=until - since,
        )


def main(arguments: Sequence[str]) -> int:
    """Run the bench and print its figures."""
    parser = argparse.ArgumentParser(
        prog="./run bench rebalance",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="In short, for CI: ./run bench rebalance --seconds 3",
    )
    parser.add_argument("--protocol", choices=PROTOCOLS, help="by default both, one by one")
    parser.add_argument("--rate", type=int, default=1_000, help="records a second")
    parser.add_argument("--seconds", type=float, default=8.0, help="before, between and after")
    options = parser.parse_args(arguments)
    rows, targets = [], []
    with on_a_broker() as (place, bootstrap):
        for protocol in (options.protocol,) if options.protocol else PROTOCOLS:
            run = _run(World(bootstrap, protocol), place, protocol, options)
            for change, since, end in (
                ("joins", run.joins, run.leaves),
                ("leaves", run.leaves, run.ends),
            ):
                gaps = [run.gap(partition, since, end) for partition in range(PARTITIONS)]
                stayed = [f"{gaps[p]:.2f}" for p in sorted(run.stayed)]
                moved = [f"{gaps[p]:.2f}" for p in range(PARTITIONS) if p not in run.stayed]
                rows.append((protocol, f"a second {change}", " ".join(stayed), " ".join(moved)))
                targets.append(
                    at_most(
                        f"{protocol}, a second {change}: an unaffected partition's largest gap",
                        GAP_SECONDS,
                        max(gaps[p] for p in run.stayed),
                        " s",
                    )
                )
    print(f"{options.rate:,} records a second on {PARTITIONS} partitions, exactly-once; seconds:")
    print(plain_table(("protocol", "", "gap of each unaffected", "gap of each moved"), rows))
    print_targets(targets)
    return 0


def _run(world: World, place: Path, protocol: str, options: argparse.Namespace) -> Run:
    world.create()
    _have_the_broker_tell_the_time(world)
    settings = ("--protocol", protocol)
    with Worker(world, "first", *settings, log=place) as first, _load(world, options.rate):
        until(lambda: min(world.offsets().values()) > 0, "the first is at work")
        time.sleep(options.seconds)
        joins = time.time()
        with Worker(world, "second", *settings, log=place) as second:
            until(lambda: len(second.owned) == PARTITIONS // 2, "the second has its share")
            stayed = frozenset(first.owned)
            time.sleep(options.seconds)
            leaves = time.time()
            second.send(signal.SIGTERM)
            second.ended()
        until(lambda: len(first.owned) == PARTITIONS, "the share is back")
        time.sleep(options.seconds)
        ends = time.time()
    outputs: dict[int, list[float]] = {partition: [] for partition in range(PARTITIONS)}
    for message in world.read(world.out):
        outputs[message.partition() or 0].append(message.timestamp()[1] / 1_000)
    return Run(joins, leaves, ends, stayed, outputs)


@contextmanager
def _load(world: World, rate: int) -> Iterator[None]:
    """Feed so many records a second, spread over the keys, until the block ends."""
    stopping = threading.Event()

    def feed() -> None:
        producer, began, fed = Producer(world.kafka.producer()), time.monotonic(), 0
        while not stopping.wait(_TICK_SECONDS):
            while fed < rate * (time.monotonic() - began):
                producer.produce(world.source, b"x", b"key-%d" % (fed % KEYS))
                fed += 1
            producer.poll(0)
        producer.flush()

    thread = threading.Thread(target=feed, name="load")
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def _have_the_broker_tell_the_time(world: World) -> None:
    entry = ConfigEntry(
        "message.timestamp.type", "LogAppendTime", incremental_operation=AlterConfigOpType.SET
    )
    topic = ConfigResource(ConfigResource.Type.TOPIC, world.out, incremental_configs=[entry])
    admin = AdminClient(world.kafka.client())  # kept, or it ends with the question unanswered
    for future in admin.incremental_alter_configs([topic]).values():
        future.result()
