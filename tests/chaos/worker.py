"""A derive worker under fire: a child of the real command line that reports where it is."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

from streams.cli.worker.rehearsal import VARIABLE, Report
from streams.demo.children import Child

if TYPE_CHECKING:
    from random import Random

    from tests.chaos.plan import Plan

_SKEW = Path(__file__).with_name("skew")
_LOOK_SECONDS = 0.0005
_AIM_SECONDS = 8.0
_AGAIN_SECONDS = 0.03


class Worker:
    """One process. A restart is another `Worker` of the same name.

    Attributes:
        name: its instance id, where membership is static.
        transactional_id: of its producer.
    """

    def __init__(
        self,
        name: str,
        number: int,
        directory: Path,
        plan: Plan,
        group: str,
        *,
        wish: str | None = None,
        clock: int = 0,
        state: str = "memory",
    ) -> None:
        """Start it.

        Args:
            name: as above.
            number: of the process within the round.
            directory: with the settings file; log and report go there.
            plan: of the round.
            group: derive's consumer group.
            wish: for the rehearsal, beside the report.
            clock: seconds by which its clock is wrong.
            state: where its rows are; on disk it finds those of the name's earlier process.
        """
        self.name = name
        file = directory / f"{name}-{number}.report"
        wishes = [f"report={file}", *([wish] if wish else [])]
        told = {VARIABLE: ",".join(wishes), "STREAMS_KAFKA__PROTOCOL": plan.protocol}
        if plan.static:
            told["STREAMS_KAFKA__INSTANCE_ID"] = name
        if clock:
            path = os.pathsep.join([str(_SKEW), os.environ.get("PYTHONPATH", "")])
            told |= {"STREAMS_TEST_CLOCK": str(clock), "PYTHONPATH": path}
        if state != "memory":
            told["STREAMS_DERIVE__STATE_STORE"] = state
            told["STREAMS_DERIVE__STATE_DIRECTORY"] = str(directory / f"state-{name}")
        arguments = ("worker", "derive", "--port", "0")
        self._child = Child(f"{name}-{number}", arguments, directory, told)
        self._file = file
        self._report: Report | None = None
        self._pid = self._child.process.pid
        own = name if plan.static else f"{socket.gethostname()}-{self._pid}"
        self.transactional_id = f"{group}-{own}"

    @property
    def phase(self) -> str | None:
        """What it says that it is in the middle of; after its death: what it was."""
        report = self._watched()
        return report.phase if report is not None else None

    def count(self, step: str) -> int:
        """How often it says that a step came."""
        report = self._watched()
        return report.count(step) if report is not None else 0

    @property
    def ended(self) -> int | None:
        """Its exit code; None while it lives."""
        return self._child.process.poll()

    @property
    def last_words(self) -> str:
        """The end of its log."""
        return self._child.tail(3)

    def aim(self, chance: Random) -> str | None:
        """Freeze it inside a transaction or a restore, at a moment by chance; return its phase.

        It is frozen whole, so nothing moves between the look and what the caller does next; a
        signal that kills it now meets it exactly there. If it is in the middle of nothing, it goes
        on and is frozen again a moment later. None: it runs, and was never in the middle of
        anything, for seconds.
        """
        deadline = time.monotonic() + _AIM_SECONDS
        while time.monotonic() < deadline and self.ended is None:
            self.freeze()
            phase = self.phase
            if phase is not None:
                return phase
            self.thaw()
            time.sleep(chance.uniform(0, _AGAIN_SECONDS))
        return None

    def freeze(self) -> None:
        """Stop it as it is (SIGSTOP); returns when every thread stands."""
        self._child.process.send_signal(signal.SIGSTOP)
        while self.ended is None and not self.is_frozen:
            time.sleep(_LOOK_SECONDS)

    @property
    def is_frozen(self) -> bool:
        """Whether every thread stands still."""
        try:
            tasks = list(Path(f"/proc/{self._pid}/task").iterdir())
            states = [(task / "stat").read_text().rpartition(")")[2].split()[0] for task in tasks]
        except OSError:  # a thread that ended meanwhile, or all of them
            return False
        return set(states) == {"T"}

    def thaw(self) -> None:
        """Let it go on (SIGCONT)."""
        self._child.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it (SIGKILL), frozen or not; returns when it is gone."""
        self._child.process.kill()
        self._child.process.wait()

    def ask_to_stop(self) -> None:
        """Ask it to end (SIGTERM), and let it go on to do so."""
        self._child.process.send_signal(signal.SIGTERM)
        self.thaw()

    def wait(self, seconds: float) -> int:
        """Wait for its end; raises `subprocess.TimeoutExpired`."""
        return self._child.process.wait(seconds)

    def _watched(self) -> Report | None:
        if self._report is None:
            self._report = Report.watch(self._file)
        return self._report
