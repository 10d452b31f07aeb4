"""The program without a broker, as far as loyalty goes: webhooks through mapping, rows, renderers.

What lies between them and a vendor is played here in few lines: partitions with a stream time each,
and the deliver role's rule that a version of a profile is applied once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING
from zlib import crc32

import msgspec

from streams.avro import codec
from streams.demo.compare import Received
from streams.demo.ledger import VENDORS
from streams.demo.loyalty_catalog import TIERS
from streams.demo.loyalty_fields import STATUS
from streams.demo.verdicts import Verdict
from streams.derive import LoyaltyOptions
from streams.destinations import DESTINATIONS
from streams.errors import BadRecord
from streams.families import MEMBERS
from streams.model.delivery import Options, Outcome, Part, Refusal
from streams.model.ids import customer_key, delivery_id
from streams.pipeline import Pipeline, enriched_of
from streams.route import Route
from streams.sources.okendo import record_of, webhook_of_line

if TYPE_CHECKING:
    from streams.model.enriched import EnrichedEvent

PARTITIONS = 3
HISTORY = LoyaltyOptions(history="complete", tiers=TIERS)


class LoyaltyProgram:
    """Takes lines as `streams produce okendo` does, keeps what each vendor would get.

    Attributes:
        received: accepted records by connection, in order of arrival; every one is accepted.
        verdicts: connection → (delivery id, part) → what came of it.
        deliveries: connection → events of its delivery topic by type.
        dead_letters: by reason.
    """

    def __init__(self) -> None:
        self.received: defaultdict[str, list[Received]] = defaultdict(list)
        self.verdicts: defaultdict[str, dict[tuple[str, str], Verdict]] = defaultdict(dict)
        self.deliveries: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.dead_letters: Counter[str] = Counter()
        self._source = codec("sources/okendo")
        self._enriched = codec("events/enriched")
        routes = [Route(name, DESTINATIONS[name].takes, None) for name in VENDORS]
        self._pipeline = Pipeline(self._source, self._enriched, routes, HISTORY, MEMBERS)
        self._rows: dict[bytes, bytes] = {}
        self._now = [0] * PARTITIONS
        self._applied: dict[tuple[str, bytes], int] = {}
        self._held: dict[bytes, str] = {}

    def arrive(self, line: bytes, at: int) -> None:
        """The next line, received and recorded at that time (epoch milliseconds)."""
        try:
            record = record_of(webhook_of_line(line.rstrip(b"\n")), at)
            key = customer_key(record["merchant"], record["customer_id"])
            partition = crc32(key) % PARTITIONS
            self._now[partition] = now = max(self._now[partition], at)
            value = self._source.encode(record)
            processed = self._pipeline.process(value, self._rows.get, now, key, at)
        except BadRecord as bad:
            self.dead_letters[bad.reason] += 1
            return
        if processed.value is None:
            return
        self._rows[key] = processed.value
        for told in processed.told:
            for connection in told.connections:
                self._deliver(connection, key, enriched_of(self._enriched, told.value), now)

    def _deliver(self, connection: str, key: bytes, event: EnrichedEvent, now: int) -> None:
        name = delivery_id(event.event_id, event.type, connection)
        self.deliveries[connection][event.type] += 1
        rendered = DESTINATIONS[connection].render(event, name, now, Options())
        parts = rendered or [Refusal("event", Outcome.FILTERED, "nothing_to_send")]
        version = event.profile.version
        for part in parts:
            verdict = self._verdict(connection, key, part, version, now)
            self.verdicts[connection][name, part.name] = verdict
            if not isinstance(part, Part) or verdict.outcome != part.outcome:
                continue
            if part.name == "profile":
                self._applied[connection, key] = version
            self._send(connection, key, part)

    def _verdict(
        self, connection: str, key: bytes, part: Part | Refusal, version: int, now: int
    ) -> Verdict:
        if part.name == "profile" and self._applied.get((connection, key)) == version:
            return Verdict("duplicate", "unchanged", now)
        if isinstance(part, Refusal):
            return Verdict(str(part.outcome), part.reason, now)
        return Verdict(str(part.outcome), part.remark, now)

    def _send(self, connection: str, key: bytes, part: Part) -> None:
        body = msgspec.json.decode(msgspec.json.encode(part.request.body))
        held = self._held.get(key) if (connection, part.name) == ("attentive", "event") else None
        self.received[connection].append(Received(part.request.path, body, held=held))
        if (connection, part.name) == ("attentive", "profile") and STATUS in body["properties"]:
            self._held[key] = body["properties"][STATUS]
