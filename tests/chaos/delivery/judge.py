"""What arrived at the vendors beside what had to: lost, reordered, repeated. Pure.

A repetition is excused if what it repeats was in flight at a fault: taken by the vendor, and its
outcome not in Kafka yet. What a worker still sends after it was frozen and others took over is told
apart: nothing but the vendor's own memory could keep that from happening.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.chaos.compare import compare_sequences

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Expected = dict[str, list[str]]
"""Customer → identities in order, of one connection."""

_ZOMBIE_SECONDS: Final = 15.0
"""For so long after it goes on, what a frozen worker repeats is taken for its late requests."""
_SETTLING_SECONDS: Final = 0.5
"""What was fed so shortly before a fault may have met it."""
_SAMPLES: Final = 5


class Arrival(NamedTuple):
    """One event's record at the vendor; times are epoch seconds.

    Attributes:
        identity: the delivery's id.
        at: when its request came.
        worker: the name by which the sender called the vendor's host.
        taken: whether the vendor kept it.
        heard: whether the answer said so.
    """

    identity: str
    at: float
    worker: str
    taken: bool
    heard: bool = True


class Fault(NamedTuple):
    """What was done, and when; epoch seconds.

    Attributes:
        began: its first moment.
        ended: when all works again, or the worker goes on.
        everywhere: whether it meets both connections.
        zombie: the frozen worker, if it is one.
    """

    began: float
    ended: float
    everywhere: bool
    zombie: str | None = None


@dataclass(slots=True)
class Findings:
    """What was found at one connection.

    Attributes:
        deliveries: expected events.
        lost: expected, and never taken.
        reordered: of those taken, how many must move to stand in order; by customer.
        unexpected: taken, and never fed.
        repeated: taken again, though it had been concluded, or nothing was wrong.
        excused: taken again, having been in flight at the fault.
        late: repetitions by a worker that was frozen.
        samples: some of what is wrong, in words.
    """

    deliveries: int = 0
    lost: int = 0
    reordered: int = 0
    unexpected: int = 0
    repeated: int = 0
    excused: int = 0
    late: int = 0
    samples: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.lost or self.reordered or self.unexpected or self.repeated)

    def __add__(self, other: Findings) -> Findings:
        return Findings(
            self.deliveries + other.deliveries,
            self.lost + other.lost,
            self.reordered + other.reordered,
            self.unexpected + other.unexpected,
            self.repeated + other.repeated,
            self.excused + other.excused,
            self.late + other.late,
            self.samples + other.samples,
        )


def judge(
    expected: Expected,
    arrivals: Iterable[Arrival],
    concluded: Mapping[str, float],
    faults: Sequence[Fault],
) -> Findings:
    """Judge one connection.

    Args:
        expected: what must arrive.
        arrivals: in the order in which the vendor took them.
        concluded: identity → when its first final outcome was written.
        faults: that met this connection.
    """
    found = Findings(deliveries=sum(map(len, expected.values())))
    taken: defaultdict[str, list[Arrival]] = defaultdict(list)
    for arrival in arrivals:
        if arrival.taken:
            taken[arrival.identity].append(arrival)
    _compare(found, expected, list(taken))
    for identity, several in taken.items():
        for before, again in pairwise(several):
            if any(_is_late(each, fault) for each in (before, again) for fault in faults):
                found.late += 1
            elif _was_in_flight(before, concluded.get(identity), faults):
                found.excused += 1
            else:
                found.repeated += 1
                _sample(found, f"{identity} was taken again {again.at - before.at:.2f} s later")
    return found


def _compare(found: Findings, expected: Expected, firsts: list[str]) -> None:
    """Lost, reordered and unexpected, by the first time that each was taken."""
    owner = {identity: key for key, several in expected.items() for identity in several}
    arrived: defaultdict[str, list[str]] = defaultdict(list)
    for identity in firsts:
        if identity in owner:
            arrived[owner[identity]].append(identity)
        else:
            found.unexpected += 1
            _sample(found, f"{identity} was never fed")
    for key, several in expected.items():
        difference = compare_sequences(several, arrived[key])
        found.lost += difference.lost
        found.reordered += difference.reordered
        if difference:
            _sample(found, f"expected {several}, taken {arrived[key]}")


def _sample(found: Findings, words: str) -> None:
    if len(found.samples) < _SAMPLES:
        found.samples.append(words)


def _is_late(arrival: Arrival, fault: Fault) -> bool:
    until = fault.ended + _ZOMBIE_SECONDS
    return arrival.worker == fault.zombie and fault.ended <= arrival.at <= until


def _was_in_flight(before: Arrival, concluded: float | None, faults: Sequence[Fault]) -> bool:
    if not before.heard:
        return True
    return any(
        before.at <= fault.ended and (concluded is None or concluded >= fault.began)
        for fault in faults
    )


def in_flight(
    arrivals: Iterable[Arrival], moment: float, latency: float, worker: str | None = None
) -> int:
    """How many records had come and were not answered at a moment; of one worker, or of all.

    `latency`: seconds that every answer took at least.
    """
    return sum(
        moment - latency < each.at <= moment and worker in {None, each.worker} for each in arrivals
    )


def first_after(
    arrivals: Sequence[Arrival],
    owner: Mapping[str, str],
    fault: Fault,
    worker: str | None = None,
) -> float | None:
    """Seconds until the first record is taken after a fault; None: there is none.

    Of a vendor's fault they count from its end. With a `worker`, they count from its beginning, and
    only customers count whom that worker had served last.
    """
    if worker is None:
        return next((a.at - fault.ended for a in arrivals if a.taken and a.at > fault.ended), None)
    served: dict[str, str] = {}
    for each in arrivals:
        if each.at <= fault.began:
            served[owner.get(each.identity, "")] = each.worker
        elif each.taken and served.get(owner.get(each.identity, "")) == worker:
            return each.at - fault.began
    return None


def percentile(seconds: Sequence[float], share: float = 0.95) -> float | None:
    """The value that so large a share is not above; None of nothing."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


class Slowed(NamedTuple):
    """A bystander's latency, 95th percentiles in seconds.

    Attributes:
        before: the fault.
        during: it.
    """

    before: float
    during: float

    @property
    def ratio(self) -> float:
        """By how much it grew."""
        return self.during / self.before


def slowed(arrivals: Iterable[Arrival], fed: Mapping[str, float], fault: Fault) -> Slowed | None:
    """The bystander's latency: from the append of a delivery to its first arrival.

    None: nothing was fed either before the fault or during it.
    """
    firsts: dict[str, float] = {}
    for each in arrivals:
        firsts.setdefault(each.identity, each.at)
    pairs = [(fed[each], at - fed[each]) for each, at in firsts.items() if each in fed]
    before = percentile([late for at, late in pairs if at < fault.began - _SETTLING_SECONDS])
    during = percentile([late for at, late in pairs if fault.began <= at <= fault.ended])
    return Slowed(before, during) if before and during else None
