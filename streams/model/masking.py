"""What is shown of a person to those who did not ask for it: enough to tell two people apart.

By field name, at any depth of a row's text (`row_text`), so a field means one thing everywhere.
What can be redeemed by whoever reads it, as a coupon's code, is hidden too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

HIDDEN = "***"


def masked_email(email: str) -> str:
    """`nina@shop-demo.io` → `n***@shop-demo.io`."""
    name, at, domain = email.rpartition("@")
    return f"{name[:1]}{HIDDEN}{at}{domain}" if at else HIDDEN


def masked_phone(number: str) -> str:
    """`+12125550147` → `***47`."""
    return f"{HIDDEN}{number[-2:]}" if len(number) > 4 else HIDDEN


def initial(name: str) -> str:
    """`Nina` → `N.`."""
    return f"{name[0]}." if name else name


def hidden(text: str) -> str:
    """Nothing of what somebody may have written in their own words."""
    return HIDDEN if text else text


MASKS: dict[str, Callable[[str], str]] = {
    "email": masked_email,
    "own_email": masked_email,
    "phone_number": masked_phone,
    "first_name": initial,
    "last_name": initial,
    "cancel_reason": hidden,
    "rejected_message": hidden,
    "description": hidden,
    "address": hidden,
    "address2": hidden,
    "city": hidden,
    "zip_postal_code": hidden,
    "cc_number_ending": hidden,
    "cc_exp_date": hidden,
    "birthday": hidden,
    "birthday_month": hidden,
    "birthday_day": hidden,
    "next_birthday": hidden,
    "coupon_code": hidden,
}
"""Field name → how its text is shown; of what is no text nothing is."""


def masked(text: Any) -> Any:
    """A row's text with everything personal masked; it keeps its shape."""
    if isinstance(text, Mapping):
        return {name: _field(name, each) for name, each in text.items()}
    if isinstance(text, list):
        return [masked(each) for each in text]
    return text


def _field(name: str, value: Any) -> Any:
    mask = MASKS.get(name)
    return masked(value) if mask is None else _under(mask, value)


def _under(mask: Callable[[str], str], value: Any) -> Any:
    """All that stands in a masked field, however deep; what is unknown stays so."""
    if isinstance(value, Mapping):
        return {name: _under(mask, each) for name, each in value.items()}
    if isinstance(value, list):
        return [_under(mask, each) for each in value]
    if isinstance(value, str):
        return mask(value)
    return value if value is None else HIDDEN
