"""2 derive: (row, event, stream time) → (row', facts). Pure: no clock, no I/O (DESIGN §6)."""

from __future__ import annotations

from .facts import Derivation, DeriveOptions, Fact
from .subscriber import derive

__all__ = ["Derivation", "DeriveOptions", "Fact", "derive"]
