"""What came of each part, written down: outcomes, and a dead letter where something is given up.

Outcomes go to the partition of the outcomes topic that has the delivery record's number, so that a
successor in one partition finds all it must know in one place (`recall`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from streams.delivery import dead_letters
from streams.delivery.publisher import Outgoing
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

MENTION_SECONDS: Final = 60.0
"""A part that is tried again and again says so at most this often."""

CONNECTION_HEADER: Final = "connection"
"""On each outcome's record: readers that want one connection's need not decode the others'."""


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
    ) -> None:
        """Take what it works with; `progressed` is told of each acknowledgement."""
        self._connection = connection
        self._desk = desk
        self._statistics = statistics
        self._progressed = progressed
        self._headers: Headers = [(CONNECTION_HEADER, connection.name.encode())]

    def conclude(
        self, delivery: Delivery, part: str, conclusion: Conclusion, step: Step | None = None
    ) -> None:
        """Write a part's final outcome, and its dead letter if it is given up."""
        self._write(delivery, part, conclusion, step, self._final(delivery))
        if conclusion.outcome in dead_letters.GIVEN_UP:
            name, now = self._connection.name, self._desk.clock.now()
            letter = dead_letters.of_part(name, delivery, part, step, conclusion, now)
            self._bury(delivery, letter)

    def mention(self, delivery: Delivery, step: Step, conclusion: Conclusion) -> None:
        """Write that a part is not concluded yet; that it is retried, only now and then."""
        now, last = self._desk.clock.monotonic(), step.mentioned_at
        retrying = conclusion.outcome is Outcome.RETRYING
        if retrying and last is not None and now - last < MENTION_SECONDS:
            return
        step.mentioned_at = now
        self._write(delivery, step.name, conclusion, step, _nothing)

    def note_late_error(self, field: str) -> None:
        """Write that the vendor refused something after its answer; of what, it does not say."""
        place = {"topic": "", "partition": 0, "offset": 0}
        whose = {"delivery_id": "", "event_id": "", "type": "", "merchant": "", "customer_id": ""}
        now = self._desk.clock.now()
        record = {
            **whose,
            **place,
            "part": "",
            "connection": self._connection.name,
            "destination": self._connection.destination,
            "outcome": Outcome.REJECTED.value,
            "reason": "late_error",
            "field": field or None,
            "final": True,
            "attempts": 0,
            "status": None,
            "latency_ms": None,
            "request_digest": None,
            "field_hashes": {},
            "occurred_at": now,
            "recorded_at": now,
        }
        self._statistics.outcomes["", "late_error", Outcome.REJECTED.value] += 1
        value = self._desk.encode_outcome(record)
        self._desk.publisher.publish(
            Outgoing(self._desk.outcomes_topic, None, value, self._headers), _nothing
        )

    def give_up_record(self, delivery: Delivery, bad: BadRecord) -> None:
        """Write the dead letter of a record that cannot be read: it has no parts, no outcomes."""
        name, now = self._connection.name, self._desk.clock.now()
        self._bury(delivery, dead_letters.of_record(name, delivery, bad, now))

    def _write(
        self,
        delivery: Delivery,
        part: str,
        conclusion: Conclusion,
        step: Step | None,
        acknowledged: Callable[[int], None],
    ) -> None:
        record = self._record(delivery, part, conclusion, step)
        self._statistics.outcomes[record["type"], part, conclusion.outcome.value] += 1
        value = self._desk.encode_outcome(record)
        place = self._desk.outcomes_topic, delivery.key, value, self._headers, delivery.partition
        self._desk.publisher.publish(Outgoing(*place), acknowledged)

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
        }

    def _bury(self, delivery: Delivery, letter: Mapping[str, Any]) -> None:
        desk = self._desk
        self._statistics.dead_letters[letter["reason"]] += 1
        key, value = letter["id"].encode(), desk.encode_dead_letter(letter)
        place = Outgoing(desk.dead_letters_topic, key, value, self._headers)
        desk.publisher.publish(place, delivery.awaiting(self._progressed))

    def _final(self, delivery: Delivery) -> Callable[[int], None]:
        delivery.unacknowledged += 1

        def acknowledged(offset: int) -> None:
            delivery.acknowledged(offset)
            self._progressed(delivery)

        return acknowledged


def _nothing(_: int) -> None:
    """Nobody waits for an outcome that is not final."""
