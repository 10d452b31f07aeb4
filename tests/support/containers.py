"""Apache Kafka in Docker by testcontainers, with the settings of the local broker."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from docker.errors import DockerException
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from streams.demo.broker import ONE_MACHINE, free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

IMAGE = "apache/kafka:4.1.1"


def environment(port: int) -> dict[str, str]:
    """Return the image's variables for one node that clients reach on `localhost:port`."""
    listeners = {
        "node.id": "1",
        "process.roles": "broker,controller",
        "listeners": f"PLAINTEXT://0.0.0.0:{port},CONTROLLER://localhost:9093",
        "advertised.listeners": f"PLAINTEXT://localhost:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": "1@localhost:9093",
    }
    settings = {**ONE_MACHINE, **listeners}
    return {f"KAFKA_{name.replace('.', '_').upper()}": text for name, text in settings.items()}


@contextlib.contextmanager
def kafka_in_docker() -> Iterator[str]:
    """Start the image, yield `host:port`, remove the container; fails where no engine answers."""
    (port,) = free_ports(1)
    try:
        container = DockerContainer(IMAGE, env=environment(port))
    except DockerException as error:
        message = f"a broker in Docker was asked for, but no engine answers: {error}"
        raise pytest.fail.Exception(message, pytrace=False) from None
    container.with_bind_ports(port, port)
    with container.waiting_for(LogMessageWaitStrategy("Kafka Server started")):
        yield f"localhost:{port}"
