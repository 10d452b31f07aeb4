"""Work that takes long: it runs in a thread of the server, whoever looks, and is kept to be told.

A tab that is closed ends nothing; whoever opens the page again finds the work where it is.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Literal
from uuid import uuid4

from streams.console.asking import trouble_of
from streams.errors import StreamsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.console.asking import Trouble

log = logging.getLogger(__name__)

State = Literal["runs", "done", "stopped", "failed"]

_KEPT: Final = 20
"""Works that are remembered."""


class Stopped(StreamsError):
    """Somebody had the work end early: what is done is done."""


class Work:
    """One piece of work; written by its own thread, read by any.

    Attributes:
        id: to be found again by.
        what: it is, in words.
        by: whose it is.
        since: when it began, epoch milliseconds.
        done: how much …
        total: … of how much; None: nobody knows yet.
        state: how it stands.
        said: what came of it, in words.
        trouble: what ended it.
        subject: what it is about: the id of a run.
        result: what it gave, for the page that asked for it.
    """

    def __init__(self, what: str, by: str) -> None:
        self.id = uuid4().hex
        self.what = what
        self.by = by
        self.since = int(time.time() * 1_000)
        self.done = 0
        self.total: int | None = None
        self.state: State = "runs"
        self.said = ""
        self.trouble: Trouble | None = None
        self.subject: str | None = None
        self.result: Any = None
        self._stopping = threading.Event()

    @property
    def runs(self) -> bool:
        """Whether it goes on."""
        return self.state == "runs"

    @property
    def stopping(self) -> bool:
        """Whether it was told to end early."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """Have it end at its next step."""
        self._stopping.set()

    def told(self, done: int, total: int | None) -> None:
        """Note how far it is; raises `Stopped` where it is to end."""
        self.done, self.total = done, total
        if self.stopping:
            raise Stopped("stopped")


class Works:
    """The works of one page."""

    def __init__(self) -> None:
        self._works: deque[Work] = deque(maxlen=_KEPT)

    def begin(self, what: str, by: str, job: Callable[[Work], str]) -> Work:
        """Begin a work in a thread of its own; `job` returns what came of it, in words."""
        work = Work(what, by)
        self._works.appendleft(work)
        threading.Thread(target=_run, args=(work, job), name=f"work {what}", daemon=True).start()
        return work

    def all(self) -> list[Work]:
        """The newest first."""
        return list(self._works)

    def find(self, id_: str) -> Work | None:
        """The work with this id, if it is remembered."""
        return next((each for each in self.all() if each.id == id_), None)


def _run(work: Work, job: Callable[[Work], str]) -> None:
    try:
        work.said = job(work)
    except Stopped:
        work.state = "stopped"
    except Exception as error:  # noqa: BLE001 - told in words
        work.trouble = trouble_of(error)
        work.state = "failed"
    else:
        work.state = "done"
