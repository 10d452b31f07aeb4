"""The program without a broker: webhook bodies through mapping, pipeline and renderers.

What lies between them and a vendor is played here in few lines: partitions with a stream time each,
timers, and the deliver role's rules: a version of a profile is applied once, a thing is not sent
again as it is, and one that waits is superseded by its customer's next delivery.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit
from zlib import crc32

import msgspec

from streams.avro import codec
from streams.demo.attentive_bodies import STATUS
from streams.demo.compare import Received
from streams.demo.ledger import VENDORS
from streams.demo.verdicts import Verdict
from streams.derive import DeriveOptions
from streams.destinations import DESTINATIONS
from streams.engine.timers import Timers
from streams.errors import BadRecord
from streams.model.delivery import Options, Outcome, Part, Refusal
from streams.model.ids import customer_key, delivery_id
from streams.pipeline import Pipeline, enriched_of
from streams.route import Route
from streams.sources.ordergroove import record_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from streams.model.enriched import EnrichedEvent
    from streams.pipeline import Processed

PARTITIONS = 3
HISTORY = DeriveOptions(history="complete", flows_from=0)
OPTIONS = {"yespo": Options(contact_fields={"status": "51001"})}
"""What the demo's settings say."""


class _Waiting(NamedTuple):
    """An order that waits: its delivery, and what it would send."""

    delivery: str
    part: Part
    now: int


class Program:
    """Takes bodies, keeps what each vendor would get.

    Args:
        waits: whether an order waits until its customer's next delivery comes.

    Attributes:
        received: accepted records by connection, in order of arrival; every one is accepted.
        verdicts: connection → (delivery id, part) → what came of it.
        deliveries: connection → events of its delivery topic by type.
        dead_letters: of bodies, by reason.
    """

    def __init__(self, *, waits: bool = False) -> None:
        self._waits = waits
        self._waiting: dict[tuple[str, bytes], _Waiting] = {}
        self._sent: dict[tuple[str, bytes, str], bytes] = {}
        self.received: defaultdict[str, list[Received]] = defaultdict(list)
        self.verdicts: defaultdict[str, dict[tuple[str, str], Verdict]] = defaultdict(dict)
        self.deliveries: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.dead_letters: Counter[str] = Counter()
        self._source = codec("sources/ordergroove")
        self._enriched = codec("events/enriched")
        routes = [Route(name, DESTINATIONS[name].takes, None) for name in VENDORS]
        self._pipeline = Pipeline(self._source, self._enriched, routes, HISTORY)
        self._rows: dict[bytes, bytes] = {}
        self._timers = [Timers() for _ in range(PARTITIONS)]
        self._now = [0] * PARTITIONS
        self._applied: dict[tuple[str, bytes], tuple[int, int]] = {}
        self._held: dict[tuple[str, bytes], str] = {}

    def arrive(self, body: bytes, at: int) -> None:
        """The next body, recorded at that time (epoch milliseconds)."""
        try:
            record = record_of(body, at)
        except BadRecord as bad:
            self.dead_letters[bad.reason] += 1
            return
        key = customer_key(record["merchant"], record["customer_id"])
        partition = crc32(key) % PARTITIONS
        self._now[partition] = now = max(self._now[partition], at)
        self._fire(partition)
        value = self._source.encode(record)
        self._keep(self._pipeline.process(value, self._rows.get, now, key, at), now)

    def end(self) -> None:
        """No more bodies: stream time moves on until no timer is left."""
        for partition, timers in enumerate(self._timers):
            while timers.earliest:
                self._now[partition] = max(self._now[partition], timers.earliest)
                self._fire(partition)
        for connection, key in list(self._waiting):
            self._let_go(connection, key, None)

    def _fire(self, partition: int) -> None:
        now = self._now[partition]
        while (timer := self._timers[partition].pop(now)) is not None:
            _, key = timer
            self._keep(self._pipeline.fire(key, self._rows[key], now), now)

    def _keep(self, processed: Processed, now: int) -> None:
        if processed.duplicate:
            return
        key = processed.key
        self._timers[crc32(key) % PARTITIONS].set(key, processed.due)
        assert processed.value is not None
        self._rows[key] = processed.value
        for told in processed.told:
            for connection in told.connections:
                event = enriched_of(self._enriched, told.value)
                self._deliver(connection, key, event, now)

    def _deliver(self, connection: str, key: bytes, event: EnrichedEvent, now: int) -> None:
        name = delivery_id(event.event_id, event.type, connection)
        self.deliveries[connection][event.type] += 1
        options = OPTIONS.get(connection, Options())
        parts: Iterable[Part | Refusal] = DESTINATIONS[connection].render(
            event, name, now, options
        ) or [Refusal("event", Outcome.FILTERED, "nothing_to_send")]
        events = (part for part in parts if isinstance(part, Part) and part.name == "event")
        things = {part.thing for part in events}
        self._let_go(connection, key, next(filter(None, things), None))
        version = (event.profile.generation, event.profile.version)
        for part in parts:
            verdict = self._verdict(connection, key, part, version, now)
            if isinstance(part, Part) and verdict.outcome == part.outcome:
                if part.name == "profile":
                    self._applied[connection, key] = version
                if part.thing and part.name == "event" and self._waits:
                    self._waiting[connection, key] = _Waiting(name, part, now)
                    continue
                self._send(connection, key, part)
            self.verdicts[connection][name, part.name] = verdict

    def _verdict(
        self, connection: str, key: bytes, part: Part | Refusal, version: tuple[int, int], now: int
    ) -> Verdict:
        if part.name == "profile" and self._applied.get((connection, key)) == version:
            return Verdict("duplicate", "unchanged", now)
        if isinstance(part, Refusal):
            return Verdict(str(part.outcome), part.reason, now)
        if part.thing and self._sent.get((connection, key, part.thing)) == part.substance:
            return Verdict("duplicate", "unchanged", now)
        return Verdict(str(part.outcome), part.remark, now)

    def _let_go(self, connection: str, key: bytes, thing: str | None) -> None:
        """What waits for this customer goes, unless the next delivery sets the same anew."""
        waiting = self._waiting.pop((connection, key), None)
        if waiting is None:
            return
        superseded = waiting.part.thing == thing
        outcome = "superseded" if superseded else str(waiting.part.outcome)
        verdict = Verdict(outcome, None, waiting.now)
        self.verdicts[connection][waiting.delivery, "event"] = verdict
        if not superseded:
            self._send(connection, key, waiting.part)

    def _send(self, connection: str, key: bytes, part: Part) -> None:
        request = part.request
        body = msgspec.json.decode(request.framed([msgspec.json.encode(request.body)]))
        if part.thing:
            self._sent[connection, key, part.thing] = part.substance
        held = self._held.get((connection, key)) if part.name == "event" else None
        path = urlsplit(DESTINATIONS[connection].url).path + request.path
        self.received[connection].append(Received(path, body, held=held))
        if part.name == "profile" and connection == "attentive":
            self._held[connection, key] = body["properties"][STATUS]
