"""From a delivery's bytes to the requests that it asks for; what cannot be rendered is given up.

Runs when a delivery is about to be sent, not when it is read: so only as many bodies are in memory
as can soon go out, and all that came before for the customer is concluded: what the vendor knows of
the profile is known.
"""

from __future__ import annotations

import logging
import traceback
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from streams.delivery.pending import Conclusion, Step, step_of
from streams.delivery.profiles import APPLIED
from streams.delivery.replaying import newest_enough, once_a_run, rendered_again, unwanted
from streams.delivery.settled import goes_again, letter_of
from streams.errors import BadRecord
from streams.model.delivery import Outcome, Part
from streams.model.fact import CUSTOMER_ERASED, PROFILE_CHANGED
from streams.model.ids import customer_key, delivery_id
from streams.model.replayed import replayed_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from streams.delivery.books import Books
    from streams.delivery.clock import Clock
    from streams.delivery.connection import Connection
    from streams.delivery.gate import How
    from streams.delivery.pending import Delivery
    from streams.model.delivery import Destination, Refusal
    from streams.model.enriched import EnrichedEvent
    from streams.model.replayed import Mode

log = logging.getLogger(__name__)

_SKIPPED: Final = Conclusion(Outcome.FILTERED, "skipped")
_FAILED: Final = Conclusion(Outcome.REJECTED, "failed", failed=True)
_SUPERSEDED: Final = Conclusion(Outcome.SUPERSEDED)
_UNCHANGED: Final = Conclusion(Outcome.DUPLICATE, "unchanged")

_Rendered = tuple[str, "Step | Conclusion"]


