"""The brokers: whether they answer, can do transactions, and let this program do what it must.

Permissions are asked of the brokers, which answer for whoever asks (KIP-430): no list of rules is
needed to know what is allowed. A transaction is opened and given up: nothing is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .findings import Finding, bad, ok, warn

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from streams.engine.cluster import Cluster

ABOUT: Final = "kafka"
PERMITTED: Final = "permissions"

_NEEDED: Final = frozenset({"READ", "WRITE", "DESCRIBE"})
_WEEK_MINUTES: Final = 7 * 24 * 60
_TOLERATED_SECONDS: Final = 2.0


def judge_cluster(cluster: Cluster, replication: int) -> Iterator[Finding]:
    """What the brokers say of themselves; `replication`: copies that topics are to have."""
    count = cluster.brokers
    answer = "1 broker answers" if count == 1 else f"{count} brokers answer"
    yield ok(ABOUT, f"{answer}, cluster {cluster.id}")
    if count < replication:
        yield bad(
            ABOUT,
            f"{count} brokers cannot hold {replication} copies (topics.replication)",
            "Add brokers, or set topics.replication; one copy loses data with its broker",
        )
    elif replication == 1:
        yield warn(
            ABOUT,
            "topics.replication is 1: what one broker loses is lost",
            "Set topics.replication = 3 on a cluster that is not for trials",
        )
    kept = cluster.config.get("offsets.retention.minutes")
    if kept is not None and int(kept) < _WEEK_MINUTES:
        yield warn(
            ABOUT,
            f"offsets of a group without members are forgotten after {int(kept) / 60:g} hours",
            f"Set offsets.retention.minutes={_WEEK_MINUTES} or more: a worker that was down for"
            " longer stops and asks where to go on",
        )
    longest = cluster.config.get("transaction.max.timeout.ms")
    if longest is not None and int(longest) < cluster.transaction_timeout_ms:
        yield bad(
            ABOUT,
            f"transaction.max.timeout.ms is {longest}, we ask for {cluster.transaction_timeout_ms}",
            "Raise it at the brokers",
        )


def judge_protocol(cluster: Cluster, protocol: str) -> Iterator[Finding]:
    """Whether groups can be led the way that `kafka.protocol` says."""
    led = cluster.config.get("group.coordinator.rebalance.protocols")
    if protocol == "consumer" and led is not None and "consumer" not in led:
        yield bad(
            ABOUT,
            f"the brokers lead groups by {led}, kafka.protocol is consumer",
            "Set kafka.protocol = classic, or group.coordinator.rebalance.protocols",
        )


def judge_permissions(allowed: Mapping[str, Collection[str] | None]) -> Iterator[Finding]:
    """What is not allowed on topics: topic → operations, None where the brokers do not say."""
    said = {topic: set(told) for topic, told in allowed.items() if told is not None}
    if not said:
        yield ok(PERMITTED, "the brokers keep no rules, or do not tell them")
        return
    missing = {topic: _NEEDED - told for topic, told in said.items() if _NEEDED - told}
    for topic, operations in missing.items():
        named = ", ".join(sorted(operations))
        yield bad(
            PERMITTED,
            f"{topic}: {named} is not allowed",
            f"kafka-acls --add --allow-principal User:… --operation {named} --topic {topic}",
        )
    if not missing:
        yield ok(PERMITTED, f"read, write and describe are allowed on {len(said)} topics")


def judge_transactions(refused: str | None, prefix: str) -> Finding:
    """Whether a transaction could be opened; `refused` says why not."""
    if refused is None:
        return ok("transactions", "one was opened and given up")
    return bad(
        "transactions",
        f"none can be opened: {refused}",
        "Allow WRITE and DESCRIBE on transactional ids"
        f" (kafka-acls --transactional-id {prefix}- --resource-pattern-type prefixed), or set"
        ' derive.guarantee = "at_least_once"',
    )


def judge_clock(ahead: float) -> Finding:
    """`ahead`: seconds by which this machine's clock is ahead of the brokers', about."""
    if abs(ahead) <= _TOLERATED_SECONDS:
        return ok("clock", f"within {_TOLERATED_SECONDS:g} s of the brokers'")
    return bad(
        "clock",
        f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the brokers'",
        "Run chrony or another time service here and there: ages of events and signatures of"
        " webhooks are judged by it",
    )
