"""The demo's stage with several workers of each role, each of a version of its own.

A worker has the name of its place (`derive-0`), as a pod of a StatefulSet has, and by it a static
membership: who takes the place over goes on with its partitions.
"""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from contextlib import closing
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple, cast

import httpx2
from typing_extensions import override

from streams.demo.broker import Broker, free_ports
from streams.demo.children import Child, ChildFailed, stop
from streams.demo.observation import Metrics
from streams.demo.stage import CREDENTIALS, Stage
from streams.names import SOURCES
from tests.chaos.upgrade.pace import PacedInput

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from tests.chaos.upgrade.pace import Pace
    from tests.chaos.upgrade.revision import Version

ROLES: Final = {"derive": ("worker", "derive"), "deliver": ("worker", "deliver", "--all")}
_STOP_SECONDS: Final = 30.0
"""A pod's `terminationGracePeriodSeconds`."""
_READY_SECONDS: Final = 180.0
_LATENCY: Final = {"kind": "latency", "seconds": 0.1, "jitter": 0.1}
"""Of every vendor: so that whoever is stopped has requests under way."""

_AGAIN: Final = 5
"""So often may workers end unasked: on a busy machine a session may be over before its member."""
_UNHURRIED: Final = {"broker.session.timeout.ms": "30000"}
"""The broker is no part of this: on a busy machine it must not be taken for dead."""


class Place(NamedTuple):
    """A place that workers take one after another: its number is the pod's."""

    role: str
    number: int

    @property
    def name(self) -> str:
        """The pod's name."""
        return f"{self.role}-{self.number}"


class Change(NamedTuple):
    """A worker in the place of another.

    Attributes:
        place: whose.
        version: that came.
        stopped: seconds until the one before had ended …
        code: … and its exit code.
        ready: seconds until the new one was a member with its state, after that.
    """

    place: Place
    version: Version
    stopped: float
    code: int
    ready: float


class UpgradeStage(Stage):
    """Everything that runs; `each` workers of every role, at first of version `first`.

    Attributes:
        kept: the version in each place.
        notes: workers that ended unasked and were started again, as any supervisor would do.
    """

    def __init__(self, directory: Path, first: Version, pace: Pace, each: int = 2) -> None:
        super().__init__(directory)
        self._broker = Broker(directory / "kafka", properties=_UNHURRIED)
        self._pace = pace
        places = [Place(role, number) for role in ROLES for number in range(each)]
        self.kept = dict.fromkeys(places, first)
        self._at = dict(zip(places, free_ports(len(places)), strict=True))
        self.notes: list[str] = []
        self._crew: dict[Place, Child] = {}
        self._started = 0
        self._turn = (
            threading.RLock()
        )  # the day looks after workers while the upgrade replaces them

    @override
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        stop(list(self._crew.values()))
        super().__exit__(kind, error, trace)

    def change(self, place: Place, version: Version) -> Change:
        """Stop the worker of a place in order, and start one of a version there.

        Raises:
            ChildFailed: it did not end in time, or the new one is not ready in time.
        """
        with self._turn:
            worker = self._crew.pop(place)
        began = time.monotonic()
        worker.process.send_signal(signal.SIGTERM)
        try:
            code = worker.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            worker.process.kill()
            raise ChildFailed(f"{place.name} did not end on SIGTERM:\n{worker.tail()}") from None
        ended = time.monotonic()
        with self._turn:
            self._take(place, version)
        self._until(lambda: self._is_ready(place), f"{place.name} is ready")
        return Change(place, version, ended - began, code, time.monotonic() - ended)

    @override
    def producing(self, source: str) -> Child:
        """A feeder that takes webhooks at the upgrade's pace."""
        child = super().producing(source)
        pipe = cast("IO[bytes]", PacedInput(child.stdin, self._pace))
        child.process.stdin = pipe
        return child

    @override
    def check(self) -> None:
        """Raise `ChildFailed` if a simulator has ended, or workers end again and again."""
        super().check()
        with self._turn:
            for place, child in [*self._crew.items()]:
                if child.process.poll() is not None:
                    code = child.process.returncode
                    self.notes.append(f"{place.name} ended with {code}, started again")
                    if len(self.notes) > _AGAIN:
                        child.check()
                    self._take(place, self.kept[place])

    @override
    def quiet(self) -> bool:
        """Whether everything that was fed has been derived and delivered."""
        self.check()
        lanes = map(self.names.derived, SOURCES)
        if any(self.topics.behind(each.group, each.topic) for each in lanes):
            return False
        numbers = [self._ask(place, Metrics.read) for place in self.kept if place.role == "deliver"]
        left = ("streams_lag", "streams_waiting")
        return all(each and not any(each.get(name, 0) for name in left) for each in numbers)

    @override
    def _start_workers(self) -> None:
        for url in self.urls.values():
            told = {"faults": [_LATENCY]}
            httpx2.put(f"{url}/_control/faults", json=told, trust_env=False).raise_for_status()
        for place, version in self.kept.items():
            self._take(place, version)

    @override
    def _await_ready(self) -> None:
        self._until(lambda: all(map(self._is_ready, self.kept)), "the workers are ready")

    def _take(self, place: Place, version: Version) -> None:
        self._started += 1
        told = CREDENTIALS | version.environment | {"STREAMS_KAFKA__INSTANCE_ID": place.name}
        arguments = (*ROLES[place.role], "--port", str(self._at[place]))
        name = f"{place.name}-{self._started}"
        self._crew[place] = Child(name, arguments, self._directory, told)
        self.kept[place] = version

    def _is_ready(self, place: Place) -> bool:
        return bool(self._ask(place, Metrics.ready))

    def _ask(self, place: Place, question: Callable[[Metrics], Any]) -> Any:
        with closing(Metrics(f"http://127.0.0.1:{self._at[place]}")) as metrics:
            return question(metrics)

    def _until(self, holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while not holds():
            self.check()
            if time.monotonic() > deadline:
                raise ChildFailed(f"not in {_READY_SECONDS:.0f} s: {what}")
            time.sleep(0.05)
