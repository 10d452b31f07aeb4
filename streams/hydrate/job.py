"""A record: absorbed into its customer's row, filled from it, passed on under the same key.

What cannot be read, or is under another key than its customer's, goes on as it is: derive makes the
dead letter of it, so there is one place where such records are looked for. What is no event
(states, erases, marks of a sync) goes on as it is too.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from streams.errors import BadRecord
from streams.model.ids import customer_key, is_nobody
from streams.names import LARGEST
from streams.rekey import Past, past_of, with_past

from .filling import added, additions, filled
from .row import decode_row, encode_row
from .settling import is_erased, settle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from confluent_kafka import Message

    from streams.engine.job import Headers, Outputs
    from streams.engine.rows import Rows

    from .counts import HydrateCounts
    from .entities import Record
    from .filling import Additions
    from .preparation import Hydration
    from .settling import Settled

UNHYDRATED: Final = "streams-unhydrated"
"""Header: what a record goes on without, with commas between; absent where nothing is missing."""

_OVERHEAD: Final = 1 << 10
"""Bytes that a record and its batch take beyond key, value and headers, and some to spare."""

log = logging.getLogger(__name__)


class Form(NamedTuple):
    """How records are read and written.

    Attributes:
        read: a value → what is looked at of it; None: nothing is filled in.
        decode: a value → the record, with branches.
        encode: a record → its value.
    """

    read: Callable[[bytes | None], Record | None]
    decode: Callable[[bytes], dict[str, Any]]
    encode: Callable[[Mapping[str, Any]], bytes]


class Way(NamedTuple):
    """From which topic to which."""

    topic: str
    target: str


class HydrateJob:
    """One record: the same to the source topic, with what its event lacked in its snapshot.

    Attributes:
        preparation: what is awaited before records come.
        topic: that is read.
    """

    def __init__(
        self,
        form: Form,
        preparation: Hydration,
        way: Way,
        give_up: Callable[[Message, Rows, Outputs, BadRecord], None],
        counts: HydrateCounts,
        *,
        began_at: int,
    ) -> None:
        """Prepare.

        Args:
            form: how records are read and written.
            preparation: awaited before the records of a batch are looked at; it has the answers.
            way: the topics that are read and written.
            give_up: makes a dead letter of a record that the topic cannot take.
            counts: are kept.
            began_at: when the role first began on its topic, epoch milliseconds.
        """
        self.preparation = preparation
        self._form = form
        self._answers = preparation.answers
        self.topic, self._target = way
        self._give_up = give_up
        self._counts = counts
        self._began_at = began_at

    def apply(self, message: Message, rows: Rows, outputs: Outputs) -> None:
        """Handle one record."""
        key, value, settled = message.key(), message.value(), None
        if isinstance(key, bytes) and not is_nobody(key):
            try:
                value, settled = self._hydrated(key, value, rows)
            except Exception as error:  # noqa: BLE001 - a fault of ours holds up nobody
                log.error("a record goes on as it is: %s", type(error).__name__)  # noqa: TRY400
                self._counts.record("failed")
        else:
            self._counts.record("passed")
        headers = self._headers(message, settled)
        if _size(key, value, headers) > LARGEST:
            bad = BadRecord("too_large", None, "the record is larger than the source topic takes")
            self._give_up(message, rows, outputs, bad)
        else:
            outputs.append((self._target, key, value, headers))

    def fire(self, key: bytes, due: int, now: int, rows: Rows, outputs: Outputs) -> None:
        """Nothing: there are no timers."""

    def due(self, row: bytes) -> int:  # noqa: ARG002 - part of the protocol
        """Return 0: no timers."""
        return 0

    def _hydrated(
        self, key: bytes, value: bytes | None, rows: Rows
    ) -> tuple[bytes | None, Settled | None]:
        """The record's new value, and what of it is settled; the row is put where it changed."""
        record = self._form.read(value)
        if record is None or customer_key(record.merchant, record.customer_id) != key:
            self._counts.record("unread")
            return value, None
        before = rows.get(key)
        row = decode_row(before)
        if is_erased(row, record):
            self._counts.record("erased")
            return value, None
        row, settled = settle(row, record, lambda want: self._answers.of(record.merchant, want))
        found = additions(record, row, settled.wanted)
        if found:
            more = self._form.encode(filled(self._form.decode(value or b""), found))
            value = more if len(more) + _OVERHEAD <= LARGEST else value
        after = encode_row(row)
        if after != before:
            rows.put(key, after)
        if record.kind == "event":
            self._count(settled, found)
        else:
            self._counts.record("passed")
        return value, settled

    def _count(self, settled: Settled, found: Additions) -> None:
        self._counts.record("unhydrated" if settled.missing else "filled" if found else "whole")
        for want in settled.wanted:
            if want in settled.missing:
                self._counts.lacked(want.what)
            elif want in settled.answered:
                self._counts.had(want.what, "api")
            else:
                self._counts.had(want.what, "table" if added(found, want.what) else "snapshot")

    def _headers(self, message: Message, settled: Settled | None) -> Headers:
        """The record's, what it goes on without, and its past."""
        told = message.headers()
        past = past_of(told, max(0, message.timestamp()[1]))
        pairs = told.items() if isinstance(told, dict) else told or ()
        kept: Headers = [each for each in pairs if each[0] != UNHYDRATED]
        if settled is not None and settled.missing:
            missing = sorted({want.what for want in settled.missing})
            kept.append((UNHYDRATED, ",".join(missing).encode()))
        return with_past(kept, Past(past.recorded_at, max(past.flows_from, self._began_at)))


def _size(key: bytes | None, value: bytes | None, headers: Headers) -> int:
    """Bytes that a record takes, about."""
    beside = sum(len(name) + len(content or b"") for name, content in headers)
    return len(key or b"") + len(value or b"") + beside + _OVERHEAD
