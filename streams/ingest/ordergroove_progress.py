"""How the questions to a merchant's account get on: which are tried, which are held back.

Whoever waits for many of them at once learns by it whether it waits for an API that is away, or for
the time at which the API, or our own limit, lets it ask.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Progress"]


@dataclass(slots=True)
class Progress:
    """Of one account. For one event loop.

    Attributes:
        tried: questions on their way, or to be asked again after what is no answer.
        held: questions that may not be asked now: our own limit is reached, or a 429 said when.
        heard: how often the API was there so far, be it with a 423 or a 429.
    """

    tried: int = 0
    held: int = 0
    heard: int = 0

    @contextmanager
    def trying(self) -> Iterator[None]:
        """One question, until it has an answer or is given up."""
        self.tried += 1
        try:
            yield
        finally:
            self.tried -= 1

    @contextmanager
    def holding(self) -> Iterator[None]:
        """One question that is tried, as long as it may not be asked."""
        self.tried -= 1
        self.held += 1
        try:
            yield
        finally:
            self.held -= 1
            self.tried += 1
