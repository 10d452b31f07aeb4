"""How records are read in a rebuild: without the erased, and from original bodies if asked for.

The body says what the source said; whatever was added on the way since is only in the typed fields.
So those stay: the record's id and kind, and of its snapshot the entities that the body has not.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from streams.errors import BadRecord
from streams.model.ids import customer_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from streams.avro import Codec
    from streams.model.events import Event
    from streams.model.loyalty import LoyaltyEvent

    Events: TypeAlias = Callable[[bytes | None, bytes | None], Sequence[Event | LoyaltyEvent]]
    """(a record's value, its key) → its events; raises `BadRecord`."""
    Parse: TypeAlias = Callable[[bytes, int], Mapping[str, Any]]
    """(an original body, when it was received) → the record; raises `BadRecord`."""
    Parses: TypeAlias = Mapping[str, Parse]
    """By a record's kind; under "" that of all kinds which are not named."""

KEPT: Final = ("event_id", "kind", "received_at")
"""Fields that are the record's own, whatever its body says."""


def one_event(read: Callable[[bytes | None], Event | LoyaltyEvent]) -> Events:
    """The events of records that are one event each, under its customer's key."""

    def events(value: bytes | None, key: bytes | None) -> Sequence[Event | LoyaltyEvent]:
        event = read(value)
        if key is not None and key != customer_key(event.merchant, event.customer_id):
            raise BadRecord("wrong_key", "key", "the record's key is not merchant:customer")
        return (event,)

    return events


def without_erased(events: Events, hides: Callable[[str, str, int], bool]) -> Events:
    """The same without what was created before its customer was erased.

    `hides`: (merchant, customer, created in epoch milliseconds) → whether it is to be left out. The
    erasing itself never is.
    """

    def remaining(value: bytes | None, key: bytes | None) -> Sequence[Event | LoyaltyEvent]:
        return [
            each
            for each in events(value, key)
            if getattr(each, "kind", "event") == "erase"
            or not hides(each.merchant, each.customer_id, each.created)
        ]

    return remaining


class FromRaw:
    """Turns a record's bytes into those of the record that its original body is today.

    Attributes:
        counts: records by what was used: `raw`; or the typed fields, since there was `no body`, or
            since it `failed`, and could not be read, or belongs to another customer today.
    """

    def __init__(self, codec: Codec, parses: Parses) -> None:
        """Take the records' codec, and what reads an original body of each kind of record."""
        self.counts: Counter[str] = Counter()
        self._codec = codec
        self._parses = parses

    def __call__(self, value: bytes | None) -> bytes | None:
        """The record's bytes, from the body where that is possible; raises `BadRecord`."""
        record = self._codec.decode(value, branches=True)
        body = record["raw"]
        if not body:
            self.counts["no body"] += 1
            return value
        try:
            parse = self._parses.get(record.get("kind", ""), self._parses[""])
            parsed = parse(body, record["received_at"])
            if any(parsed[name] != record[name] for name in ("merchant", "customer_id")):
                raise BadRecord("wrong_key", "raw", "it belongs to another customer")
            rebuilt = self._codec.encode(_merged(record, parsed))
        except BadRecord:
            self.counts["failed"] += 1
            return value
        self.counts["raw"] += 1
        return rebuilt


def _merged(record: Mapping[str, Any], parsed: Mapping[str, Any]) -> dict[str, Any]:
    """The body's record, with what only the typed one knows."""
    merged = {**record, **parsed} | {name: record[name] for name in KEPT if name in record}
    if "snapshot" in record:
        merged["snapshot"] = _snapshot(record["snapshot"], parsed.get("snapshot"))
    return merged


def _snapshot(typed: Any, parsed: Any) -> Any:
    """Both snapshots in one: of an entity that both have, what the body says."""
    typed = typed[1] if isinstance(typed, tuple) else typed
    if not typed or not parsed:
        return parsed or typed
    both: dict[str, Any] = {}
    for name, told in parsed.items():
        known = typed.get(name)
        if isinstance(told, list):
            ids = {_id(each) for each in told}
            both[name] = [*told, *(each for each in known or [] if _id(each) not in ids)]
        else:
            both[name] = _filled(told, known)
    return both


def _id(entity: Mapping[str, Any]) -> Any:
    return entity.get("public_id") or entity.get("id")


def _filled(told: Any, known: Any) -> Any:
    """A customer, its gaps filled."""
    known = known[1] if isinstance(known, tuple) else known
    if not told or not known:
        return told or known
    return {**known, **{name: value for name, value in told.items() if value is not None}}
