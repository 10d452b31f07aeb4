"""A real Apache Kafka for the demo, the tests and the benchmarks: one node, KRaft combined mode.

No Docker, Java or Maven is needed (DESIGN §9; `streams.demo.java` brings the parts). Everything
that the broker writes stays in the directory given by the caller, so a `Broker` on the same
directory is the same broker again, with its topics, data and port.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from confluent_kafka import KafkaException

from streams.demo.java import BrokerError
from streams.demo.node import Address, Node, earlier_ports, free_ports

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

    from confluent_kafka.admin import AdminClient

__all__ = ["ONE_MACHINE", "Broker", "BrokerError", "free_ports"]

_NUMBER = 1

ONE_MACHINE = {
    "auto.create.topics.enable": "false",
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    # KIP-848: the broker sets the members' pace; its defaults (5 s, 45 s) make each handover slow.
    "group.consumer.min.heartbeat.interval.ms": "500",
    "group.consumer.heartbeat.interval.ms": "1000",
    "group.consumer.min.session.timeout.ms": "6000",
    "group.consumer.session.timeout.ms": "6000",
    # After a crash the controller, which is the same process, waits for its own earlier session.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    # Two cores, and a heap from which the cleaner's default buffer alone would take 128 MB.
    "num.network.threads": "2",
    "num.io.threads": "4",
    "log.cleaner.dedupe.buffer.size": "16777216",
}
"""Broker settings for a single node on a small machine, whatever starts it."""


class Broker(Node):
    """A Kafka of one node; a context manager that starts and stops it.

    It is ready when it answers clients and leads all its partitions.
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int | None = None,
        heap: str = "512m",
        properties: Mapping[str, str] | None = None,
    ) -> None:
        """Describe a broker; nothing is started or written yet.

        Args:
            directory: made when missing; may hold the data of an earlier broker.
            port: the port for clients; by default the one used before in `directory`, else a
                free one.
            heap: the JVM's `-Xmx`.
            properties: broker settings beyond, or instead of, those for one machine.
        """
        client_port, controller_port = earlier_ports(directory) or free_ports(2)
        address = Address(_NUMBER, port or client_port, controller_port)
        settings = ONE_MACHINE | dict(properties or {})
        super().__init__(directory, address, [address], settings, heap=heap, ready=_leads_all)

    def __enter__(self) -> Self:
        """Start the broker."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the broker."""
        self.stop()


def _leads_all(client: AdminClient) -> bool:
    """Tell whether the broker answers, is part of its cluster and leads every partition."""
    try:
        seen = client.list_topics(timeout=1.0)
    except KafkaException:
        return False
    partitions = (each for topic in seen.topics.values() for each in topic.partitions.values())
    return bool(seen.brokers) and all(partition.leader == _NUMBER for partition in partitions)
