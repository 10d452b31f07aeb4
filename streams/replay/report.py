"""What came of a run, from the outcomes of its own records, beside what was planned."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from streams.delivery.known import KnownChangelog
from streams.delivery.outcomes import CONNECTION_HEADER
from streams.engine.stretch import Stretch, look_through
from streams.engine.watermarks import Watermarks
from streams.model.dead_letter import header_bytes
from streams.model.replayed import RUN
from streams.replay.prospects import Expected
from streams.replay.survey import MARGIN_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from confluent_kafka import Message

    from streams.engine.kafka import KafkaSettings
    from streams.replay.runs import Run
    from streams.replay.survey import Places

_PARTS = ("event", "profile")


@dataclass(slots=True)
class Happened:
    """How a run stands.

    Attributes:
        records: of the run on the low topic.
        concluded: of them with an outcome.
        parts: what came of them.
        last_at: when the last outcome was written, epoch milliseconds.
        drained: whether the low lane has passed all of them; a customer who is parked comes later.
    """

    records: int = 0
    concluded: int = 0
    parts: Counter[Expected] = field(default_factory=Counter)
    last_at: int = 0
    drained: bool = False


def deviation(planned: Counter[Expected], happened: Counter[Expected]) -> float:
    """The share of parts of which something else came than was planned, 0 to 1.

    Of the greater of the two counts, so that what is missing and what is too much both count.
    """
    together = max(planned.total(), happened.total())
    if not together:
        return 0.0
    return 1.0 - (planned & happened).total() / together


def planned_of(run: Run) -> Counter[Expected]:
    """What was planned."""
    return Counter({Expected(*row[:4]): row[4] for row in run.planned})


class Report:
    """Follows one run's outcomes."""

    def __init__(
        self,
        kafka: KafkaSettings,
        places: Places,
        run: Run,
        decode_outcome: Callable[[bytes], Mapping[str, Any]],
    ) -> None:
        """Find the run's records; raises `KafkaException`."""
        self._kafka = kafka
        self._places = places
        self._run = run
        self._decode = decode_outcome
        self._offsets = _records(kafka, places.low, run)
        self._marks = Watermarks(kafka, places.outcomes)
        self._next = self._marks.since(self._offsets, max(0, run.begun_at - MARGIN_MS))
        self._last_at = 0
        self._codes: list[Expected] = []
        self._known: dict[Expected, int] = {}
        self._last = {
            (partition, part): array("H", bytes(2 * len(offsets)))
            for partition, offsets in self._offsets.items()
            for part in _PARTS
        }

    def look(self, *, positions: bool) -> Happened:
        """Read what is new, and say how the run stands.

        Args:
            positions: whether to ask how far the low lane is, which costs more.
        """
        passed = positions and self._passed()  # before the outcomes: then they are all there
        ends = self._marks.stable(self._next)
        look_through(self._kafka, Stretch(self._places.outcomes, self._next, ends), self._note)
        self._next = {p: max(at, ends[p]) for p, at in self._next.items()}
        records = sum(map(len, self._offsets.values()))
        found = Happened(records=records, last_at=self._last_at, drained=passed)
        for partition in self._offsets:
            events, profiles = (self._last[partition, part] for part in _PARTS)
            found.concluded += sum(1 for e, p in zip(events, profiles, strict=True) if e or p)
            for codes in (events, profiles):
                for code, count in Counter(codes).items():
                    if code:
                        found.parts[self._codes[code - 1]] += count
        return found

    def _passed(self) -> bool:
        partitions = {p for p, offsets in self._offsets.items() if offsets}
        if not partitions:
            return True
        known = KnownChangelog(self._kafka, self._places.profiles)(partitions, lambda: partitions)
        return all(known[p].low[0] > self._offsets[p][-1] for p in partitions)

    def _note(self, message: Message) -> None:
        value, headers = message.value(), dict(message.headers() or ())
        if value is None or headers.get(CONNECTION_HEADER) != self._run.connection.encode():
            return
        outcome = self._decode(value)
        partition, offset = outcome["partition"], outcome["offset"]
        offsets = self._offsets.get(partition)
        if offsets is None or outcome["topic"] != self._places.low or not outcome["final"]:
            return
        at = bisect_left(offsets, offset)
        if at < len(offsets) and offsets[at] == offset:
            self._last_at = max(self._last_at, outcome["recorded_at"])
            what = Expected(outcome["type"], outcome["part"], outcome["outcome"], outcome["reason"])
            if what not in self._known:
                self._codes.append(what)
                self._known[what] = len(self._codes)
            self._last[partition, outcome["part"]][at] = self._known[what]


def _records(kafka: KafkaSettings, low: str, run: Run) -> dict[int, array[int]]:
    """The offsets of a run's records on the low topic, by partition, in order."""
    marks = Watermarks(kafka, low)
    firsts, ends = marks.first(run.low), marks.stable(run.low)
    starts = {p: max(at, firsts[p]) for p, at in run.low.items()}
    found: dict[int, array[int]] = {p: array("q") for p in run.low}

    def note(message: Message) -> None:
        if header_bytes(message.headers()).get(RUN) == run.id.encode():
            found[message.partition() or 0].append(message.offset() or 0)

    look_through(kafka, Stretch(low, starts, ends), note)
    return found
