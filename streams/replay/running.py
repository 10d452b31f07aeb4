"""A run: the deliveries that are meant, appended to the low topic, each exactly once.

Some hundred at a time and the run's own record in one transaction: a run that is killed goes on
behind the last delivery that is there, and an older command that still lives is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from streams.engine.stretch import Stretch, look_through
from streams.model.dead_letter import REDRIVE_OF, header_bytes
from streams.model.ids import customer_key
from streams.model.replayed import HEADERS
from streams.replay.runs import encode_run, key_of
from streams.replay.selection import Profiles
from streams.replay.survey import part_of, still_held
from streams.replay.transaction import Appended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confluent_kafka import Message

    from streams.engine.job import Headers
    from streams.engine.kafka import KafkaSettings
    from streams.model.enriched import EnrichedEvent, ProfileView
    from streams.replay.runs import Run
    from streams.replay.survey import Picker, Places
    from streams.replay.transaction import Transactions

_AT_ONCE: Final = 500
"""Deliveries of a transaction, at most …"""
_BYTES: Final = 8 << 20
"""… and bytes of them, about."""


class Running:
    """One run under way."""

    def __init__(
        self,
        kafka: KafkaSettings,
        places: Places,
        run: Run,
        picker: Picker,
        version_of: Callable[[ProfileView], int],
    ) -> None:
        """Take what it works with; the run goes on from its position."""
        self._kafka = kafka
        self._places = places
        self.run = run
        self._picker = picker
        self._version_of = version_of
        self._waiting: list[Appended] = []
        self._bytes = 0
        self._left_out = 0

    def append(self, transactions: Transactions, progress: Callable[[int], None]) -> None:
        """Append what is left; `progress` is told deliveries that are there.

        Raises:
            TakenOver: another command has begun.
            KafkaException: the broker does not answer, or refuses.
        """
        for partition in sorted(self.run.starts):
            self._append(partition, transactions, progress)
        self.run = replace(self.run, ended=True)
        transactions.append([self._record()])

    def _append(
        self, partition: int, transactions: Transactions, progress: Callable[[int], None]
    ) -> None:
        run, profiles = self.run, Profiles()
        start, end = run.starts[partition], run.ends[partition]
        before = max(start, run.position.get(partition, start))
        if before >= end:
            return
        # which deliveries and profiles were told already is known by reading from the beginning
        whole = Stretch(self._places.source, run.starts, run.ends)
        stretch = still_held(self._kafka, part_of(whole, partition))
        position = max(before, stretch.starts[partition])
        self.run = replace(run, gone=run.gone + position - before)
        alone = run.mode == "profile-only"
        self._picker.begin()

        def take(message: Message) -> None:
            event = self._picker.pick(message)
            if event is None:
                return
            new = not alone or self._is_new(profiles, event)
            if (message.offset() or 0) < position:
                return  # read once more only to know what it told
            if new:
                self._wait(message)
            else:
                self._left_out += 1
            if len(self._waiting) >= _AT_ONCE or self._bytes >= _BYTES:
                progress(self._flush(transactions, partition, (message.offset() or 0) + 1))

        if position < end:
            look_through(self._kafka, stretch, take)
        progress(self._flush(transactions, partition, end))

    def _is_new(self, profiles: Profiles, event: EnrichedEvent) -> bool:
        customer = customer_key(event.merchant, event.customer_id)
        return profiles.is_new(customer, self._version_of(event.profile))

    def _wait(self, message: Message) -> None:
        value = message.value() or b""
        headers: Headers = [*_kept(message), *self.run.replayed.headers]
        partition = message.partition() or 0
        self._waiting.append(Appended(self._places.low, message.key(), value, headers, partition))
        self._bytes += len(value)

    def _flush(self, transactions: Transactions, partition: int, position: int) -> int:
        """Make what waits visible, and that it is; returns how many."""
        run, count = self.run, len(self._waiting)
        after = replace(
            run,
            position={**run.position, partition: position},
            appended=run.appended + count,
            left_out=run.left_out + self._left_out,
        )
        self.run = after
        try:
            transactions.append([*self._waiting, self._record()])
        except BaseException:
            self.run = run
            raise
        self._waiting, self._bytes, self._left_out = [], 0, 0
        return count

    def _record(self) -> Appended:
        return Appended(self._places.control, key_of(self.run.id), encode_run(self.run), [])


def _kept(message: Message) -> Iterator[tuple[str, bytes]]:
    """The record's own headers, without those that say how it went before."""
    for name, value in header_bytes(message.headers()).items():
        if name not in HEADERS and name != REDRIVE_OF:
            yield name, value
