"""A job's handler between doubles: a poller that owns everything, a publication that waits."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from streams.breaker import DEFAULT_RULE
from streams.engine.batch import FIRST, Batch, Part, Position
from streams.engine.job_handler import JobHandler
from streams.engine.kafka import KafkaSettings
from streams.engine.ownership import Share
from streams.engine.publication import do_nothing
from streams.engine.rows import Rows, Shard
from streams.engine.statistics import LaneStatistics

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from streams.breaker import Kind, Rule
    from streams.engine.compute import Work
    from streams.engine.job import Outputs

MALFORMED: Kind = ("malformed", None)


class Record:
    """A record as far as the engine and `Refusing` look."""

    def __init__(self, offset: int, value: bytes) -> None:
        self._offset, self._value = offset, value

    def offset(self) -> int:
        """Return the offset."""
        return self._offset

    def timestamp(self) -> tuple[int, int]:
        """Return a time."""
        return (2, 1)

    def value(self) -> bytes:
        """Return the value."""
        return self._value


class Refusing:
    """A job that gives up on every record whose value is `bad`."""

    def apply(self, message: Any, rows: Rows, outputs: Outputs) -> None:
        """Write a letter, dead or not."""
        outputs.append(("out", None, message.value(), None))
        if message.value() == b"bad":
            rows.gave_up(*MALFORMED)

    def fire(self, key: bytes, due: int, now: int, rows: Rows, outputs: Outputs) -> None:
        """No timers."""

    def due(self, row: bytes) -> int:
        """No timers."""
        del row
        return 0


class Poller:
    """What the handler asks of its poller, and what it told it."""

    def __init__(self) -> None:
        self.statistics = LaneStatistics()
        self.owned = frozenset({0, 1})
        self.told: list[object] = []
        self.reason: str | None = None

    def accepts(self, partition: int, epoch: int) -> bool:
        """Everything is ours."""
        del partition, epoch
        return True

    def reset(self, shares: Sequence[Share], cause: str, *, wait: float) -> None:
        """Note a reset."""
        self.told.append(([share.partition for share in shares], cause, wait))

    def committed(self, offsets: Mapping[int, int]) -> None:
        """Note a commit."""
        self.told.append(dict(offsets))

    def unready(self, reason: str | None, *, about: str) -> None:
        """Note the reason."""
        assert about == "breaker"
        self.reason = reason


class Publication:
    """Publishes when it is let."""

    def __init__(self) -> None:
        self.at: Callable[[str], None] = do_nothing
        self.may = threading.Event()
        self.published: list[list[bytes | None]] = []

    def attach(self, poller: Any, changelog: str | None) -> None:
        """Nothing is needed."""

    def prepare(self) -> None:
        """Nothing is connected."""

    def publish(self, works: Sequence[Work]) -> Sequence[Work]:
        """Wait, then take note."""
        assert self.may.wait(10)
        self.published.append([value for each in works for _, _, value, _ in each.outputs])
        return works

    def close(self) -> None:
        """Nothing is open."""


def feed(
    handler: JobHandler,
    *parts: tuple[int, int, bytes, int],
    done: Callable[[], None] = lambda: None,
    quiet: bool = False,
) -> Any:
    """Feed a batch of parts: partition, first offset, value, number of records."""
    made = [
        Part(p, 1, start - 1 if start else FIRST, [Record(start + n, value) for n in range(count)])  # type: ignore[misc]
        for p, start, value, count in parts
    ]
    return handler.feed(Batch(made, done, quiet=quiet))


def handler_of(poller: Poller, publication: Publication, rule: Rule = DEFAULT_RULE) -> JobHandler:
    """A handler that owns partitions 0 and 1, empty."""
    job: Any = Refusing()
    kafka = KafkaSettings(bootstrap="nowhere")
    handler = JobHandler(kafka, job, "log", publication, rule=rule)
    handler.attach(poller)  # type: ignore[arg-type]
    shards = {p: Shard({}, job.due, Position(0)) for p in (0, 1)}
    handler.install([Share(0, 1), Share(1, 1)], shards)
    return handler
