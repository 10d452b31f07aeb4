"""One looks for all: what takes long to be seen is asked for once, however many pages are open."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Told = TypeVar("Told")

_OLD_SECONDS: Final = 60.0
"""What is older is waited for anew: longer than a broker that is away is asked."""


class _Seen(NamedTuple, Generic[Told]):
    """What was seen, or why nothing was; `at` is when the look was over."""

    at: float
    told: Told | Exception


class Looks(Generic[Told]):
    """Looks that are shared by all who ask, from any thread.

    A look that fails is kept like another: a broker that is away is waited for by one thread, and
    not by each that asks, one after another.
    """

    def __init__(
        self,
        look: Callable[[], Told],
        seconds: float,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare.

        Args:
            look: one thread's at a time.
            seconds: for which what was seen is good.
            clock: seconds that never go back.
        """
        self._look = look
        self._seconds = seconds
        self._clock = clock
        self._looking = threading.Lock()
        self._seen: _Seen[Told] | None = None

    def now(self) -> Told:
        """What is seen now, or was just; while somebody looks, what was seen last.

        Raises what the look has raised. Waits only where nothing was seen for long.
        """
        seen = self._seen
        if self._looking.acquire(blocking=self._is_over(seen, _OLD_SECONDS)):
            try:
                seen = self._seen
                if seen is None or self._is_over(seen, self._seconds):
                    told = self._looked()
                    seen = self._seen = _Seen(self._clock(), told)
            finally:
                self._looking.release()
        assert seen is not None  # noqa: S101 - else it was waited for
        if isinstance(seen.told, Exception):
            raise seen.told
        return seen.told

    def forget(self) -> None:
        """Look anew next time. Waits for a look that began before."""
        with self._looking:
            self._seen = None

    def _is_over(self, seen: _Seen[Told] | None, seconds: float) -> bool:
        return seen is None or self._clock() - seen.at > seconds

    def _looked(self) -> Told | Exception:
        try:
            return self._look()
        except Exception as error:  # noqa: BLE001 - raised again for each that asks
            return error
