"""The source's fields, each by its place, and records without some of them.

A place is `subscription.price` for the event's own object, by its kind in lower case;
`snapshot.items.price` for an entity beside it; `actor` for the envelope.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from streams.avro import registry
from streams.sources.ordergroove.types import LIVE_OF

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from streams.avro import Record

SOURCE = "sources/ordergroove"
OBJECT = "object"
KINDS = ("Subscriber", "Subscription", "Order", "Item", "Entitlements", "Communication")
OURS = frozenset({"raw", "fingerprint"})
"""Fields about the record itself, which no mapping tells."""
NO_DEFAULT = object()


class Field(NamedTuple):
    """A field of the source.

    Attributes:
        place: of it.
        meaning: its record's name and its own: the same for one entity at several places.
        default: what a record has that does not tell it; `NO_DEFAULT`: there is no such record.
        leaf: there are no fields below it.
    """

    place: str
    meaning: str
    default: Any
    leaf: bool


@cache
def fields() -> Mapping[str, Field]:
    """Every field by its place, those that are entities before the fields below them."""
    schema = registry().ours[SOURCE]
    return {each.place: each for each in _of_record(schema, schema["__named_schemas"], "")}


def place_of_path(path: str) -> str:
    """The place of a path in the schema: object.Subscription.price → subscription.price."""
    pieces = path.split(".")
    if pieces[0] != OBJECT or len(pieces) == 1:
        return path
    kind = pieces[1].lower()
    rest = pieces[2:]
    if kind == "entitlements" and rest[:1] == [kind]:
        rest = rest[1:]
    return ".".join([kind, *rest])


def _of_record(schema: Any, named: Mapping[str, Any], path: str) -> Iterator[Field]:
    for field in schema["fields"]:
        here = f"{path}.{field['name']}".lstrip(".")
        records = list(_records(field["type"], named))
        default = field.get("default", NO_DEFAULT)
        short = schema["name"].rpartition(".")[2]
        if here == OBJECT:
            for each in records:
                kind = each["name"].rpartition(".")[2]
                yield Field(kind.lower(), kind, None, leaf=False)
                yield from _of_record(each, named, f"{here}.{kind}")
            continue
        place = place_of_path(here)
        if place != "entitlements":
            yield Field(place, f"{short}.{field['name']}", default, leaf=not records)
        for each in records:
            yield from _of_record(each, named, here)


def _records(schema: Any, named: Mapping[str, Any]) -> Iterator[Any]:
    """The records of a type, through unions, arrays and names."""
    if isinstance(schema, list):
        for each in schema:
            yield from _records(each, named)
    elif isinstance(schema, str):
        if schema in named and named[schema]["type"] == "record":
            yield named[schema]
    elif schema["type"] == "record":
        yield schema
    elif schema["type"] == "array":
        yield from _records(schema["items"], named)


class Without:
    """Takes fields out of records.

    Attributes:
        places: that are taken out.
        types: events of these do not come at all.
        mapped: a mapping tells the records: what it does where fields are not told is done here.
    """

    def __init__(
        self, places: frozenset[str], types: frozenset[str] = frozenset(), *, mapped: bool
    ) -> None:
        self.places = places
        self.types = types
        self._mapped = mapped

    def __call__(self, record: Record) -> Record | None:
        """The record without them; None: there is no record without one of them."""
        if record["type"] in self.types:
            return None
        name, subject = record[OBJECT]
        kind = name.rpartition(".")[2].lower()
        # The object under its kind, as places have it; entitlements are a list of their own.
        out: dict[str, Any] | None = record | {kind: subject.get(kind, subject)}
        for place in self.places:
            head, *rest = place.split(".")
            if out is None or place == kind:
                return None
            if head in out:  # else it is of another kind
                out = self._taken(out, [head, *rest], place, record)
        if out is None:
            return None
        told = out.pop(kind)
        return out | {OBJECT: (name, {kind: told} if kind in subject else told)}

    def _taken(
        self, within: Any, pieces: list[str], place: str, record: Record
    ) -> dict[str, Any] | None:
        """A copy of an entity without a field; None where it cannot be."""
        head, *rest = pieces
        value = within.get(head)
        if not rest:
            default = self._default(place, record)
            return None if default is NO_DEFAULT else within | {head: default}
        if value is None:
            return dict(within)
        if isinstance(value, list):
            copies = [self._taken(each, rest, place, record) for each in value]
            return None if None in copies else within | {head: copies}
        copy = self._taken(value, rest, place, record)
        return None if copy is None else within | {head: copy}

    def _default(self, place: str, record: Record) -> Any:
        if self._mapped and place == "subscription.live":
            return LIVE_OF.get(record["type"], NO_DEFAULT)
        if self._mapped and place in {
            "received_at",
            "subscription.updated",
            "snapshot.subscriptions.updated",
        }:
            return record["created"]
        return fields()[place].default
