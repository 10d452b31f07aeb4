"""`./run bench ingest`: webhooks a second that one process takes, and how soon it answers.

A real `streams ingest`, a real broker (`acks=all`), and the demo shop's webhooks, signed, over
keep-alive connections of a client that shares the machine. First as many as these carry, each
sending its next webhook when the last is answered; then a steady rate, each webhook sent when it is
due, whatever became of those before (no coordinated omission). Every answer must be 200.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import hmac
import time
from contextlib import ExitStack, suppress
from itertools import cycle
from typing import TYPE_CHECKING, NamedTuple

import httpx2

from streams.demo.broker import free_ports
from streams.demo.children import Child, ChildFailed, stop
from streams.demo.shop import Shop
from tests.bench.measure import cpu_seconds, plain_table
from tests.bench.open_loop import percentile
from tests.bench.program import on_a_broker
from tests.bench.targets import at_least, at_most, print_targets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

KEY = "bench-route-key"
MERCHANT = "5b1e9c0a7d3f4e2b8a6c1d0e9f8b7a65"
"""The demo shop's."""
RATE, P99_MS = 2_000.0, 50.0
STEADY = 500.0
WARM_SECONDS = 3.0
PATIENCE = 60.0
SETTINGS = """\
prefix = "bench"
[kafka]
bootstrap = "{bootstrap}"
[topics]
partitions = 6
replication = 1
[ingest.ordergroove.{merchant}]
keys_file = "route.keys"
"""
HEADING = ("load", "connections", "webhooks", "webhooks/s", "p50 ms", "p99 ms", "worker's CPU")


class Phase(NamedTuple):
    """One load: seconds from when each webhook was due until its answer, in order."""

    name: str
    connections: int
    latencies: list[float]
    seconds: float
    cpu: float

    @property
    def rate(self) -> float:
        """Webhooks a second."""
        return len(self.latencies) / self.seconds

    def at(self, percent: float) -> float:
        """A percentile, in milliseconds."""
        return percentile(self.latencies, percent) * 1_000


def main(arguments: Sequence[str]) -> int:
    """Run the bench and print its figures."""
    parser = argparse.ArgumentParser(
        prog="./run bench ingest",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="In short: ./run bench ingest --seconds 5",
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="of each load")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--rate", type=float, default=STEADY, help="of the steady load")
    options = parser.parse_args(arguments)
    with on_a_broker() as (place, bootstrap), ExitStack() as stack:
        port, pid = _started(place, bootstrap, stack)
        requests = cycle(list(_requests(port)))
        full = asyncio.run(_full(requests, port, options.connections, options.seconds, pid))
        steady = asyncio.run(
            _steady(requests, port, options.connections, options.rate, options.seconds, pid)
        )
    print(plain_table(HEADING, map(_row, (full, steady))))
    at = f"p99 at {options.rate:,.0f} webhooks/s"
    print_targets(
        [
            at_least("webhooks/s of a process", RATE, full.rate),
            at_most(at, P99_MS, steady.at(99), " ms"),
        ]
    )
    return 0


def _started(place: Path, bootstrap: str, stack: ExitStack) -> tuple[int, int]:
    """Start the role; its port and process id, once it answers."""
    (place / "streams.toml").write_text(SETTINGS.format(bootstrap=bootstrap, merchant=MERCHANT))
    (place / "route.keys").write_text(f"{KEY}\n")
    Child("topics", ("topics", "create"), place, {}).wait(PATIENCE)
    [port] = free_ports(1)
    child = Child("ingest", ("ingest", "--port", str(port)), place, {})
    stack.callback(stop, [child])
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        child.check()
        with suppress(httpx2.TransportError):
            if httpx2.get(f"http://127.0.0.1:{port}/readyz").status_code == 200:
                return port, child.process.pid
        time.sleep(0.1)
    raise ChildFailed(f"ingest took too long:\n{child.tail()}")


def _requests(port: int) -> Iterator[bytes]:
    """A day's webhooks as they stand on the wire, signed for the time of the bench."""
    at = f"{time.time():.0f}"
    for body in Shop(7, events=2_000):
        digest = hmac.new(KEY.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        head = (
            f"POST /webhooks/ordergroove/{MERCHANT} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            f"Ordergroove-Signature: ts={at},sig={digest}\r\n\r\n"
        )
        yield head.encode() + body


class _Connection:
    """A keep-alive connection, one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def to(cls, port: int) -> _Connection:
        """Open one."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def post(self, request: bytes) -> None:
        """Send a request and read its answer; raises ValueError for one that is not 200."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        lower = head.lower()
        length = int(lower.split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0])
        body = await self._reader.readexactly(length)
        if not head.startswith(b"HTTP/1.1 200"):
            raise ValueError(f"answered {head[9:12].decode()} {body.decode()}")

    def close(self) -> None:
        """Close it."""
        self._writer.close()


async def _full(
    requests: Iterator[bytes], port: int, connections: int, seconds: float, pid: int
) -> Phase:
    """Every connection sends its next webhook when the last one is answered."""
    latencies: list[float] = []
    open_ones = [await _Connection.to(port) for _ in range(connections)]
    began = time.monotonic() + WARM_SECONDS

    async def run(connection: _Connection) -> None:
        while (sent := time.monotonic()) < began + seconds:
            await connection.post(next(requests))
            if sent >= began:
                latencies.append(time.monotonic() - sent)

    async def look() -> float:
        await asyncio.sleep(WARM_SECONDS)
        before = cpu_seconds(pid)
        await asyncio.sleep(seconds)
        return cpu_seconds(pid) - before

    _, cpu = await asyncio.gather(asyncio.gather(*map(run, open_ones)), look())
    for each in open_ones:
        each.close()
    return Phase("full", connections, sorted(latencies), seconds, cpu)


async def _steady(
    requests: Iterator[bytes], port: int, connections: int, rate: float, seconds: float, pid: int
) -> Phase:
    """Webhooks at their times, each on a connection that is free, or a new one."""
    latencies: list[float] = []
    free = [await _Connection.to(port) for _ in range(connections)]
    began = time.monotonic() + WARM_SECONDS
    before = 0.0

    async def send(request: bytes, due: float) -> None:
        connection = free.pop() if free else await _Connection.to(port)
        await connection.post(request)
        free.append(connection)
        if due >= began:
            latencies.append(time.monotonic() - due)

    async with asyncio.TaskGroup() as tasks:
        for number in range(int(rate * (WARM_SECONDS + seconds))):
            due = began - WARM_SECONDS + number / rate
            if (wait := due - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            if not before and due >= began:
                before = cpu_seconds(pid)
            tasks.create_task(send(next(requests), due))
    cpu = cpu_seconds(pid) - before
    for each in free:
        each.close()
    return Phase(f"{rate:,.0f}/s", connections, sorted(latencies), seconds, cpu)


def _row(phase: Phase) -> tuple[str, ...]:
    return (
        phase.name,
        str(phase.connections),
        f"{len(phase.latencies):,}",
        f"{phase.rate:,.0f}",
        f"{phase.at(50):.1f}",
        f"{phase.at(99):.1f}",
        f"{phase.cpu / phase.seconds:.0%}",
    )