class Renderer:
    """Renders one connection's deliveries.

    Attributes:
        gate: who may go; may be another one at any time, what is rendered already stays.
    """

    def __init__(
        self,
        connection: Connection,
        destination: Destination,
        decode: Callable[[bytes], EnrichedEvent],
        books: Books,
        clock: Clock,
    ) -> None:
        """Take what it works with; `decode` raises `BadRecord` for what it cannot read."""
        self.gate = connection.gate
        self._connection = connection
        self._destination = destination
        self._decode = decode
        self._outcomes, self._profiles = books.outcomes, books.profiles
        self._things, self._sync, self._guard = books.things, books.sync, books.guard
        self._books, self._erasures = books, books.erasures
        self._clock = clock

    def render(self, delivery: Delivery) -> bool:
        """Fill in the delivery's event, id and steps; conclude what is not to be sent.

        Parts that an earlier run concluded are left out. False: the breaker holds the delivery
        back, and nothing was concluded; render it again when it may go.
        """
        event = self._read(delivery)
        if isinstance(event, BadRecord):
            bad = Conclusion(Outcome.REJECTED, event.reason, event.field, failed=True)
            if not self._guard.passes(delivery, bad):
                return False
            self._outcomes.give_up_record(delivery, event)
            delivery.rendered = True
            return True
        self._name(delivery, event)
        if self._erasures.concluded(delivery, event):
            return True
        if event.type == CUSTOMER_ERASED:
            self._books.forget(delivery, event)
        parts = self._left(delivery, event, self._parts(delivery, event))
        if not self._tell(delivery, event, parts):
            delivery.event = None
            return False
        delivery.rendered = True
        return True

    def _name(self, delivery: Delivery, event: EnrichedEvent) -> None:
        delivery.event = event
        own = delivery_id(event.event_id, event.type, self._connection.name)
        delivery.id = own if delivery.replayed is None else delivery.replayed.id_of(own)

    def event_of(self, delivery: Delivery) -> EnrichedEvent | None:
        """The delivery's event, if it can be read."""
        event = self._read(delivery)
        return None if isinstance(event, BadRecord) else event

    def erased(self, delivery: Delivery) -> bool:
        """Conclude a delivery if its customer was erased since; what cannot be read is nothing."""
        event = self.event_of(delivery)
        if event is not None:
            self._name(delivery, event)
        return event is not None and self._erasures.concluded(delivery, event)

    def renew(self, delivery: Delivery) -> None:
        """Let what is left of a rendered delivery go by today's gate; none of it is under way.

        It stays as it was rendered if the breaker holds back what would be concluded now.
        """
        event, former = delivery.event, list(delivery.steps)
        left = {step.name: step for step in former}
        if event is None:
            return
        parts = [each for each in self._parts(delivery, event) if each[0] in left]
        delivery.steps.clear()
        if left.keys() != {name for name, _ in parts} or not self._tell(delivery, event, parts):
            delivery.steps.extend(former)
            return
        for step in delivery.steps:
            before = left[step.name]
            step.attempts, step.failures = before.attempts, before.failures
            step.under_attempt, step.mentioned_at = before.under_attempt, before.mentioned_at

    def _tell(self, delivery: Delivery, event: EnrichedEvent, parts: list[_Rendered]) -> bool:
        """Conclude these parts or have them sent; False, and neither, if the breaker says so."""
        told = [(name, *self._told(delivery, event, part)) for name, part in parts]
        if not all(self._guard.passes(delivery, what) for _, what, _ in told if what is not None):
            return False
        for name, conclusion, step in told:
            if conclusion is not None:
                self._outcomes.conclude(delivery, name, conclusion, step)
            elif step is not None:
                delivery.steps.append(step)
        return True

    def thing_of(self, delivery: Delivery) -> str | None:
        """The thing that a delivery's event would set at the vendor (`Part.thing`), if it sets one.

        Nothing is concluded: its turn has not come.
        """
        event = self._read(delivery)
        if isinstance(event, BadRecord) or self._decided(delivery) == "skip":
            return None
        try:
            rendered = self._rendered(delivery, event, superseded=False)
        except Exception:  # noqa: BLE001 - told of when its turn comes
            return None
        events = (each for each in rendered if isinstance(each, Part) and each.name == "event")
        return next((each.thing for each in events), None)

    def _read(self, delivery: Delivery) -> EnrichedEvent | BadRecord:
        """The delivery's event; how it goes again is noted at it."""
        try:
            event = self._decode(delivery.value)
            delivery.replayed = replayed_of(delivery.headers)
            return event
        except BadRecord as error:
            return error
        except Exception as error:  # noqa: BLE001 - as below
            log.error("%s: decoding raised %s", self._connection.name, describe(error))  # noqa: TRY400
            return BadRecord("failed", None, f"decoding raised {describe(error)}")

    def _parts(self, delivery: Delivery, event: EnrichedEvent) -> list[_Rendered]:
        """All parts of a delivery, profiles that the vendor needs no more concluded already."""
        age = self._profiles.age(delivery.partition, event)
        parts: list[_Rendered] = []
        try:
            for part in self._rendered(delivery, event, superseded=age < 0):
                if delivery.scheduled and part.name != "profile":
                    continue
                if part.name == "profile" and age < newest_enough(_mode(delivery)):
                    parts.append((part.name, _SUPERSEDED if age < 0 else _UNCHANGED))
                elif isinstance(part, Part) and self._things.unchanged(
                    delivery.partition, event, part
                ):
                    parts.append((part.name, _UNCHANGED))
                elif isinstance(part, Part):
                    parts.append((part.name, step_of(part, superseded=age < 0)))
                else:
                    parts.append((part.name, Conclusion(part.outcome, part.reason, part.field)))
        except Exception as error:  # noqa: BLE001 - one event's bug must not stop the others
            log.error("%s: the renderer raised %s", self._connection.name, describe(error))  # noqa: TRY400
            return [("event", _FAILED)]
        unwanted = None if delivery.scheduled else self._unwanted(delivery, event)
        if unwanted is not None:
            parts.append(("event", unwanted))
        return parts or [("event", Conclusion(Outcome.FILTERED, "nothing_to_send"))]

    def _rendered(
        self, delivery: Delivery, event: EnrichedEvent, *, superseded: bool
    ) -> Iterable[Part | Refusal]:
        """What the vendor would be asked: of an event that is not wanted, the profile alone."""
        options = replace(self._connection.options, bulk=delivery.low)
        if self._unwanted(delivery, event) is not None:
            event = replace(event, type=PROFILE_CHANGED)
        if self._decided(delivery) == "data_only":
            event, options = replace(event, late=True), replace(options, late_events="data")
        now, vendor, again = self._clock.now(), self._destination, delivery.replayed
        if again is None:
            return vendor.render(event, delivery.id, now, options, superseded=superseded)
        mode, options = again.mode, replace(options, bulk_profiles=again.bulk)
        parts = rendered_again(
            vendor, event, delivery.id, now, options, mode, superseded=superseded
        )
        return [once_a_run(each, again) for each in parts]

    def _unwanted(self, delivery: Delivery, event: EnrichedEvent) -> Conclusion | None:
        """What comes of an event that is not to be told: its profile is, all the same."""
        told, now = self._connection, self._clock.now()
        found = unwanted(event, now, self.gate, told.options, told.max_age, _mode(delivery))
        return None if found is None else Conclusion(*found)

    def _decided(self, delivery: Delivery) -> How:
        """What was decided about it; a profile at its own time did not wait in the topic."""
        event = delivery.event
        if delivery.scheduled or (event is not None and event.type == CUSTOMER_ERASED):
            return "deliver"
        return self.gate.decided(delivery.topic, delivery.partition, delivery.offset)

    def _left(
        self, delivery: Delivery, event: EnrichedEvent, parts: list[_Rendered]
    ) -> list[_Rendered]:
        """The parts that no earlier run concluded; what those brought the vendor is noted."""
        recalled = {
            each.part: each for each in delivery.recalled if each.delivery_id == delivery.id
        }
        for name, part in parts:
            applied = name in recalled and recalled[name].outcome in APPLIED
            if applied and isinstance(part, Step) and part.carries_profile:
                self._profiles.applied(delivery, event)
            if applied:
                self._outcomes.settle(delivery, letter_of(delivery, name))
        left = [(name, part) for name, part in parts if name not in recalled]
        return [(name, part) for name, part in left if goes_again(delivery, name)]

    def _told(
        self, delivery: Delivery, event: EnrichedEvent, part: Step | Conclusion
    ) -> tuple[Conclusion | None, Step | None]:
        """What is concluded at once, and the step that is to be sent or would have been.

        Neither: it is a profile that waits for its time now.
        """
        if self._decided(delivery) == "skip":
            return _SKIPPED, part if isinstance(part, Step) else None
        if isinstance(part, Conclusion):
            return part, None
        kept = self.gate.keeps(customer_key(event.merchant, event.customer_id).decode())
        if kept is not None:
            return Conclusion(Outcome.FILTERED, kept), part
        waits = self._sync.on and delivery.replayed is None and not delivery.scheduled
        if waits and part.name == "profile":
            self._outcomes.settle(delivery, letter_of(delivery, part.name))
            return self._sync.schedule(delivery, event), None
        return None, part


def _mode(delivery: Delivery) -> Mode | None:
    return None if delivery.replayed is None else delivery.replayed.mode


def describe(error: Exception) -> str:
    """The exception's type and innermost place; its text may quote the data it met."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {PurePath(place.filename).name}:{place.lineno}"
