"""The vendors as the delivery bench has them: simulators in processes of their own, real sockets.

Their limits are the published ones, which the simulators enforce: what is beyond gets 429.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import httpx2

from streams.demo.children import Child, ChildFailed, stop
from streams.demo.observation import Metrics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

__all__ = ["VENDORS", "Count", "Simulator", "Vendor", "Worker"]

LATENCY_SECONDS = 0.2
PATIENCE = 120.0
_LOOK_SECONDS = 0.1

LATENCY = f"""\
[[faults]]
kind = "latency"
seconds = {LATENCY_SECONDS}
"""


class Vendor(NamedTuple):
    """What is measured of one vendor.

    Attributes:
        path: of the requests that are counted.
        allowed: of these, a second, by the vendor's pages; where two windows hold, by the longer.
        records: that a request carries once many wait.
        parts: requests of one delivery, one after the other.
        base: of its API, below the simulator's address.
    """

    path: str
    allowed: float
    records: int = 1
    parts: int = 1
    base: str = ""


VENDORS: Mapping[str, Vendor] = {
    "attentive": Vendor("/v1/events/custom", 150.0, parts=2),  # contracts/attentive.md §6
    "klaviyo": Vendor("/api/events", 3_500 / 60),  # contracts/klaviyo.md §6: 350/s, 3,500/min
    "ometria": Vendor("/v2/push", 8.0, records=100),  # contracts/ometria.md §2
    "yespo": Vendor("/api/v2/event", 350.0, base="/api"),  # contracts/yespo.md §5
}


class Count(NamedTuple):
    """What a simulator got so far: requests that are counted, and refusals of any for a limit."""

    requests: int
    throttled: int
    at: float


class Simulator:
    """One vendor's simulator, as `streams simulate` runs it; a context manager.

    Attributes:
        url: of its API.
    """

    def __init__(self, name: str, port: int, directory: Path, *, limited: bool) -> None:
        """Start it; without limits it has no latency either."""
        self._vendor = VENDORS[name]
        faults = directory / f"{name}.toml"
        faults.write_text(LATENCY if limited else "")
        arguments = ("--port", str(port), "--limits", "1" if limited else "off")
        self._child = Child(
            f"simulate-{name}",
            ("simulate", name, *arguments, "--faults", str(faults)),
            directory,
            {"PYTHONWARNINGS": "ignore"},
        )
        self._client = httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
        self.url = f"http://127.0.0.1:{port}{self._vendor.base}"

    def __enter__(self) -> Self:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self.count()
            except httpx2.TransportError:
                self._child.check()
                if time.monotonic() > deadline:
                    raise ChildFailed(
                        f"a simulator does not answer:\n{self._child.tail()}"
                    ) from None
                time.sleep(_LOOK_SECONDS)
            else:
                return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()
        stop([self._child])

    def count(self) -> Count:
        """What it got so far."""
        at = time.monotonic()
        told: dict[str, Any] = self._client.get("/_control/summary").json()
        return Count(told["paths"].get(self._vendor.path, 0), told["statuses"].get("429", 0), at)


class Worker:
    """A deliver worker's process, with all connections."""

    def __init__(
        self, name: str, port: int, directory: Path, environment: Mapping[str, str]
    ) -> None:
        """Start it."""
        self._child = Child(
            name, ("worker", "deliver", "--all", "--port", str(port)), directory, environment
        )
        self._url = f"http://127.0.0.1:{port}"
        self._metrics = Metrics(self._url)
        self.pid = self._child.process.pid

    def ready(self, partitions: int) -> None:
        """Wait until it owns so many partitions.

        Raises:
            ChildFailed: it ended, or takes too long.
        """
        deadline = time.monotonic() + PATIENCE
        while not (
            self._metrics.ready() and self._metrics.read().get("streams_partitions") == partitions
        ):
            self._child.check()
            if time.monotonic() > deadline:
                raise ChildFailed(f"the worker took too long:\n{self._child.tail()}")
            time.sleep(_LOOK_SECONDS)

    def accepted(self) -> dict[str, float]:
        """Records that vendors accepted of it, by connection."""
        found = {}
        for line in httpx2.get(f"{self._url}/metrics", timeout=30).text.splitlines():
            if line.startswith("streams_attempts_total{") and 'meaning="accepted"' in line:
                name = line.split('connection="')[1].split('"')[0]
                found[name] = float(line.rpartition(" ")[2])
        return found

    def check(self) -> None:
        """Raise `ChildFailed` if it has ended."""
        self._child.check()

    @staticmethod
    def stop(workers: Sequence[Worker]) -> None:
        """End them together."""
        for each in workers:
            each._metrics.close()
        stop([each._child for each in workers])
