"""One round: topics of its own, two workers under load, one fault, and the judgement afterwards."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from confluent_kafka import KafkaException

from streams.demo.children import ChildFailed
from tests.chaos.delivery.faults import FAULTS
from tests.chaos.delivery.judge import Findings, first_after, in_flight, judge, slowed
from tests.chaos.delivery.load import Load
from tests.chaos.delivery.stage import Stage
from tests.chaos.delivery.stock import Stock
from tests.chaos.stage import InVain

if TYPE_CHECKING:
    from pathlib import Path

    from streams.demo.broker import Broker
    from tests.chaos.delivery.judge import Arrival, Slowed
    from tests.chaos.delivery.plan import Plan

_EVENTS: Final = 4_800
"""Webhooks of the shops: more than any round feeds."""
_PACE: Final = 100.0
_GOES_ON_SECONDS: Final = 40.0
_REST_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a round.

    Attributes:
        plan: what was to be done.
        met: requests of the victim that were under way at the fault; none: it does not count.
        findings: of both connections; None if the round did not come so far.
        first: seconds until the victim's first delivery after the fault; None if there was none.
        slowed: the bystander's latency before and during the fault, if known.
        wrong: what must not happen at all, in words.
        notes: what is worth knowing.
        seconds: that it took.
    """

    plan: Plan
    met: int
    findings: Findings | None
    first: float | None
    slowed: Slowed | None
    wrong: tuple[str, ...]
    notes: tuple[str, ...]
    seconds: float

    @property
    def is_good(self) -> bool:
        """Whether everything is as it should be."""
        return self.findings is not None and self.findings.is_good and not self.wrong

    @property
    def counts(self) -> bool:
        """Whether the fault met what it must meet."""
        return self.met > 0


@dataclass(slots=True)
class _Judged:
    """What is known of a round after it."""

    met: int = 0
    findings: Findings | None = None
    first: float | None = None
    slowed: Slowed | None = None


def run_round(kafka: Broker, directory: Path, plan: Plan) -> Outcome:
    """Run one; what goes wrong in it is in the outcome."""
    began = time.monotonic()
    stage = Stage(kafka.bootstrap, directory, plan)
    judged = _Judged()
    try:
        stage.open()
        load = _disturbed(stage)
        stage.until(stage.is_drained, "everything is delivered")
        stage.stop()
        judged = _judged(stage, load)
    except (InVain, ChildFailed, KafkaException, TimeoutError) as failure:
        stage.wrong.append(f"{type(failure).__name__}: {failure}")
    finally:
        stage.abandon()
    if judged.findings is not None and judged.findings.is_good:
        stage.delete_topics()
    return Outcome(
        plan=plan,
        met=judged.met,
        findings=judged.findings,
        first=judged.first,
        slowed=judged.slowed,
        wrong=tuple(stage.wrong),
        notes=tuple(stage.notes),
        seconds=time.monotonic() - began,
    )


def _disturbed(stage: Stage) -> Load:
    """Feed, and do the fault under load; the load lasts until the victim goes on."""
    goods = iter(Stock(stage.plan.seed, _EVENTS, stage.plan.connections))
    with Load(stage.kafka, stage.names, goods, _PACE) as load:
        time.sleep(stage.plan.after)
        FAULTS[stage.plan.kind](stage)
        stage.until(stage.are_ready, "all workers go on", _GOES_ON_SECONDS)
        stage.until(stage.victim.busy, "the victim goes on", _GOES_ON_SECONDS)
        time.sleep(_REST_SECONDS)
    if load.exhausted:
        stage.notes.append("the load had nothing left to feed")
    return load


def _judged(stage: Stage, load: Load) -> _Judged:
    arrivals: dict[str, list[Arrival]] = {
        name: list(vendor.arrivals()) for name, vendor in stage.vendors.items()
    }
    concluded, plan = stage.concluded(), stage.plan
    [fault] = stage.faults
    found = Findings()
    for name in plan.connections:
        faults = stage.faults if fault.everywhere or name == plan.victim else []
        found += judge(load.expected[name], arrivals[name], concluded[name], faults)
    owner = {
        identity: key for key, several in load.expected[plan.victim].items() for identity in several
    }
    host = None if stage.met is None else stage.met.host
    theirs = arrivals[plan.victim]
    return _Judged(
        met=in_flight(theirs, fault.began, stage.victim.latency, host),
        findings=found,
        first=first_after(theirs, owner, fault, host),
        slowed=slowed(arrivals[plan.bystander], load.fed, fault),
    )
