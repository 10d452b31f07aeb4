"""A real Apache Kafka for the demo, the tests and the benchmarks: one node, KRaft combined mode.

No Docker, Java or Maven is needed (DESIGN §9; `streams.demo.java` brings the parts). Everything
that the broker writes stays in the directory given by the caller, so a `Broker` on the same
directory is the same broker again, with its topics, data and port.
"""

from __future__ import annotations

import os
import random
import socket
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from streams.demo.java import BrokerError, jars, java

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

__all__ = ["ONE_MACHINE", "Broker", "BrokerError", "free_ports"]

_HOST = "127.0.0.1"
_CLUSTER_ID = "b3JkZXJncm9vdmUtc3RyMQ"
_PORTS = range(20_000, 32_000)
"""Below every system's ephemeral range, or a client's own connection may take the port of a broker
that is down (on the loopback a client retrying in vain can even connect to itself)."""

_JVM_FLAGS = (
    # Measured on two cores over 900,000 records: half the CPU time of the full compiler and a third
    # less memory than with it; G1 and ParallelGC were slower.
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-UsePerfData",  # else the JVM keeps a file in the system's /tmp
    "--sun-misc-unsafe-memory-access=allow",  # no warnings about what Kafka's own code does
    "--enable-native-access=ALL-UNNAMED",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
)

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


class Broker:
    """One Kafka node as a child process; a context manager that starts and stops it.

    It ends with the process that started it, however that one ends. One thread at a time.

    Attributes:
        directory: settings, data, log and temporary files, nothing of it outside.
        bootstrap: `host:port` for clients, the same across restarts.
        log: what the broker printed, over all its starts.
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int | None = None,
        heap: str = "512m",
        properties: Mapping[str, str] | None = None,
        cache: Path | None = None,
    ) -> None:
        """Describe a broker; nothing is started or written yet.

        Args:
            directory: made when missing; may hold the data of an earlier broker.
            port: the port for clients; by default the one used before in `directory`, else a
                free one.
            heap: the JVM's `-Xmx`.
            properties: broker settings beyond, or instead of, those for one machine.
            cache: where Kafka's jars are kept (`streams.demo.java.jars`).
        """
        self.directory = directory.absolute()
        self.log = self.directory / "broker.log"
        self._settings = self.directory / "server.properties"
        client_port, self._controller_port = self._earlier_ports() or free_ports(2)
        self._port = port or client_port
        self.bootstrap = f"{_HOST}:{self._port}"
        self._heap = heap
        self._properties = dict(properties or {})
        self._cache = cache
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The JVM's process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

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

    def start(self, timeout: float = 90.0) -> None:
        """Start, and return when the broker answers clients and leads all its partitions.

        Args:
            timeout: seconds to wait for that.

        Raises:
            BrokerError: it runs already, it ended, or it did not answer in time; the message
                holds the end of its log.
        """
        if self.pid is not None:
            message = f"the broker on {self.bootstrap} runs already"
            raise BrokerError(message)
        if _listens(self._port):  # the wait below would take the other's answers for ours
            message = f"something else listens on {self.bootstrap}"
            raise BrokerError(message)
        self._reap()
        for name in ("data", "tmp"):
            (self.directory / name).mkdir(parents=True, exist_ok=True)
        self._settings.write_text(self._properties_text(), encoding="utf-8")
        if not (self.directory / "data" / "meta.properties").exists():
            self._format()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._java("kafka.Kafka", str(self._settings)),
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the caller, who stops the broker last
            )
        self._guard = _guard(self._process.pid)
        try:
            self._await_ready(self._process, time.monotonic() + timeout)
        except BaseException:
            self.kill()
            raise

    def stop(self, timeout: float = 20.0) -> None:
        """Stop in order (SIGTERM), after `timeout` seconds by force; when stopped do nothing."""
        if self._process is not None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout)
        self.kill()

    def kill(self) -> None:
        """End at once (SIGKILL), as a crash would; `start` brings it back with its data."""
        if self._process is not None:
            self._process.kill()
        self._reap()

    def _reap(self) -> None:
        """Forget a broker that has ended, or is about to."""
        if self._process is not None:
            self._process.wait()
        if self._guard is not None:
            self._guard.kill()  # before its pipe closes, or it would kill whoever has the pid next
            self._guard.communicate()
        self._process = self._guard = None

    def _earlier_ports(self) -> tuple[int, int] | None:
        """Return the ports in the settings of an earlier broker in this directory."""
        if not self._settings.exists():
            return None
        lines = self._settings.read_text(encoding="utf-8").splitlines()
        listeners = next(line for line in lines if line.startswith("listeners="))
        client, controller = (int(each.rpartition(":")[2]) for each in listeners.split(","))
        return client, controller

    def _properties_text(self) -> str:
        controller = f"{_HOST}:{self._controller_port}"
        settings = {
            **ONE_MACHINE,
            **self._properties,
            "node.id": "1",
            "process.roles": "broker,controller",
            "listeners": f"PLAINTEXT://{self.bootstrap},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "controller.listener.names": "CONTROLLER",
            "controller.quorum.voters": f"1@{controller}",
            "log.dirs": str(self.directory / "data"),
        }
        return "".join(f"{name}={value}\n" for name, value in settings.items())

    def _java(self, *arguments: str) -> list[str]:
        class_path = os.pathsep.join(str(path) for path in jars(self._cache))
        temporary = f"-Djava.io.tmpdir={self.directory / 'tmp'}"
        flags = (*_JVM_FLAGS, f"-Xmx{self._heap}", temporary)
        return [str(java()), *flags, "-cp", class_path, *arguments]

    def _format(self) -> None:
        tool = ("kafka.tools.StorageTool", "format", "--cluster-id", _CLUSTER_ID)
        command = self._java(*tool, "--config", str(self._settings))
        done = subprocess.run(
            command, cwd=self.directory, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            message = f"cannot format {self.directory}:\n{done.stdout}{done.stderr}"
            raise BrokerError(message)

    def _await_ready(self, process: subprocess.Popen[bytes], deadline: float) -> None:
        client: AdminClient | None = None
        while time.monotonic() < deadline:
            with suppress(subprocess.TimeoutExpired):
                status = process.wait(timeout=0.05)
                raise BrokerError(f"the broker ended with status {status}" + self._tail())
            if client is None and _listens(self._port):  # before, librdkafka would only back off
                client = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
            if client is not None and _leads_all(client):
                return
        raise BrokerError(f"the broker on {self.bootstrap} does not answer" + self._tail())

    def _tail(self, lines: int = 20) -> str:
        printed = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return f"; the end of {self.log}:\n" + "\n".join(printed[-lines:])


def _guard(pid: int) -> subprocess.Popen[bytes]:
    """Start a process that kills `pid` as soon as ours is gone and its pipe from us closes."""
    return subprocess.Popen(
        ["/bin/sh", "-c", 'read -r _; kill -9 "$0"', str(pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _leads_all(client: AdminClient) -> bool:
    """Tell whether the broker answers, is part of its cluster and leads every partition."""
    try:
        seen = client.list_topics(timeout=1.0)
    except KafkaException:
        return False
    partitions = (each for topic in seen.topics.values() for each in topic.partitions.values())
    return bool(seen.brokers) and all(partition.leader == 1 for partition in partitions)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((_HOST, port)) == 0


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on, chosen at random so that two callers rarely agree."""
    free: list[int] = []
    for port in random.sample(_PORTS, len(_PORTS)):
        if len(free) == count:
            break
        with socket.socket() as probe, suppress(OSError):
            probe.bind((_HOST, port))
            free.append(port)
    return free
