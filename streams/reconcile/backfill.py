"""A backfill of profiles: all rows, or some, told to one connection; planned, and resumable.

Rows of a partition go in the order of a hash of their keys, and how far each partition is stands on
the control topic, written with the records themselves: a backfill that is killed goes on where it
was, and says nobody's key.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from hashlib import blake2b
from math import ceil
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from streams.delivery.profiles import version_of
from streams.engine.stretch import look_through, whole
from streams.errors import BadRecord, ConfigurationError
from streams.reconcile.sending import AT_ONCE, Lane
from streams.reconcile.telling import Row, customer_of, profile_event, profile_part, told_at
from streams.replay.transaction import Appended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from confluent_kafka import Message

    from streams.engine.kafka import KafkaSettings
    from streams.families import Family
    from streams.model.delivery import Destination, Options
    from streams.model.rules import Rules
    from streams.reconcile.rows import Rows, TableRows
    from streams.reconcile.telling import Customer
    from streams.replay.transaction import Transactions

_KEY: Final = "backfill:"
NO_STATUS: Final = "none"
"""The status of who never subscribed to anything."""


class Wish(msgspec.Struct, frozen=True):
    """Whose profiles are wanted; part of what a run goes on with.

    Attributes:
        table: `subscribers` or `members`.
        merchants: only theirs; empty: of all that the connection serves.
        statuses: only these; empty: all.
        again: also those that the vendor has in this very version.
        one_by_one: by the vendor's call for one, though it may have one for many.
    """

    table: str
    merchants: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    again: bool = False
    one_by_one: bool = False


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a backfill is, as JSON on the control topic.

    Attributes:
        run: id of the action on the audit topic.
        wish: what was asked for.
        written: profiles so far.
        after: partition → the hash of the last key that was looked at there.
    """

    run: str
    wish: Wish
    written: int = 0
    after: dict[int, str] = {}


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Progress).decode


class Terms(NamedTuple):
    """How rows are judged.

    Attributes:
        family: of the table and its generation.
        destination: renders.
        options: of the connection.
        serves: merchants of the connection; None: all.
        hides: whether something of a customer, created then, was erased.
        applied: customer's key → the version that the vendor took last.
    """

    family: Family[Any, Any, Any]
    destination: Destination
    options: Options
    serves: AbstractSet[str] | None
    hides: Callable[[str, str, int], bool]
    applied: Mapping[bytes, int]


@dataclass(slots=True)
class Plan:
    """What a backfill would do.

    Attributes:
        rows: that were read.
        calls: profiles by the vendor's rule for their call (`Request.kind`).
        left_out: rows that do not go, by why.
    """

    rows: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def profiles(self) -> int:
        """How many go."""
        return self.calls.total()

    def requests(self, rules: Rules) -> dict[str, int]:
        """Calls to the vendor, by endpoint, where batches are full."""
        sizes = {each.name: each.count for each in rules.batches}
        return {kind: ceil(count / sizes.get(kind, 1)) for kind, count in self.calls.items()}

    def hours(self, rules: Rules, factor: float | None, share: float) -> float:
        """How long that takes at a share of the vendor's limits."""
        if factor is None:
            return 0.0
        asked = self.requests(rules)
        windows = (each for each in rules.limits if each.endpoint in asked)
        seconds = (
            asked[each.endpoint] * each.seconds / (each.count * factor * share) for each in windows
        )
        return max(seconds, default=0.0) / 3_600


