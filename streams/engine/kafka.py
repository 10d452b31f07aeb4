"""How to reach Kafka, and the librdkafka properties of each kind of client.

Three layers, the later wins: our tuning, the user's `extra` properties, and what a guarantee
stands on. So SASL, TLS and tuning are the user's; isolation, idempotence and partitioning are not.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["KafkaSettings"]

_AHEAD_KIB = 32 << 10
"""What a group's consumer fetches ahead at most: memory that every busy worker fills."""

_client_log = logging.getLogger("streams.kafka")


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaSettings:
    """The connection to Kafka and the group protocol.

    Attributes:
        bootstrap: `host:port[,host:port…]`.
        extra: any librdkafka property (SASL, TLS, tuning); holds secrets, hence not in `repr`.
        protocol: `classic` (cooperative-sticky) or `consumer` (KIP-848).
        session_timeout_ms: classic only: a member silent for so long is taken for dead.
        heartbeat_interval_ms: classic only.
        instance_id: static membership (`group.instance.id`); a restart within the session timeout
            then keeps its partitions without a rebalance, and a clean stop does not give them up.
        transaction_timeout_ms: the broker aborts a transaction that is open for longer.
        client_id: shown in the broker's logs and metrics.
    """

    bootstrap: str
    extra: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    protocol: Literal["classic", "consumer"] = "classic"
    session_timeout_ms: int = 6_000
    heartbeat_interval_ms: int = 1_500
    instance_id: str | None = None
    transaction_timeout_ms: int = 15_000
    client_id: str = "streams"

    def client(self) -> dict[str, Any]:
        """Properties of a client that neither consumes nor produces (admin)."""
        return self._layered({}, {})

    def reader(self, *, isolation: Literal["read_committed", "read_uncommitted"]) -> dict[str, Any]:
        """Properties of a consumer outside any group: it assigns itself, it commits nothing."""
        tuning = {"fetch.wait.max.ms": 20, "fetch.message.max.bytes": 8 << 20}
        fixed = {
            "group.id": "unused",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "isolation.level": isolation,
        }
        return self._layered(tuning, fixed)

    def observer(self, group: str) -> dict[str, Any]:
        """Properties of a client that reads a group's offsets without joining it.

        `read_committed` makes the broker answer only when no transaction holds the offset.
        """
        fixed = {
            "group.id": group,
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        }
        return self._layered({}, fixed)

    def member(self, group: str, *, prefetch: int) -> dict[str, Any]:
        """Properties of a group's consumer; offsets are never reset, never committed by itself."""
        tuning = {
            "queued.min.messages": prefetch,
            "queued.max.messages.kbytes": _AHEAD_KIB,
            "fetch.wait.max.ms": 50,
        }
        fixed: dict[str, Any] = {
            "group.id": group,
            "group.protocol": self.protocol,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "isolation.level": "read_committed",
        }
        if self.protocol == "classic":
            fixed["partition.assignment.strategy"] = "cooperative-sticky"
            fixed["session.timeout.ms"] = self.session_timeout_ms
            fixed["heartbeat.interval.ms"] = self.heartbeat_interval_ms
        if self.instance_id is not None:
            fixed["group.instance.id"] = self.instance_id
        return self._layered(tuning, fixed)

    def producer(self) -> dict[str, Any]:
        """Properties of an idempotent producer with the Java clients' default partitioner."""
        tuning = {"linger.ms": 5, "batch.size": 1 << 20}
        fixed = {"enable.idempotence": True, "acks": "all", "partitioner": "murmur2_random"}
        return self._layered(tuning, fixed)

    def transactional(self, transactional_id: str) -> dict[str, Any]:
        """Properties of a transactional producer; a batch's records are queued before any flush."""
        return self.producer() | {
            "transactional.id": transactional_id,
            "transaction.timeout.ms": self.transaction_timeout_ms,
            "queue.buffering.max.messages": 1_000_000,
            "queue.buffering.max.kbytes": 1 << 20,
        }

    def _layered(self, tuning: Mapping[str, Any], fixed: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "client.id": self.client_id,
            "log_level": 4,
            "logger": _client_log,
            **tuning,
            **self.extra,
            "bootstrap.servers": self.bootstrap,
            **fixed,
        }
