"""2 derive: (row, event, stream time) → (row', facts). Pure: no clock, no I/O (DESIGN §6)."""

from __future__ import annotations

from .subscriber import derive
from .terms import Derivation, DeriveOptions
from .timers import fire

__all__ = ["Derivation", "DeriveOptions", "derive", "fire"]
