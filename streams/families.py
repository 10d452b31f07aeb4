"""Families: what each source and its kind of row bring to the one pipeline.

A source has a table of its own, a row for each of its customers; the steps from a record to its
deliveries are the same for all (`pipeline`).
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Generic

import msgspec
from msgspec import structs
from typing_extensions import TypeVar

from streams.avro import Codec
from streams.derive import (
    Derivation,
    DeriveOptions,
    LoyaltyOptions,
    derive,
    derive_member,
    fire,
    fire_member,
)
from streams.enrich import enrich, enrich_member
from streams.model.enriched import EnrichedEvent
from streams.model.events import Event, Person
from streams.model.fact import Fact
from streams.model.loyalty import LOYALTY_EVENTS, LoyaltyCustomer, LoyaltyEvent
from streams.model.member import Member, decode_member, encode_member
from streams.model.row_bytes import decode_row, due_of, encode_row, row_due
from streams.model.subscriber import Subscriber
from streams.sources import okendo, ordergroove

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

Row = TypeVar("Row")
Told = TypeVar("Told")
Options = TypeVar("Options")


class Family(msgspec.Struct, Generic[Row, Told, Options], frozen=True, kw_only=True):
    """One source's way through the pipeline.

    Attributes:
        source: the source, as its topic and its schema are named.
        row: the row's type.
        events: the event types that it brings, beside `profile.changed`; None: all others. Who
            takes none of them gets nothing, since the profile means nothing there either.
        event_reader: its codec → bytes of a record to its event, which raises `BadRecord`.
        decode: a row of its bytes.
        encode: a row's bytes.
        due: stream time of a row's next timer, epoch milliseconds; 0 for none.
        due_of: the same of a row's bytes.
        derive: (row, event, stream time, options, record's time) → row' and facts.
        fire: (row, merchant, customer, stream time, options) → row' and facts, for what is due.
        nothing: (merchant, customer, stream time) → the event that a timer stands for.
        enrich: (fact, event, row after it) → the enriched event.
        reached: the e-mail addresses and phone numbers of a row: by them somebody is erased.
    """

    source: str
    row: type[Row]
    events: frozenset[str] | None = None
    event_reader: Callable[[Codec], Callable[[bytes | None], Told]]
    decode: Callable[[bytes], Row]
    encode: Callable[[Row], bytes]
    due: Callable[[Row], int]
    due_of: Callable[[bytes], int]
    derive: Callable[[Row | None, Told, int, Options, int | None], Derivation[Row]]
    fire: Callable[[Row, str, str, int, Options], Derivation[Row]]
    nothing: Callable[[str, str, int], Told]
    enrich: Callable[[Fact, Told, Row], EnrichedEvent]
    reached: Callable[[Row], tuple[frozenset[str], frozenset[str]]]

    def concerns(self, takes: AbstractSet[str]) -> bool:
        """Whether a connection that takes these event types has a use for this source."""
        return self.events is None or not self.events.isdisjoint(takes)


def of_generation(
    family: Family[Row, Told, Options], generation: int
) -> Family[Row, Told, Options]:
    """A family whose enriched events say of which generation of the table their row is."""
    if not generation:
        return family
    plain = family.enrich

    def enrich_of(fact: Fact, event: Told, row: Row) -> EnrichedEvent:
        found = plain(fact, event, row)
        profile = structs.replace(found.profile, generation=generation)
        return structs.replace(found, profile=profile)

    return structs.replace(family, enrich=enrich_of)


def _no_event(merchant: str, customer_id: str, now: int) -> Event:
    return Event(
        event_id="", type="", created=now, merchant=merchant, customer_id=customer_id,
        guard=b"", subject=Person(),
    )  # fmt: skip


def _no_loyalty_event(merchant: str, customer_id: str, now: int) -> LoyaltyEvent:
    return LoyaltyEvent(
        event_id="", type="", created=now, merchant=merchant, customer_id=customer_id,
        sequence=-1, guard=b"", subject=LoyaltyCustomer(),
    )  # fmt: skip


def _never(_: object) -> int:
    """No timers: nothing of a member waits."""
    return 0


def _subscriber_reached(row: Subscriber) -> tuple[frozenset[str], frozenset[str]]:
    who = row.profile
    return frozenset(filter(None, (who.email,))), frozenset(filter(None, (who.phone_number,)))


def _member_reached(row: Member) -> tuple[frozenset[str], frozenset[str]]:
    heard = row.heard.email if row.heard is not None else None
    return frozenset(filter(None, (row.own_email, heard))), frozenset()


SUBSCRIBERS: Final = Family[Subscriber, Event, DeriveOptions](
    source="ordergroove",
    row=Subscriber,
    event_reader=ordergroove.event_reader,
    decode=decode_row,
    encode=encode_row,
    due=row_due,
    due_of=due_of,
    derive=derive,
    fire=fire,
    nothing=_no_event,
    enrich=enrich,
    reached=_subscriber_reached,
)
MEMBERS: Final = Family[Member, LoyaltyEvent, LoyaltyOptions](
    source="okendo",
    row=Member,
    events=LOYALTY_EVENTS,
    event_reader=okendo.event_reader,
    decode=decode_member,
    encode=encode_member,
    due=_never,
    due_of=_never,
    derive=derive_member,
    fire=fire_member,
    nothing=_no_loyalty_event,
    enrich=enrich_member,
    reached=_member_reached,
)
FAMILIES: Final[Mapping[str, Family[Any, Any, Any]]] = MappingProxyType(
    {each.source: each for each in (SUBSCRIBERS, MEMBERS)}
)
"""By source."""
