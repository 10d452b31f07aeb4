"""Values of a merchant's own records → ours: by unit, zone, scale and table, else as webhooks'.

Nothing is guessed: a time needs its unit, a naive one its zone, a value that a table does not name
is a dead letter.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from streams.errors import BadRecord
from streams.sources.ordergroove import quirks as q

from .terms import wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from streams.sources.ordergroove.entities import Reader

    from .paths import Place
    from .terms import Entry

TIMES = ("s", "ms", "us", "iso")
MILLIS: Mapping[str, Callable[[float], int]] = MappingProxyType(
    {"s": lambda it: round(it * 1000), "ms": int, "us": lambda it: int(it // 1000)}
)
"""Unit → what makes epoch milliseconds of a number in it."""
EPOCH = date(1970, 1, 1)
IGNORED = object()
"""The value of a `type` that is no event."""


def reader_of(entry: Entry, read: Reader, place: Place | None, where: str) -> Reader:
    """How an entry's values are read, for a field that is read by `read` in a webhook.

    Args:
        entry: with its unit, zone, scale and values.
        read: the webhook's reader of the field.
        place: what the writer's schema has there; None: the value is no part of the record.
        where: the entry, for errors.

    Returns:
        A function that raises `ValueError` for what cannot be read, and `BadRecord` for a value
        that `values` does not name.

    Raises:
        ConfigurationError: the entry does not fit the field, or the writer's schema.
    """
    inner = _plain(entry, read, where)
    _check_kind(entry, read, place, where)
    if not entry.values and not entry.ignore:
        return inner
    return _by_table(entry, inner, where, named=symbols_of(place) is not None)


def _plain(entry: Entry, read: Reader, where: str) -> Reader:
    if entry.scale is not None:
        if read is not q.money:
            raise wrong(where, "only money has a scale", "Drop `scale`")
        return _scaled(entry.scale)
    if read is q.instant:
        if entry.unit not in TIMES:
            raise wrong(where, "a time needs its unit", f"Set `unit` to one of {', '.join(TIMES)}")
        return _instant(entry.unit, entry.zone)
    if read is q.day:
        return _day(entry, where)
    if entry.unit is not None or entry.zone is not None:
        raise wrong(where, "only times and days have a unit and a zone", "Drop them")
    return read


def _scaled(scale: int) -> Reader:
    def read(value: Any, reading: q.Reading) -> str | None:
        if isinstance(value, bytes):  # Avro's decimal
            value = int.from_bytes(value, "big", signed=True)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError("not a whole number")
        return q.money(str(Decimal(value).scaleb(-scale)), reading)

    return read


def _instant(unit: str, zone: str | None) -> Reader:
    if unit == "iso":
        return _iso(zone)

    def read(value: Any, _: q.Reading) -> int | None:
        if value is None or value == "":
            return None
        if isinstance(value, str) and value.strip().lstrip("-").isdigit():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError("not a number")
        millis = MILLIS[unit](value)
        if not q.EARLIEST <= millis < q.LATEST:
            raise ValueError("not a time in its unit")
        return millis

    return read


def _iso(zone: str | None) -> Reader:
    said = None if zone is None else ZoneInfo(zone)

    def read(value: Any, reading: q.Reading) -> int | None:
        if value is None or value == "":
            return None
        if not isinstance(value, str) or value.strip().lstrip("-").isdigit():
            raise ValueError("not ISO 8601 text")
        if said is None and datetime.fromisoformat(value.strip()).tzinfo is None:
            raise ValueError("a time without a zone, and the entry names none")
        return q.instant(value, reading if said is None else reading._replace(zone=said))

    return read


def _day(entry: Entry, where: str) -> Reader:
    """A day: as text, as days since 1970, or of a time in the entry's zone."""
    if entry.unit is None:
        return q.day
    if entry.unit == "days":
        return _day_of_number
    if entry.zone is None:
        raise wrong(where, "the day of a time needs a zone", "Set `zone`, America/New_York say")
    instant, zone = _instant(entry.unit, entry.zone), ZoneInfo(entry.zone)

    def read(value: Any, reading: q.Reading) -> str | None:
        millis = instant(value, reading)
        if millis is None:
            return None
        return datetime.fromtimestamp(millis / 1000, UTC).astimezone(zone).date().isoformat()

    return read


