"""The fields of one object of a request, read one by one: texts, numbers, addresses, phones.

Contract: contracts/yespo.md §1 (dates), §2 (types of an order's fields), §4 (of a contact's).
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from streams.simulators.shapes import email_fits
from streams.simulators.yespo_errors import BadRow

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from streams.simulators.shapes import JSON
    from streams.simulators.yespo_switches import Switches

__all__ = ["Fields", "check_email", "check_phone"]

_LARGEST = 10**15  # beyond it cents are lost
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,15})?", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_PHONES = {
    "digits": re.compile(r"\d{5,15}", re.ASCII),
    "plus": re.compile(r"\+?\d{5,15}", re.ASCII),
}


class Fields:
    """One object and where it stands (`items/0/`, or "" for the row itself).

    `lenient` reads null and empty texts as absent, whatever the switch says. All methods raise
    BadRow that names the field.
    """

    def __init__(
        self, value: object, place: str, switches: Switches, *, lenient: bool = False
    ) -> None:
        if not isinstance(value, dict):
            raise BadRow(place.rstrip("/"), f"{place.rstrip('/') or 'It'} must be an object")
        self.value: JSON = value
        self._place = place
        self._switches = switches
        self._lenient = lenient or switches.empty_values == "absent"

    def only(self, known: AbstractSet[str]) -> None:
        """Every field must be one of these."""
        if self._switches.unknown_fields == "refuse":
            for name in self.value:
                if name not in known:
                    raise self.bad(name, "is not a field")

    def bad(self, name: str, what: str) -> BadRow:
        """What is wrong with a field: `currency is empty`."""
        return BadRow(f"{self._place}{name}", f"{name} {what}")

    def given(self, name: str, *, required: bool) -> object:
        """The value of a field; None where it is absent and may be."""
        value = self.value.get(name)
        if value is not None and not (isinstance(value, str) and not value.strip()):
            return value
        if required or (name in self.value and not self._lenient):
            raise self.bad(name, "is empty")
        return None

    def text(self, name: str, *, required: bool = False) -> str | None:
        """A text; None only where none is required."""
        value = self.given(name, required=required)
        return None if value is None else self._text(name, value)

    def required_text(self, name: str) -> str:
        """A text that must be there."""
        return self._text(name, self.given(name, required=True))

    def number(self, name: str, *, required: bool = False) -> float | None:
        """A number, or by the switch a text that is one; None only where none is required."""
        value = self.given(name, required=required)
        return None if value is None else self._number(name, value)

    def required_number(self, name: str) -> float:
        """A number that must be there."""
        return self._number(name, self.given(name, required=True))

    def _text(self, name: str, value: object) -> str:
        if not isinstance(value, str):
            raise self.bad(name, "must be a string")
        return value

    def _number(self, name: str, value: object) -> float:
        if isinstance(value, str) and self._switches.number_strings == "accept":
            value = float(value) if _NUMBER.fullmatch(value) else value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.bad(name, "must be a number")
        if not -_LARGEST < value < _LARGEST:
            raise self.bad(name, "is too large")
        return value

    def email(self, name: str) -> str | None:
        """An e-mail address."""
        value = self.text(name)
        if value is not None:
            check_email(value, f"{self._place}{name}")
        return value

    def phone(self, name: str) -> str | None:
        """A phone number."""
        value = self.text(name)
        if value is not None:
            check_phone(value, f"{self._place}{name}", self._switches)
        return value

    def time(self, name: str) -> str:
        """A required time in ISO 8601, as it was sent."""
        value = self.required_text(name)
        found = _TIME.fullmatch(value)
        if found is None:
            raise self.bad(name, "must be a time in ISO 8601")
        if found[2] is None and self._switches.local_dates == "refuse":
            raise self.bad(name, "must have an offset")
        try:
            datetime.fromisoformat(value)
        except ValueError:
            raise self.bad(name, "is no time that there is") from None
        return value


def check_email(value: str, where: str) -> None:
    """Raises BadRow for what is no e-mail address."""
    if not email_fits(value):
        raise BadRow(where, "email is not valid")


def check_phone(value: str, where: str, switches: Switches) -> None:
    """Raises BadRow for what is no phone number."""
    if not _PHONES[switches.phone_form].fullmatch(value):
        raise BadRow(where, "phone is not valid")
