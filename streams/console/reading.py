"""Records of topics as the index reads them: which topic means what, and what is looked at of each.

Nothing here is about SQLite or Kafka's client: what comes is `Read`, what goes on is sorted by
customer.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from streams.console.kept import DAY_MS, HISTORY, RECENT, KeptCame, KeptDelivery, KeptOutcome
from streams.control.erased import decode_erased
from streams.errors import BadRecord
from streams.model.dead_letter import header_bytes
from streams.model.fact import CUSTOMER_ERASED
from streams.model.ids import is_nobody
from streams.rekey import past_of
from streams.replay.people import FAMILIES, reached

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from streams.console.kept import Kept, Outcome
    from streams.console.naming import Naming
    from streams.rekey import Told

Kind = Literal["source", "table", "outcomes", "deliveries", "erased"]
_MINUTE_MS = 60_000


class IndexTopic(NamedTuple):
    """A topic that the index follows.

    Attributes:
        name: of the topic.
        kind: what its records are.
        of: the source, or the connection; empty where there is one topic of the kind.
    """

    name: str
    kind: Kind
    of: str = ""


class Read(NamedTuple):
    """A record of a topic; `topic` is the index's number of it, `at` epoch milliseconds."""

    topic: int
    partition: int
    offset: int
    at: int
    key: bytes
    value: bytes | None
    headers: Told | None


class Head(msgspec.Struct, frozen=True, gc=False):
    """What is looked at of a source's record."""

    kind: str
    created: int


class Delivered(msgspec.Struct, frozen=True, gc=False):
    """What is looked at of a delivery whose customer was erased."""

    type: str
    occurred_at: int


class Readers(NamedTuple):
    """Functions from a value's bytes, which raise `BadRecord`."""

    heads: Mapping[str, Callable[[bytes | None], Head]]
    outcome: Callable[[bytes | None], Outcome]
    delivered: Callable[[bytes | None], Delivered]


class Limits(NamedTuple):
    """How long records are kept, milliseconds."""

    recent: int
    history: int

    def since(self, kind: int, now: int) -> int:
        """The oldest day of which chunks of a class are kept."""
        return (now - (self.history if kind == HISTORY else self.recent)) // DAY_MS


Place = tuple[bytes, int, int]
"""Where records go: the customer's key, the class and the day of a chunk."""


class Sorted:
    """A batch of records by what is to be done with them, in the order in which they came.

    Attributes:
        chunks: what is to be kept.
        marks: of syncs, with their keys.
        minutes: outcomes by (minute, connection, outcome).
        tried: (connection, outcome) → when its newest was recorded that a vendor was asked for.
        aliases: (key, source) → hashes of e-mail addresses and phone numbers, which take the place
            of those that were known, and the time of the row.
        erased: token → when: what the index had of them before is to be deleted.
        newest_at: time of the newest record.
    """

    def __init__(
        self, naming: Naming, readers: Readers, erased_at: Callable[[bytes], int | None]
    ) -> None:
        """Take what it asks; `erased_at`: token → what the index knew before this batch."""
        self._naming = naming
        self._readers = readers
        self._known_erased = erased_at
        self.chunks: dict[Place, list[Kept]] = {}
        self.marks: list[tuple[bytes, KeptCame]] = []
        self.minutes: Counter[tuple[int, str, str]] = Counter()
        self.tried: dict[tuple[str, str], int] = {}
        self.aliases: dict[tuple[bytes, str], tuple[frozenset[bytes], int]] = {}
        self.erased: dict[bytes, int] = {}
        self.newest_at = 0

    def add(self, of: IndexTopic, records: Iterable[Read]) -> None:
        """Take records of one topic, those of a partition in order."""
        add = {
            "source": self._source,
            "table": self._table,
            "outcomes": self._outcome,
            "deliveries": self._delivery,
            "erased": self._erased,
        }[of.kind]
        for each in records:
            self.newest_at = max(self.newest_at, each.at)
            add(of.of, each)

    def erased_at(self, key: bytes) -> int | None:
        """When a customer was erased last, as far as is known by now."""
        token = self._naming.token(key)
        known = (self._known_erased(token), self.erased.get(token))
        return max((each for each in known if each is not None), default=None)

    def hides(self, record: Kept, erased_at: int) -> bool:
        """Whether a record is older than its customer's erase, or tells of it."""
        if isinstance(record, KeptCame):
            return record.created < erased_at
        if isinstance(record, KeptOutcome):
            told = record.told
            return told.occurred_at < erased_at or told.type == CUSTOMER_ERASED
        try:
            event = self._readers.delivered(record.value)
        except BadRecord:
            return record.at < erased_at
        return event.occurred_at < erased_at or event.type == CUSTOMER_ERASED

    def _source(self, source: str, each: Read) -> None:
        past = past_of(each.headers, each.at)
        try:
            head = self._readers.heads[source](each.value)
        except BadRecord:  # in another schema, or broken: the story says which
            head = Head("event", each.at)
        kept = KeptCame(
            each.topic, each.partition, each.offset, each.at, *past, head.created, each.value
        )
        if is_nobody(each.key):
            self.marks.append((each.key, kept))
        elif head.kind == "erase":
            self._forget(self._naming.token(each.key), head.created)
        else:
            self._keep(each.key, HISTORY, each.at, kept)

    def _outcome(self, _: str, each: Read) -> None:
        try:
            told = self._readers.outcome(each.value)
        except BadRecord:
            return
        minute = told.recorded_at - told.recorded_at % _MINUTE_MS
        kind = told.connection, told.outcome
        self.minutes[minute, *kind] += 1
        if told.attempts or not told.final:
            self.tried[kind] = max(told.recorded_at, self.tried.get(kind, 0))
        self._keep(each.key, RECENT, each.at, KeptOutcome(each.partition, each.offset, told))

    def _delivery(self, _: str, each: Read) -> None:
        told = list(header_bytes(each.headers).items())
        kept = KeptDelivery(each.topic, each.partition, each.offset, each.at, told, each.value)
        self._keep(each.key, RECENT, each.at, kept)

    def _table(self, source: str, each: Read) -> None:
        if is_nobody(each.key):
            return
        try:
            row = None if each.value is None else FAMILIES[source].decode(each.value)
        except msgspec.DecodeError:  # another version's: it cannot be found by what it holds
            row = None
        emails, phones = (frozenset[str](), frozenset[str]()) if row is None else reached(row)
        hashes = {self._naming.email(email) for email in emails}
        hashes |= {self._naming.phone(number) for number in phones}
        self.aliases[each.key, source] = frozenset(hashes), each.at

    def _erased(self, _: str, each: Read) -> None:
        if each.value is not None:
            self._forget(bytes.fromhex(each.key.decode()), decode_erased(each.value).erased_at)

    def _forget(self, token: bytes, at: int) -> None:
        self.erased[token] = max(at, self.erased.get(token, at))

    def _keep(self, key: bytes, kind: int, at: int, record: Kept) -> None:
        self.chunks.setdefault((key, kind, at // DAY_MS), []).append(record)
