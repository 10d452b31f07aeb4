"""What each round does, drawn from the seed: the same seed gives the same faults. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KINDS: Final = (
    "down",
    "refused",
    "throttled",
    "throttled-silently",
    "slow",
    "resets",
    "kill",
    "freeze",
    "revoked",
    "rotated",
)
"""`down` answers 503, `refused` is no listener at all, `throttled` is 429 with and without a
Retry-After, `slow` answers after seconds, `resets` break off what was taken; `kill` and `freeze`
meet a worker (SIGKILL; SIGSTOP for longer than the session lasts); `revoked` credentials work again
later, `rotated` ones are replaced by new ones."""

OF_WORKERS: Final = frozenset({"kill", "freeze"})
"""These meet a worker, and so both connections; all others the victim's vendor alone."""

_VENDORS: Final = ("klaviyo", "attentive", "ometria", "yespo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One round, as far as it can be said before it.

    Attributes:
        number: from 1.
        kind: the fault.
        seed: of the round's shop, and of chance within the round.
        victim: the connection that has the trouble, called after its vendor.
        bystander: the other one.
        after: seconds under load before the fault.
        down: seconds that the fault lasts, where it lasts.
    """

    number: int
    kind: str
    seed: int
    victim: str
    bystander: str
    after: float
    down: float

    @property
    def connections(self) -> tuple[str, str]:
        """Both."""
        return self.victim, self.bystander

    @property
    def title(self) -> str:
        """The fault, whose it is, and who stands by."""
        return f"{self.kind} of {self.victim} (beside {self.bystander})"


def plans(seed: int, kinds: Sequence[str]) -> Iterator[Plan]:
    """Rounds without end: every kind comes once before any comes again, in an order by chance."""
    chance = Random(f"delivery chaos {seed}")
    number = 0
    while True:
        for kind in chance.sample(kinds, len(kinds)):
            number += 1
            victim, bystander = chance.sample(_VENDORS, 2)
            yield Plan(
                number=number,
                kind=kind,
                seed=chance.getrandbits(32),
                victim=victim,
                bystander=bystander,
                after=chance.uniform(2.5, 3.5),
                down=chance.uniform(2.5, 5.0),
            )