class Backfill:
    """One connection's backfill by one wish."""

    def __init__(self, terms: Terms, wish: Wish) -> None:
        self._terms = terms
        self._wish = wish

    def plan(self, table: TableRows) -> Plan:
        """Look at all rows, and write nothing."""
        plan = Plan()
        for rows in table.all():
            for key, value in rows.items():
                plan.rows += 1
                _, call, why = self._judged(key, value)
                if call:
                    plan.calls[call] += 1
                else:
                    plan.left_out[why] += 1
        return plan

    def run(
        self, table: TableRows, transactions: Transactions, lane: Lane, control: str, at: Progress
    ) -> Iterator[int]:
        """Append what goes; yields how many profiles are done, each time.

        Args:
            table: the rows.
            transactions: records and progress become visible together.
            lane: where they go.
            control: the control topic.
            at: where to begin.

        Raises:
            TakenOver: another backfill of the connection has begun.
            KafkaException: the broker does not answer, or refuses.
        """
        for partition, rows in zip(table.partitions, table.all(), strict=True):
            left = _after(rows, at.after.get(partition, ""))
            for start in range(0, len(left), AT_ONCE):
                some = left[start : start + AT_ONCE]
                judged = [self._judged(key, rows[key]) for _, key in some]
                going = [each.customer for each in judged if each.customer and each.call]
                at = msgspec.structs.replace(
                    at,
                    written=at.written + len(going),
                    after={**at.after, partition: some[-1][0]},
                )
                records = [lane.record(each) for each in going]
                mark = Appended(control, key_of(lane.topic), _encode(at), [])
                transactions.append([*records, mark])
                yield len(going)
        transactions.append([Appended(control, key_of(lane.topic), None, [])])

    def _judged(self, key: bytes, value: bytes) -> _Judged:
        """The customer, and the call that tells them, or why none does."""
        terms = self._terms
        try:
            customer = customer_of(key, value, terms.family)
        except BadRecord:
            return _Judged(None, "", "of another version")
        why = self._unwanted(customer)
        if why is not None:
            return _Judged(customer, "", why)
        event = profile_event(customer, terms.family)
        if not self._wish.again and terms.applied.get(key, -1) >= version_of(event.profile):
            return _Judged(customer, "", "the vendor has them")
        bulk = not self._wish.one_by_one
        part = profile_part(terms.destination, event, terms.options, bulk=bulk)
        if part is None:
            return _Judged(customer, "", "nothing can be told: no good identifier")
        return _Judged(customer, part.request.kind, "")

    def _unwanted(self, customer: Customer) -> str | None:
        terms, wish, merchant = self._terms, self._wish, customer.merchant
        if terms.serves is not None and merchant not in terms.serves:
            return "of merchants that the connection does not serve"
        unnamed = bool(wish.merchants) and merchant not in wish.merchants
        if unnamed or (wish.statuses and _status(customer.row) not in wish.statuses):
            return "not asked for"
        erased = terms.hides(merchant, customer.customer_id, told_at(customer.row))
        return "erased" if erased else None


class _Judged(NamedTuple):
    """A row's customer, the rule of the call that tells them, and why none does."""

    customer: Customer | None
    call: str
    why: str


def _status(row: Row) -> str:
    status = getattr(row, "status", None) or getattr(getattr(row, "loyalty", None), "status", None)
    return status or NO_STATUS


def _after(rows: Rows, last: str) -> list[tuple[str, bytes]]:
    """The keys behind a place, in order."""
    places = ((blake2b(key, digest_size=10).hexdigest(), key) for key in rows)
    return sorted(each for each in places if each[0] > last)


def key_of(low_topic: str) -> bytes:
    """The control topic's key of a connection's backfill."""
    return f"{_KEY}{low_topic}".encode()


class Former(NamedTuple):
    """What the control topic tells of a connection's backfills.

    Attributes:
        progress: of the one that was begun and not finished, if there is one.
        offset: of the record that says so, or that there is none: another one, and somebody has
            appended meanwhile; -1: nobody ever has.
    """

    progress: Progress | None
    offset: int


def former_of(kafka: KafkaSettings, control: str, low_topic: str) -> Former:
    """How far the last backfill of a connection is.

    Raises:
        ConfigurationError: what stands there is none of this version's.
        KafkaException: the broker does not answer.
    """
    value: bytes | None = None
    offset, wanted = -1, key_of(low_topic)

    def note(message: Message) -> None:
        nonlocal value, offset
        if message.key() == wanted:
            value, offset = message.value(), message.offset() or 0

    look_through(kafka, whole(kafka, control), note)
    try:
        return Former(None if value is None else _decode(value), offset)
    except msgspec.DecodeError:
        raise ConfigurationError(
            f"topic {control}", "a backfill's progress cannot be read", "Use the writer's version"
        ) from None
