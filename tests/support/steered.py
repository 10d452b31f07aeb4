"""A connection's handler as `streams.control` knows it: it notes what it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.errors import ConfigurationError

if TYPE_CHECKING:
    from streams.delivery.gate import Gate


class Handler:
    """What was asked, in order.

    Attributes:
        told: pauses with their reasons, resumptions, new credentials.
        gates: that it was governed by.
    """

    def __init__(self) -> None:
        self.told: list[str] = []
        self.gates: list[Gate] = []

    @property
    def gate(self) -> Gate:
        """The last one."""
        return self.gates[-1]

    @property
    def modes(self) -> list[tuple[str, float]]:
        """Mode and percentage of each gate that differs from the one before."""
        found = [(each.mode, each.percentage) for each in self.gates]
        return [each for n, each in enumerate(found) if n == 0 or each != found[n - 1]]

    def govern(self, gate: Gate) -> None:
        """Note it."""
        self.gates.append(gate)

    def pause(self, reason: str) -> None:
        """Note it."""
        self.told.append(f"pause: {reason}")

    def resume(self) -> None:
        """Note it."""
        self.told.append("resume")

    def authorize(self, credentials: str) -> None:
        """Note it; what has a space is taken for no credentials."""
        if " " in credentials:
            raise ConfigurationError("credentials", "no header can carry them", "Mend them")
        self.told.append(f"authorize: {credentials}")
