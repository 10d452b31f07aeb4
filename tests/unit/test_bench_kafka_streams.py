"""The Kafka Streams peer: what it needs, how it is made, and that its job is the reference job."""

from __future__ import annotations

import io
import json
import os
import struct
import subprocess
from collections import defaultdict
from pathlib import Path
from random import Random
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_writer

from streams.demo.java import KAFKA, BrokerError
from tests.bench.peers import kafka_streams as peer
from tests.bench.reference import job as reference

HARNESS = """\
import java.io.*;
import java.util.*;

/** Applies records from stdin, and writes what is told of each: lengths and bytes. */
public final class Harness {
    public static void main(String[] none) throws IOException {
        Map<String, byte[]> rows = new HashMap<>();
        Job job = new Job();
        DataOutputStream out = new DataOutputStream(new BufferedOutputStream(System.out));
        try (DataInputStream in = new DataInputStream(new BufferedInputStream(System.in))) {
            for (int left = in.readInt(); left > 0; left--) {
                String key = in.readUTF();
                job.apply(in.readNBytes(in.readInt()), rows.get(key));
                rows.put(key, job.row);
                for (byte[] each : new byte[][] {job.event, job.conclusion}) {
                    out.writeInt(each == null ? 0 : each.length);
                    out.write(each == null ? new byte[0] : each);
                }
            }
        }
        out.flush();
    }
}
"""

TEXTS = (None, "", "Zoë", "x" * 200, "☕" * 30)
IDS = ("1", "12", "123", "2", "s" * 63, "s" * 64, "")
"""Ids of which one begins as another does, and of lengths that take one byte and two."""


def record(chance: Random) -> dict[str, Any]:
    """A source record with anything in any field."""
    text = chance.choice
    return {
        "event_id": f"{chance.getrandbits(128):032x}",
        "event_type": text(["subscription.create", "subscription.cancel", ""]),
        "occurred_at": chance.randrange(-(1 << 62), 1 << 62),
        "merchant_id": reference.MERCHANT,
        "customer": {
            "id": "c",
            **{name: text(TEXTS) for name in ("first_name", "last_name", "email", "phone_number")},
        },
        "subscription": {
            "id": text(IDS),
            "quantity": chance.randrange(-(1 << 31), 1 << 31),
            "frequency_days": chance.randrange(100),
            "frequency_description": text(TEXTS),
            "product": {
                name: text(TEXTS) for name in ("id", "name", "sku", "image_url", "detail_url")
            },
            "live": chance.random() < 0.5,
            "cancel_reason": text(TEXTS),
            "prepaid_orders_remaining": text([None, 3]),
            "currency_code": text(TEXTS),
        },
    }


def odd_records(count: int) -> list[tuple[bytes, bytes]]:
    """Key and value of records about a few customers."""
    chance = Random(7)
    schema = parse_schema(json.loads((reference.HERE / "event.avsc").read_text()))
    frame = b"\0" + reference.EVENT_ID.to_bytes(4, "big")
    records = []
    for _ in range(count):
        value = io.BytesIO()
        schemaless_writer(value, schema, record(chance))
        records.append((f"k{chance.randrange(9)}".encode(), frame + value.getvalue()))
    return records


def told_by_java(records: list[tuple[bytes, bytes]], directory: Path) -> dict[bytes, list[bytes]]:
    """Key → the deliveries that the Java job makes."""
    words = peer.command("none:1", "p", 1, 1, directory)
    java, class_path = Path(words[0]), words[words.index("-cp") + 1]
    source = directory / "Harness.java"
    source.write_text(HARNESS)
    javac = [str(java.with_name("javac")), "-cp", class_path, "-d", str(directory), str(source)]
    subprocess.run(javac, check=True)
    given = struct.pack(">i", len(records)) + b"".join(
        struct.pack(">h", len(key)) + key + struct.pack(">i", len(value)) + value
        for key, value in records
    )
    both = os.pathsep.join([str(directory), class_path])
    printed = subprocess.run(
        [str(java), "-cp", both, "Harness"], input=given, stdout=subprocess.PIPE, check=True
    ).stdout
    told: dict[bytes, list[bytes]] = defaultdict(list)
    at = 0
    for key, _ in records:
        for _ in range(2):
            (size,) = struct.unpack_from(">i", printed, at)
            told[key] += [printed[at + 4 : at + 4 + size]] if size else []
            at += 4 + size
    return told


@pytest.mark.parametrize("kind", ["usual", "odd"])
def test_the_java_job_tells_what_ours_tells(kind: str, tmp_path: Path) -> None:
    """The same records come to the same bytes, in the same order for each key."""
    reason = peer.missing()
    if reason is not None:
        pytest.skip(f"kafka-streams: {reason}")
    records = odd_records(2_000) if kind == "odd" else list(reference.records(2_000, 100))

    rows: dict[bytes, bytes] = {}
    expected: dict[bytes, list[bytes]] = defaultdict(list)
    for key, value in records:
        applied = reference.apply(value, rows.get(key))
        rows[key] = applied.row
        expected[key] += applied.events

    assert expected == told_by_java(records, tmp_path)


