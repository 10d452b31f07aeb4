"""Records that become visible together, by one command at a time.

A redrive appends a letter's bytes and its mark in one transaction, so that a command which is
killed and run again appends nothing twice and leaves nothing out. All commands of a prefix share
one transactional id: a new one ends what an earlier one left open, and a slower one is refused.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Producer

from streams.engine.publication import ROOM_SECONDS, do_nothing, flush
from streams.errors import StreamsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from streams.engine.job import Headers
    from streams.engine.kafka import KafkaSettings

__all__ = ["Appended", "TakenOver", "Transactions"]

_SECONDS: Final = 30.0
_FENCED: Final = frozenset(
    {
        KafkaError._FENCED,  # noqa: SLF001 - its public name
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.PRODUCER_FENCED,
    }
)


class TakenOver(StreamsError):
    """Another command of the same prefix has begun: this one must not go on."""


class Appended(NamedTuple):
    """A record to append.

    Attributes:
        topic: that it goes to.
        key: chooses the partition, unless one is named.
        value: None deletes, where a topic is compacted.
        headers: in order.
        partition: negative: the key's.
        timestamp: epoch milliseconds; 0: now.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    partition: int = -1
    timestamp: int = 0


class Transactions:
    """An idempotent, transactional producer; its methods raise `KafkaException`."""

    def __init__(
        self,
        kafka: KafkaSettings,
        transactional_id: str,
        at: Callable[[str], None] = do_nothing,
    ) -> None:
        """Take over: from now on nothing of an earlier command becomes visible any more.

        Args:
            kafka: the connection.
            transactional_id: of all commands that must not run at the same time.
            at: called at `produced`, `flushed`, `committed`; for tests.
        """
        self._at = at
        self._producer = Producer(kafka.transactional(transactional_id))
        self._producer.init_transactions(_SECONDS)

    def append(self, records: Iterable[Appended]) -> None:
        """Append all of these or none of them; returns when they are visible.

        Raises:
            TakenOver: another command has begun.
        """
        try:
            self._producer.begin_transaction()
            for each in records:
                self._produce(each)
            self._at("produced")
            flush(self._producer, _SECONDS)
            self._at("flushed")
            self._producer.commit_transaction(_SECONDS)
            self._at("committed")
        except (KafkaException, SystemError) as error:
            if self._is_fenced(error):
                raise TakenOver("another redrive or purge has begun meanwhile") from None
            with suppress(KafkaException):  # whoever comes next ends what is left open
                self._producer.abort_transaction(_SECONDS)
            raise

    def _is_fenced(self, error: KafkaException | SystemError) -> bool:
        """Whether it means that another producer of the same id has begun.

        Where the client logs while it has a fatal error to raise, Python raises `SystemError`
        instead; the client's next call says what it was.
        """
        if isinstance(error, KafkaException):
            return error.args[0].code() in _FENCED
        try:
            self._producer.abort_transaction(_SECONDS)
        except KafkaException as told:
            return told.args[0].code() in _FENCED
        return False

    def _produce(self, record: Appended) -> None:
        topic, key, value, headers, partition, timestamp = record
        while True:
            try:
                # no reports: the commit fails for any record that the broker refused, and the
                # client breaks where it runs a report while it has a fatal error to tell of
                self._producer.produce(
                    topic, value, key, partition, timestamp=timestamp, headers=headers
                )
            except BufferError:
                self._producer.poll(ROOM_SECONDS)
            else:
                return
