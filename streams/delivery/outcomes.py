"""What came of each part, written down: outcomes, and a dead letter where something is given up.

An outcome may turn out wrong when a vendor refuses later what it took at first: then another one
follows for the same delivery and part, and refers to it.

Outcomes go to the partition of the outcomes topic that has the delivery record's number, so that a
successor in one partition finds all it must know in one place (`recall`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from streams.delivery import dead_letters, narrative
from streams.delivery.lately import LatelySent, Told
from streams.delivery.publisher import Outgoing
from streams.delivery.settled import settled_letter
from streams.model.delivery import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from streams.delivery.clock import Clock
    from streams.delivery.connection import Connection
    from streams.delivery.fingerprints import Fingerprints
    from streams.delivery.pending import Conclusion, Delivery, Step
    from streams.delivery.publisher import Headers, Publisher
    from streams.delivery.statistics import Statistics
    from streams.errors import BadRecord
    from streams.model.delivery import LateError, Request

MENTION_SECONDS: Final = 60.0
"""A part that is tried again and again says so at most this often."""

CONNECTION_HEADER: Final = "connection"
"""On each outcome's record: readers that want one connection's need not decode the others'."""


_TAKEN: Final = frozenset({Outcome.DELIVERED, Outcome.DELIVERED_NO_TRIGGER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where outcomes are written.

    Attributes:
        outcomes_topic: with as many partitions as the delivery topic.
        dead_letters_topic: the connection's.
        encode_outcome: a record of `outcome.avsc` into bytes.
        encode_dead_letter: a record of `dead_letter.avsc` into bytes.
        publisher: brings records to the broker.
        fingerprints: of bodies.
        clock: says when.
    """

    outcomes_topic: str
    dead_letters_topic: str
    encode_outcome: Callable[[Mapping[str, Any]], bytes]
    encode_dead_letter: Callable[[Mapping[str, Any]], bytes]
    publisher: Publisher
    fingerprints: Fingerprints
    clock: Clock


class Outcomes:
    """Writes one connection's outcomes and dead letters."""

    def __init__(
        self,
        connection: Connection,
        desk: Desk,
        statistics: Statistics,
        progressed: Callable[[Delivery], None],
        *,
        record_of: Callable[[Request], str | None] | None = None,
    ) -> None:
        """Take what it works with.

        Args:
            connection: whose outcomes.
            desk: where they are written.
            statistics: where they are counted.
            progressed: told of each acknowledgement.
            record_of: the id by which the vendor's list of late errors would name what a request
                sends (`LateErrors.record`); None: there is no such list.
        """
        self._connection = connection
        self._desk = desk
        self._statistics = statistics
        self._progressed = progressed
        self._record_of = record_of
        self._lately = LatelySent()
        self._headers: Headers = [(CONNECTION_HEADER, connection.name.encode())]

    def conclude(
        self, delivery: Delivery, part: str, conclusion: Conclusion, step: Step | None = None
    ) -> None:
        """Write a part's final outcome; before it its dead letter if it is given up.

        If it was redriven and ends well, the letter is settled.
        """
        record = self._record(delivery, part, conclusion, step)
        narrative.tell(record, delivery)
        if not (delivery.low or delivery.scheduled):  # these wait on purpose
            waited = self._desk.clock.now() - delivery.timestamp
            self._statistics.flow.observe(waited / 1_000)
        name = None
        if self._record_of is not None and step is not None and conclusion.outcome in _TAKEN:
            name = self._record_of(step.request)
        acknowledged = self._final(delivery, record, name)
        publish = partial(self._publish, record, delivery.key, delivery.partition, acknowledged)
        if conclusion.outcome in dead_letters.GIVEN_UP:
            connection, now = self._connection.name, self._desk.clock.now()
            letter = dead_letters.of_part(connection, delivery, part, step, conclusion, now)
            self._bury(delivery, letter, publish)  # an outcome without its letter would stay so
        else:
            publish()
        self.settle(delivery, settled_letter(delivery, part, conclusion))

    def settle(self, delivery: Delivery, letter: str | None) -> None:
        """Take a dead letter away, if there is one that this delivery settles."""
        if letter is not None:
            topic = self._desk.dead_letters_topic
            tombstone = Outgoing(topic, letter.encode(), None, self._headers)
            self._desk.publisher.publish(tombstone, delivery.awaiting(self._progressed))

    def mention(self, delivery: Delivery, step: Step, conclusion: Conclusion) -> None:
        """Write that a part is not concluded yet; that it is retried, only now and then."""
        now, last = self._desk.clock.monotonic(), step.mentioned_at
        retrying = conclusion.outcome is Outcome.RETRYING
        if retrying and last is not None and now - last < MENTION_SECONDS:
            return
        step.mentioned_at = now
        record = self._record(delivery, step.name, conclusion, step)
        narrative.tell(record, delivery)
        self._publish(record, delivery.key, delivery.partition, _nothing)

    def note_late_error(self, error: LateError) -> None:
        """Write that the vendor refused something after its answer.

        If it names a record that was sent lately, the outcome corrects that one's, of the same
        delivery and part. Else it belongs to no delivery.
        """
        told = self._lately.named(error.record)
        earlier = self._of_nobody() if told is None else told.outcome
        record = {
            **earlier,
            "corrects": None if told is None else told.offset,
            "outcome": Outcome.REJECTED.value,
            "reason": "late_error",
            "field": error.field or None,
            "recorded_at": self._desk.clock.now(),
        }
        key, partition = (None, None) if told is None else (told.key, told.partition)
        self._publish(record, key, partition, _nothing)

    def _of_nobody(self) -> dict[str, Any]:
        """What an outcome says that belongs to no delivery."""
        place = {"topic": "", "partition": 0, "offset": 0}
        whose = {"delivery_id": "", "event_id": "", "type": "", "merchant": "", "customer_id": ""}
        now = self._desk.clock.now()
        return {
            **whose,
            **place,
            "part": "",
            "connection": self._connection.name,
            "destination": self._connection.destination,
            "final": True,
            "attempts": 0,
            "status": None,
            "latency_ms": None,
            "request_digest": None,
            "field_hashes": {},
            "occurred_at": now,
            "excerpt": None,
        }

    def give_up_record(self, delivery: Delivery, bad: BadRecord) -> None:
        """Write the dead letter of a record that cannot be read: it has no parts, no outcomes."""
        name, now = self._connection.name, self._desk.clock.now()
        self._bury(delivery, dead_letters.of_record(name, delivery, bad, now))

    def _publish(
        self,
        record: Mapping[str, Any],
        key: bytes | None,
        partition: int | None,
        acknowledged: Callable[[int], None],
    ) -> None:
        part = record["part"] or "late_error"
        self._statistics.outcomes[record["type"], part, record["outcome"]] += 1
        value = self._desk.encode_outcome(record)
        place = Outgoing(self._desk.outcomes_topic, key, value, self._headers, partition)
        self._desk.publisher.publish(place, acknowledged)

    def _record(
        self, delivery: Delivery, part: str, conclusion: Conclusion, step: Step | None
    ) -> dict[str, Any]:
        event, desk = delivery.event, self._desk
        if event is None:
            raise ValueError("an outcome speaks of a delivery that was read")
        latency = step.latency if step is not None else None
        prints = desk.fingerprints
        return {
            "delivery_id": delivery.id,
            "part": part,
            "connection": self._connection.name,
            "destination": self._connection.destination,
            "event_id": event.event_id,
            "type": event.type,
            "merchant": event.merchant,
            "customer_id": event.customer_id,
            "outcome": conclusion.outcome.value,
            "reason": conclusion.reason,
            "field": conclusion.field,
            "final": conclusion.outcome.final,
            "attempts": step.attempts if step is not None else 0,
            "status": step.status if step is not None else None,
            "latency_ms": None if latency is None else round(latency * 1_000),
            "request_digest": prints.digest(step.body) if step is not None else None,
            "field_hashes": prints.fields(step.request.body) if step is not None else {},
            "topic": delivery.topic,
            "partition": delivery.partition,
            "offset": delivery.offset,
            "occurred_at": event.occurred_at,
            "recorded_at": desk.clock.now(),
            "excerpt": self._excerpt(conclusion, step),
            "corrects": None,
        }

    def _excerpt(self, conclusion: Conclusion, step: Step | None) -> str | None:
        """What the vendor answered, masked, unless there is nothing to say about it."""
        plainly = conclusion.outcome in _TAKEN and conclusion.reason is None
        if plainly or step is None or step.answer is None:
            return None
        return step.answer.excerpt(self._connection.credentials)

    def _bury(
        self,
        delivery: Delivery,
        letter: Mapping[str, Any],
        then: Callable[[], None] | None = None,
    ) -> None:
        """Write a dead letter, and once the broker has it do what comes `then`."""
        desk, acknowledged = self._desk, delivery.awaiting(self._progressed)

        def written(offset: int) -> None:
            if then is not None:
                then()
            acknowledged(offset)

        self._statistics.dead_letters[letter["reason"]] += 1
        key, value = letter["id"].encode(), desk.encode_dead_letter(letter)
        place = Outgoing(desk.dead_letters_topic, key, value, self._headers)
        desk.publisher.publish(place, written)

    def _final(
        self, delivery: Delivery, record: Mapping[str, Any], name: str | None
    ) -> Callable[[int], None]:
        """What is called when it is there; `name`: of the record, if it may be refused yet."""
        delivery.unacknowledged += 1

        def acknowledged(offset: int) -> None:
            if name is not None:
                kept = {**record, "field_hashes": {}}
                self._lately.note(name, Told(kept, delivery.key, delivery.partition, offset))
            delivery.acknowledged(offset)
            self._progressed(delivery)

        return acknowledged


def _nothing(_: int) -> None:
    """Nobody waits for an outcome that is not final."""
