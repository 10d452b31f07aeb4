"""The attributes that the simulated Attentive account knows, and what each of them takes.

Contract: contracts/attentive.md §3 (the first value sets the type for good; texts are guessed at;
attributes made in Attentive's pages take only their options), pitfalls 8 and 9.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from streams.simulators.attentive_errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.simulators.attentive_switches import Switches

__all__ = ["Attribute", "Attributes", "Kind", "kind_of"]

Kind = Literal["boolean", "number", "date", "text"]

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d(T.+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute: its type, and the request (by sequence) whose value made it so."""

    name: str
    kind: Kind
    since: int


class Attributes:
    """All attributes that came with requests; those with options are known from the switches."""

    def __init__(self) -> None:
        self._known: dict[str, Attribute] = {}

    def __iter__(self) -> Iterator[Attribute]:
        return iter(self._known.values())

    def judge(self, name: str, value: object, switches: Switches) -> str | None:
        """None where the value is to be kept, else why it is not; raises Refused with 400."""
        if value is None:
            return _switched(switches.null_attribute, "null", name)
        if (options := switches.options.get(name)) is not None:
            if value not in options:
                raise Refused(400, f"/properties/{name}", "Not one of the attribute's options.")
            return None
        if value == "" and (why := _switched(switches.empty_attribute, "empty", name)):
            return why
        known = self._known.get(name)
        if known is None or _fits(value, known.kind):
            return None
        return _switched(switches.type_mismatch, "type_mismatch", name)

    def learn(self, name: str, value: object, switches: Switches, sequence: int) -> None:
        """The first value of an attribute fixes its type."""
        if value is not None and name not in switches.options:
            self._known.setdefault(name, Attribute(name, kind_of(value), sequence))


def kind_of(value: object) -> Kind:
    """The type that a value has, or that a text is taken for: "24" is a number, "TRUE" a boolean.

    Which texts are taken for what is documented by these two alone; dates are our guess.
    """
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if not isinstance(value, str):
        return "text"
    if value.lower() in {"true", "false"}:
        return "boolean"
    if _NUMBER.fullmatch(value):
        return "number"
    return "date" if _DATE.fullmatch(value) and _is_date(value) else "text"


def _fits(value: object, kind: Kind) -> bool:
    """Every text fits an attribute of texts, whatever it might be taken for elsewhere."""
    return isinstance(value, str) if kind == "text" else kind_of(value) == kind


def _is_date(text: str) -> bool:
    try:
        return bool(datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text))
    except ValueError:
        return False


def _switched(switch: str, why: str, name: str) -> str | None:
    if switch == "refuse":
        raise Refused(400, f"/properties/{name}", f"Not a value for this attribute: {why}.")
    return why if switch == "ignore" else None
