"""Composes Okendo's webhooks, and runs the real pipeline over members' rows.

Only what a case is about is said; sequence numbers go up by themselves in the order of composing,
and every webhook is a message of its own. Times are epoch milliseconds unless they are text.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streams.avro import codec
from streams.derive import LoyaltyOptions
from streams.families import MEMBERS
from streams.model.ids import customer_key
from streams.model.loyalty import ADJUSTMENT, CUSTOMER, EARNING, LOYALTY_EVENTS, REDEMPTION
from streams.model.member import Member, decode_member
from streams.pipeline import Pipeline, Processed, enriched_of
from streams.route import Route
from streams.sources.okendo import Webhook, WebhookOptions, record_of, webhook_of_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from streams.model.enriched import EnrichedEvent
    from streams.model.events import Kind

__all__ = ["ADJUSTMENT", "CUSTOMER", "EARNING", "REDEMPTION"]

JSON = dict[str, Any]

STORE = "b4b0c3de-1111-4222-8333-944445555666"
MEMBER = "6d1b7c1e-3a55-4c0c-9b0a-0c2f5e7d9a10"
KEY = customer_key(STORE, MEMBER)
EMAIL = "noor.hale@shop-demo.io"
START = 1_790_866_800_000
"""2026-10-01, 15:00 in Greenwich."""
HOUR = 3_600_000
DAY = 24 * HOUR
ENROLLED_AT = START - HOUR
SOURCE = codec("sources/okendo")
ENRICHED = codec("events/enriched")
ALL = (Route("all", LOYALTY_EVENTS),)
COMPLETE = LoyaltyOptions(history="complete")
TIERS = ("Bronze", "Silver", "Gold")

FOLDER = Path(__file__).parents[1] / "samples" / "okendo"
SAMPLES = {path.stem: path.read_bytes() for path in sorted(FOLDER.glob("*.json"))}
"""A member's year, in the order in which it happened: body and headers of each webhook."""

_sequences = count(1)


def iso(instant: int) -> str:
    """The time as Okendo writes it."""
    when = datetime.fromtimestamp(instant / 1000, UTC)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def webhook(kind: str, topic: str, sequence: int | None, resource: JSON) -> Webhook:
    """A webhook; None: the next sequence number."""
    number = next(_sequences) if sequence is None else sequence
    body = {
        "resourceType": kind,
        "topic": topic,
        "sequenceNumber": str(number),
        "version": "2025-02-01",
        "resource": resource,
    }
    return Webhook(json.dumps(body).encode())


def whose(**more: Any) -> JSON:
    """What every resource has."""
    return {
        "loyaltyCustomerId": MEMBER,
        "subscriberId": STORE,
        "customer": {"customerId": "0f8e2b6a", "email": EMAIL},
    } | more


def member(
    status: str = "enrolled", sequence: int | None = None, topic: str = "update", **more: Any
) -> Webhook:
    """A `loyalty_customer` webhook; an enrolled member's says since when."""
    if status == "enrolled":
        more = {"dateEnrolled": iso(ENROLLED_AT)} | more
    return webhook(CUSTOMER, topic, sequence, whose(status=status) | more)


def of_tier(tier: str | None, entered: int, sequence: int | None = None, **more: Any) -> Webhook:
    """An enrolled member in a tier."""
    told = {"vipTierName": tier, "dateTierEntered": iso(entered)} if tier else {}
    return member(sequence=sequence, **told, **more)


def transaction(
    kind: str = EARNING,
    id_: str = "t1",
    sequence: int | None = None,
    topic: str = "create",
    **more: Any,
) -> Webhook:
    """A transaction webhook, complete and of now if nothing else is said."""
    told = {"loyaltyTransactionId": id_, "amount": 120, "status": "complete", "date": iso(START)}
    return webhook(kind, topic, sequence, whose(**told) | more)


def deletion(kind: str = EARNING, id_: str = "t1", sequence: int | None = None) -> Webhook:
    """A transaction's delete: it names no customer."""
    resource = whose(loyaltyTransactionId=id_)
    del resource["customer"]
    return webhook(kind, "delete", sequence, resource)


class Driver:
    """A pipeline and the rows of its table; every step begins as after a restart."""

    def __init__(self, options: LoyaltyOptions = COMPLETE, routes: Sequence[Route] = ALL) -> None:
        self.rows: dict[bytes, bytes] = {}
        self.now = 0
        self._pipeline = Pipeline(SOURCE, ENRICHED, routes, options, MEMBERS)

    def feed(
        self, told: Webhook, at: int = START, kind: Kind = "event", recorded: int | None = None
    ) -> Processed[Member]:
        """Process a webhook that is received, and recorded unless told otherwise, at a time."""
        recorded = at if recorded is None else recorded
        self.now = max(self.now, recorded)
        record = record_of(told, at) | {"kind": kind}
        return self.process(SOURCE.encode(record), recorded)

    def process(self, record: bytes, recorded: int) -> Processed[Member]:
        """Process a record's bytes."""
        processed = self._pipeline.process(
            record, self.rows.get, self.now, KEY, recorded_at=recorded
        )
        if processed.value is not None:
            self.rows[processed.key] = processed.value
        elif not processed.duplicate:
            self.rows.pop(processed.key, None)
        return processed

    def feed_all(self, told: Iterable[Webhook], at: int = START) -> list[Processed[Member]]:
        """Process webhooks one after another, one a second."""
        return [self.feed(each, at + 1_000 * nth) for nth, each in enumerate(told)]

    def row(self) -> Member:
        """The member's row."""
        return decode_member(self.rows[KEY])


def facts(processed: Processed[Member] | Iterable[Processed[Member]]) -> list[str]:
    """The types of what is told beside the profile, withheld or not."""
    several = [processed] if isinstance(processed, Processed) else processed
    return [
        each.fact.type
        for one in several
        for each in one.told
        if each.fact.type != "profile.changed"
    ]


def enriched(processed: Processed[Member], event_type: str | None = None) -> EnrichedEvent:
    """The first enriched event that goes anywhere, or the first of a type."""
    values = (
        told.value
        for told in processed.told
        if told.connections and event_type in (None, told.fact.type)
    )
    return enriched_of(ENRICHED, next(values))


def story() -> list[Processed[Member]]:
    """What the samples become, at the times of their headers, with the order of tiers known."""
    driver = Driver(LoyaltyOptions(history="complete", tiers=TIERS))
    processed = []
    for line in SAMPLES.values():
        told = webhook_of_line(line)
        at = int(told.headers["svix-timestamp"]) * 1000
        processed.append(driver.feed(told, at))
    return processed


def mapped(told: Webhook, options: WebhookOptions | None = None) -> JSON:
    """The record of a webhook that is received at `START`."""
    return record_of(told, START, options or WebhookOptions())
