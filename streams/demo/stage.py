"""The stage: a broker, a simulator, a derive and a deliver worker, as operators start them."""

from __future__ import annotations

import subprocess
import time
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Self

from typing_extensions import override

from streams.demo.broker import Broker, free_ports
from streams.demo.children import Child, ChildFailed, stop
from streams.demo.observation import Metrics, Topics, Vendor
from streams.names import Names

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

PREFIX = "demo"
CONNECTION = "klaviyo"
PARTITIONS = 6
LIMITS = 100
"""Factor on Klaviyo's published limits (350/s, 3,500/min), which would take a day's work hours."""
READY_SECONDS = 60.0

SETTINGS = """\
prefix = "{prefix}"

[kafka]
bootstrap = "{bootstrap}"

[topics]
partitions = {partitions}
replication = 1

[connections.{connection}]
mode = "live"
start = "beginning"
url = "{url}"
limits = {limits}
"""


class Stage(AbstractContextManager["Stage"]):
    """Everything that runs; leaving it ends everything."""

    def __init__(self, directory: Path) -> None:
        self.names = Names(PREFIX)
        self._directory = directory
        self._broker = Broker(directory / "kafka")
        self._children: list[Child] = []
        self._ports = free_ports(2)

    @override
    def __enter__(self) -> Self:
        try:
            self._raise_curtain()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    @override
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        stop(self._children)
        self._broker.stop(0.5)

    def _raise_curtain(self) -> None:
        self._broker.start()
        simulator = self._start("simulator", "simulate", CONNECTION, "--port", "0",
                                "--limits", str(LIMITS))  # fmt: skip
        self.vendor_url = simulator.line("http", READY_SECONDS)
        settings = SETTINGS.format(
            prefix=PREFIX,
            bootstrap=self._broker.bootstrap,
            partitions=PARTITIONS,
            connection=CONNECTION,
            url=self.vendor_url,
            limits=LIMITS,
        )
        (self._directory / "streams.toml").write_text(settings)
        self._start("topics", "topics", "create").wait(READY_SECONDS)
        derive, deliver = self._ports
        self._start("derive", "worker", "derive", "--port", str(derive))
        self._start("deliver", "worker", "deliver", "--all", "--port", str(deliver))
        self.topics = Topics(self._broker.bootstrap)
        self.vendor = Vendor(self.vendor_url)
        self.derive = Metrics(f"http://127.0.0.1:{derive}")
        self.deliver = Metrics(f"http://127.0.0.1:{deliver}")
        self._await_ready()

    @property
    def bootstrap(self) -> str:
        """The broker."""
        return self._broker.bootstrap

    def producing(self) -> Child:
        """A `streams produce ordergroove -` to feed."""
        return self._start("produce", "produce", "ordergroove", "-", stdin=subprocess.PIPE)

    def check(self) -> None:
        """Raise `ChildFailed` if a worker or the simulator has ended."""
        for child in self._children:
            if child.name not in ("topics", "produce"):
                child.check()

    def quiet(self) -> bool:
        """Whether everything that was fed has been derived and delivered."""
        self.check()
        source = self.names.events("ordergroove")
        if self.topics.behind(self.names.derive_group, source):
            return False
        numbers = self.deliver.read()
        return (
            bool(numbers)
            and numbers.get("streams_lag", 0) == 0
            and numbers.get("streams_waiting", 0) == 0
        )

    def _start(self, name: str, *arguments: str, stdin: int | None = subprocess.DEVNULL) -> Child:
        environment = {"STREAMS_CONNECTIONS__KLAVIYO__CREDENTIALS": "pk_demo"}
        child = Child(name, arguments, self._directory, environment, stdin)
        self._children.append(child)
        return child

    def _await_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not (self.derive.ready() and self.deliver.ready()):
            self.check()
            if time.monotonic() > deadline:
                raise ChildFailed("the workers did not become ready")
            time.sleep(0.05)