@pytest.fixture
def jdk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A JDK that only pretends: its `javac` notes its words, and makes the folder it is asked for.

    Returns its folder; nothing else of a JDK is to be found, and no jars are fetched.
    """
    home = tmp_path / "jdk" / "bin"
    home.mkdir(parents=True)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.delenv(peer.TRIED, raising=False)
    monkeypatch.setenv("PATH", f"{home}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setattr(peer, "CLASSES", tmp_path / "classes")
    monkeypatch.setattr(peer, "SOURCES", tmp_path / "sources")
    monkeypatch.setattr(peer, "jars", lambda **_: [Path("/jars/one.jar")])
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "ReferenceJob.java").write_text("class ReferenceJob {}")
    pretend(home, "javac 17.0.15")
    return home


def pretend(home: Path, version: str, status: int = 0) -> None:
    """Write a `javac`."""
    tool = home / "javac"
    tool.write_text(
        f'#!/bin/sh\n[ "$1" = -version ] && {{ echo "{version}"; exit 0; }}\n'
        f'echo "$@" >> "{home}/calls"\necho "ReferenceJob.java:1: error"\n'
        'while [ "$1" != -d ]; do shift; done\nmkdir -p "$2"\n'
        f"exit {status}\n"
    )
    tool.chmod(0o755)


def class_path(directory: Path) -> str:
    """Of the command."""
    words = peer.command("h:1", "p", 6, 2, directory)
    return words[words.index("-cp") + 1]


def test_without_a_compiler_it_is_skipped_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No `javac`: the reason says so, and there is no command."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert "no JDK (javac) on this machine" == peer.missing()
    with pytest.raises(peer.NotAvailable, match="no JDK"):
        peer.command("h:1", "p", 6, 1, tmp_path)


def test_an_old_compiler_is_named(jdk: Path) -> None:
    """What cannot compile the sources is not tried."""
    pretend(jdk, "javac 11.0.2")

    assert "its JDK is older than 17: javac 11.0.2" == peer.missing()


def test_jars_that_cannot_be_had_are_a_reason(jdk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without Maven Central runs the other engines."""

    def unreachable(**_: Any) -> list[Path]:
        raise BrokerError("cannot fetch Kafka Streams's jars")

    monkeypatch.setattr(peer, "jars", unreachable)

    assert "cannot fetch Kafka Streams's jars" == peer.missing()


def test_what_does_not_compile_is_told(jdk: Path, tmp_path: Path) -> None:
    """The compiler's own words are the reason, and nothing is left of the attempt."""
    pretend(jdk, "javac 17.0.15", status=1)

    assert "javac failed: ReferenceJob.java:1: error" == peer.missing()
    assert [] == list((tmp_path / "classes").iterdir())


def test_it_is_compiled_once_and_again_when_a_source_changes(jdk: Path, tmp_path: Path) -> None:
    """Class files are kept by what they were made from."""
    first, again = class_path(tmp_path), class_path(tmp_path)
    (tmp_path / "sources" / "ReferenceJob.java").write_text("final class ReferenceJob {}")
    changed = class_path(tmp_path)

    assert first == again
    assert first != changed
    assert 2 == len((jdk / "calls").read_text().splitlines())


def test_java_home_comes_before_the_path(
    jdk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for every Java tool; and `java` is the one beside that `javac`."""
    other = tmp_path / "other" / "bin"
    other.mkdir(parents=True)
    pretend(other, "javac 21.0.1")
    monkeypatch.setenv("JAVA_HOME", str(other.parent))

    assert str(other / "java") == peer.command("h:1", "p", 6, 1, tmp_path)[0]
    assert not (jdk / "calls").exists()


def test_the_command_is_the_runners_contract(jdk: Path, tmp_path: Path) -> None:
    """Address, prefix, partitions, threads and a directory, as every engine is started."""
    words = peer.command("h:1", "p", 6, 2, tmp_path)

    expected = ["--bootstrap", "h:1", "--prefix", "p", "--partitions", "6", "--threads", "2"]
    assert [*expected, "--directory", str(tmp_path / "state")] == words[-10:]
    assert {f"-Djava.io.tmpdir={tmp_path}", "-Xmx512m"} < set(words)


def test_other_settings_can_be_tried(
    jdk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who doubts ours names better ones."""
    monkeypatch.setenv("KAFKA_STREAMS_SETTINGS", "commit.interval.ms=500 poll.ms=10")

    words = peer.command("h:1", "p", 6, 1, tmp_path)

    assert ["--set", "commit.interval.ms=500", "--set", "poll.ms=10"] == words[-4:]


def test_its_kafka_clients_are_the_brokers() -> None:
    """The client is of the broker's own version: the very same jar."""

    def clients(pinned: Path) -> str:
        (line,) = (each for each in pinned.read_text().splitlines() if "kafka-clients" in each)
        return line

    assert clients(KAFKA.pinned) == clients(peer.JARS.pinned)
