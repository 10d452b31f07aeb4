"""Settings → a customer's story, told alike by `streams timeline` and the console.

What came and what became of it is read from the topics, or from the console's index; both tell the
same, each as far back as it goes (`timeline.keeping`). What was concluded is computed anew by
derive's own pipeline.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from streams.cli.composition import goes_by_marks, names_of, sources_of
from streams.cli.worker.deriving import pipeline_of
from streams.control.tables import table_of
from streams.engine.batch import Position
from streams.engine.first_offsets import first_start
from streams.engine.rows import Rows, Shard
from streams.model.ids import is_nobody
from streams.names import ORDERGROOVE
from streams.synced import History, mark_synced
from streams.timeline.reading import outcomes_of, records_of
from streams.timeline.story import Story, ends_of, told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from streams.engine.kafka import KafkaSettings
    from streams.pipeline import Pipeline
    from streams.registry import Schemas
    from streams.settings import Settings
    from streams.timeline.story import Came, Chapter

_AGAIN_SECONDS: Final = 60.0
"""How long what the control topic says is taken for what it still says."""


class Readings(Protocol):
    """Where a customer's records are read: `TopicReadings`, or `console.index.Index`."""

    def came(self, source: str, key: bytes) -> Sequence[Came]:
        """A customer's records on a source's topic, and the marks of its syncs, in order."""

    def outcomes(self, key: bytes) -> Sequence[Mapping[str, Any]]:
        """A customer's outcomes, in order."""


class TopicReadings:
    """Reads the topics themselves: a partition from its beginning for each question."""

    def __init__(self, settings: Settings, kafka: KafkaSettings, schemas: Schemas) -> None:
        self._names = names_of(settings)
        self._kafka = kafka
        self._decode = schemas.decode_in_thread("outcome")

    def came(self, source: str, key: bytes) -> Sequence[Came]:
        """As `Readings` says; errors are those of `timeline.reading`."""
        return records_of(self._kafka, self._names.events(source), key)

    def outcomes(self, key: bytes) -> Sequence[Mapping[str, Any]]:
        """As `Readings` says; errors are those of `timeline.reading`."""
        return outcomes_of(self._kafka, self._names.outcomes, key, self._decode)


class _Concluding(NamedTuple):
    """How sources' records are concluded from, by what the control topic said `at`."""

    pipelines: Mapping[str, Pipeline[Any]]
    at: float


class Storyteller:
    """Tells stories; from any thread, one at a time.

    What the control topic says of the program is asked once a minute.
    """

    def __init__(self, settings: Settings, kafka: KafkaSettings, schemas: Schemas) -> None:
        self._settings = settings
        self._kafka = kafka
        self._schemas = schemas
        self._names = names_of(settings)
        self._lows = {self._names.low(each) for each in settings.connections}
        self._concluding: _Concluding | None = None
        self._lock = threading.Lock()

    def tell(
        self, readings: Readings, key: bytes, *, rows: bool = False, now: int | None = None
    ) -> Story:
        """What all sources tell of a key, in order.

        Args:
            readings: where it is read.
            key: of the customer.
            rows: whether chapters hold the customer's rows.
            now: what waited until then was decided, epoch milliseconds. None: the present.

        Raises:
            ConfigurationError: a topic is missing.
            KafkaException: the broker does not answer.
        """
        until = int(time.time() * 1_000) if now is None else now
        with self._lock:
            pipelines = self._pipelines()
            ends = ends_of(readings.outcomes(key), self._lows.__contains__)
            chapters: list[Chapter] = []
            for source, pipeline in pipelines.items():
                came = readings.came(source, key)
                choose = _chooser(self._settings, pipeline, source)
                chapters += told(came, choose, ends, until, rows=rows)
        chapters.sort(key=lambda each: each.at)
        return Story(chapters, [end for some in ends.values() for end in some])

    def _pipelines(self) -> Mapping[str, Pipeline[Any]]:
        known = self._concluding
        if known is None or time.monotonic() - known.at > _AGAIN_SECONDS:
            found = {each: self._pipeline(each) for each in sources_of(self._settings)}
            known = self._concluding = _Concluding(found, time.monotonic())
        return known.pipelines

    def _pipeline(self, source: str) -> Pipeline[Any]:
        names, derived = self._names, self._names.derived(source)
        started = first_start(self._kafka, derived.group, derived.topic, control=names.control)
        generation = table_of(self._kafka, names, source).generation
        return pipeline_of(
            source, self._settings, self._schemas, started or 0, generation=generation
        )


def _chooser(
    settings: Settings, pipeline: Pipeline[Any], source: str
) -> Callable[[Came], Pipeline[Any] | None]:
    """What handles each record, as derive would choose: by the marks of syncs before it."""
    rows = Rows(Shard({}, lambda _: 0, Position(0)))
    history = History(pipeline, awaited=goes_by_marks(settings)) if source == ORDERGROOVE else None

    def choose(each: Came) -> Pipeline[Any] | None:
        if is_nobody(each.key):
            mark_synced(each.key, each.recorded_at, rows)
            return None
        return pipeline if history is None else history.of(each.key, each.value, rows)

    return choose
