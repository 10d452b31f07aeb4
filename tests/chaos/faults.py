"""The faults: each is done to the workers of a stage under load, and says what it met.

Every fault aims: it comes while a worker says that it is in the middle of a transaction or of a
restore. One that finds nobody so, within its tries, leaves no hit, and the round does not count.
"""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Final

from confluent_kafka import Producer

from streams.demo.disorder import broken_records
from tests.chaos.stage import PARTITIONS, InVain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from streams.demo.disorder import BrokenRecord
    from streams.demo.node import Node
    from tests.chaos.stage import Stage
    from tests.chaos.worker import Worker

SESSION_SECONDS: Final = 6.0
"""After so long without a word the group takes a member for dead."""

_TRIES: Final = 5
_BROKEN: Final = 60
_CALL_SECONDS: Final = 15.0
_STEP_SECONDS: Final = 30.0
_START_SECONDS: Final = 180.0


def kill(stage: Stage) -> None:
    """Kill -9 at a moment by chance; somebody of the same name comes back."""
    worker = _aimed(stage)
    if worker is not None:
        worker.kill()
        time.sleep(stage.plan.down)
        stage.replace(worker)


def kill_step(stage: Stage) -> None:
    """Kill -9 exactly at a step of a transaction: the worker does it to itself."""
    worker = stage.make_worker("w3", wish=f"kill@{stage.plan.step}#{stage.plan.times}")
    try:
        stage.until(lambda: worker.ended is not None, "the worker kills itself", _STEP_SECONDS)
    except InVain:
        worker.kill()  # it has too little to do to come to that step so often
        return
    if worker.ended != -signal.SIGKILL:
        raise InVain(f"w3 ended with {worker.ended} before {stage.plan.title}: {worker.last_words}")
    if (phase := worker.phase) is not None:
        stage.hit(phase)
    time.sleep(stage.plan.down)
    stage.start_worker("w3")


def kill_restore(stage: Stage) -> None:
    """Kill -9 while a table is being restored: a moment after it has begun."""
    for attempt in range(_TRIES):
        worker = stage.make_worker("w3", wish="stop@restoring#1")
        stage.until(lambda w=worker: w.is_frozen, "a worker restores", _STEP_SECONDS)  # type: ignore[misc]
        worker.thaw()
        time.sleep(stage.chance.uniform(0, 0.04) / (1 + attempt))
        worker.freeze()
        phase = worker.phase
        if phase is not None:
            stage.hit(phase)
        worker.kill()
        if phase is not None:
            break
    time.sleep(stage.plan.down)
    stage.start_worker("w3")


def term(stage: Stage) -> None:
    """SIGTERM: it must end well, in the middle of whatever it is; then it comes back."""
    worker = _aimed(stage)
    if worker is not None:
        stage.dismiss(worker)
        time.sleep(stage.plan.down)
        stage.start_worker(worker.name)


def freeze(stage: Stage) -> None:
    """SIGSTOP for longer than the session lasts, then SIGCONT: a zombie that goes on.

    Others have its partitions by then; nothing of its open transaction may show.
    """
    worker = _aimed(stage)
    if worker is not None:
        time.sleep(SESSION_SECONDS + 1.5 + stage.plan.after)
        worker.thaw()
        time.sleep(stage.plan.down)


def scale(stage: Stage) -> None:
    """One worker, then three, then one again."""
    joined = [stage.start_worker(name) for name in ("w2", "w3")]
    for worker in joined:
        stage.until(lambda w=worker: w.count("restoring") > 0, "it restores", _STEP_SECONDS)  # type: ignore[misc]
        stage.hit("restoring")
    stage.until_at_work()
    time.sleep(stage.plan.after)
    for worker in joined:
        phase = worker.aim(stage.chance)
        if phase is not None:
            stage.hit(phase)
        stage.dismiss(worker)


