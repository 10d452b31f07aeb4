"""The faults: each is done to a stage under load, and notes when it began and ended.

Every fault aims: it comes when the victim has requests under way, as its vendor says.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from tests.chaos.delivery.judge import Fault
from tests.chaos.delivery.plan import OF_WORKERS
from tests.chaos.delivery.vendor import KEY, NEW_KEY
from tests.chaos.stage import InVain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.chaos.delivery.stage import Stage
    from tests.chaos.delivery.worker import Worker

SESSION_SECONDS: Final = 6.0
"""After so long without a word the group takes a member for dead."""

_AIM_SECONDS: Final = 20.0
_AGAIN_SECONDS: Final = 0.03
_NOT_THIS: Final = "pk_not_this_one"
_BY_ITSELF_SECONDS: Final = 20.0
"""So soon after its credentials work again, a paused connection should go on by itself."""


def _vendor(*faults: dict[str, Any]) -> Callable[[Stage], None]:
    """A fault of the victim's vendor that lasts for a while."""

    def happen(stage: Stage) -> None:
        _aim(stage)
        began = time.time()
        stage.victim.trouble(*faults)
        time.sleep(stage.plan.down)
        stage.victim.trouble()
        _note(stage, began)

    return happen


def refused(stage: Stage) -> None:
    """Nobody listens: the vendor's process is gone, and comes back."""
    _aim(stage)
    began = time.time()
    stage.victim.stop()
    time.sleep(stage.plan.down)
    stage.victim.start()
    _note(stage, began)


def kill(stage: Stage) -> None:
    """Kill -9 of a worker; somebody of the same name comes back."""
    worker = _aim_at_worker(stage)
    began = time.time()
    worker.kill()
    stage.note_ends()
    time.sleep(stage.chance.uniform(0, 1))
    stage.replace(worker)
    _note(stage, began)


def freeze(stage: Stage) -> None:
    """SIGSTOP for longer than the session lasts, then SIGCONT: a zombie that goes on."""
    worker = _aim_at_worker(stage)
    began = time.time()
    stage.note_ends()
    time.sleep(SESSION_SECONDS + 2)
    ended = time.time()
    worker.thaw()
    stage.faults.append(Fault(began, ended, everywhere=True, zombie=worker.host))
    time.sleep(stage.plan.down / 2)


def revoked(stage: Stage) -> None:
    """The credentials are refused for a while, and then work again."""
    _aim(stage)
    began = time.time()
    stage.victim.accept(_NOT_THIS)
    time.sleep(stage.plan.down)
    stage.victim.accept(KEY)
    _note(stage, began)
    stage.command("connections", "resume", stage.victim.name, "--deliver")  # as an operator would
    _goes_on(stage, "an operator resumes it")


def rotated(stage: Stage) -> None:
    """The credentials are refused for good, and new ones come to where the old ones were."""
    _aim(stage)
    began = time.time()
    stage.victim.accept(NEW_KEY)
    time.sleep(stage.plan.down)
    stage.key_file(stage.victim.name).write_text(f"{NEW_KEY}\n", encoding="utf-8")
    _note(stage, began)
    _goes_on(stage, "it was given new credentials")


FAULTS: Final[Mapping[str, Callable[[Stage], None]]] = {
    "down": _vendor({"kind": "status", "status": 503}),
    "refused": refused,
    "throttled": _vendor({"kind": "status", "status": 429, "retry_after": 1}),
    "throttled-silently": _vendor({"kind": "status", "status": 429}),
    "slow": _vendor({"kind": "latency", "seconds": 2.0, "jitter": 2.0}),
    "resets": _vendor({"kind": "accept_then_reset", "probability": 0.3}),
    "kill": kill,
    "freeze": freeze,
    "revoked": revoked,
    "rotated": rotated,
}


def _note(stage: Stage, began: float) -> None:
    everywhere = stage.plan.kind in OF_WORKERS
    stage.faults.append(Fault(began, time.time(), everywhere=everywhere))


def _aim(stage: Stage) -> None:
    """Return when the victim has requests under way; raises `InVain`."""
    stage.until(stage.victim.busy, "the victim has requests under way", _AIM_SECONDS)


def _aim_at_worker(stage: Stage) -> Worker:
    """A worker that stands frozen with requests under way; raises `InVain`."""
    worker = stage.met = stage.chance.choice(stage.workers)
    deadline = time.monotonic() + _AIM_SECONDS
    while time.monotonic() < deadline:
        worker.freeze()
        if stage.victim.busy(worker.host):
            return worker
        worker.thaw()
        time.sleep(stage.chance.uniform(0, _AGAIN_SECONDS))
    raise InVain("the worker never had requests under way")


def _goes_on(stage: Stage, since: str) -> None:
    """See that the workers go on; if they do not, that is wrong, and they are restarted."""
    try:
        stage.until(stage.are_ready, "the connection goes on", _BY_ITSELF_SECONDS)
    except InVain:
        stage.wrong.append(f"{stage.victim.name} does not go on when {since}")
        stage.restart()
