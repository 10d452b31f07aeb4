"""A deliver worker under fire: a child of the real command line."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from streams.demo.children import Child
from streams.demo.observation import Metrics

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.chaos.delivery.vendor import Vendor

HOSTS: Final = {"w1": "127.0.0.1", "w2": "localhost"}
"""Name → how it calls the vendors' host, by which they tell the workers apart."""

_LOOK_SECONDS: Final = 0.0005
_STOP_SECONDS: Final = 20.0


class Worker:
    """One process. A restart is another `Worker` of the same name.

    Attributes:
        name: it calls the vendors' host as `HOSTS` says.
    """

    def __init__(
        self, name: str, number: int, port: int, directory: Path, vendors: Iterable[Vendor]
    ) -> None:
        """Start it. `number`: of the process within the round; `port`: of its pages."""
        self.name = name
        told = {
            f"STREAMS_CONNECTIONS__{each.name.upper()}__URL": f"http://{self.host}:{each.port}"
            + ("/api" if each.name == "yespo" else "")
            for each in vendors
        }
        arguments = ("worker", "deliver", "--all", "--port", str(port))
        self._child = Child(f"{name}-{number}", arguments, directory, told)
        self._metrics = Metrics(f"http://127.0.0.1:{port}")

    @property
    def host(self) -> str:
        """How it calls the vendors' host."""
        return HOSTS[self.name]

    @property
    def ended(self) -> int | None:
        """Its exit code; None while it lives."""
        return self._child.process.poll()

    @property
    def last_words(self) -> str:
        """The end of its log."""
        return self._child.tail(3)

    @property
    def is_ready(self) -> bool:
        """Whether it is a member of all groups, and nothing of it is paused."""
        return self._metrics.ready()

    def freeze(self) -> None:
        """Stop it as it is (SIGSTOP); returns when every thread stands."""
        self._child.process.send_signal(signal.SIGSTOP)
        while self.ended is None and not self._is_frozen():
            time.sleep(_LOOK_SECONDS)

    def thaw(self) -> None:
        """Let it go on (SIGCONT)."""
        self._child.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it (SIGKILL), frozen or not; returns when it is gone."""
        self._child.process.kill()
        self._child.process.wait()
        self._metrics.close()

    def stop(self) -> int | None:
        """Ask it to end (SIGTERM); its exit code, None if it had to be killed."""
        self._child.process.send_signal(signal.SIGTERM)
        self.thaw()
        try:
            return self._child.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def _is_frozen(self) -> bool:
        try:
            tasks = list(Path(f"/proc/{self._child.process.pid}/task").iterdir())
            states = [(task / "stat").read_text().rpartition(")")[2].split()[0] for task in tasks]
        except OSError:  # a thread that ended meanwhile, or all of them
            return False
        return set(states) == {"T"}
