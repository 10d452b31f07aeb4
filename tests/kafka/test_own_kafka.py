"""`./run kafka`: a Kafka for trials, by itself, until it is stopped."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from confluent_kafka.admin import AdminClient

from streams.demo.broker import free_ports
from streams.demo.kafka import main

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_it_answers_until_it_is_stopped(tmp_path: Path) -> None:
    """At the port that was asked for; Ctrl-C ends it, broker and all, with 0."""
    [port] = free_ports(1)
    command = [sys.executable, "-m", "streams.demo.kafka", "--port", str(port)]
    with subprocess.Popen(
        [*command, "--directory", str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        told = [process.stdout.readline(), process.stdout.readline()]
        client = AdminClient({"bootstrap.servers": f"127.0.0.1:{port}", "log_level": 0})
        brokers = client.list_topics(timeout=10.0).brokers
        process.send_signal(signal.SIGINT)
        status = process.wait(60)

    assert told[1] == f"Kafka 127.0.0.1:{port}; Ctrl-C stops it\n"
    assert [each.port for each in brokers.values()] == [port]
    assert status == 0


def test_a_port_that_is_taken_is_told(
    broker: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the program ends with 1, not with the other one's topics."""
    port = broker.rpartition(":")[2]

    status = main(["--port", port, "--directory", str(tmp_path)])

    assert status == 1
    assert f"something else listens on 127.0.0.1:{port}" in capsys.readouterr().err
