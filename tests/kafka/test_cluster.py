"""The local cluster: copies of everything, who leads what, and a lost node that loses nothing."""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

from streams.demo.broker import BrokerError
from streams.demo.cluster import Cluster
from streams.engine.group_offsets import commit_offsets
from streams.engine.kafka import KafkaSettings

if TYPE_CHECKING:
    from pathlib import Path

    from confluent_kafka import Message

NAMES = ["derive", "a-much-longer-name-than-that-0123456789", "größe", "\N{SLICE OF PIZZA}"]
"""Names of groups and producers, beyond ASCII and beyond sixteen bits too."""


def create(cluster: Cluster, topic: str, partitions: int = 3) -> None:
    """Create a topic with the cluster's own replication."""
    client = AdminClient({"bootstrap.servers": cluster.bootstrap})
    for future in client.create_topics([NewTopic(topic, partitions, -1)]).values():
        future.result()
    cluster.await_replicated()


def produce(cluster: Cluster, topic: str, transactional_id: str, *values: bytes) -> None:
    """Write the values in one transaction, to partition 0."""
    producer = Producer(KafkaSettings(bootstrap=cluster.bootstrap).transactional(transactional_id))
    producer.init_transactions(30)
    producer.begin_transaction()
    for value in values:
        producer.produce(topic, value, partition=0)
    producer.flush(30)
    producer.commit_transaction(30)


def read(cluster: Cluster, topic: str, partitions: int, key: bytes | None = None) -> list[Message]:
    """Return the first records with this key that are committed, two at most, wherever they are.

    A commit is answered before its markers are written, so an early end is not yet the end.
    """
    settings = KafkaSettings(bootstrap=cluster.bootstrap)
    reader = Consumer(settings.reader(isolation="read_committed"))
    reader.assign([TopicPartition(topic, partition, 0) for partition in range(partitions)])
    found: list[Message] = []
    try:
        while len(found) < 2:
            message = reader.poll(60)
            assert message is not None, f"{topic} holds only {found}"
            if message.error() is None and message.key() == key:
                found.append(message)
    finally:
        reader.close()
    return found


def test_everything_has_three_copies(cluster: Cluster, prefix: str) -> None:
    """A topic, the offsets and the transactions are on all nodes; two must have a record."""
    create(cluster, prefix)
    produce(cluster, prefix, prefix, b"1")
    commit_offsets(KafkaSettings(bootstrap=cluster.bootstrap), prefix, prefix, {0: 1})
    cluster.await_replicated()
    client = AdminClient({"bootstrap.servers": cluster.bootstrap})
    names = [prefix, "__consumer_offsets", "__transaction_state"]
    topics = client.list_topics(timeout=30).topics
    resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in names]
    configs = client.describe_configs(resources)
    replicas = {len(p.isrs) for name in names for p in topics[name].partitions.values()}
    needed = {future.result()["min.insync.replicas"].value for future in configs.values()}

    assert {3} == replicas
    assert {"2"} == needed


def test_leaders_are_the_clusters_own_answer(cluster: Cluster, prefix: str) -> None:
    """Each partition's leader, as the controller gave it."""
    create(cluster, prefix, partitions=3)

    assert {0, 1, 2} == {cluster.leader(prefix, partition) for partition in range(3)}


@pytest.mark.parametrize("name", NAMES)
def test_coordinator_of_a_group(cluster: Cluster, prefix: str, name: str) -> None:
    """The node that Kafka itself names as the group's coordinator, whatever the hash's sign."""
    create(cluster, prefix)
    groups = [f"{prefix}-{name}-{number}" for number in range(6)]
    for group in groups:
        commit_offsets(KafkaSettings(bootstrap=cluster.bootstrap), group, prefix, {0: 0})
    client = AdminClient({"bootstrap.servers": cluster.bootstrap})
    found = client.describe_consumer_groups(groups)
    coordinators = [found[group].result(30).coordinator.id - 1 for group in groups]

    assert coordinators == [cluster.coordinator_of_group(group) for group in groups]


@pytest.mark.parametrize("name", NAMES)
def test_coordinator_of_a_transaction(cluster: Cluster, prefix: str, name: str) -> None:
    """The node that leads the partition in which Kafka keeps the producer's transactions."""
    create(cluster, prefix)
    producers = [f"{prefix}-{name}-{number}" for number in range(3)]
    leaders = []
    for producer in producers:
        produce(cluster, prefix, producer, b"1")
        # the key that Kafka writes there: a version, then the name with its length
        name_bytes = producer.encode()
        key = struct.pack(">hh", 0, len(name_bytes)) + name_bytes
        records = read(cluster, "__transaction_state", 4, key)
        (partition,) = {record.partition() or 0 for record in records}
        leaders.append(cluster.leader("__transaction_state", partition))

    assert leaders == [cluster.coordinator_of_transaction(producer) for producer in producers]


def test_a_lost_node_loses_nothing(cluster: Cluster, prefix: str) -> None:
    """Another leads, with all that was committed; `start` returns once the node is in sync."""
    create(cluster, prefix)
    produce(cluster, prefix, prefix, b"1")
    victim = cluster.leader(prefix, 0)
    cluster.brokers[victim].kill()
    produce(cluster, prefix, prefix, b"2")
    other = cluster.leader(prefix, 0)
    cluster.brokers[victim].start()
    cluster.await_replicated(0)

    assert victim != other
    assert [b"1", b"2"] == [message.value() for message in read(cluster, prefix, 1)]


def test_a_partition_that_does_not_exist_is_named(
    cluster: Cluster, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody leads it: the error says which."""
    monkeypatch.setattr("streams.demo.cluster._ELECTION_SECONDS", 0.5)

    with pytest.raises(BrokerError, match=rf"{prefix}\[0\] has no leader"):
        cluster.leader(prefix, 0)


def test_the_cluster_ends_with_its_owner(tmp_path: Path) -> None:
    """No node outlives the process that started it; the addresses stay those of the directory."""
    program = (
        "import pathlib, sys, time; from streams.demo.cluster import Cluster\n"
        "with Cluster(pathlib.Path(sys.argv[1])) as cluster:\n"
        "    print(cluster.bootstrap, flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        bootstrap = owner.stdout.readline().strip()
        places = [address.split(":") for address in bootstrap.split(",")]
        nodes = [socket.create_connection((host, int(port)), timeout=60) for host, port in places]
        owner.kill()
        ends = [_end(node) for node in nodes]

    assert [b""] * 3 == ends
    assert bootstrap == Cluster(tmp_path).bootstrap


def _end(connection: socket.socket) -> bytes:
    """Return what comes when the other side is gone: nothing."""
    with connection:
        try:
            return connection.recv(1)
        except ConnectionResetError:
            return b""
