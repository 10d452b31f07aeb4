"""Dead letters of deliveries: what was given up on, with its reason and its bytes, for redrive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from streams.model.dead_letter import Origin, record_dead_letter
from streams.model.delivery import Outcome

if TYPE_CHECKING:
    from streams.delivery.pending import Conclusion, Delivery, Step
    from streams.errors import BadRecord

GIVEN_UP = frozenset({Outcome.REJECTED, Outcome.EXPIRED})
"""Outcomes with a dead letter."""


def of_record(connection: str, delivery: Delivery, bad: BadRecord, now: int) -> dict[str, Any]:
    """The dead letter of a delivery record that cannot be read: nothing in it is known.

    Args:
        connection: that gives it up.
        delivery: the record.
        bad: why.
        now: epoch milliseconds.
    """
    origin = Origin(delivery.topic, delivery.partition, delivery.offset, delivery.timestamp)
    letter = record_dead_letter(bad, origin, delivery.key, delivery.value, delivery.headers, now)
    return letter | {"connection": connection}


def of_part(
    connection: str,
    delivery: Delivery,
    part: str,
    step: Step | None,
    conclusion: Conclusion,
    now: int,
) -> dict[str, Any]:
    """The dead letter of a part that is given up; its id is the delivery's, and the part.

    Args:
        connection: that gives it up.
        delivery: rendered, or what made rendering fail.
        part: its name.
        step: its request and attempts, if it was ready to be sent.
        conclusion: why.
        now: epoch milliseconds.
    """
    event, outcome = delivery.event, conclusion.outcome.value
    return {
        "id": f"{delivery.id}:{part}",
        "reason": "failed" if conclusion.failed else outcome,
        "field": conclusion.field,
        "detail": f"{outcome}: {conclusion.reason or 'no reason given'}",
        "topic": delivery.topic,
        "partition": delivery.partition,
        "offset": delivery.offset,
        "timestamp": delivery.timestamp,
        "key": delivery.key,
        "value": delivery.value,
        "headers": delivery.headers,
        "connection": connection,
        "delivery_id": delivery.id,
        "part": part,
        "event_type": event.type if event is not None else None,
        "status": step.status if step is not None else None,
        "attempts": step.attempts if step is not None else 0,
        "written_at": now,
    }
