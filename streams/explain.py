"""What would happen, and why: webhook bodies in arrival order, from empty state, without a broker.

The same functions as the workers': mapping, pipeline, rendering. Record time is the event's own
time, and each delivery is judged at stream time unless told otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from streams.avro import codec
from streams.derive import DeriveOptions
from streams.errors import BadRecord
from streams.model.delivery import Destination, Options, Outcome, Part, Refusal
from streams.model.ids import delivery_id
from streams.pipeline import Pipeline, Processed, Told, enriched_of
from streams.route import Route
from streams.sources.ordergroove import WebhookOptions, record_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from streams.model.subscriber import Subscriber

MASKED = "***"


class Target(msgspec.Struct, frozen=True):
    """A connection to explain. `silenced`: its mode, where that keeps it from sending."""

    name: str
    destination: Destination
    options: Options = Options()
    merchants: frozenset[str] | None = None
    url: str | None = None
    silenced: str | None = None


class Explainer:
    """Reads bodies one after another and remembers rows between them."""

    def __init__(
        self,
        targets: Sequence[Target],
        derive_options: DeriveOptions | None = None,
        webhook_options: WebhookOptions | None = None,
        judged_at: int | None = None,
    ) -> None:
        self._targets = {target.name: target for target in targets}
        self._source = codec("sources/ordergroove")
        self._enriched = codec("events/enriched")
        routes = [Route(t.name, t.destination.takes, t.merchants) for t in targets]
        self._pipeline = Pipeline(
            self._source, self._enriched, routes, derive_options or DeriveOptions()
        )
        self._webhook_options = webhook_options or WebhookOptions()
        self._judged_at = judged_at
        self._rows: dict[bytes, bytes] = {}
        self._now = 0

    def explain(self, bodies: Iterable[tuple[int, bytes]]) -> Iterator[dict[str, Any]]:
        """One explanation a body; `bodies` are (line, bytes) in arrival order."""
        for line, body in bodies:
            yield {"input": {"line": line, **_headline(body)}} | self._explain(body)

    def _explain(self, body: bytes) -> dict[str, Any]:
        try:
            record = record_of(body, options=self._webhook_options)
            self._now = max(self._now, record["created"])
            processed = self._pipeline.process(
                self._source.encode(record),
                self._rows.get,
                self._now,
                recorded_at=record["created"],
            )
        except BadRecord as bad:
            return {
                "events": [],
                "subscriber": None,
                "deliveries": [],
                "dead_letter": {"reason": bad.reason, "field": bad.field},
            }
        self._keep(processed)
        return {
            "events": [_event(told) for told in processed.told],
            "subscriber": _subscriber(processed.row),
            "deliveries": [
                self._delivery(told, connection)
                for told in processed.told
                for connection in told.connections
            ],
            "dead_letter": None,
        }

    def _keep(self, processed: Processed) -> None:
        if processed.value is not None:
            self._rows[processed.key] = processed.value
        elif not processed.duplicate:
            self._rows.pop(processed.key, None)

    def _delivery(self, told: Told, connection: str) -> dict[str, Any]:
        target = self._targets[connection]
        id_ = delivery_id(told.fact.event_id, told.fact.type, connection)
        parts = self._parts(told, target, id_)
        deciding = next((part for part in parts if part.name == "event"), parts[-1])
        outcome, reason = deciding.outcome, None
        if isinstance(deciding, Refusal):
            reason = deciding.reason
        elif target.silenced is not None:
            outcome, reason = Outcome.FILTERED, target.silenced
        elif outcome is Outcome.DELIVERED_NO_TRIGGER:
            reason = "late"
        return {
            "connection": connection,
            "delivery_id": id_,
            "outcome": str(outcome),
            "reason": reason,
            "requests": [_request(part, target) for part in parts if isinstance(part, Part)],
        }

    def _parts(self, told: Told, target: Target, id_: str) -> list[Part | Refusal]:
        """What the delivery would ask of the vendor; a renderer that raises is a refusal."""
        event = enriched_of(self._enriched, told.value)
        now = self._now if self._judged_at is None else self._judged_at
        try:
            return target.destination.render(event, id_, now, target.options)
        except Exception:  # noqa: BLE001 - as the deliver role: the delivery becomes a dead letter
            return [Refusal("event", Outcome.REJECTED, "failed")]


def _headline(body: bytes) -> dict[str, Any]:
    """Id and type as far as they can be read."""
    try:
        envelope = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        envelope = None
    told = envelope if isinstance(envelope, dict) else {}
    return {"event_id": told.get("id"), "type": told.get("type")}


def _event(told: Told) -> dict[str, Any]:
    fact = told.fact
    return {
        "type": fact.type,
        "event_id": fact.event_id,
        "because": None if fact.because is None else msgspec.to_builtins(fact.because),
        "late": fact.late,
        "withheld": fact.withheld,
    }


def _subscriber(row: Subscriber | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {
        "status": row.status,
        "active_subscriptions": row.active,
        "total_subscriptions": row.total,
        "ever_subscribed": row.ever_subscribed,
    }


def _request(part: Part, target: Target) -> dict[str, Any]:
    request = part.request
    return {
        "part": part.name,
        "method": request.method,
        "url": (target.url or target.destination.url).rstrip("/") + request.path,
        "headers": dict(target.destination.authorize(MASKED)) | dict(request.headers),
        "body": request.body,
    }
