"""Several Kafka nodes as one cluster on one machine: what a node's loss means, shown for real.

Every node is broker and controller; each topic has a copy on up to three of them, and a record is
acknowledged once two have it (`min.insync.replicas`), the internal topics alike. So the loss of one
node stops nothing for longer than the election takes, and the loss of two stops all writing.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from streams.demo.broker import ONE_MACHINE
from streams.demo.java import BrokerError
from streams.demo.node import Address, Node, earlier_ports, free_ports

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

    from confluent_kafka.admin import ClusterMetadata

__all__ = ["Cluster"]

_COPIES = 3
_LOOK_SECONDS = 0.1
_ELECTION_SECONDS = 30.0
_OFFSETS = "__consumer_offsets"
_TRANSACTIONS = "__transaction_state"


class Cluster:
    """A Kafka of several nodes; a context manager that starts and ends them.

    It ends with the process that started it, however that one ends. One thread at a time.

    Attributes:
        brokers: the nodes; each may be stopped, killed and started alone. `start` returns once the
            node is in sync again. Their index here is what the methods below return.
        bootstrap: `host:port,host:port…` of all nodes, the same across restarts.
    """

    def __init__(
        self,
        directory: Path,
        nodes: int = 3,
        *,
        heap: str = "256m",
        properties: Mapping[str, str] | None = None,
    ) -> None:
        """Describe a cluster; nothing is started or written yet.

        Args:
            directory: made when missing; may hold the data of an earlier cluster of as many nodes.
            nodes: how many; a majority of them must live.
            heap: each JVM's `-Xmx`.
            properties: broker settings beyond, or instead of, those for one machine.
        """
        places = [directory / f"node-{number}" for number in range(1, nodes + 1)]
        free = free_ports(2 * nodes)  # all at once, or two nodes might be given the same
        addresses = [
            Address(number, *(earlier_ports(place) or (free.pop(), free.pop())))
            for number, place in enumerate(places, start=1)
        ]
        settings = ONE_MACHINE | _copied(min(nodes, _COPIES)) | dict(properties or {})
        self.brokers = [
            Node(
                place,
                address,
                addresses,
                settings,
                heap=heap,
                ready=partial(_in_sync, nodes=[address.number]),
            )
            for place, address in zip(places, addresses, strict=True)
        ]
        self.bootstrap = ",".join(each.bootstrap for each in self.brokers)

    def __enter__(self) -> Self:
        """Start all nodes."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End all nodes."""
        self.stop()

    def start(self, timeout: float = 120.0) -> None:
        """Start all nodes at once, and return when every partition has all its copies in sync.

        Args:
            timeout: seconds to wait for that.

        Raises:
            BrokerError: a node runs already or cannot start, or it took too long.
        """
        deadline = time.monotonic() + timeout
        try:
            with ThreadPoolExecutor(len(self.brokers)) as pool:
                list(pool.map(Node.launch, self.brokers))
            for node in self.brokers:
                node.await_ready(max(0.0, deadline - time.monotonic()))
            self.await_replicated(max(0.0, deadline - time.monotonic()))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End all nodes, by force: who goes last could not hand over what it leads to anybody."""
        for node in self.brokers:
            node.kill()

    def await_replicated(self, timeout: float = _ELECTION_SECONDS) -> None:
        """Wait until all nodes are there, and each partition is led and in sync everywhere.

        Raises:
            BrokerError: that took longer than `timeout` seconds.
        """
        everyone = range(1, len(self.brokers) + 1)
        client, deadline = self._client(), time.monotonic() + timeout
        while not _in_sync(client, everyone):
            if time.monotonic() > deadline:
                message = f"the cluster on {self.bootstrap} is not in sync"
                raise BrokerError(message)
            time.sleep(_LOOK_SECONDS)

    def leader(self, topic: str, partition: int) -> int:
        """Return which node leads a partition; waits for an election that is going on.

        Raises:
            BrokerError: there is no such partition, or it has had no leader for long.
        """
        client, deadline = self._client(), time.monotonic() + _ELECTION_SECONDS
        while time.monotonic() < deadline:
            found = _look(client, topic)
            if found is not None and partition in found.topics[topic].partitions:
                number = found.topics[topic].partitions[partition].leader
                if number in found.brokers:
                    return number - 1
            time.sleep(_LOOK_SECONDS)
        message = f"{topic}[{partition}] has no leader"
        raise BrokerError(message)

    def coordinator_of_group(self, group: str) -> int:
        """Return which node keeps a group and its offsets; some group must have existed."""
        return self._coordinator(_OFFSETS, group)

    def coordinator_of_transaction(self, transactional_id: str) -> int:
        """Return which node decides a producer's transactions; there must have been some."""
        return self._coordinator(_TRANSACTIONS, transactional_id)

    def _coordinator(self, topic: str, name: str) -> int:
        found = _look(self._client(), topic)
        partitions = len(found.topics[topic].partitions) if found is not None else 0
        if not partitions:
            message = f"{topic} is not there: nobody has used it"
            raise BrokerError(message)
        return self.leader(topic, _java_hash(name) % partitions)

    def _client(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})


def _copied(copies: int) -> dict[str, str]:
    """Return the settings for so many copies of everything, all but one of them needed."""
    needed = str(max(1, copies - 1))
    return {
        "default.replication.factor": str(copies),
        "min.insync.replicas": needed,
        "offsets.topic.replication.factor": str(copies),
        "transaction.state.log.replication.factor": str(copies),
        "transaction.state.log.min.isr": needed,
        "share.coordinator.state.topic.replication.factor": str(copies),
        "share.coordinator.state.topic.min.isr": needed,
    }


def _in_sync(client: AdminClient, nodes: range | list[int]) -> bool:
    """Tell whether these nodes are there and in sync, and whether all partitions are led."""
    found = _look(client)
    if found is None or not found.brokers.keys() >= set(nodes):
        return False
    return all(
        each.leader in found.brokers and set(each.isrs) >= set(nodes).intersection(each.replicas)
        for topic in found.topics.values()
        for each in topic.partitions.values()
    )


def _look(client: AdminClient, topic: str | None = None) -> ClusterMetadata | None:
    """Return what the cluster says of its nodes and topics; None while it does not answer."""
    try:
        return client.list_topics(topic, timeout=1.0) if topic else client.list_topics(timeout=1.0)
    except KafkaException:
        return None


def _java_hash(text: str) -> int:
    """Return how Kafka places a group or a transactional id: the absolute value of Java's hash."""
    value = 0
    for unit in memoryview(text.encode("utf-16-le")).cast("H"):
        value = (31 * value + unit) & 0xFFFF_FFFF
    return min(value, (1 << 32) - value) & 0x7FFF_FFFF  # the smallest number counts as zero
