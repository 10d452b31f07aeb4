"""A merchant's own records → ours, by configuration (DESIGN §6: path | const | key).

terms      what a mapping says
tables     our fields that may be mapped, and how each is read
paths      places in a record, held against its writer's schema
values     units, zones, scales, tables of values
keys       what the record's key is made of
entities   one table of entries, compiled
compiling  the whole mapping, compiled: a record as written → records in our own shape
coverage   which of our fields a mapping tells
reader     bytes → events, for derive; bytes → whose, for rekey
printed    JSON → records, for explain
"""

from __future__ import annotations

from .compiling import Compiled, compiled
from .coverage import Judged, coverage, types_of
from .keys import key_of
from .printed import printed_reader
from .reader import events_of_records, events_reader, is_ours, owner_reader
from .terms import SETTING, Entry, Mapping, Table

__all__ = [
    "SETTING",
    "Compiled",
    "Entry",
    "Judged",
    "Mapping",
    "Table",
    "compiled",
    "coverage",
    "events_of_records",
    "events_reader",
    "is_ours",
    "key_of",
    "owner_reader",
    "printed_reader",
    "types_of",
]
