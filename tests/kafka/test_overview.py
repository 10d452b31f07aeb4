"""Many groups at a glance, while the broker has hardly begun."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from confluent_kafka import Consumer, TopicPartition

from streams.demo.broker import Broker
from streams.engine.admin import TopicSpec, create_topics
from streams.engine.kafka import KafkaSettings
from streams.engine.overview import Overview

if TYPE_CHECKING:
    from pathlib import Path

LOOK = """
import sys
from confluent_kafka import KafkaException
from streams.engine.kafka import KafkaSettings
from streams.engine.overview import Overview

overview = Overview(KafkaSettings(bootstrap=sys.argv[1]), ["t"])
for _ in range(20):
    try:
        seen = overview.positions([(f"g{each}", "t") for each in range(12)])
    except KafkaException as error:
        continue
    print(sum(map(len, seen.values())))
    overview.close()
    break
"""


def test_groups_whose_coordinator_is_not_there_yet(tmp_path: Path) -> None:
    """Nothing is known of them, and the process lives on: in one of its own, which may not."""
    with Broker(tmp_path) as own:
        spec = TopicSpec(name="t", partitions=2, replication=1, config={})
        create_topics(KafkaSettings(bootstrap=own.bootstrap), [spec])
        looked = subprocess.run(
            [sys.executable, "-c", LOOK, own.bootstrap],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    assert (0, "0\n") == (looked.returncode, looked.stdout), looked.stderr


def test_what_groups_have_committed(broker: str, prefix: str) -> None:
    """By group and topic; nothing where nobody ever did."""
    kafka = KafkaSettings(bootstrap=broker)
    create_topics(kafka, [TopicSpec(name=prefix, partitions=2, replication=1, config={})])
    member = Consumer(kafka.observer(f"{prefix}-a"))
    member.commit(offsets=[TopicPartition(prefix, 1, 7)], asynchronous=False)
    member.close()
    overview = Overview(kafka, [prefix])
    lines = [(f"{prefix}-a", prefix), (f"{prefix}-b", prefix)]
    try:
        seen = [overview.positions(lines) for _ in range(2)]
    finally:
        overview.close()

    assert [dict(zip(lines, ({1: 7}, {}), strict=True))] * 2 == seen
