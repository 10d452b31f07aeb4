"""Re-keying: a topic keyed otherwise becomes the source topic, keyed by customer (DESIGN §3).

Values stay as they are. Headers gain two, since the copy is younger than the record: when the
record was recorded first, and when this role began. Derive decides by them as it would have on the
other topic itself, so that a copy of last year starts no flows (`Past`). Stream time, and so the
timers, is the copy's own: a replay of the source topic must conclude the same facts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from streams.errors import BadRecord
from streams.names import LARGEST

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka import Message

    from streams.engine.job import Headers, Outputs
    from streams.engine.preparation import Preparation
    from streams.engine.rows import Rows
    from streams.metrics import RekeyCounts

    Told = Headers | dict[str, str | bytes | None]
    """Headers as Kafka's client gives them."""

RECORDED_AT: Final = "streams-recorded-at"
"""Header: the time of the record that this one is a copy of; epoch milliseconds as digits."""

FLOWS_FROM: Final = "streams-flows-from"
"""Header: when the role first began on the copied topic; epoch milliseconds as digits."""

_OVERHEAD: Final = 1 << 10
"""Bytes that a record and its batch take beyond key, value and headers, and some to spare."""


_DIGITS: Final = 15
"""Of epoch milliseconds, for the next thirty thousand years."""


class Past(NamedTuple):
    """Where a record comes from in time, epoch milliseconds.

    `recorded_at` is when it was first recorded. Where flows begin with the first start, events
    created before `flows_from` are from before; 0 for a record that was never copied.
    """

    recorded_at: int
    flows_from: int = 0


def past_of(headers: Told | None, timestamp: int) -> Past:
    """The past of a record of a source topic; a header that is no number counts for nothing."""
    if not headers:  # nearly always: whatever no role has copied
        return Past(timestamp)
    told = dict(headers)
    recorded_at, flows_from = _number(told.get(RECORDED_AT)), _number(told.get(FLOWS_FROM))
    return Past(timestamp if recorded_at is None else recorded_at, flows_from or 0)


def with_past(headers: Told | None, past: Past) -> Headers:
    """Headers of a copy: those of the record, in their order, and the two that tell its past."""
    pairs = headers.items() if isinstance(headers, dict) else headers or ()
    kept = [each for each in pairs if each[0] not in {RECORDED_AT, FLOWS_FROM}]
    return [*kept, (RECORDED_AT, b"%d" % past.recorded_at), (FLOWS_FROM, b"%d" % past.flows_from)]


def _number(text: str | bytes | None) -> int | None:
    """The epoch milliseconds of a header."""
    is_one = isinstance(text, bytes) and text.isdigit() and len(text) <= _DIGITS
    return int(text) if is_one and text is not None else None


class RekeyJob:
    """One record: the same to the source topic under its customer's key, or to the dead letters.

    Attributes:
        preparation: what is awaited before records come.
    """

    def __init__(
        self,
        owner: Callable[[bytes | None], bytes],
        target: str,
        give_up: Callable[[Message, Rows, Outputs, BadRecord], None],
        counts: RekeyCounts,
        *,
        began_at: int,
        preparation: Preparation | None = None,
    ) -> None:
        """Prepare.

        Args:
            owner: a record's bytes → its customer's key; raises `BadRecord`.
            target: the topic that is written.
            give_up: makes a record a dead letter.
            counts: are kept.
            began_at: when the role first began on this topic, epoch milliseconds.
            preparation: awaited before the records of a batch are read.
        """
        self.preparation = preparation
        self._owner = owner
        self._target = target
        self._give_up = give_up
        self._counts = counts
        self._began_at = began_at

    def apply(self, message: Message, rows: Rows, outputs: Outputs) -> None:
        """Handle one record; a bad one goes to the dead letters in the same transaction."""
        try:
            key, value, headers = self._copied(message)
        except BadRecord as bad:
            self._give_up(message, rows, outputs, bad)
            self._counts.dead_letter(bad.reason)
        else:
            outputs.append((self._target, key, value, headers))
            self._counts.copied(message.key(), key)

    def fire(self, key: bytes, due: int, now: int, rows: Rows, outputs: Outputs) -> None:
        """Nothing: without rows there are no timers."""

    def due(self, row: bytes) -> int:  # noqa: ARG002 - part of the protocol
        """Return 0: no timers."""
        return 0

    def _copied(self, message: Message) -> tuple[bytes, bytes, Headers]:
        """Key, value and headers of the copy; raises `BadRecord`."""
        value, headers = message.value(), message.headers()
        try:
            key = self._owner(value)
            past = past_of(headers, max(0, message.timestamp()[1]))  # -1: it has no time
            told = with_past(headers, Past(past.recorded_at, max(past.flows_from, self._began_at)))
        except BadRecord:
            raise
        except Exception as error:
            raise BadRecord("failed", None, f"{type(error).__name__} in rekey") from error
        value = value or b""
        beside = sum(len(name) + len(content or b"") for name, content in told)
        if len(key) + len(value) + beside + _OVERHEAD > LARGEST:
            raise BadRecord("too_large", None, "the record is larger than the source topic takes")
        return key, value, told
