"""`streams doctor` on a real broker: a set-up that is well, and one that is broken in many ways."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from confluent_kafka import Producer
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
)

from streams.cli import commands
from streams.engine.kafka import KafkaSettings
from streams.names import Names

if TYPE_CHECKING:
    from pathlib import Path

WELL = """
prefix = "{prefix}"
[kafka]
bootstrap = "{broker}"
[topics]
replication = 1
partitions = 4
[derive]
history = "complete"
[connections.klaviyo]
"""


@pytest.fixture
def settings_file(tmp_path: Path, broker: str, prefix: str) -> Path:
    """Settings with all their topics."""
    file = tmp_path / "streams.toml"
    file.write_text(WELL.format(prefix=prefix, broker=broker))
    result = CliRunner().invoke(commands, ["--settings", str(file), "topics", "create"])
    assert result.exit_code == 0, result.output
    return file


def findings(file: Path) -> tuple[int, dict[str, list[dict[str, Any]]]]:
    """Exit code, and what was found, by what it is about."""
    result = CliRunner().invoke(commands, ["--settings", str(file), "doctor", "--json"])
    found: dict[str, list[dict[str, Any]]] = {}
    for line in result.output.splitlines():
        each = json.loads(line)
        found.setdefault(each["about"], []).append(each)
    return result.exit_code, found


def test_a_set_up_that_is_well(settings_file: Path, broker: str) -> None:
    """Nothing is bad; and looking leaves nothing behind."""
    before = set(AdminClient({"bootstrap.servers": broker}).list_topics().topics)
    code, found = findings(settings_file)
    left = set(AdminClient({"bootstrap.servers": broker}).list_topics().topics) - before

    assert 0 == code
    assert [] == [each for some in found.values() for each in some if each["level"] == "bad"]
    assert {
        "clock", "connections", "groups", "history", "kafka", "keys", "memory", "permissions",
        "registry", "topics", "transactions",
    } == set(found)  # fmt: skip
    assert {each for each in left if not each.startswith("__")} == set()


def test_a_set_up_that_is_broken(settings_file: Path, broker: str, prefix: str) -> None:
    """Each fault with its name and its remedy, all in one go."""
    admin = AdminClient({"bootstrap.servers": broker})
    admin.delete_topics([f"{prefix}.outcomes"])[f"{prefix}.outcomes"].result()
    source = f"{prefix}.ordergroove.events"
    entry = ConfigEntry(
        "message.timestamp.type", "CreateTime", incremental_operation=AlterConfigOpType.SET
    )
    changed = ConfigResource(ConfigResource.Type.TOPIC, source, incremental_configs=[entry])
    for done in admin.incremental_alter_configs([changed]).values():
        done.result()
    low = Names(prefix).low("klaviyo")
    admin.create_partitions([NewPartitions(low, 6)])[low].result()
    producer = Producer(KafkaSettings(bootstrap=broker).producer())
    for number in range(40):
        producer.produce(source, b"{}", b"customer-%d" % number, number % 4)
    producer.flush()
    text = settings_file.read_text().replace('history = "complete"', 'history = "live"')
    settings_file.write_text(
        text + 'mode = "live"\n[registry]\nurl = "http://127.0.0.1:1"\npatience = "1s"\n'
        '[ordergroove.api.m1]\n[ingest.ordergroove.m1]\nkeys_file = "nowhere"\n'
    )
    code, found = findings(settings_file)
    bad = {about: [e for e in some if e["level"] == "bad"] for about, some in found.items()}
    told = "\n".join(each["says"] for each in bad["topics"])

    assert 1 == code
    assert f"{prefix}.outcomes does not exist" in told
    assert f"{low} has 6 partitions, {prefix}.deliveries.klaviyo 4" in told
    assert ["ordergroove.api.m1.key: there is none"] == [each["says"] for each in bad["api"]]
    assert ["ingest.ordergroove.m1.keys_file"] == [
        e["says"].partition(":")[0] for e in bad["ingest"]
    ]
    assert f"{source} has message.timestamp.type=CreateTime" in told
    assert "connections.klaviyo.credentials" in bad["connections"][0]["says"]
    assert "STREAMS_CONNECTIONS__KLAVIYO__CREDENTIALS" in bad["connections"][0]["fix"]
    assert ["warn"] == [each["level"] for each in found["history"]]
    assert bad["registry"]
    assert all(each["fix"] for some in bad.values() for each in some)


def test_records_that_lie_elsewhere(settings_file: Path, broker: str, prefix: str) -> None:
    """A topic that is keyed otherwise would be state in two places."""
    source = f"{prefix}.ordergroove.events"
    producer = Producer(KafkaSettings(bootstrap=broker).producer())
    for number in range(40):
        producer.produce(source, b"{}", b"m:customer-%d" % number, number % 4)
    producer.flush()
    code, found = findings(settings_file)
    [keys] = found["keys"]

    assert (1, "bad") == (code, keys["level"])
    assert "rekey" in keys["fix"]


def test_no_broker_is_said_at_once(settings_file: Path) -> None:
    """And nothing else is guessed; a person is told in lines."""
    text = settings_file.read_text()
    address = text.split('bootstrap = "')[1].split('"')[0]
    settings_file.write_text(text.replace(address, "127.0.0.1:1"))
    result = CliRunner().invoke(commands, ["--settings", str(settings_file), "doctor", "--quiet"])

    assert 1 == result.exit_code
    assert "127.0.0.1:1 does not answer" in result.output
    assert "kafka.bootstrap" in result.output
    assert "ok  " not in result.output