def _day_of_number(value: Any, _: q.Reading) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("not a whole number of days")
    return (EPOCH + timedelta(days=value)).isoformat()


def _by_table(entry: Entry, inner: Reader, where: str, *, named: bool) -> Reader:
    table, ignored, field = entry.values, entry.ignore, where

    def read(value: Any, reading: q.Reading) -> Any:
        if value is None:
            return None
        told = _word(value)
        if told in ignored:
            return IGNORED
        if told not in table:
            if not table:
                return inner(value, reading)
            # A symbol is the schema's own word; any other value may be somebody's name.
            which = told if named else "the value"
            raise BadRecord("unknown_value", field, f"`values` does not name {which}")
        return inner(table[told], reading)

    return read


def _word(value: Any) -> str:
    """A value as `values` has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


NUMBERS = frozenset({"int", "long", "float", "double"})
WORDS = frozenset({"string", "enum"})
KINDS: Mapping[Reader, frozenset[str]] = MappingProxyType(
    {
        q.text: NUMBERS | WORDS,
        q.phone: NUMBERS | WORDS,
        q.card_expiry: WORDS,
        q.integer: NUMBERS | WORDS,
        q.number: NUMBERS | WORDS,
        q.money: NUMBERS | WORDS,
        q.boolean: WORDS | {"boolean"},
        q.instant: NUMBERS | WORDS,
        q.day: WORDS,
    }
)
"""Reader → the kinds of Avro's types that it can make something of; others take all."""


def _check_kind(entry: Entry, read: Reader, place: Place | None, where: str) -> None:
    """Another kind of value than the field holds is said at once, not record by record."""
    if place is None or not place.types:
        return
    fits = KINDS.get(read)
    if entry.values or entry.ignore:
        fits = NUMBERS | WORDS | {"boolean"}
    elif entry.scale is not None:
        fits = frozenset({"int", "long", "bytes", "fixed"})
    elif entry.unit == "iso":
        fits = WORDS
    elif entry.unit is not None:
        fits = NUMBERS | WORDS
    found = [each if isinstance(each, str) else each["type"] for each in place.types]
    if fits is not None and fits.isdisjoint(found):
        problem = f"the writer's schema has {' or '.join(found)} there"
        hint = "Name another path, or a unit, scale or values that fit"
        raise wrong(where, f"{problem}, which the field cannot hold", hint)


def symbols_of(place: Place | None) -> frozenset[str] | None:
    """The symbols at a place where the writer's schema has an enum."""
    types = (place.types or ()) if place is not None else ()
    enums = [each for each in types if isinstance(each, dict) and each["type"] == "enum"]
    return frozenset(symbol for each in enums for symbol in each["symbols"]) if enums else None


def check_symbols(entry: Entry, place: Place, where: str) -> None:
    """Raise `ConfigurationError` for a value that the writer's enum has not: a slip, most likely.

    Not for records, whose writer may be older than the newest value.
    """
    symbols = symbols_of(place)
    if symbols is None:
        return
    for value in sorted({*entry.values, *entry.ignore}):
        if value not in symbols:
            known = ", ".join(sorted(symbols))
            raise wrong(where, f"the writer's enum has no {value}", f"It has: {known}")


def read_checked(read: Callable[[], Any], where: str, detail: str) -> Any:
    """What a reader gives; what it cannot read is a dead letter that names the field."""
    try:
        return read()
    except (ValueError, OverflowError, TypeError):
        raise BadRecord("wrong_type", where, detail) from None
