"""What the API has answered: for the batch at hand, and a while longer what is nobody's.

Products are a shop's and are kept for an hour. So is, for some minutes, that there is nothing under
an id. What is told of a customer goes into the customer's row and stays nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from .entities import Entity
    from .wants import Want

PRODUCTS: Final = 20_000
"""Products kept at most; the one that was asked for first goes first."""

NOTHINGS: Final = 100_000
"""Ids with nothing under them, likewise."""


class Answer(NamedTuple):
    """What the API has: one entity, or an order's items; none where it has nothing.

    `at` is when it said so, epoch milliseconds.
    """

    entities: tuple[Entity, ...] | None
    at: int


class _Aged:
    """A bounded memory of what holds for a while."""

    def __init__(self, age: float, limit: int, clock: Callable[[], float]) -> None:
        self._age = age
        self._limit = limit
        self._clock = clock
        self._kept: dict[tuple[str, str, str], tuple[float, Answer]] = {}

    def get(self, key: tuple[str, str, str]) -> Answer | None:
        until, answer = self._kept.get(key, (0.0, None))
        return answer if until > self._clock() else None

    def keep(self, key: tuple[str, str, str], answer: Answer) -> None:
        self._kept.pop(key, None)
        self._kept[key] = self._clock() + self._age, answer
        if len(self._kept) > self._limit:
            self._kept.pop(next(iter(self._kept)))


class Answers:
    """The answers of one process. For one thread."""

    def __init__(
        self, clock: Callable[[], float], product_age: float, nothing_age: float = 600.0
    ) -> None:
        """Prepare.

        Args:
            clock: seconds.
            product_age: seconds for which a product is not asked for again.
            nothing_age: … or what there is nothing of.
        """
        self._batch: dict[tuple[str, str, str], Answer] = {}
        self._products = _Aged(product_age, PRODUCTS, clock)
        self._nothings = _Aged(nothing_age, NOTHINGS, clock)

    def begin(self) -> None:
        """Forget what was for the batch before."""
        self._batch = {}

    def of(self, merchant: str, want: Want) -> Answer | None:
        """What was answered; None where that is not known. It holds until the next batch."""
        key = merchant, want.what, want.id
        found = self._batch.get(key) or self._products.get(key) or self._nothings.get(key)
        if found is not None:
            self._batch[key] = found
        return found

    def note(self, merchant: str, want: Want, answer: Answer) -> None:
        """Keep an answer."""
        key = merchant, want.what, want.id
        self._batch[key] = answer
        if answer.entities is None:
            self._nothings.keep(key, answer)
        elif want.what == "product":
            self._products.keep(key, answer)
