"""Who is told what happens to a connection's deliveries: its handler."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from streams.delivery.pending import Delivery


class Owner(Protocol):
    """Told by the connection's parts, on the event loop."""

    def progressed(self, delivery: Delivery) -> None:
        """A request of it ended, a record of it is with the broker, or its parts are concluded."""

    def halted(self, reason: str) -> None:
        """The vendor refuses the credentials; nothing is sent any more."""

    def stopped(self, reason: str | None) -> None:
        """The breaker opened, for this reason; None: it is closed again."""

    def cut_off(self, reason: str | None) -> None:
        """The vendor does not work, for this reason: it is tried now and then; None: it does."""

    def refused(self, reason: str | None) -> None:
        """The broker refuses records, for this reason; None: it takes them again."""

    def failed(self, error: BaseException) -> None:
        """Our own code failed where it must not; the process must end."""
