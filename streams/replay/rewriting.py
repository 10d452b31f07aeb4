"""A source topic copied to another prefix, without those who were erased.

Partition by partition, in order, with key, value, headers and time as they were: some hundred
records and how far it is in one transaction, so that a copy that was killed goes on behind the last
record that is there. Left out is what was created before its customer was erased, and the erase
records, which name them; the list of the erased is copied, so that nothing older comes in again.
"""

from __future__ import annotations

from collections import Counter
from math import inf
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, cast

import msgspec

from streams.engine.stretch import Stretch, look_through
from streams.errors import BadRecord, ConfigurationError
from streams.model.ids import is_nobody
from streams.replay.transaction import Appended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from confluent_kafka import Message

    from streams.control.erased import ErasedList
    from streams.engine.admin import TopicDescription
    from streams.engine.job import Headers
    from streams.engine.kafka import KafkaSettings
    from streams.replay.transaction import Transactions

Fate = Literal["copied", "erased", "erase_record"]
"""What becomes of a record: `erased` and `erase_record` are left out."""

_AT_ONCE: Final = 500
_BYTES: Final = 8 << 20
_KEY: Final = "rewrite:"
_KEPT: Final = ("retention.ms", "retention.bytes")
_LARGEST: Final = "max.message.bytes"


def limits_of(source: TopicDescription, policy: Mapping[str, str]) -> dict[str, str]:
    """By which properties a copy holds what its source holds, for as long.

    Records keep their time: what is older than the copy's `retention.ms` goes as soon as it is
    there. `policy` is what new topics have.
    """
    found = {name: source.config[name] for name in _KEPT if name in source.config}
    largest = max((each.get(_LARGEST, "0") for each in (source.config, policy)), key=int)
    return found | {_LARGEST: largest}


def check_keeps(target: TopicDescription, source: TopicDescription) -> None:
    """Raise `ConfigurationError` if a topic that is there would not hold its source's records."""
    for name in {*_KEPT, _LARGEST} & source.config.keys():
        wanted, found = source.config[name], target.config[name]
        if _limit(found) < _limit(wanted):
            raise ConfigurationError(
                f"topic {target.name}",
                f"its {name} is {found}, and that of {source.name} is {wanted}: records would go"
                " missing",
                f"Set it to {wanted} there, or take another prefix",
            )


def _limit(value: str) -> float:
    """A limit as a number, by which it is compared: a negative one limits nothing."""
    return int(value) if int(value) >= 0 else inf


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far one partition is: the next offset of the source, and what became of those before.

    A record of the target's control topic, as JSON; `origin` is the topic that is copied.
    """

    origin: str
    next: int
    counts: dict[str, int] = {}


_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(Progress).decode


class Copy(NamedTuple):
    """What is copied where.

    Attributes:
        source: topic.
        target: topic, with as many partitions.
        control: the target's control topic, for how far it is.
    """

    source: str
    target: str
    control: str

    def key(self, partition: int) -> str:
        """The key of a partition's progress."""
        return f"{_KEY}{self.target}:{partition}"


def progress_of(copy: Copy, partition: int, value: bytes | None) -> Progress:
    """How far a partition is, by its record; raises `ConfigurationError` for another topic's."""
    if value is None:
        return Progress(origin=copy.source, next=0)
    told = _decode(value)
    if told.origin != copy.source:
        raise ConfigurationError(
            f"topic {copy.target}",
            f"partition {partition} was begun as a copy of {told.origin}",
            "Copy to another prefix",
        )
    return told


class Sieve:
    """Says what becomes of records."""

    def __init__(self, erased: ErasedList, decode: Callable[[bytes], Mapping[str, Any]]) -> None:
        """Take the list of the erased, and the reader of a source's records (`BadRecord`)."""
        self._erased = erased
        self._decode = decode

    def fate(self, message: Message) -> Fate:
        """What becomes of a record; one that cannot be read is judged by its own time."""
        key = message.key() or b""
        merchant, _, customer = key.decode(errors="replace").partition(":")
        at = None if is_nobody(key) else self._erased.at(merchant, customer)
        if at is None:
            return "copied"
        try:
            record = self._decode(message.value() or b"")
        except BadRecord:
            return "erased" if message.timestamp()[1] < at else "copied"
        if record["kind"] == "erase":
            return "erase_record"
        return "erased" if record["created"] < at else "copied"


def survey(kafka: KafkaSettings, stretch: Stretch, sieve: Sieve) -> Counter[str]:
    """What would become of a stretch's records; raises `KafkaException`."""
    counts: Counter[str] = Counter()
    look_through(kafka, stretch, lambda message: counts.update([sieve.fate(message)]))
    return counts


def copied(
    kafka: KafkaSettings,
    copy: Copy,
    stretch: Stretch,
    known: Mapping[int, Progress],
    sieve: Sieve,
    transactions: Transactions,
) -> Iterator[Counter[str]]:
    """Copy a stretch; yields what became of the records of each partition, when it is done.

    Args:
        kafka: the connection.
        copy: from where, to where.
        stretch: the source, as it was at the start.
        known: how far each partition was.
        sieve: what is left out.
        transactions: each holds some records and the progress behind them.

    Raises:
        TakenOver: another command has begun.
        KafkaException: the broker does not answer, or refuses.
    """
    for partition, end in sorted(stretch.ends.items()):
        writer = _Writer(copy, partition, known[partition], sieve, transactions)
        start = max(stretch.starts[partition], known[partition].next)
        look_through(kafka, Stretch(copy.source, {partition: start}, {partition: end}), writer.take)
        writer.flush(end)
        yield Counter(writer.counts)


class _Writer:
    """Writes one partition."""

    def __init__(
        self, copy: Copy, partition: int, known: Progress, sieve: Sieve, transactions: Transactions
    ) -> None:
        self.counts = Counter(known.counts)
        self._copy, self._partition = copy, partition
        self._sieve, self._transactions = sieve, transactions
        self._waiting: list[Appended] = []
        self._seen = self._bytes = 0

    def take(self, message: Message) -> None:
        """Take the next record."""
        fate, value = self._sieve.fate(message), message.value()
        self.counts[fate] += 1
        self._seen += 1
        if fate == "copied":
            at = max(0, message.timestamp()[1])
            headers = cast("Headers", message.headers() or [])
            self._waiting.append(
                Appended(self._copy.target, message.key(), value, headers, self._partition, at)
            )
            self._bytes += len(value or b"")
        if self._seen >= _AT_ONCE or self._bytes >= _BYTES:
            self.flush((message.offset() or 0) + 1)

    def flush(self, following: int) -> None:
        """Append what waits, and that all before this offset is done."""
        progress = Progress(origin=self._copy.source, next=following, counts=dict(self.counts))
        key = self._copy.key(self._partition).encode()
        told = Appended(self._copy.control, key, _encode(progress), [])
        self._transactions.append([*self._waiting, told])
        self._waiting, self._seen, self._bytes = [], 0, 0
