"""Filling the index: a thread that follows the topics, without a group, for as long as it runs.

What it has read is known to the index alone. A broker that is away is waited for; a topic that was
deleted and made anew, or that ends before what was read, empties the index, which is filled again.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final

from confluent_kafka import KafkaException

from streams.console.index_file import IndexAway, prepare
from streams.console.index_rows import Overtaken, Progress
from streams.console.index_tidying import Tidying
from streams.console.index_writing import Identified, Writer
from streams.console.reading import Read
from streams.engine.topics_reader import TopicsReader, bounds, identities
from streams.errors import ConfigurationError, StreamsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from confluent_kafka import Message

    from streams.console.index import Index
    from streams.console.index_rows import Part
    from streams.console.reading import IndexTopic, Limits, Readers
    from streams.engine.kafka import KafkaSettings
    from streams.engine.topics_reader import Place, Records

log = logging.getLogger(__name__)

_MOST: Final = 20_000
"""Records of one transaction …"""
_SECONDS: Final = 1.0
"""… and how long it waits for them."""
_AGAIN_SECONDS: Final = 1.0
_END_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 30.0
"""Between two looks whether topics and file are still the same."""


class Moved(StreamsError):
    """A topic, or the file, is not what it was: begin again."""


class Filler:
    """Fills one index. `start` and `close` by whoever builds the process.

    Attributes:
        problem: why nothing is read now, in words; None while all is well.
    """

    def __init__(  # noqa: PLR0913 - what, from where, into what
        self,
        kafka: KafkaSettings,
        index: Index,
        topics: Callable[[], Sequence[IndexTopic]],
        readers: Readers,
        limits: Limits,
        *,
        at: Callable[[str], None] = lambda _: None,
        look_seconds: float = _LOOK_SECONDS,
    ) -> None:
        """Prepare.

        Args:
            kafka: the connection.
            index: that is filled.
            topics: which topics are followed now; asked again and again.
            readers: of their values.
            limits: how long records are kept.
            at: called at each step of a transaction; for tests.
            look_seconds: between two looks at whether topics are still the same.
        """
        self._kafka = kafka
        self._index = index
        self._topics = topics
        self._readers = readers
        self._limits = limits
        self._at = at
        self._look_seconds = look_seconds
        self._closing = threading.Event()
        self._caught_up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="console index", daemon=True)
        self.problem: str | None = None

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End: a transaction that is under way is finished or taken back."""
        self._closing.set()
        if self._thread.ident is not None:
            self._thread.join(_END_SECONDS)

    def caught_up(self, seconds: float) -> bool:
        """Wait until all is in the index that was there when it began; whether it is."""
        return self._caught_up.wait(seconds)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._fill()
            except Moved as moved:
                log.info("the index begins again: %s", moved)
                continue
            except (KafkaException, ConfigurationError, IndexAway, Overtaken) as error:
                self.problem = str(error)
                log.warning("the console's index is not filled, tried again: %s", error)
            except Exception:
                self.problem = "an error of the program: see its log"
                log.exception("the console's index is not filled, tried again")
            self._closing.wait(_AGAIN_SECONDS)

    def _fill(self) -> None:
        """Read the topics until the end, or until something is not what it was."""
        topics = self._identified()
        prepare(self._index.path, self._index.naming.hash_key)
        writer = Writer(self._index, self._readers, self._limits, at=self._at)
        try:
            filling = _Filling(self._kafka, writer, topics)
            file = self._index.path.stat().st_ino
            # who was erased is known before anything else: of them nothing is kept in between
            self._follow(filling, {"erased"}, lambda: not filling.behind)
            looked = time.monotonic()

            def over() -> bool:
                nonlocal looked
                if not filling.behind:
                    self._caught_up.set()
                if time.monotonic() - looked > self._look_seconds:
                    looked = time.monotonic()
                    self._look(topics, file)
                return False

            self._follow(filling, {each.topic.kind for each in topics}, over)
        finally:
            writer.close()

    def _follow(self, filling: _Filling, kinds: set[str], over: Callable[[], bool]) -> None:
        with TopicsReader(self._kafka, filling.positions(kinds)) as reader:
            while not (self._closing.is_set() or over()):
                filling.take(reader.read(_MOST, _SECONDS), reader)
                self.problem = None

    def _identified(self) -> list[Identified]:
        topics = self._topics()
        found = identities(self._kafka, [each.name for each in topics])
        return [Identified(each, *found[each.name]) for each in topics]

    def _look(self, topics: Sequence[Identified], file: int) -> None:
        """Raise `Moved` unless topics and file are the same as ever."""
        path = self._index.path
        if not path.exists() or path.stat().st_ino != file:
            raise Moved("its file was deleted")
        if self._identified() != topics:
            raise Moved("topics are others than they were")


