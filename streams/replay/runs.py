"""A run of a replay as the control topic keeps it: what it is of, and how far it is.

Each transaction that appends deliveries to the low topic also writes the run anew, under one key.
So what was appended and what is said of it are one: whoever goes on after a crash begins behind the
last delivery that is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from streams.engine.stretch import newest
from streams.errors import ConfigurationError
from streams.model.replayed import Mode, Replayed
from streams.replay.selection import Selection

if TYPE_CHECKING:
    from streams.engine.kafka import KafkaSettings

RUNS: Final = "replay:"
"""What the keys of these records begin with; the run's id follows."""


class Run(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One run; no customer is named in it.

    Attributes:
        id: its action's, on the audit topic.
        connection: that its deliveries go to.
        source: the connection whose delivery topic was read.
        mode: how they go again.
        new_ids: the label of fresh ids.
        selection: which they are.
        starts: of the delivery topic, partition → offset …
        ends: … and up to where, so that it stays the same run however long it takes.
        low: where the low topic ended before it, by partition.
        begun_at: epoch milliseconds.
        planned: (event type, part, outcome, reason) and how many parts were expected so.
        seconds: that it was expected to take.
        flows: events that were expected to start flows …
        customers: … and of how many customers they were.
        deliveries: that were expected to be appended.
        position: partition → the first offset of the delivery topic that was not looked at.
        appended: deliveries.
        left_out: profiles that would have been told once more.
        gone: offsets of the delivery topic that retention took before it was their turn.
        ended: whether all is appended.
    """

    id: str
    connection: str
    source: str
    mode: Mode
    new_ids: str | None = None
    selection: Selection
    starts: dict[int, int]
    ends: dict[int, int]
    low: dict[int, int]
    begun_at: int
    planned: list[tuple[str, str, str, str | None, int]] = []
    seconds: float = 0.0
    flows: int = 0
    customers: int = 0
    deliveries: int = 0
    position: dict[int, int] = {}
    appended: int = 0
    left_out: int = 0
    gone: int = 0
    ended: bool = False

    @property
    def replayed(self) -> Replayed:
        """What its records say."""
        return Replayed(self.mode, self.id, self.new_ids)

    def means(self, other: Run) -> bool:
        """Whether another run is of what this one is of, and of deliveries of this one, too.

        When they were written is not compared: `since 48h` means other times in each command.
        """
        mine, its = self.starts, other.starts
        shared = any(
            max(mine[p], its[p]) < min(self.ends[p], other.ends[p]) for p in mine.keys() & its
        )
        return shared and self._what == other._what

    @property
    def _what(self) -> tuple[object, ...]:
        chosen = replace(self.selection, since=None, until=None, offsets={})
        return self.connection, self.source, self.mode, self.new_ids, chosen


encode_run = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Run).decode


def key_of(run: str) -> bytes:
    """The key of a run's record."""
    return f"{RUNS}{run}".encode()


def runs_of(kafka: KafkaSettings, control: str) -> dict[str, Run]:
    """All runs that the control topic knows, by id.

    Raises:
        ConfigurationError: there is no such topic, or a record is not one of this version's.
        KafkaException: the broker does not answer.
    """
    found = {}
    for key, value in newest(kafka, control).items():
        if key.startswith(RUNS.encode()):
            run = _run(key.decode(), value)
            found[run.id] = run
    return found


def _run(key: str, value: bytes) -> Run:
    try:
        return _decode(value)
    except msgspec.DecodeError:
        raise ConfigurationError(
            f"control record {key}",
            "it is not one of this version's",
            "Use the version that wrote it",
        ) from None
