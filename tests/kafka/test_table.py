"""`streams table get` on a real broker: the newest committed row of a key, by the real command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import Producer

from streams.demo.broker import free_ports
from streams.demo.observation import Metrics
from streams.engine.admin import TopicSpec, create_topics
from streams.engine.kafka import KafkaSettings
from streams.engine.partitioning import partition_of
from streams.model.row_bytes import encode_row
from streams.model.row_text import row_of_dict
from streams.model.subscriber import Profile, Subscriber
from streams.names import Names
from tests.support.engine_world import until
from tests.support.webhooks import CUSTOMER, MERCHANT, START, person, subscription, webhook

if TYPE_CHECKING:
    from pathlib import Path

PARTITIONS = 3
PATIENCE = 60.0
KEY = f"{MERCHANT}:{CUSTOMER}"


class Table:
    """The changelog of one test, and the command line that reads it."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.names = Names(prefix)
        self.kafka = KafkaSettings(bootstrap=bootstrap)
        self.environment = dict(os.environ) | {
            "STREAMS_PREFIX": prefix,
            "STREAMS_KAFKA__BOOTSTRAP": bootstrap,
            "STREAMS_DERIVE__HISTORY": "complete",
            "STREAMS_CONNECTIONS__KLAVIYO__MODE": "shadow",
        }

    def create(self) -> None:
        """Create every topic."""
        specs = [
            TopicSpec(name=each.name, partitions=PARTITIONS, replication=1, config=each.config)
            for each in self.names.topics(["klaviyo"])
        ]
        create_topics(self.kafka, specs)

    def write(self, *rows: tuple[str, Subscriber | None], commit: bool = True) -> Producer:
        """Append rows as the engine does, in one transaction; None deletes."""
        producer = Producer(self.kafka.transactional(f"{self.names.control}-{len(rows)}-{commit}"))
        producer.init_transactions(PATIENCE)
        producer.begin_transaction()
        for key, row in rows:
            value = None if row is None else encode_row(row)
            producer.produce(self.names.subscribers_changelog, value, key)
        assert producer.flush(PATIENCE) == 0
        if commit:
            producer.commit_transaction(PATIENCE)
        return producer

    def get(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command."""
        command = [sys.executable, "-m", "streams", "table", "get", *arguments]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False
        )

    def row(self, key: str) -> Subscriber:
        """The row that the command shows."""
        printed: dict[str, Any] = json.loads(self.get(key, "--json", "--reveal").stdout)
        return row_of_dict(printed["row"])


@pytest.fixture
def table(broker: str, prefix: str) -> Table:
    """Return a table without rows."""
    made = Table(broker, prefix)
    made.create()
    return made


def neighbours(partition: int, count: int) -> list[str]:
    """Return keys that belong to a partition."""
    keys = (f"m:{number}" for number in range(10_000))
    return [key for key in keys if partition_of(key.encode(), PARTITIONS) == partition][:count]


@pytest.mark.parametrize("partition", range(PARTITIONS))
def test_the_newest_row_of_a_key(table: Table, partition: int) -> None:
    """A row that was overwritten does not count, nor do others' rows or other partitions."""
    key, other = neighbours(partition, 2)
    elsewhere = neighbours((partition + 1) % PARTITIONS, 1)[0]
    table.write((key, Subscriber(1)), (other, Subscriber(2)), (elsewhere, Subscriber(3)))
    table.write((key, Subscriber(4)), (other, Subscriber(5)))

    assert Subscriber(4) == table.row(key)


def test_what_is_not_committed_does_not_count(table: Table) -> None:
    """The row of a transaction that is open, and what follows it, is not there yet."""
    table.write((KEY, Subscriber(1)))
    still_open = table.write((KEY, Subscriber(2)), commit=False)
    shown = table.row(KEY)
    still_open.abort_transaction(PATIENCE)

    assert Subscriber(1) == shown
    assert Subscriber(1) == table.row(KEY)


def test_there_is_no_such_row(table: Table) -> None:
    """Never written, or deleted: exit 1, nothing on standard output."""
    table.write(("m:gone", Subscriber(1)), ("m:stays", Subscriber(1)))
    table.write(("m:gone", None))
    answers = [table.get(key, "--json") for key in ("m:gone", "m:never")]

    assert [
        (1, "", "no such row: m:gone\n"),
        (1, "", "no such row: m:never\n"),
    ] == [(each.returncode, each.stdout, each.stderr) for each in answers]


def test_a_person_is_masked_unless_asked_for(table: Table) -> None:
    """By default neither text nor JSON tells who it is; the key is as given."""
    who = Profile("nina@shop-demo.io", "+12125550147", "Nina", "Sand")
    table.write((KEY, Subscriber(1, who)))
    text, masked, revealed = (
        table.get(KEY, *options).stdout for options in ((), ("--json",), ("--json", "--reveal"))
    )

    assert text.startswith(f"{KEY}\n")
    for each in (text, masked):
        assert "n***@shop-demo.io" in each
        assert not [secret for secret in ("nina", "0147", "Nina", "Sand") if secret in each]
    assert KEY == json.loads(masked)["key"]
    assert "nina@shop-demo.io" == json.loads(revealed)["row"]["profile"]["email"]


def test_a_row_that_a_worker_wrote(table: Table, tmp_path: Path) -> None:
    """What the derive worker concluded of real webhooks is what the command shows, by name."""
    bodies = [
        webhook("subscriber.create", person(email="nina@shop-demo.io", last_updated=START)),
        webhook("subscription.create", subscription("oats", START)),
        webhook("subscription.create", subscription("rye", START, live=True)),
        webhook("subscription.cancel", subscription("oats", START + 5, live=False), START + 5),
    ]
    file = tmp_path / "bodies.jsonl"
    file.write_bytes(b"\n".join(bodies))
    (port,) = free_ports(1)
    streams = [sys.executable, "-m", "streams"]
    subprocess.run([*streams, "produce", "ordergroove", file], env=table.environment, check=True)
    worker = subprocess.Popen(
        [*streams, "worker", "derive", "--port", str(port)], env=table.environment
    )
    try:
        with closing(Metrics(f"http://127.0.0.1:{port}")) as metrics:
            until(metrics.ready, "the worker is ready")
        until(lambda: table.get(KEY).returncode == 0, "the row is written")
        until(lambda: len(table.row(KEY).subscriptions) == 2, "both subscriptions are known")
        until(lambda: table.row(KEY).active == 1, "one of them is dead")
        row, text = table.row(KEY), table.get(KEY).stdout
    finally:
        worker.terminate()
        worker.wait(PATIENCE)

    assert ("nina@shop-demo.io", True, True) == (
        row.profile.email,
        row.ever_subscribed,
        row.complete,
    )
    assert {"oats": False, "rye": True} == {
        id_: state.content.live for id_, state in row.subscriptions.items()
    }
    assert "active: 1 active of 2" in text
    assert "e-mail n***@shop-demo.io" in text


def test_missing_topics_are_named(broker: str, prefix: str) -> None:
    """Before `streams topics create` it says so, and exits 2."""
    answer = Table(broker, prefix).get(KEY)

    assert 2 == answer.returncode
    assert f"topic {prefix}.subscribers.changelog: it does not exist" in answer.stderr
    assert "streams topics create" in answer.stderr


def test_what_is_no_key_or_no_row_is_said(table: Table) -> None:
    """A key without its merchant, and a row of another version's making: exit 2, and why."""
    producer = Producer(table.kafka.producer())
    producer.produce(table.names.subscribers_changelog, b"\xc1", KEY)
    assert producer.flush(PATIENCE) == 0
    no_key, no_row = table.get("0088123"), table.get(KEY)

    assert (2, 2) == (no_key.returncode, no_row.returncode)
    assert "Write it MERCHANT:CUSTOMER" in no_key.stderr
    assert "its row is not one of this version's" in no_row.stderr
