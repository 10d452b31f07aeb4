"""2 derive: (row, event, stream time) → (row', facts). Pure: no clock, no I/O (DESIGN §6)."""

from __future__ import annotations

from .loyalty import derive_member, fire_member
from .subscriber import derive
from .terms import Derivation, DeriveOptions, LoyaltyOptions
from .timers import fire

__all__ = [
    "Derivation",
    "DeriveOptions",
    "LoyaltyOptions",
    "derive",
    "derive_member",
    "fire",
    "fire_member",
]
