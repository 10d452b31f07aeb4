"""From a delivery's bytes to the requests that it asks for; what cannot be rendered is given up.

Runs when a delivery is about to be sent, not when it is read: so only as many bodies are in memory
as can soon go out.
"""

from __future__ import annotations

import logging
import traceback
from pathlib import PurePath
from typing import TYPE_CHECKING

import msgspec

from streams.delivery.pending import Conclusion, Step
from streams.errors import BadRecord
from streams.model.delivery import Outcome, Part, Refusal
from streams.model.ids import delivery_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.delivery.clock import Clock
    from streams.delivery.connection import Connection
    from streams.delivery.outcomes import Outcomes
    from streams.delivery.pending import Delivery
    from streams.model.delivery import Destination
    from streams.model.enriched import EnrichedEvent

log = logging.getLogger(__name__)

_json = msgspec.json.Encoder().encode


class Renderer:
    """Renders one connection's deliveries."""

    def __init__(
        self,
        connection: Connection,
        destination: Destination,
        decode: Callable[[bytes], EnrichedEvent],
        outcomes: Outcomes,
        clock: Clock,
    ) -> None:
        """Take what it works with; `decode` raises `BadRecord` for what it cannot read."""
        self._connection = connection
        self._destination = destination
        self._decode = decode
        self._outcomes = outcomes
        self._clock = clock

    def render(self, delivery: Delivery) -> None:
        """Fill in the delivery's event, id and steps; conclude what is not to be sent.

        Parts that an earlier run concluded are left out.
        """
        event = self._read(delivery)
        if event is None:
            delivery.rendered = True
            return
        delivery.event = event
        delivery.id = delivery_id(event.event_id, event.type, self._connection.name)
        try:
            parts = self._parts(event, delivery.id)
        except Exception as error:  # noqa: BLE001 - one event's bug must not stop the others
            log.error("%s: the renderer raised %s", self._connection.name, describe(error))  # noqa: TRY400
            failed = Conclusion(Outcome.REJECTED, "failed", failed=True)
            parts = [("event", failed)]
        concluded = {each.part for each in delivery.recalled if each.delivery_id == delivery.id}
        for name, part in parts:
            if name in concluded:
                continue
            if isinstance(part, Step) and self._connection.mode == "live":
                delivery.steps.append(part)
            elif isinstance(part, Step):
                shadow = Conclusion(Outcome.FILTERED, "shadow")
                self._outcomes.conclude(delivery, name, shadow, part)
            else:
                self._outcomes.conclude(delivery, name, part)
        delivery.rendered = True

    def _read(self, delivery: Delivery) -> EnrichedEvent | None:
        try:
            return self._decode(delivery.value)
        except BadRecord as error:
            bad = error
        except Exception as error:  # noqa: BLE001 - as above
            log.error("%s: decoding raised %s", self._connection.name, describe(error))  # noqa: TRY400
            bad = BadRecord("failed", None, f"decoding raised {describe(error)}")
        self._outcomes.give_up_record(delivery, bad)
        return None

    def _parts(self, event: EnrichedEvent, identity: str) -> list[tuple[str, Step | Conclusion]]:
        options, now = self._connection.options, self._clock.now()
        parts: list[tuple[str, Step | Conclusion]] = []
        for part in self._destination.render(event, identity, now, options):
            match part:
                case Part(name, request, outcome):
                    parts.append((name, Step(name, request, _json(request.body), outcome)))
                case Refusal(name, outcome, reason, field):
                    parts.append((name, Conclusion(outcome, reason, field)))
        return parts or [("event", Conclusion(Outcome.FILTERED, "nothing_to_send"))]


def describe(error: Exception) -> str:
    """The exception's type and innermost place; its text may quote the data it met."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {PurePath(place.filename).name}:{place.lineno}"
