"""What would happen, and why: webhooks of one source in arrival order, without a broker.

The same functions as the workers': mapping, pipeline, rendering. Record time is the event's own
time, and each delivery is judged at stream time unless told otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from streams.avro import codec
from streams.delivery.gate import Gate
from streams.delivery.profiles import version_of
from streams.engine.timers import Timers
from streams.errors import BadRecord
from streams.model.delivery import Destination, Options, Outcome, Part, Refusal
from streams.model.fact import CUSTOMER_ERASED, PROFILE_CHANGED
from streams.model.ids import customer_key, delivery_id
from streams.pipeline import Pipeline, Processed, Told, enriched_of
from streams.readings import ordergroove_source
from streams.route import Route
from streams.sources.ordergroove import WebhookOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from streams.derive import DeriveOptions, LoyaltyOptions
    from streams.model.delivery import Request
    from streams.model.enriched import EnrichedEvent
    from streams.model.member import Member
    from streams.model.subscriber import Subscriber
    from streams.readings import Source

MASKED = "***"


class Target(msgspec.Struct, frozen=True):
    """A connection to explain. `gate`: who may go, and which events, by the settings."""

    name: str
    destination: Destination
    options: Options = Options()
    merchants: frozenset[str] | None = None
    url: str | None = None
    gate: Gate = Gate(mode="live")


class Explainer:
    """Reads bodies one after another and remembers rows between them."""

    def __init__(
        self,
        targets: Sequence[Target],
        derive_options: DeriveOptions | LoyaltyOptions,
        judged_at: int | None = None,
        rows: Mapping[bytes, Subscriber | Member] | None = None,
        source: Source | None = None,
        watch: Callable[[str, EnrichedEvent, int], None] | None = None,
    ) -> None:
        """Begin with these rows (key → row), or none; a source is Ordergroove if not told.

        `watch` is told of each delivery: the connection, the event, and when it is judged.
        """
        self._watch = watch or _nobody
        self._reading = source or ordergroove_source(WebhookOptions())
        family = self._reading.family
        self._targets = {target.name: target for target in targets}
        self._source = codec(f"sources/{family.source}")
        self._event = family.event_reader(self._source)
        self._enriched = codec("events/enriched")
        routes = [Route(t.name, t.destination.takes, t.merchants) for t in targets]
        self._pipeline: Pipeline[Any] = Pipeline(
            self._source, self._enriched, routes, derive_options, family
        )
        self._judged_at = judged_at
        self._applied: dict[str, dict[bytes, int]] = {}
        self._rows = {key: family.encode(row) for key, row in (rows or {}).items()}
        due = ((family.due(row), key) for key, row in (rows or {}).items())
        self._timers = Timers((at, key) for at, key in due if at)
        self._now = 0

    def explain(self, bodies: Iterable[tuple[int, bytes]]) -> Iterator[dict[str, Any]]:
        """One explanation a body; `bodies` are (line, bytes) in arrival order.

        Timers that fire before a body show behind what the body itself becomes. At the end stream
        time goes on until no timer is left; what that brings has no input.
        """
        for line, body in bodies:
            yield self.arrive(line, body)
        last = self.settle()
        if last is not None:
            yield last

    def arrive(self, line: int, body: bytes, recorded_at: int | None = None) -> dict[str, Any]:
        """What a body becomes, and the timers that are due by then.

        `recorded_at` is the record's own time in epoch milliseconds, else the event's.
        """
        given = {"input": {"line": line, **self._reading.headline(body)}}
        fired: list[Processed[Any]] = []
        try:
            records = self._reading.records_of(body, self._now)
            told = [each["received_at"] or each["created"] for each in records]
            at = max(told, default=self._now) if recorded_at is None else recorded_at
            self._now = max(self._now, at)
            fired = self._fire()
            events = [self._event(self._source.encode(each)) for each in records]
            own = self._pipeline.process_events(events, self._rows.get, self._now, recorded_at=at)
        except BadRecord as bad:
            letter = {"reason": bad.reason, "field": bad.field}
            return given | self._explained([], fired) | {"dead_letter": letter}
        for each in own:
            self._keep(each)
        return given | self._explained(own, fired)

    def settle(self) -> dict[str, Any] | None:
        """What the timers that are left become; None where there are none."""
        fired: list[Processed[Any]] = []
        while self._timers.earliest:
            self._now = max(self._now, self._timers.earliest)
            fired += self._fire()
        return {"input": None, **self._explained([], fired)} if fired else None

    def _fire(self) -> list[Processed[Any]]:
        fired = []
        while (timer := self._timers.pop(self._now)) is not None:
            _, key = timer
            fired.append(self._pipeline.fire(key, self._rows[key], self._now))
            self._keep(fired[-1])
        return fired

    def _explained(
        self, own: Sequence[Processed[Any]], fired: Sequence[Processed[Any]]
    ) -> dict[str, Any]:
        became, row = [*own, *fired], own[-1].row if own else None
        told = [each for processed in became for each in processed.told]
        return {
            "events": [_event(each) for each in told],
            self._reading.whose: None if row is None else self._reading.standing(row),
            "deliveries": [
                self._delivery(each, connection) for each in told for connection in each.connections
            ],
            "dead_letter": None,
        }

    def _keep(self, processed: Processed[Any]) -> None:
        if processed.value is not None:
            self._rows[processed.key] = processed.value
            self._timers.set(processed.key, processed.due)
        elif not processed.duplicate:
            self._rows.pop(processed.key, None)
            self._timers.set(processed.key, 0)

    def _delivery(self, told: Told, connection: str) -> dict[str, Any]:
        target = self._targets[connection]
        id_ = delivery_id(told.fact.event_id, told.fact.type, connection)
        event = enriched_of(self._enriched, told.value)
        customer = customer_key(event.merchant, event.customer_id)
        parts = self._parts(event, customer, target, id_)
        deciding = next((part for part in parts if part.name == "event"), parts[-1])
        outcome, reason = deciding.outcome, None
        if isinstance(deciding, Refusal):
            reason = deciding.reason or None
        elif (kept := target.gate.keeps(customer.decode())) is not None:
            outcome, reason = Outcome.FILTERED, kept
        elif outcome is Outcome.DELIVERED_NO_TRIGGER:
            reason = "late" if told.fact.late else "too_old"
        return {
            "connection": connection,
            "delivery_id": id_,
            "outcome": str(outcome),
            "reason": reason,
            "requests": [_request(part, target) for part in parts if isinstance(part, Part)],
        }

    def _parts(
        self, event: EnrichedEvent, customer: bytes, target: Target, id_: str
    ) -> list[Part | Refusal]:
        """What the delivery would ask of the vendor; a renderer that raises is a refusal.

        A profile that the vendor has already is not sent again. A customer who is kept from going
        is taken for one who goes, so that it shows what would be asked for.
        """
        internal = event.type in {PROFILE_CHANGED, CUSTOMER_ERASED}
        wanted = internal or target.gate.wants(event.type)
        if not wanted:
            event = msgspec.structs.replace(event, type=PROFILE_CHANGED)
        now = self._now if self._judged_at is None else self._judged_at
        self._watch(target.name, event, now)
        applied = self._applied.setdefault(target.name, {})
        version = version_of(event.profile)
        known = applied.get(customer, -1)
        try:
            parts = target.destination.render(
                event, id_, now, target.options, superseded=version < known
            )
        except Exception:  # noqa: BLE001 - as the deliver role: the delivery becomes a dead letter
            return [Refusal("event", Outcome.REJECTED, "failed")]
        if any(isinstance(part, Part) and part.brings_profile for part in parts):
            applied[customer] = max(version, known)
        if version <= known:
            parts = [_known(part, older=version < known) for part in parts]
        if not wanted:
            parts.append(Refusal("event", Outcome.FILTERED, "option"))
        return parts or [Refusal("event", Outcome.FILTERED, "nothing_to_send")]


def _nobody(name: str, event: EnrichedEvent, now: int) -> None:
    """Nobody watches."""


def _known(part: Part | Refusal, *, older: bool) -> Part | Refusal:
    """The part, or why a profile is not sent: the vendor has it, or a newer one."""
    if part.name != "profile":
        return part
    if older:
        return Refusal("profile", Outcome.SUPERSEDED, "")
    return Refusal("profile", Outcome.DUPLICATE, "unchanged")


def _event(told: Told) -> dict[str, Any]:
    fact = told.fact
    return {
        "type": fact.type,
        "event_id": fact.event_id,
        "because": None if fact.because is None else msgspec.to_builtins(fact.because),
        "late": fact.late,
        "withheld": fact.withheld,
    }


def _request(part: Part, target: Target) -> dict[str, Any]:
    request = part.request
    return {
        "part": part.name,
        "method": request.method,
        "url": (target.url or target.destination.url).rstrip("/") + request.path,
        "headers": dict(target.destination.authorize(MASKED)) | dict(request.headers),
        "body": body_of(request),
    }


def body_of(request: Request) -> Any:
    """The call's body; a record that may travel with others is shown in its frame."""
    if request.frame is None:
        return request.body
    return msgspec.json.decode(request.framed([msgspec.json.encode(request.body)]))
