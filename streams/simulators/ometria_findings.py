"""What validation finds in one record sent to Ometria: errors, and what it takes unwillingly.

Contract: contracts/ometria.md §2 (an error has a message and a path such as `root > lastname`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["NOT_VALID", "ROOT", "TOO_LARGE", "Findings", "Flag", "FlagName", "Problem", "below"]

ROOT = "root"
NOT_VALID = "not a valid value"
"""What Ometria says of nearly everything (ERRS)."""
TOO_LARGE = "Payload invalid: Record is too large."

FlagName = Literal[
    "blank", "cut", "optin", "personal_id", "unknown_event_type", "unknown_field",
    "unknown_property",
]  # fmt: skip
"""What Ometria takes and a careful sender avoids: a blank value, an `event_type` over 32
characters, anything about consent, an id with an address in it, names that were never created."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a record is not stored: what Ometria says, where, and, for tests only, the reason."""

    path: str
    reason: str
    message: str = NOT_VALID


@dataclass(frozen=True, slots=True)
class Flag:
    """Something that is taken and worth a test's attention, and its path."""

    name: FlagName
    path: str


@dataclass(slots=True)
class Findings:
    """Everything found in one record, in the order of its fields."""

    problems: list[Problem] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)

    def refuse(self, path: str, reason: str, message: str = NOT_VALID) -> None:
        """Note an error."""
        self.problems.append(Problem(path, reason, message))

    def flag(self, name: FlagName, path: str) -> None:
        """Note something that is taken all the same."""
        self.flags.append(Flag(name, path))

    def unknown(self, name: FlagName, path: str, *, refused: bool) -> None:
        """Note a name that was never created: an error or a flag."""
        if refused:
            self.refuse(path, "There is no such name.")
        else:
            self.flag(name, path)


def below(*names: str) -> str:
    """The path of a value: `root > properties > total_value`."""
    return " > ".join((ROOT, *names))
