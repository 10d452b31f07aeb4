"""How long somebody who was let in stays inside: it counts for pages that stand open, too.

Nothing here asks a clock: times are handed in.
"""

from __future__ import annotations

import math
from typing import Final

PROXIED_SECONDS: Final = 180.0
"""After which a proxy must have let somebody through again; open pages ask each minute."""

_KEPT: Final = 10_000
"""Stays that are remembered, at most: a flood forgets the oldest."""


class Stay:
    """Somebody's stay, shared by all their pages.

    Attributes:
        key: what tells it from others: of their session, or of their name at the proxy; None: the
            stay of whoever is not asked, which has no end.
        role: in which they were let in.
        until: epoch seconds.
    """

    def __init__(
        self, key: str | None = None, role: str = "operate", until: float = math.inf
    ) -> None:
        self.key = key
        self.role = role
        self.until = until
        self._ended = False

    @property
    def ended(self) -> bool:
        """Whether it was ended before its time."""
        return self._ended

    def end(self) -> None:
        """Let it be over now, on all pages."""
        self._ended = True

    def is_over(self, now: float) -> bool:
        """Whether they are inside no more; `now` in epoch seconds."""
        return self._ended or self.until < now


class Stays:
    """The stays of all who are inside."""

    def __init__(self) -> None:
        self._known: dict[str, Stay] = {}

    def kept(self, stay: Stay, now: float) -> Stay | None:
        """The stay that somebody who is let in now goes on with; None: they have signed out.

        Whoever comes in another role than before has a new one, and the former is over.
        """
        if stay.key is None:
            return stay
        known = self._known.pop(stay.key, stay)
        if known.role != stay.role:
            known.end()
            known = stay
        known.until = max(known.until, stay.until)
        self._known[stay.key] = known
        if len(self._known) > _KEPT:
            self._forget(now)
        return None if known.ended else known

    def _forget(self, now: float) -> None:
        """Forget those whose time is over, else the oldest."""
        self._known = {key: each for key, each in self._known.items() if each.until >= now}
        while len(self._known) > _KEPT:
            del self._known[next(iter(self._known))]
