"""Consoles for operators: the real command as a child process, and people who signed in.

What its pages do is read back from Kafka: the audit topic, the control topic, delivery topics.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from streams.control.audit import Action, decode_action
from streams.demo.children import Child, stop
from streams.demo.observation import Topics
from streams.simulators import SIMULATORS, Options
from tests.support.console_browser import opened

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from streams.names import Names

TOKENS = {"operate": "operate-4f1c9a7e2b", "view": "view-90d2c1aa73be55"}
NAMES = {"operate": "kim", "view": "lee"}
PATIENCE = 90.0


class Console:
    """A running console; more than one may run beside each other.

    Attributes:
        child: the process.
        url: of its pages.
    """

    def __init__(self, name: str, directory: Path, environment: Mapping[str, str]) -> None:
        """Start it, and wait until it listens."""
        told = {
            "STREAMS_CONSOLE__OPERATE_TOKEN": TOKENS["operate"],
            "STREAMS_CONSOLE__VIEW_TOKEN": TOKENS["view"],
            "STREAMS_CONSOLE__INDEX": str(directory / f"{name}.sqlite"),
        }
        self.child = Child(name, ("console", "--port", "0"), directory, {**environment, **told})
        self.url = self.child.line("http", PATIENCE)

    def close(self) -> None:
        """End it; no page may have met what it has no words for."""
        stop([self.child])
        told = self.child.tail(10_000)
        assert "Traceback" not in told, told


@contextmanager
def visiting(
    browser: Browser, console: Console, path: str, role: str = "operate"
) -> Iterator[Page]:
    """A page in front of somebody of this role: `kim` operates, `lee` views."""
    with opened(browser) as page:
        form: dict[str, str | float | bool] = {"name": NAMES[role], "token": TOKENS[role]}
        answer = page.context.request.post(f"{console.url}/login", form=form, max_redirects=0)
        assert answer.status == 303, answer.text()
        page.goto(f"{console.url}{path}")
        yield page


def actions(bootstrap: str, names: Names, verb: str) -> list[Action]:
    """What the audit topic holds of an action, in order."""
    found = [decode_action(each.value()) for each in Topics(bootstrap).records(names.audit)]
    return [each for each in sorted(found, key=lambda each: each.at) if each.action == verb]


class Simulated:
    """A simulated vendor on an event loop of its own; a context manager."""

    def __init__(self, vendor: str) -> None:
        self.simulator = SIMULATORS[vendor](Options(limits=None))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self.simulator.start())
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self.simulator.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)
