"""One round: topics of its own, workers under load, one fault, and the comparison afterwards."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from confluent_kafka import KafkaException

from streams.demo.broker import BrokerError
from streams.demo.children import ChildFailed
from tests.chaos.faults import FAULTS, workers_at_first
from tests.chaos.load import Load
from tests.chaos.progress import Progress, resumption
from tests.chaos.readings import has_timer, newest_rows, read
from tests.chaos.stage import CONNECTIONS, PARTITIONS, PATIENCE, InVain, Stage

if TYPE_CHECKING:
    from pathlib import Path

    from streams.demo.broker import Broker
    from streams.demo.cluster import Cluster
    from tests.chaos.plan import Plan
    from tests.chaos.progress import Resumption
    from tests.chaos.readings import Findings

_LOAD_SECONDS: Final = 8.0
_TIMER_LOOK_SECONDS: Final = 0.3
_RESUME_SECONDS: Final = 75.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a round.

    Attributes:
        plan: what was to be done.
        phases: what the fault met, each time; none: the round does not count.
        findings: the comparison; None if the round did not come so far.
        resumed: from the first hit on; None if nothing was committed afterwards.
        faults: what must not happen at all, in words.
        notes: what is worth knowing.
        seconds: that it took.
    """

    plan: Plan
    phases: tuple[str, ...]
    findings: Findings | None
    resumed: Resumption | None
    faults: tuple[str, ...]
    notes: tuple[str, ...]
    seconds: float

    @property
    def is_good(self) -> bool:
        """Whether everything is as it should be."""
        return self.findings is not None and self.findings.is_exact and not self.faults

    @property
    def counts(self) -> bool:
        """Whether the fault met what it must meet."""
        return bool(self.phases)


def run_round(
    kafka: Broker | Cluster, directory: Path, plan: Plan, events: int, state: str
) -> Outcome:
    """Run one of so many events; what goes wrong in it is in the outcome."""
    began = time.monotonic()
    stage = Stage(kafka, directory, plan, state)
    findings, resumed, faults = None, None, []
    try:
        stage.raise_brokers()
        stage.create_topics()
        resumed = _disturbed(stage, events)
        _drain(stage)
        findings = _findings(stage)
    except (InVain, ChildFailed, BrokerError, KafkaException) as failure:
        faults = [f"{type(failure).__name__}: {failure}"]
    finally:
        stage.abandon()
    if findings is not None and findings.is_exact:
        stage.delete_topics()
    return Outcome(
        plan=plan,
        phases=tuple(hit.phase for hit in stage.hits),
        findings=findings,
        resumed=resumed,
        faults=(*stage.faults, *faults),
        notes=tuple(stage.notes),
        seconds=time.monotonic() - began,
    )


def _disturbed(stage: Stage, events: int) -> Resumption | None:
    """Feed, and do the fault under load; the load lasts until every partition goes on."""
    for name in workers_at_first(stage.plan.kind):
        stage.start_worker(name)
    stage.until(
        lambda: all(each.count("restored") for each in stage.workers), "every worker has partitions"
    )
    with (
        Progress(stage.bootstrap, stage.names.derive_group, stage.source, PARTITIONS) as progress,
        Load(stage.directory, stage.plan.seed, events, _LOAD_SECONDS) as load,
    ):
        stage.until_at_work()
        time.sleep(stage.plan.after)
        FAULTS[stage.plan.kind](stage)
        if stage.hits:
            moment, everywhere = stage.hits[0].at, set(range(PARTITIONS))
            stage.until(
                lambda: progress.moved_since(moment) == everywhere,
                "every partition goes on",
                _RESUME_SECONDS,
            )
        load.enough()
        load.wait(PATIENCE)
    return resumption(progress.commits, stage.hits[0].at) if stage.hits else None


def _findings(stage: Stage) -> Findings:
    """Compare, as soon as the broker lets itself be read as a whole."""
    found: list[Findings] = []

    def is_read() -> bool:
        found.append(read(stage.topics, stage.names, stage.source, CONNECTIONS))
        return True

    stage.until(is_read, "everything is read")
    return found[-1]


def _drain(stage: Stage) -> None:
    """Wait until every record is committed and every timer has fired; end the workers."""
    group, source = stage.names.derive_group, stage.source
    stage.until(lambda: stage.topics.behind(group, source) == 0, "everything is committed")

    def nothing_waits() -> bool:
        time.sleep(_TIMER_LOOK_SECONDS)  # a look reads the whole changelog
        return not any(map(has_timer, newest_rows(stage.topics, stage.names).values()))

    stage.until(nothing_waits, "no timer is left")
    stage.stop()
