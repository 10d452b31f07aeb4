"""One round: a replay planned, confirmed, run, reported; then the vendor says what started."""

from __future__ import annotations

import re
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from confluent_kafka import KafkaException

from streams.errors import StreamsError
from streams.model.ids import delivery_id
from streams.model.replayed import MODES, Replayed
from tests.chaos.replay.vendors import VENDORS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

    from streams.model.replayed import Mode
    from tests.chaos.replay.scene import Scene
    from tests.chaos.replay.vendors import Vendors

TOLERANCE: Final = 0.05
_AGAIN: Final = 12
_OTHER: Final = re.compile(r"then say --yes (\d+)")
_ID: Final = re.compile(r"^([0-9a-f]{32}): [\d,]+ deliveries appended", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is replayed: to whom, how, and which of it.

    Attributes:
        number: of the round.
        vendor: and connection.
        mode: of the replay.
        new_ids: the label of fresh ids.
        options: further ones that choose.
    """

    number: int
    vendor: str
    mode: Mode
    new_ids: str | None
    options: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """What the table is by."""
        label = "" if self.new_ids is None else " new ids"
        return f"{self.vendor} {self.mode}{label}"


@dataclass(slots=True)
class Outcome:
    """What came of it.

    Attributes:
        plan: the round's.
        seconds: it took.
        deliveries: that were appended.
        parts: that were concluded.
        planned: events that were to start flows …
        started: … and those that did, as the vendor says.
        unintended: of them those that nobody had planned.
        deviation: share of the parts of which something else came than was planned.
        wrong: what else must not be.
        hours: seconds that were planned and that it took.
    """

    plan: Plan
    seconds: float = 0.0
    deliveries: int = 0
    parts: int = 0
    planned: int = 0
    started: int = 0
    unintended: int = 0
    deviation: float = 0.0
    wrong: list[str] = field(default_factory=list)
    hours: tuple[float, float] = (0.0, 0.0)

    counts = True

    @property
    def off(self) -> float:
        """How far the flows that started are from those that were planned."""
        greatest = max(self.planned, self.started)
        return abs(self.planned - self.started) / greatest if greatest else 0.0

    @property
    def is_good(self) -> bool:
        """Whether nothing was unintended, and the plan was near enough."""
        near = self.deviation <= TOLERANCE and self.off <= TOLERANCE
        return not self.unintended and not self.wrong and near


def plans(chance: Random) -> Iterator[Plan]:
    """Every mode to every vendor again and again, in another order each time."""
    number = 0
    while True:
        several = [(vendor, mode, False) for vendor in VENDORS for mode in MODES]
        several += [(vendor, "trigger", True) for vendor in VENDORS]
        several += [("klaviyo", "fill", True)]
        chance.shuffle(several)
        for vendor, mode, fresh in several:
            number += 1
            label = f"round-{number}" if fresh else None
            merchant = ("--merchant", "shop-a", "--merchant", "shop-b")
            options = merchant if chance.random() < 0.2 else ()
            yield Plan(number, vendor, mode, label, options)


def run_round(scene: Scene, vendors: Vendors, plan: Plan) -> Outcome:
    """Play it; what goes wrong is in the outcome."""
    began, found = time.monotonic(), Outcome(plan)
    try:
        _play(scene, vendors, plan, found)
    except (AssertionError, StreamsError, KafkaException) as error:
        found.wrong.append(f"{type(error).__name__}: {error}")
    found.seconds = time.monotonic() - began
    return found


def _play(scene: Scene, vendors: Vendors, plan: Plan, found: Outcome) -> None:
    told = [plan.vendor, "--mode", plan.mode, *plan.options]
    if plan.new_ids is not None:
        told += ["--new-ids", plan.new_ids]
    before = len(vendors.started(plan.vendor))  # of the scene so far
    said = _confirmed(scene, told)
    match = _ID.search(said)
    if match is None:
        found.wrong.append(f"no run: {said[-200:]}")
        return
    report = scene.replay("report", match[1], "--json")
    started = vendors.started(plan.vendor)[before:]
    found.deliveries, found.deviation = report["appended"], report["deviation"]
    found.parts = sum(each[5] for each in report["parts"])
    found.planned, found.started = report["flows"], len(started)
    found.hours = report["planned_seconds"], report["seconds"]
    if found.deliveries != report["planned_deliveries"]:
        found.wrong.append(f"{report['planned_deliveries']} planned, {found.deliveries} appended")
    if report["concluded"] != report["appended"]:
        found.wrong.append(f"{report['concluded']} of {report['appended']} concluded")
    if found.deviation > TOLERANCE:
        off = sorted(report["parts"], key=lambda each: -abs(each[4] - each[5]))[:5]
        found.wrong.append(f"planned and happened: {off}")
    found.unintended = _unintended(scene, plan, started)


def _confirmed(scene: Scene, told: Sequence[str]) -> str:
    """Run it, confirmed with the number that the plan shows; another one does nothing."""
    number, said = 0, ""
    for _ in range(_AGAIN):
        code, said = scene.said("run", *told, "--yes", str(number))
        other = _OTHER.search(said)
        if not code or other is None:
            return said
        number = int(other[1])  # which changes again where events grow too old meanwhile
    return said


def _unintended(scene: Scene, plan: Plan, started: Sequence[str]) -> int:
    """Flows that nobody had asked for: any, but in `trigger`; there those of other ids."""
    if plan.mode != "trigger":
        return len(started)
    replayed = Replayed(plan.mode, "", plan.new_ids)
    meant: Counter[str] = Counter()
    for each in scene.events[plan.vendor]:
        meant[replayed.id_of(delivery_id(each.event_id, each.type, plan.vendor))] += 1
        if each.order is not None:
            meant[each.order.id] += 1
    keys = [each.rpartition(":")[2] for each in started]
    return (Counter(keys) - meant).total()
