"""Whether a merchant's API can be reached at all: while it cannot, batches do not wait for it.

It is closed when all that a batch asked stayed without an answer. Then one question now and then
tries it, for a short while; the first answer opens it for all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from streams.delivery.retry import Schedule

if TYPE_CHECKING:
    from collections.abc import Callable

Cause = Literal["away", "refused"]

PAUSES: Final = Schedule(base=15.0, cap=300.0)
"""Between two tries."""


class Reach:
    """One merchant's API. For one thread.

    Attributes:
        cause: why it is not asked; None: it is.
    """

    def __init__(self, clock: Callable[[], float], random: Callable[[], float]) -> None:
        self.cause: Cause | None = None
        self._clock = clock
        self._random = random
        self._tries = 0
        self._next = 0.0

    @property
    def may_try(self) -> bool:
        """Whether it may be asked now: one question, where there is a cause."""
        return self.cause is None or self._clock() >= self._next

    def failed(self, cause: Cause) -> None:
        """Note that nothing that was asked had an answer."""
        self.cause = cause
        self._tries += 1
        self._next = self._clock() + PAUSES.backoff(self._tries, (1.0 + self._random()) / 2)

    def answered(self) -> None:
        """Note that something had."""
        self.cause, self._tries = None, 0