class _Filling:
    """One run over topics that stay the same.

    Attributes:
        behind: partitions of whose end nobody has heard yet.
    """

    def __init__(self, kafka: KafkaSettings, writer: Writer, topics: Sequence[Identified]) -> None:
        self._writer = writer
        self._tidying = Tidying(writer)
        self._topics = topics
        self._next: dict[Part, int] = {}
        self._numbers: dict[str, int] = {}
        self._begin(kafka)
        self.behind: set[Place] = set()

    def _begin(self, kafka: KafkaSettings) -> None:
        """Find where to go on in each partition; the index is emptied if it knows of more."""
        places = {
            each.topic.name: bounds(kafka, each.topic.name, each.partitions)
            for each in self._topics
        }
        self._numbers, known = self._writer.begin(self._topics)
        ends = {
            (self._numbers[name], partition): span
            for name, spans in places.items()
            for partition, span in spans.items()
        }
        if any(known.get(part, 0) > end for part, (_, end) in ends.items()):
            log.warning("a topic ends before what the index has read of it: it is filled anew")
            self._writer.empty()
            self._begin(kafka)
            return
        for part, (first, _) in ends.items():
            if first > known.get(part, first):
                log.warning("records were deleted that the index had not read yet")
        self._next = {part: max(first, known.get(part, first)) for part, (first, _) in ends.items()}
        progress = {
            part: Progress(known.get(part, at), at, ends[part][1])
            for part, at in self._next.items()
        }
        self._writer.write([], progress)

    def positions(self, kinds: set[str]) -> dict[Place, int]:
        """Where to go on in topics of these kinds; all of them count as behind then."""
        found = {
            (each.topic.name, partition): self._next[self._numbers[each.topic.name], partition]
            for each in self._topics
            if each.topic.kind in kinds
            for partition in range(each.partitions)
        }
        self.behind = set(found)
        return found

    def take(self, records: Records, reader: TopicsReader) -> None:
        """Write what was read; tidy a little."""
        reached: dict[Place, int] = dict(records.ends)
        for message in records.messages:
            place = message.topic() or "", message.partition() or 0
            reached[place] = max(reached.get(place, 0), (message.offset() or 0) + 1)
        progress = {
            self._part(place): Progress(
                self._next[self._part(place)],
                max(at, self._next[self._part(place)]),
                records.ends.get(place) or reader.ending(place),
            )
            for place, at in reached.items()
        }
        if progress:
            self._writer.write([self._read(each) for each in records.messages], progress)
            self._next |= {part: each.next for part, each in progress.items()}
        self.behind -= records.ends.keys()
        self._tidying.step()

    def _part(self, place: Place) -> Part:
        return self._numbers[place[0]], place[1]

    def _read(self, message: Message) -> Read:
        return Read(
            self._numbers[message.topic() or ""],
            message.partition() or 0,
            message.offset() or 0,
            message.timestamp()[1],
            message.key() or b"",
            message.value(),
            message.headers(),
        )
