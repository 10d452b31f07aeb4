"""The product under test: topics and settings under one prefix, and its derive worker as started.

Four connections, two of each destination, so that an event is written to about as many topics as in
a shop with all vendors.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

import httpx2
from typing_extensions import override

from streams.demo.broker import Broker, free_ports
from streams.demo.children import Child, ChildFailed, stop
from streams.demo.observation import Metrics
from streams.names import Names
from tests.bench.filling import ANYWHERE, NOW, fill
from tests.bench.peers.jobs import CONNECTION_TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

__all__ = ["STATES", "Program", "Worker", "on_a_broker"]

STATES = ("memory", "rocksdb")
"""Stores of derive's rows."""
PATIENCE = 600.0
_READY_SECONDS = 0.02
_PROCESSED_SECONDS = 0.3
"""Seldom: a look at the metrics costs the worker about a millisecond of what is measured."""

SETTINGS = """\
prefix = "{prefix}"

[kafka]
bootstrap = "{bootstrap}"

[topics]
partitions = {partitions}
replication = 1

[derive]
guarantee = "exactly_once"
history = "complete"
flows_from = "beginning"
{store}

"""


@contextmanager
def on_a_broker() -> Iterator[tuple[Path, str]]:
    """A directory to work in and the address of a broker of our own; both go at the end."""
    with (
        tempfile.TemporaryDirectory(prefix="streams-bench-") as place,
        Broker(Path(place) / "kafka") as broker,
    ):
        yield Path(place), broker.bootstrap


class Program:
    """One prefix on a broker.

    Attributes:
        names: of its topics.
        bootstrap: the broker.
    """

    def __init__(
        self, directory: Path, bootstrap: str, *, prefix: str = "bench", partitions: int = 6,
        state: str = "memory",
    ) -> None:  # fmt: skip
        """Write the settings and create the topics.

        Args:
            directory: for settings, logs and state; made if it is missing.
            bootstrap: the broker.
            prefix: of all names.
            partitions: of every topic.
            state: the store of derive's rows, one of `STATES`.
        """
        self.names, self.bootstrap = Names(prefix), bootstrap
        self._directory = directory
        directory.mkdir(exist_ok=True)
        text = SETTINGS.format(
            prefix=prefix, bootstrap=bootstrap, partitions=partitions,
            store="" if state == "memory" else f'state_store = "{state}"',
        )  # fmt: skip
        (directory / "streams.toml").write_text(text + CONNECTION_TABLES)
        try:
            self._create_topics()
        except ChildFailed:  # hundreds of partitions may take a busy broker longer than it waits
            self._create_topics()

    def _create_topics(self) -> None:
        Child("topics", ("topics", "create"), self._directory, {}).wait(PATIENCE)

    def worker(self) -> Worker:
        """A derive worker; it starts now."""
        return Worker(self._directory)

    def forget(self) -> None:
        """Remove the workers' own files, so that the next start reads the whole changelog."""
        shutil.rmtree(self._directory / "state", ignore_errors=True)

    def fill_rows(self, pairs: Iterable[tuple[bytes, bytes]]) -> int:
        """Write rows to the changelog, and return their bytes with keys."""
        return self._fill(self.names.subscribers_changelog, pairs)

    def fill_records(self, pairs: Iterable[tuple[bytes, bytes]]) -> int:
        """Write records to the source topic, and return their bytes with keys."""
        return self._fill(self.names.events("ordergroove"), pairs)

    def _fill(self, topic: str, pairs: Iterable[tuple[bytes, bytes]]) -> int:
        records = ((key, value, ANYWHERE, NOW) for key, value in pairs)
        return fill(self.bootstrap, topic, records)


class Worker(AbstractContextManager["Worker"]):
    """A derive worker's process; leaving it ends the process.

    Attributes:
        pid: of the process.
        metrics: of the process.
    """

    def __init__(self, directory: Path) -> None:
        (port,) = free_ports(1)
        self._began = time.monotonic()
        self._child = Child("derive", ("worker", "derive", "--port", str(port)), directory, {})
        self.pid = self._child.process.pid
        self._url = f"http://127.0.0.1:{port}"
        self.metrics = Metrics(self._url)

    @override
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.metrics.close()
        stop([self._child])

    @override
    def __enter__(self) -> Self:
        return self

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._child.process.kill()
        self._child.process.wait()

    def ready(self) -> float:
        """Wait until it owns its partitions with their state, and return the seconds since start.

        Raises:
            ChildFailed: it ended, or is not ready after ten minutes.
        """
        self._until(
            lambda: self.metrics.ready() and bool(self.read("streams_partitions")), _READY_SECONDS
        )
        return time.monotonic() - self._began

    def processed(self, records: float) -> None:
        """Wait until so many records are committed since its start; raises as `ready` does."""
        self._until(lambda: self.read("streams_records_total") >= records, _PROCESSED_SECONDS)

    def read(self, name: str) -> float:
        """A metric now, summed over its labels; 0 while it does not answer."""
        return self.metrics.read().get(name, 0.0)

    def steps(self) -> dict[str, float]:
        """Seconds that the lane spent by step of a batch."""
        return {
            line.split('step="')[1].split('"')[0]: float(line.rpartition(" ")[2])
            for line in httpx2.get(f"{self._url}/metrics").text.splitlines()
            if line.startswith("streams_step_seconds_total{")
        }

    def _until(self, holds: Callable[[], bool], look_seconds: float) -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds():
            self._child.check()
            if time.monotonic() > deadline:
                raise ChildFailed(f"derive took too long:\n{self._child.tail()}")
            time.sleep(look_seconds)
