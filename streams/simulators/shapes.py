"""What an e-mail address and a phone number must look like to pass at a vendor.

Shared by the simulators: vendors say "valid e-mail" and "E.164" and leave it at that.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

import phonenumbers

__all__ = ["JSON", "PhoneCheck", "email_fits", "phone_fits"]

JSON = dict[str, object]
"""A parsed JSON object."""

PhoneCheck = Literal["e164", "numbering_plan"]
"""What makes a phone valid: the form of E.164, or also that some country assigns such numbers."""

_ATOM = r'[^\s@,;:<>()\[\]\\".]+'
_LABEL = r"[^\W_]([\w-]*[^\W_])?"
_EMAIL = re.compile(rf"{_ATOM}(\.{_ATOM})*@({_LABEL}\.)+{_LABEL}")
_E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)


def email_fits(email: str) -> bool:
    """Whether a text has the shape of an e-mail address."""
    return _EMAIL.fullmatch(email) is not None


@lru_cache(maxsize=4096)
def phone_fits(phone: str, check: PhoneCheck) -> bool:
    """Whether a phone number is valid in E.164, by its form or also by its country's plan."""
    if not _E164.fullmatch(phone):
        return False
    if check == "e164":
        return True
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(phone))
    except phonenumbers.NumberParseException:
        return False
