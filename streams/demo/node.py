"""One Kafka process: its directory, its ports, its beginning and its end.

What one node makes of it is in `broker`, what several make of it together in `cluster`.
"""

from __future__ import annotations

import os
import random
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from confluent_kafka.admin import AdminClient

from streams.demo.java import BrokerError, jars, java

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = ["Address", "Node", "earlier_ports", "free_ports"]

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


@dataclass(frozen=True, slots=True)
class Address:
    """A node's number in its cluster and its two ports."""

    number: int
    client_port: int
    controller_port: int

    @property
    def bootstrap(self) -> str:
        """`host:port` for clients."""
        return f"{_HOST}:{self.client_port}"

    @property
    def controller(self) -> str:
        """`host:port` for the other nodes' controllers."""
        return f"{_HOST}:{self.controller_port}"


class Node:
    """One Kafka node in KRaft combined mode (broker and controller) as a child process.

    It ends with the process that started it, however that one ends. One thread at a time.

    Attributes:
        directory: settings, data, log and temporary files, nothing of it outside.
        bootstrap: `host:port` for clients, the same across restarts.
        log: what the node printed, over all its starts.
    """

    def __init__(
        self,
        directory: Path,
        address: Address,
        voters: list[Address],
        properties: Mapping[str, str],
        *,
        heap: str,
        ready: Callable[[AdminClient], bool],
    ) -> None:
        """Describe a node; nothing is started or written yet.

        Args:
            directory: made when missing; may hold the data of an earlier node.
            address: its own.
            voters: all nodes of the cluster, itself included.
            properties: broker settings beyond those that say who and where it is.
            heap: the JVM's `-Xmx`.
            ready: whether it may be used, asked with a client of its own.
        """
        self.directory = directory.absolute()
        self.log = self.directory / "broker.log"
        self.bootstrap = address.bootstrap
        self._address = address
        self._settings = _settings_file(self.directory)
        self._properties = {
            **properties,
            "node.id": str(address.number),
            "process.roles": "broker,controller",
            "listeners": f"PLAINTEXT://{address.bootstrap},CONTROLLER://{address.controller}",
            "advertised.listeners": f"PLAINTEXT://{address.bootstrap}",
            "controller.listener.names": "CONTROLLER",
            "controller.quorum.voters": ",".join(f"{v.number}@{v.controller}" for v in voters),
            "log.dirs": str(self.directory / "data"),
        }
        self._heap = heap
        self._ready = ready
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The JVM's process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self, timeout: float = 90.0) -> None:
        """Start, and return when the node answers clients and is ready.

        Args:
            timeout: seconds to wait for that.

        Raises:
            BrokerError: it runs already, it ended, or it did not answer in time; the message
                holds the end of its log.
        """
        self.launch()
        self.await_ready(timeout)

    def launch(self) -> None:
        """Start, and return at once; `await_ready` comes next.

        Raises:
            BrokerError: it runs already, its port is taken, or its settings are wrong.
        """
        if self.pid is not None:
            message = f"the broker on {self.bootstrap} runs already"
            raise BrokerError(message)
        if self._listens():  # else the other's answers would be taken for ours
            message = f"something else listens on {self.bootstrap}"
            raise BrokerError(message)
        self._reap()
        for name in ("data", "tmp"):
            (self.directory / name).mkdir(parents=True, exist_ok=True)
        lines = [f"{name}={value}\n" for name, value in self._properties.items()]
        self._settings.write_text("".join(lines), encoding="utf-8")
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

    def await_ready(self, timeout: float = 90.0) -> None:
        """Wait until a launched node is ready; it is killed when that fails.

        Args:
            timeout: seconds to wait.

        Raises:
            BrokerError: it ended, or did not answer in time.
        """
        try:
            self._await_ready(time.monotonic() + timeout)
        except BaseException:
            self.kill()
            raise

    def wait(self) -> NoReturn:
        """Wait for the end of a started node, whatever ended it.

        Raises:
            BrokerError: always; the message holds its status and the end of its log.
        """
        status = None if self._process is None else self._process.wait()
        raise BrokerError(f"the broker ended with status {status}" + self._tail())

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
        """Forget a process that has ended, or is about to."""
        if self._process is not None:
            self._process.wait()
        if self._guard is not None:
            self._guard.kill()  # before its pipe closes, or it would kill whoever has the pid next
            self._guard.communicate()
        self._process = self._guard = None

    def _await_ready(self, deadline: float) -> None:
        process, client = self._process, None
        while process is not None and time.monotonic() < deadline:
            with suppress(subprocess.TimeoutExpired):
                status = process.wait(timeout=0.05)
                raise BrokerError(f"the broker ended with status {status}" + self._tail())
            if client is None and self._listens():  # before, librdkafka would only back off
                client = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
            if client is not None and self._ready(client):
                return
        raise BrokerError(f"the broker on {self.bootstrap} does not answer" + self._tail())

    def _java(self, *arguments: str) -> list[str]:
        class_path = os.pathsep.join(str(path) for path in jars())
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

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((_HOST, self._address.client_port)) == 0

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


def _settings_file(directory: Path) -> Path:
    return directory / "server.properties"


def earlier_ports(directory: Path) -> tuple[int, int] | None:
    """Return the client's and the controller's port of the node that was here before."""
    settings = _settings_file(directory)
    if not settings.exists():
        return None
    lines = settings.read_text(encoding="utf-8").splitlines()
    listeners = next(line for line in lines if line.startswith("listeners="))
    client, controller = (int(each.rpartition(":")[2]) for each in listeners.split(","))
    return client, controller


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
