"""Dead letters of records: made in the transaction of the role that gives them up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.model.dead_letter import Origin, header_bytes, record_dead_letter
from streams.names import ORDERGROOVE

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka import Message

    from streams.engine.job import Outputs
    from streams.engine.rows import Rows
    from streams.errors import BadRecord
    from streams.names import Names
    from streams.registry import Schemas


class SourceLetters:
    """The dead letters of a source: what its roles give up on, in their transaction."""

    def __init__(
        self,
        names: Names,
        schemas: Schemas,
        clock: Callable[[], int] | None = None,
        source: str = ORDERGROOVE,
    ) -> None:
        """Prepare. Written is by stream time, or by a clock where records may be of any age."""
        self._topic = names.dead_letters(source)
        self._encode = schemas.codec("dead_letter").encode
        self._clock = clock

    def give_up(self, message: Message, rows: Rows, outputs: Outputs, bad: BadRecord) -> None:
        """Make a record a dead letter, and say so to the breaker."""
        origin = Origin(
            message.topic() or "",
            message.partition() or 0,
            message.offset() or 0,
            message.timestamp()[1],
        )
        headers = header_bytes(message.headers())
        now = rows.now if self._clock is None else self._clock()
        letter = record_dead_letter(bad, origin, message.key(), message.value(), headers, now)
        outputs.append((self._topic, letter["id"].encode(), self._encode(letter), None))
        rows.gave_up(bad.reason, bad.field)

    def settle(self, letter: str, outputs: Outputs) -> None:
        """Say of a dead letter that its record was redriven, and is now applied."""
        outputs.append((self._topic, letter.encode(), None, None))
