"""A mapping, compiled against a writer's schema: a record as written → records in our own shape.

Done once a schema; what runs for each record are closures. A record with `each` becomes several
events: each has its own id, a function of the record's and of its place.
"""

from __future__ import annotations

from hashlib import blake2b
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec

from streams.errors import BadRecord
from streams.model.ids import customer_key
from streams.sources.ordergroove import quirks as q
from streams.sources.ordergroove.owner import check_owner
from streams.sources.ordergroove.types import LIVE_OF, OBJECT_OF
from streams.sources.ordergroove.webhook import DEFAULT_OPTIONS, NAMESPACE

from .entities import Around, Scope, check_names, check_required, entity_of, value_of
from .keys import key_of
from .paths import Place, branches, element_of, getter, path_of
from .tables import ENVELOPE, OBJECTS, SNAPSHOT
from .terms import wrong
from .values import IGNORED

if TYPE_CHECKING:
    from collections.abc import Mapping as Dict

    from streams.avro import Record
    from streams.errors import RecordReason
    from streams.sources.ordergroove.webhook import WebhookOptions

    from .entities import Value
    from .keys import Key
    from .terms import Mapping

REQUIRED = ("event_id", "type", "created", "merchant", "customer_id")
KINDS = frozenset({"event", "state", "erase"})
NO_KEY: Dict[str, str] = MappingProxyType({})


def compiled(
    mapping: Mapping,
    schema: Any = None,
    options: WebhookOptions = DEFAULT_OPTIONS,
    *,
    strict: bool = False,
) -> Compiled:
    """The function of a mapping.

    Args:
        mapping: as configured.
        schema: the writer's, compiled; None: it is not known, and paths are not held against it.
        options: how phone numbers are read.
        strict: `values` must be the schema's, as where somebody has just written them.

    Raises:
        ConfigurationError: an entry does not fit our fields, or the schema: `unmapped path`.
    """
    key = key_of(mapping.key)
    named = {} if schema is None else schema["__named_schemas"]
    root = Place(None if schema is None else branches(schema, named), named)
    return Compiled(mapping, key, Around((root,), key.parts, strict), options)