def fence(stage: Stage) -> None:
    """Somebody outside takes over a live worker's transactional id."""
    worker = _aimed(stage)
    if worker is not None:
        outside = Producer(
            {
                "bootstrap.servers": stage.bootstrap,
                "transactional.id": worker.transactional_id,
                "log_level": 0,
            }
        )
        outside.init_transactions(_CALL_SECONDS)
        worker.thaw()


def poison(stage: Stage) -> None:
    """Records that nobody can read, in every partition, among the others."""
    records = [r for r in broken_records(stage.plan.seed, 2 * _BROKEN) if r.reason == "malformed"]
    _append(stage, records)


def unknown_schema(stage: Stage) -> None:
    """Records by schemas that nobody knows, in every partition, among the others."""
    every = broken_records(stage.plan.seed, 4 * _BROKEN)
    _append(stage, (record for record in every if record.reason == "unknown_schema"))


def broker_kill(stage: Stage) -> None:
    """Kill -9 of a broker; it comes back with its data."""
    _kill_node(stage, lambda _: stage.chance.choice(stage.nodes))


def broker_stop(stage: Stage) -> None:
    """An orderly stop of a broker, as in a rolling restart."""
    worker, node = _aimed(stage), stage.chance.choice(stage.nodes)
    if worker is not None:
        worker.thaw()  # a stop takes seconds, and it must not find the workers frozen
        node.stop()
        time.sleep(stage.plan.down)
        node.start(_START_SECONDS)


def transaction_leader_kill(stage: Stage) -> None:
    """Kill -9 of the broker that decides the worker's transactions."""
    if stage.cluster is not None:
        find = stage.cluster.coordinator_of_transaction
        _kill_node(stage, lambda worker: stage.nodes[find(worker.transactional_id)])


def changelog_leader_kill(stage: Stage) -> None:
    """Kill -9 of the broker that leads a partition of the changelog."""
    if stage.cluster is not None:
        find, partition = stage.cluster.leader, stage.chance.randrange(PARTITIONS)
        changelog = stage.names.subscribers_changelog
        _kill_node(stage, lambda _: stage.nodes[find(changelog, partition)])


FAULTS: Final[Mapping[str, Callable[[Stage], None]]] = {
    "kill": kill,
    "kill-step": kill_step,
    "kill-restore": kill_restore,
    "term": term,
    "freeze": freeze,
    "scale": scale,
    "skew": kill,  # what a wrong clock means shows when partitions change hands
    "fence": fence,
    "poison": poison,
    "unknown-schema": unknown_schema,
    "broker-kill": broker_kill,
    "broker-stop": broker_stop,
    "transaction-leader-kill": transaction_leader_kill,
    "changelog-leader-kill": changelog_leader_kill,
}


def workers_at_first(kind: str) -> tuple[str, ...]:
    """The names of the workers with which a round begins."""
    return ("w1",) if kind == "scale" else ("w1", "w2")


def _aimed(stage: Stage) -> Worker | None:
    """A worker that stands frozen in the middle of something; None if nobody ever is."""
    for _ in range(_TRIES):
        stage.tend()
        worker = stage.chance.choice(stage.workers)
        phase = worker.aim(stage.chance)
        if phase is not None:
            stage.hit(phase)
            return worker
    return None


def _append(stage: Stage, records: Iterable[BrokenRecord]) -> None:
    producer = Producer(
        {
            "bootstrap.servers": stage.bootstrap,
            "partitioner": "murmur2_random",
            "log_level": 0,
        }
    )
    worker = _aimed(stage)  # what is appended now stands in the batches behind this transaction
    if worker is not None:
        try:
            for record in records:
                producer.produce(stage.source, record.value, record.key)
            if producer.flush(_CALL_SECONDS):
                raise InVain("the broker did not take the broken records")
        finally:
            worker.thaw()


def _kill_node(stage: Stage, choose: Callable[[Worker], Node]) -> None:
    worker = _aimed(stage)
    if worker is not None:
        try:
            node = choose(worker)
            node.kill()
        finally:
            worker.thaw()
        time.sleep(stage.plan.down)
        node.start(_START_SECONDS)
