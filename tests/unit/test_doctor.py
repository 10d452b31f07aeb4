"""What the doctor makes of what it was told: topics, brokers, permissions, clock, machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from streams.doctor.cluster import (
    judge_clock,
    judge_cluster,
    judge_permissions,
    judge_protocol,
    judge_transactions,
)
from streams.doctor.machine import free_memory, judge_disk, judge_memory
from streams.doctor.topics import judge_topics, judge_twins
from streams.engine.admin import TopicDescription, TopicSpec
from streams.engine.cluster import Cluster

if TYPE_CHECKING:
    from pathlib import Path

DAY = 86_400_000
CONFIG = {
    "cleanup.policy": "compact,delete",
    "retention.ms": str(90 * DAY),
    "message.timestamp.type": "LogAppendTime",
    "max.message.bytes": "4194304",
    "min.insync.replicas": "2",
}
WANTED = TopicSpec(name="og.t", partitions=12, replication=3, config=CONFIG)


def described(partitions: int = 12, replication: int = 3, **config: str) -> TopicDescription:
    """A topic as it is."""
    told = CONFIG | {name.replace("_", "."): value for name, value in config.items()}
    return TopicDescription(
        name="og.t", partitions=partitions, replication=replication, config=told
    )


@pytest.mark.parametrize(
    "found",
    [
        described(),
        described(cleanup_policy="delete,compact"),
        described(retention_ms="-1"),
        described(retention_ms=str(400 * DAY)),
        described(max_message_bytes="9000000", min_insync_replicas="3"),
        described(replication=5),
    ],
)
def test_a_topic_that_keeps_more_is_as_good(found: TopicDescription) -> None:
    """What is longer, larger or safer than asked for is nobody's trouble."""
    [finding] = judge_topics([WANTED], {"og.t": found})

    assert ("ok", None) == (finding.level, finding.fix)


@pytest.mark.parametrize(
    ("found", "level", "word", "remedy"),
    [
        (None, "bad", "does not exist", "streams topics create"),
        (described(partitions=6), "warn", "6 partitions", "topics.partitions"),
        (described(replication=1), "bad", "1 copies", "reassign"),
        (described(cleanup_policy="delete"), "bad", "cleanup.policy=delete", "kafka-configs"),
        (described(retention_ms=str(7 * DAY)), "warn", "retention.ms", "90 days"),
        (described(message_timestamp_type="CreateTime"), "bad", "clocks", "LogAppendTime"),
        (described(max_message_bytes="1048588"), "bad", "1048588", "4194304"),
        (described(min_insync_replicas="1"), "bad", "one broker alone", "kafka-configs"),
    ],
)
def test_a_topic_that_is_otherwise_is_named(
    found: TopicDescription | None, level: str, word: str, remedy: str
) -> None:
    """With what it means and how to mend it."""
    [finding] = judge_topics([WANTED], {"og.t": found})

    assert level == finding.level
    assert "og.t" in finding.says
    assert word in finding.says
    assert remedy.lower() in (finding.fix or "").lower()


def test_topics_that_are_worked_on_together_have_as_many_partitions() -> None:
    """Else workers refuse to start, however many the settings say."""
    found = {"og.read": described(24), "og.same": described(24), "og.less": described(12)}
    twins = [("og.read", each) for each in ("og.same", "og.less", "og.gone")]
    [finding] = judge_twins(twins, {**found, "og.gone": None})

    assert "bad" == finding.level
    assert "og.less has 12 partitions, og.read 24" in finding.says


def cluster(brokers: int = 3, **config: str) -> Cluster:
    """Brokers that say this of themselves."""
    told = {name.replace("_", "."): value for name, value in config.items()}
    return Cluster(id="abc", brokers=brokers, transaction_timeout_ms=15_000, config=told)


@pytest.mark.parametrize(
    ("told", "replication", "levels"),
    [
        (cluster(), 3, ["ok"]),
        (cluster(2), 3, ["ok", "bad"]),
        (cluster(), 1, ["ok", "warn"]),
        (cluster(offsets_retention_minutes="10080"), 3, ["ok"]),
        (cluster(offsets_retention_minutes="1440"), 3, ["ok", "warn"]),
        (cluster(transaction_max_timeout_ms="900000"), 3, ["ok"]),
        (cluster(transaction_max_timeout_ms="10000"), 3, ["ok", "bad"]),
    ],
)
def test_what_brokers_are_short_of(told: Cluster, replication: int, levels: list[str]) -> None:
    """Copies that cannot be, offsets that are soon forgotten, transactions that end too soon."""
    assert levels == [each.level for each in judge_cluster(told, replication)]


def test_a_protocol_that_the_brokers_do_not_lead_by() -> None:
    """KIP-848 is theirs to offer; who does not say is not doubted."""
    old = cluster(group_coordinator_rebalance_protocols="classic")
    new = cluster(group_coordinator_rebalance_protocols="classic,consumer")

    assert ["bad"] == [each.level for each in judge_protocol(old, "consumer")]
    assert [] == list(judge_protocol(old, "classic"))
    assert [] == list(judge_protocol(new, "consumer"))
    assert [] == list(judge_protocol(cluster(), "consumer"))


def test_what_is_not_allowed_is_named_by_topic() -> None:
    """Brokers without rules let everybody do everything."""
    allowed = {"a": {"READ", "WRITE", "DESCRIBE", "ALTER"}, "b": {"DESCRIBE"}, "c": None}
    [finding] = judge_permissions(allowed)
    [free] = judge_permissions({"a": None})

    assert "bad" == finding.level
    assert "b: READ, WRITE is not allowed" == finding.says
    assert "ok" == free.level
    assert ["ok"] == [each.level for each in judge_permissions({"a": allowed["a"]})]


def test_transactions_and_clock() -> None:
    """Each with a way out."""
    refused = judge_transactions("TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "og")

    assert "ok" == judge_transactions(None, "og").level
    assert ("bad", True) == (refused.level, "at_least_once" in (refused.fix or ""))
    assert ["ok", "ok", "bad", "bad"] == [judge_clock(s).level for s in (0.1, -1.9, 60.0, -60.0)]
    assert "60 s behind" in judge_clock(-60.0).says


def test_rows_that_do_not_fit() -> None:
    """A table in memory needs it; one on disk needs the disk."""
    gib = 1 << 30
    levels = [judge_memory(rows, 2 * gib, "memory").level for rows in (10_000, 10**6, 2 * 10**6)]

    assert ["ok", "warn", "warn"] == levels  # offsets: compaction leaves fewer rows
    assert "ok" == judge_memory(10**9, gib, "rocksdb").level
    assert [] == list(judge_disk(0, "state", "memory"))
    assert ["bad", "ok"] == [
        each.level for free in (gib // 2, 9 * gib) for each in judge_disk(free, "state", "rocksdb")
    ]


def test_a_container_s_limit_counts(tmp_path: Path) -> None:
    """The machine may have more than is ours."""
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal: 99 kB\nMemAvailable:    8000 kB\n")
    alone = free_memory(tmp_path)
    group = tmp_path / "sys/fs/cgroup"
    group.mkdir(parents=True)
    (group / "memory.max").write_text("3000000\n")
    (group / "memory.current").write_text("1000000\n")
    limited = free_memory(tmp_path)
    (group / "memory.max").write_text("max\n")

    assert (8_192_000, 2_000_000, 8_192_000) == (alone, limited, free_memory(tmp_path))