class Compiled:
    """A mapping's closures: (a record as written, its key) → records in our own shape."""

    def __init__(self, mapping: Mapping, key: Key, around: Around, options: WebhookOptions) -> None:
        self._key = key
        self._region = options.phone_region
        self.needs_key = _needs_key(mapping)
        self._each = None
        if mapping.each is not None:
            path = path_of(mapping.each, "each", 0)
            around = around.inside(element_of(path, around.places, "each"))
            self._each = getter(path)
        check_names(set(mapping.envelope), set(ENVELOPE), "")
        for name in REQUIRED:
            if name not in mapping.envelope:
                raise wrong(name, "there is no entry, and a record needs it", "Add one")
        _check_types(mapping)
        self._own_id = _inner(mapping, "event_id")
        self._inner = _inner(mapping, "merchant") or _inner(mapping, "customer_id")
        self._envelope: dict[str, Value] = {
            name: value_of(entry, ENVELOPE[name], around, name)
            for name, entry in mapping.envelope.items()
        }
        check_names(set(mapping.objects), set(OBJECTS), "")
        self._objects = {
            name: entity_of(table, OBJECTS[name], around, name)
            for name, table in mapping.objects.items()
        }
        if not self._objects:
            raise wrong("", "no object is mapped", f"Add a table of {', '.join(OBJECTS)}")
        check_names(set(mapping.snapshot), set(SNAPSHOT), "snapshot")
        self._snapshot = {
            name: entity_of(table, SNAPSHOT[name], around, f"snapshot.{name}")
            for name, table in mapping.snapshot.items()
        }

    def __call__(self, record: Record, key: bytes | None) -> list[Record]:
        """The events of a record, in order; raises `BadRecord`."""
        whole = self._scope(record, key)
        if self._each is None:
            found = [self._event(whole, None)]
        else:
            found = [self._event(each, place) for place, each in enumerate(self._inside(whole))]
        events = [each for each in found if each is not None]
        if key is not None:
            self._check_key(events, key)
        return events

    def owner(self, record: Record) -> bytes:
        """The key of the one customer that a record is about; raises `BadRecord`.

        Also of a record with nothing in it that is an event for us.
        """
        whole = self._scope(record, None)
        owners = {
            self._customer(each) for each in (self._inside(whole) if self._inner else [whole])
        }
        if len(owners) != 1:
            reason: RecordReason = "wrong_key" if owners else "no_customer"
            raise BadRecord(reason, "customer_id", f"the record is of {len(owners)} customers")
        return customer_key(*owners.pop())

    def _customer(self, scope: Scope) -> tuple[str, str]:
        merchant, customer_id = (
            self._required("merchant", scope),
            self._optional("customer_id", scope),
        )
        check_owner(merchant, customer_id or "")
        return merchant, customer_id

    def _scope(self, record: Record, key: bytes | None) -> Scope:
        parts = self._key.taken_apart(key) if self.needs_key else NO_KEY
        return Scope((record,), parts, q.Reading(ZoneInfo("UTC"), self._region, 0))

    def _inside(self, whole: Scope) -> list[Scope]:
        """The elements of `each`, which are the record's events."""
        told = self._each(whole.places) if self._each is not None else None
        if not isinstance(told, list | tuple | None):
            raise BadRecord("wrong_type", "each", "not an array")
        return [whole._replace(places=(*whole.places, element)) for element in told or ()]

    def _check_key(self, events: list[Record], key: bytes) -> None:
        for each in events:
            if key != self._key.made(each["merchant"], each["customer_id"]):
                detail = f"the record's key is not its events' {self._key.text}"
                raise BadRecord("wrong_key", "key", detail)

    def _event(self, scope: Scope, place: int | None) -> Record | None:
        """One event; None: it is ignored. What is wrong names the element's place."""
        try:
            return self._told(scope, place)
        except BadRecord as bad:
            if place is None:
                raise
            detail = f"{bad.detail}, in element {place} of `each`"
            raise BadRecord(bad.reason, bad.field, detail) from None

    def _told(self, scope: Scope, place: int | None) -> Record | None:
        event_type = self._required("type", scope)
        if event_type is IGNORED:
            return None
        kind = OBJECT_OF.get(event_type)
        if kind is None:
            raise BadRecord("unknown_type", "type", "no such event type is known")
        reading = scope.reading
        received = self._optional("received_at", scope)
        if received is not None:  # before other times: it settles an hour that comes twice
            reading = reading._replace(received_at=received)
        created = self._required("created", scope._replace(reading=reading))
        received_at = created if received is None else received
        scope = scope._replace(reading=reading._replace(created=created, received_at=received_at))
        event_id = self._required("event_id", scope)
        merchant, customer_id = self._customer(scope)
        subject = self._subject(kind.lower(), event_type, scope)
        return {
            "event_id": event_id if place is None or self._own_id else f"{event_id}#{place}",
            "type": event_type,
            "created": created,
            "received_at": received_at,
            "merchant": merchant,
            "customer_id": customer_id,
            "actor": self._optional("actor", scope),
            "source": self._optional("source", scope),
            "kind": self._kind(scope),
            "object": (f"{NAMESPACE}.{kind}", subject),
            "snapshot": self._beside(scope) if self._snapshot else None,
            "fingerprint": blake2b(
                msgspec.msgpack.encode(subject, order="deterministic"), digest_size=8
            ).digest(),
            "raw": b"",
        }

    def _required(self, name: str, scope: Scope) -> Any:
        found = self._envelope[name](scope)
        if found is None:
            raise BadRecord("missing_field", name, "a record needs it")
        return found

    def _optional(self, name: str, scope: Scope) -> Any:
        value = self._envelope.get(name)
        return None if value is None else value(scope)

    def _kind(self, scope: Scope) -> str:
        kind: str = self._optional("kind", scope) or "event"
        if kind not in KINDS:
            raise BadRecord("unknown_value", "kind", f"a kind is one of {', '.join(sorted(KINDS))}")
        return kind

    def _subject(self, name: str, event_type: str, scope: Scope) -> dict[str, Any]:
        value = self._objects.get(name)
        if value is None:
            raise BadRecord("missing_field", name, f"{event_type} needs it, and it is not mapped")
        found = value(scope)
        if name == "entitlements":
            return {"entitlements": found}
        check_required(found, OBJECTS[name], name)
        if name == "subscriber":
            found["subscriptions"] = [each["public_id"] for each in found["subscriptions"]]
        return _finished(name, found, scope.reading, event_type)

    def _beside(self, scope: Scope) -> dict[str, Any]:
        out: dict[str, Any] = {
            name: [] if shape.many else None for name, shape in SNAPSHOT.items()
        } | {name: value(scope) for name, value in self._snapshot.items()}
        for name in ("subscriptions", "orders"):
            for each in out[name]:
                _finished(f"snapshot.{name}", each, scope.reading)
        return out


def _finished(
    where: str, found: dict[str, Any], reading: q.Reading, event_type: str = ""
) -> dict[str, Any]:
    """What the webhook's tables do beyond single fields (`entities`)."""
    if "live" in found and "updated" in found:
        return _subscription(where, found, reading, event_type)
    if "rejected_message" in found:
        own = found["rejected_code"]
        code, found["rejected_message"] = q.rejection(found["rejected_message"], reading)
        found["rejected_code"] = code if own is None else own.zfill(3) if own.isdigit() else own
    return found


def _subscription(
    where: str, found: dict[str, Any], reading: q.Reading, event_type: str
) -> dict[str, Any]:
    if found["live"] is None:
        found["live"] = LIVE_OF.get(event_type)
    if found["live"] is None:
        raise BadRecord("missing_field", f"{where}.live", "a record needs it")
    if found["updated"] is None:
        found["updated"] = reading.created
    found["cancel_reason"], found["cancel_reason_code"] = q.cancel_reason(
        found["cancel_reason"], found["cancel_reason_code"], reading
    )
    return found


def _check_types(mapping: Mapping) -> None:
    """Types of ours that the mapping names must be some, and their objects mapped."""
    entry = mapping.envelope["type"]
    for told in sorted({str(each) for each in (entry.const, *entry.values.values()) if each}):
        kind = OBJECT_OF.get(told)
        if kind is None:
            check_names({told}, set(OBJECT_OF), "type")
        elif kind.lower() not in mapping.objects:
            raise wrong(kind.lower(), f"it is not mapped, and {told} needs it", "Add its table")


def _inner(mapping: Mapping, name: str) -> bool:
    """Whether an entry of the envelope is told by each element for itself."""
    return (mapping.envelope[name].path or "").startswith("@")


def _needs_key(mapping: Mapping) -> bool:
    tables = [*mapping.objects.values(), *mapping.snapshot.values()]
    entries = list(mapping.envelope.values())
    while tables:
        table = tables.pop()
        entries += table.fields.values()
        tables += table.inner.values()
    return any(each.key is not None for each in entries)
