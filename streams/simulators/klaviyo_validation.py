"""What a value must look like to pass at Klaviyo: objects, texts, times, sizes.

Contract: contracts/klaviyo.md §2 ("Event limits"), §4. Kilobytes and megabytes are read as powers
of ten: the smaller reading of an ambiguous word.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from streams.simulators.klaviyo_errors import Problem

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from streams.simulators.klaviyo_switches import Switches
    from streams.simulators.shapes import JSON

__all__ = ["Findings", "check_values", "read_time"]

_STRING_BYTES = 100_000
_SURELY_SHORT = _STRING_BYTES // 4  # characters: none takes more than four bytes
_ARRAY_ITEMS = 4_000
_LEVELS = 10
_INT64 = range(-(2**63), 2**63)
_YEAR = 365 * 86_400  # seconds
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?", re.ASCII)


class Findings:
    """What the examination of one row (an event, a profile) has found.

    `problems` refuse the request; `drop` names why the row disappears after its 202;
    `ignored_phone` says that a bad phone was left out.
    """

    def __init__(self, switches: Switches, at: float, revision: str) -> None:
        self.switches = switches
        self.at = at
        self.revision = revision
        self.problems: list[Problem] = []
        self.drop: str | None = None
        self.ignored_phone = False

    def refuse(self, pointer: str, detail: str) -> None:
        """The value at `pointer` is not acceptable."""
        self.problems.append(Problem(pointer, detail))

    def exceed(
        self, what: Literal["over_limit", "time_out_of_bounds"], pointer: str, detail: str
    ) -> None:
        """The value at `pointer` is beyond a limit whose consequence is a switch."""
        fate = self.switches.over_limit
        if what == "time_out_of_bounds":
            fate = self.switches.time_out_of_bounds
        if fate == "refuse":
            self.refuse(pointer, detail)
        else:
            self.drop = self.drop or what

    def known_fields(self, value: JSON, known: AbstractSet[str], pointer: str) -> None:
        """Every field of the object must be one of the specification's."""
        if value.keys() <= known or self.switches.unknown_fields == "ignore":
            return
        for name in sorted(value.keys() - known):
            self.refuse(f"{pointer}/{name}", f"'{name}' is not a valid field here.")

    def attributes(
        self, value: object, kind: str, pointer: str, beside: AbstractSet[str] = frozenset()
    ) -> JSON | None:
        """The attributes of a resource object `{"type": kind, "attributes": {…}}`, or None.

        `beside` names what else it may have at the same level. All faults point at fields below
        `pointer`, but for a value that is no object at all.
        """
        if not isinstance(value, dict):
            self.refuse(pointer, f"Must be an object of type '{kind}'.")
            return None
        if value.get("type") != kind:
            self.refuse(f"{pointer}/type", f"The type must be '{kind}'.")
        self.known_fields(value, {"type", "attributes"} | beside, pointer)
        attributes = value.get("attributes")
        if not isinstance(attributes, dict):
            self.refuse(f"{pointer}/attributes", "Must be an object.")
            return None
        return attributes

    def text(
        self, value: object, pointer: str, *, shortest: int = 0, longest: int | None = None
    ) -> str | None:
        """A string whose length is within bounds (characters, inclusive); null is None."""
        if value is None:
            return None
        if not isinstance(value, str):
            self.refuse(pointer, "Must be a string.")
        elif len(value) < shortest or (longest is not None and len(value) > longest):
            self.refuse(pointer, f"Must have {shortest} to {longest} characters.")
        else:
            return value
        return None


def check_values(value: object, pointer: str, findings: Findings, level: int = 1) -> None:
    """Any JSON value within the limits on strings, arrays, nesting and integers.

    `level` counts objects and arrays from the outermost one, which is level 1.
    """
    if (excess := _excess(value, level)) is not None:
        findings.exceed("over_limit", pointer, excess)
    elif isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for name, item in items:
            if not isinstance(item, str) or len(item) > _SURELY_SHORT:
                check_values(item, f"{pointer}/{name}", findings, level + 1)


def _excess(value: object, level: int) -> str | None:
    """What is too large about a value itself, whatever it contains."""
    if isinstance(value, str) and len(value) > _SURELY_SHORT:
        return "A string must not exceed 100 KB." if len(value.encode()) > _STRING_BYTES else None
    if isinstance(value, int) and value not in _INT64:
        return "An integer must fit in 64 bits."
    if isinstance(value, list) and len(value) > _ARRAY_ITEMS:
        return "An array must not exceed 4,000 items."
    if isinstance(value, dict | list) and level > _LEVELS:
        return "Must not be nested over 10 levels."
    return None


def read_time(value: object, pointer: str, findings: Findings) -> int:
    """Seconds since 1970 of an event's time, cut off to the second; absent is the receipt time.

    A time without zone is read as UTC.
    """
    if value is None:
        return int(findings.at)
    moment = _moment(value)
    if moment is None:
        findings.refuse(pointer, "Must be a time in ISO 8601.")
        return int(findings.at)
    first_year = 1990 if findings.revision >= "2026-07-15" else 2000
    seconds = int((moment - _EPOCH).total_seconds() // 1)
    if moment.year < first_year or seconds > findings.at + _YEAR:
        detail = f"Must be after the year {first_year} and at most a year ahead."
        findings.exceed("time_out_of_bounds", pointer, detail)
    return seconds


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
