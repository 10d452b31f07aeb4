"""The stage: a broker, the vendors' simulators, the workers, as operators start them."""

from __future__ import annotations

import json
import subprocess
import time
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Self

from typing_extensions import override

from streams.demo.broker import Broker, free_ports
from streams.demo.children import Child, ChildFailed, stop
from streams.demo.ledger import VENDORS
from streams.demo.loyalty_catalog import TIERS
from streams.demo.observation import Metrics, Simulator, Topics
from streams.demo.yespo_bodies import STATUS_FIELD
from streams.names import ORDERGROOVE, SOURCES, Names

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

PREFIX = "demo"
PRODUCE = "produce"
PARTITIONS = 6
LIMITS = 100
"""Factor on the published limits: with Klaviyo's 3,500 a minute a day would take many minutes."""
READY_SECONDS = 60.0

SETTINGS = """\
prefix = "{prefix}"

[kafka]
bootstrap = "{bootstrap}"

[topics]
partitions = {partitions}
replication = 1

[derive]
history = "complete"
flows_from = "beginning"

[okendo]
tiers = {tiers}
"""

CONNECTION = """
[connections.{name}]
mode = "live"
start = "beginning"
url = "{url}"
limits = {limits}
max_age = {{ "order.reminder" = "365d", "order.credit_card_expiration_warning" = "365d" }}
"""
"""A connection. The demo's days are past: by today's calendar its reminders would be pointless."""


SOURCE_API = """
[ordergroove.api.{merchant}]
url = "{url}"
key_file = "{key}"
"""

CREDENTIALS = {f"STREAMS_CONNECTIONS__{each.upper()}__CREDENTIALS": "pk_demo" for each in VENDORS}
"""What every process is told besides; a simulator takes any."""

BASES = {"yespo": "/api"}
"""Where a vendor's API begins, if not at the root of its host."""

CHOICES = {
    "ometria": 'sync_profiles_every = "0s"\n',
    "yespo": f'contact_fields = {{ status = "{STATUS_FIELD}" }}\n',
}
"""What a connection needs beside: Ometria's contacts go with their events, not once an hour, and
Yespo's have a field for the status."""

SWITCHES: dict[str, dict[str, Any]] = {"yespo": {"repeats": "off"}}
"""What a simulator does otherwise: Yespo refuses a request that is like one of the last minute. In
the demo a day is over by then, and customers who come and go are soon told of as before."""


class Stage(AbstractContextManager["Stage"]):
    """Everything that runs; leaving it ends everything."""

    def __init__(self, directory: Path) -> None:
        self.names = Names(PREFIX)
        self.settings = directory / "streams.toml"
        self._directory = directory
        self._broker = Broker(directory / "kafka")
        self._children: list[Child] = []
        self._clients: list[Simulator | Metrics] = []
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
        for client in self._clients:
            client.close()
        self._broker.stop(0.5)

    def _raise_curtain(self) -> None:
        self._broker.start()
        options = ("--port", "0", "--limits", str(LIMITS))
        started = [self._start(name, "simulate", name, *options) for name in VENDORS]
        self.urls = {one.name: one.line("http", READY_SECONDS) for one in started}
        self.simulators = {name: Simulator(url, VENDORS[name]) for name, url in self.urls.items()}
        self._clients += self.simulators.values()
        for name, switches in SWITCHES.items():
            self.simulators[name].switch(**switches)
        self.settings.write_text(self._settings())
        self._start("topics", "topics", "create").wait(READY_SECONDS)
        self.topics = Topics(self._broker.bootstrap)
        self._start_workers()
        self._await_ready()

    def _start_workers(self) -> None:
        derive, deliver = self._ports
        self._start("derive", "worker", "derive", "--port", str(derive))
        self._start("deliver", "worker", "deliver", "--all", "--port", str(deliver))
        self.derive = Metrics(f"http://127.0.0.1:{derive}")
        self.deliver = Metrics(f"http://127.0.0.1:{deliver}")
        self._clients += [self.derive, self.deliver]

    def _settings(self) -> str:
        connections = (
            CONNECTION.format(name=name, url=url + BASES.get(name, ""), limits=LIMITS)
            + CHOICES.get(name, "")
            for name, url in self.urls.items()
        )
        bootstrap = self._broker.bootstrap
        settings = SETTINGS.format(
            prefix=PREFIX, bootstrap=bootstrap, partitions=PARTITIONS, tiers=json.dumps(TIERS)
        )
        return "".join([settings, *connections])

    @property
    def workers(self) -> dict[str, str]:
        """Role → `host:port` of its worker's health and metrics."""
        return {
            role: f"127.0.0.1:{port}"
            for role, port in zip(("derive", "deliver"), self._ports, strict=True)
        }

    @property
    def bootstrap(self) -> str:
        """The broker."""
        return self._broker.bootstrap

    def producing(self, source: str) -> Child:
        """A `streams produce <source> -` to feed."""
        return self._start(f"{PRODUCE}-{source}", PRODUCE, source, "-", stdin=subprocess.PIPE)

    def console(self) -> Child:
        """The web pages, started; its address is its log's line that begins with `http`."""
        return self._start("console", "console", "--port", "0")

    def source_api(self, merchant: str) -> str:
        """Start the simulator of the source's own API, set it up for a merchant; its address.

        The workers have read their settings already: it is for commands that are run from now on.
        """
        url = self._start(ORDERGROOVE, "simulate", ORDERGROOVE, "--port", "0").line(
            "http", READY_SECONDS
        )
        key = self._directory / "ordergroove.key"
        key.write_text("key_demo")
        with self.settings.open("a") as settings:
            settings.write(SOURCE_API.format(merchant=merchant, url=url, key=key))
        return url

    def check(self) -> None:
        """Raise `ChildFailed` if a worker or a simulator has ended."""
        for child in self._children:
            if child.name != "topics" and not child.name.startswith(PRODUCE):
                child.check()

    def quiet(self) -> bool:
        """Whether everything that was fed has been derived and delivered."""
        self.check()
        lanes = map(self.names.derived, SOURCES)
        if any(self.topics.behind(each.group, each.topic) for each in lanes):
            return False
        numbers = self.deliver.read()
        return (
            bool(numbers)
            and numbers.get("streams_lag", 0) == 0
            and numbers.get("streams_waiting", 0) == 0
        )

    def _start(self, name: str, *arguments: str, stdin: int | None = subprocess.DEVNULL) -> Child:
        child = Child(name, arguments, self._directory, CREDENTIALS, stdin)
        self._children.append(child)
        return child

    def _await_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not (self.derive.ready() and self.deliver.ready()):
            self.check()
            if time.monotonic() > deadline:
                raise ChildFailed("the workers did not become ready")
            time.sleep(0.05)
