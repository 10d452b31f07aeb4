"""Exactly-once publication: changelog, outputs and offsets commit in one transaction (KIP-98).

The consumer's real group metadata fences a zombie (KIP-447): its offsets are refused, so nothing
of its transaction becomes visible.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from confluent_kafka import KafkaException, Producer, TopicPartition

from streams.engine.hanging import Hanging, within
from streams.engine.publication import (
    OWNER_HEADER,
    Steps,
    do_nothing,
    flush,
    send_changes,
    send_outputs,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from confluent_kafka import KafkaError, Message

    from streams.engine.compute import Work
    from streams.engine.job import Headers
    from streams.engine.kafka import KafkaSettings
    from streams.engine.poller import Poller

__all__ = ["Transactional"]

_CALL_SECONDS = 2.0
_HANG_SECONDS = 4.0
_INIT_SECONDS = 10.0
_AGAIN_SECONDS = 0.05
_MARKERS_SECONDS = 0.003
"""How long a broker takes, about, to write a transaction's markers once it is committed."""
_GIVE_UP_SECONDS = 30.0

log = logging.getLogger(__name__)


class Transactional:
    """One transactional producer; one transaction a batch."""

    def __init__(
        self,
        kafka: KafkaSettings,
        transactional_id: str,
        *,
        at: Callable[[str], None] = do_nothing,
        ends: bool = False,
    ) -> None:
        """Prepare; nothing is connected yet.

        Args:
            kafka: the connection.
            transactional_id: unique among live processes; the same one after a restart ends at
                once what the process left open.
            at: called at each step; for tests.
            ends: tell where the changelog ends after each batch (`Work.end`), for a store that
                keeps it. Delivery reports, which say so, cost each record a bit.
        """
        self._kafka = kafka
        self._ends = ends
        self._id = transactional_id
        self.at = at
        self._producer: Producer | None = None
        self._ended_at = 0.0

    def attach(self, poller: Poller, changelog: str | None) -> None:
        """Take the lane's poller and the changelog topic, if there is one."""
        self._poller = poller
        self._changelog = changelog

    def prepare(self) -> None:
        """Connect, which also ends what an earlier process of this id left open."""
        if self._producer is None:
            self._connect()

    def publish(self, works: Sequence[Work]) -> Sequence[Work]:
        """Publish in one transaction.

        A rebalance makes the broker refuse the old generation even for partitions that stay: then
        the transaction is aborted and the same outputs go out again with the new metadata; no state
        needs to be rolled back.

        Raises:
            KafkaException: fenced, or the outcome is unknown. The producer is given up.
        """
        deadline = time.monotonic() + _GIVE_UP_SECONDS
        while True:
            # metadata before epochs: a newer generation comes with its newer epochs
            metadata = self._poller.group_metadata
            works = self._owned(works)
            if not works:
                return []
            try:
                ends = self._transaction(works, metadata)
            except (KafkaException, Hanging) as error:
                if not _may_be_repeated(error) or time.monotonic() > deadline:
                    self._producer = None
                    raise
                log.info("transaction aborted, published again: %s", error)
                self._abort(error)
            except BaseException:
                self._producer = None
                raise
            else:
                return [replace(work, end=ends.get(work.partition)) for work in works]
            time.sleep(_AGAIN_SECONDS)

    def close(self) -> None:
        """Let go of the producer; an open transaction is left to be fenced or to time out."""
        self._producer = None

    def _owned(self, works: Sequence[Work]) -> list[Work]:
        return [work for work in works if self._poller.owns(work.partition, work.epoch)]

    def _transaction(self, works: Sequence[Work], metadata: bytes | None) -> Mapping[int, int]:
        """Return the changelog's offsets behind the last changes, by partition."""
        producer = self._producer or self._connect()
        seconds = self._kafka.transaction_timeout_ms / 1_000
        deadline = time.monotonic() + seconds  # then the broker aborts it anyway

        def worth_while() -> bool:
            return time.monotonic() < deadline and bool(self._owned(works))

        ends: dict[int, int] = {}

        def written(error: KafkaError | None, message: Message) -> None:
            if error is None:
                ends[message.partition()] = message.offset() + 1  # type: ignore[index, operator]

        # producing while the broker still ends the one before is refused, and tried again by the
        # client only after 20 ms
        time.sleep(max(0.0, self._ended_at + _MARKERS_SECONDS - time.monotonic()))
        steps = Steps(self._poller.statistics.seconds, self.at)
        producer.begin_transaction()
        steps.done("begin", "began")
        for work in works:
            owner: Headers = [(OWNER_HEADER, self._id.encode())]
            told = written if self._ends else None
            send_changes(producer, self._changelog, work, owner, told)
        for work in works:
            send_outputs(producer, work.outputs)
        steps.done("produce", "produced")
        # before the offsets: a successor that waits for pending offsets finds the changelog whole
        flush(producer, seconds)
        steps.done("flush", "flushed")
        topic = self._poller.lane.topic
        places = [TopicPartition(topic, w.partition, *w.position) for w in works]
        _repeat(
            lambda: within(
                _HANG_SECONDS,
                lambda: producer.send_offsets_to_transaction(places, metadata, _CALL_SECONDS),
            ),
            worth_while,
        )
        steps.done("offsets", "offsets")
        _repeat(lambda: producer.commit_transaction(_CALL_SECONDS), worth_while)
        self._ended_at = time.monotonic()
        steps.done("commit", "committed")
        return ends

    def _connect(self) -> Producer:
        reports = {"delivery.report.only.error": not self._ends}
        producer = Producer(self._kafka.transactional(self._id) | reports)
        producer.init_transactions(_INIT_SECONDS)
        self._producer = producer
        return producer

    def _abort(self, error: Exception) -> None:
        self._poller.statistics.aborts += 1
        producer, self._producer = self._producer, None
        # one in which a call hangs is left behind: the next of this id ends what it left open
        if producer is not None and not isinstance(error, Hanging):
            producer.abort_transaction(_INIT_SECONDS)
            self._producer = producer  # it is of use again only if the abort succeeded
        self.at("aborted")


def _may_be_repeated(error: KafkaException | Hanging) -> bool:
    """Whether nothing was committed: only the offsets can hang, before the commit is asked for."""
    return isinstance(error, Hanging) or bool(error.args[0].txn_requires_abort())


def _repeat(call: Callable[[], None], worth_while: Callable[[], bool]) -> None:
    """Call again while the client says that this may help, and it is worth while."""
    while True:
        try:
            call()
        except KafkaException as error:
            if not error.args[0].retriable() or not worth_while():
                raise
        else:
            return
