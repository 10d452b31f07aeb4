"""The custom fields of contacts: addressed by number, each with its own kind of value.

Contract: contracts/yespo.md §4.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING

from streams.simulators.yespo_errors import BadRow, one_or_many

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from streams.simulators.shapes import JSON
    from streams.simulators.yespo_switches import CustomField, FieldType, Switches

__all__ = ["address_books", "read_custom_fields"]

_ADDRESS_BOOK = 7200
_TEXT = 1_000  # characters
_AREA = 5_000
_INT32 = range(-(2**31), 2**31)
_PAIR = {"id", "value"}


def read_custom_fields(value: object, switches: Switches) -> dict[int, str | None]:
    """Examine `fields`: `[{"id": …, "value": "…"}]`; None for an empty value. Raises BadRow."""
    if value is None:
        return {}
    if not isinstance(value, list):
        raise BadRow("fields", "fields must be a list")
    known = {field.id: field for field in switches.custom_fields}
    found: dict[int, str | None] = {}
    for index, each in enumerate(value):
        where = f"fields/{index}"
        if not isinstance(each, dict) or not each.keys() <= _PAIR:
            raise BadRow(where, "A field must have id and value")
        number = each.get("id")
        if isinstance(number, bool) or not isinstance(number, int):
            raise BadRow(f"{where}/id", "The id of a field must be a number")
        if number not in known:
            raise BadRow(f"{where}/id", f"There is no field {number}")
        found[number] = _value(each.get("value"), known[number], f"{where}/value")
    return found


def address_books(switches: Switches) -> JSON:
    """The body of `GET /v1/addressbooks`: one book, one group, its fields."""
    fields = [
        {
            "id": field.id,
            "name": field.name,
            "fieldKey": field.name.upper().replace(" ", "_"),
            "description": {
                "type": field.type,
                "allowedValues": {"possibleValues": list(field.values)} if field.values else {},
                "required": False,
                "readonly": False,
            },
        }
        for field in switches.custom_fields
    ]
    group = {
        "name": "Personal",
        "profileKey": "PERSONAL",
        "fields": one_or_many(fields, switches),
    }
    book = {
        "addressBookId": _ADDRESS_BOOK,
        "name": "Main",
        "fieldGroups": one_or_many([group], switches),
    }
    return {"addressBook": one_or_many([book], switches)}


def _value(value: object, field: CustomField, where: str) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise BadRow(where, "The value of a field must be a string")
    fits = _in_list(value, field) if field.type in _LISTS else _FITS[field.type](value)
    if not fits:
        raise BadRow(where, f"Not a value of field {field.id}, which is a {field.type}")
    return value


def _in_list(value: str, field: CustomField) -> bool:
    """One of a closed list; of a list with boxes any number, with commas between (assumed)."""
    chosen = value.split(",") if field.type == "CHECKBOXLIST" else [value]
    return all(each.strip() in field.values for each in chosen)


def _is_date(value: str) -> bool:
    return _is_made(value, r"\d{4}-\d\d-\d\d", date.fromisoformat)


def _is_datetime(value: str) -> bool:
    return _is_made(value, r"\d{4}-\d\d-\d\dT\d\d:\d\d", datetime.fromisoformat)


def _is_made(value: str, form: str, make: Callable[[str], object]) -> bool:
    if not re.fullmatch(form, value, re.ASCII):
        return False
    try:
        make(value)
    except ValueError:
        return False
    return True


_LISTS: frozenset[FieldType] = frozenset({"COMBOBOX", "CHECKBOXLIST"})
_FITS: Mapping[FieldType, Callable[[str], bool]] = {
    "TEXTFIELD": lambda value: len(value) <= _TEXT,
    "TEXTAREA": lambda value: len(value) <= _AREA,
    "NUMBER": lambda value: (
        re.fullmatch(r"-?\d{1,10}", value, re.ASCII) is not None and int(value) in _INT32
    ),
    "DECIMAL": lambda value: re.fullmatch(r"-?\d{1,15}(\.\d{1,15})?", value, re.ASCII) is not None,
    "DATE": _is_date,
    "DATETIME": _is_datetime,
}
