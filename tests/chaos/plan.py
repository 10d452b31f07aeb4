"""What each round does, drawn from the seed: the same seed gives the same faults. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Literal

from streams.cli.worker.rehearsal import OPEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WORKERS = (
    "kill",
    "kill-step",
    "kill-restore",
    "term",
    "freeze",
    "scale",
    "skew",
    "fence",
    "poison",
    "unknown-schema",
)
"""Faults of workers and of what they read."""
BROKER = ("broker-kill", "broker-stop")
"""Faults of a broker, on one or on several."""
CLUSTER = ("transaction-leader-kill", "changelog-leader-kill")
"""Faults that leave a majority of several brokers."""

_MINUTE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One round, as far as it can be said before it.

    Attributes:
        number: from 1.
        kind: the fault.
        seed: of the round's shop, and of chance within the round.
        step: where `kill-step` cuts.
        times: at which of that step's occurrences.
        after: seconds under load before the fault.
        down: seconds until what was killed comes back.
        static: whether members keep a name and so their partitions (`group.instance.id`).
        protocol: how the group is led.
        clocks: seconds by which each worker's clock is wrong (`skew`).
    """

    number: int
    kind: str
    seed: int
    step: str
    times: int
    after: float
    down: float
    static: bool
    protocol: Literal["classic", "consumer"]
    clocks: tuple[int, int, int]

    @property
    def title(self) -> str:
        """The fault and the way of membership, in words."""
        at = f"@{self.step}#{self.times}" if self.kind == "kill-step" else ""
        clocks = f" {'/'.join(f'{each:+}' for each in self.clocks)} s" if any(self.clocks) else ""
        return (
            f"{self.kind}{at}{clocks} ({'static' if self.static else 'dynamic'}, {self.protocol})"
        )


def known_kinds(brokers: int) -> tuple[str, ...]:
    """The faults that so many brokers can be put to."""
    return WORKERS + BROKER + (CLUSTER if brokers > 1 else ())


def plans(seed: int, kinds: Sequence[str]) -> Iterator[Plan]:
    """Rounds without end: every kind comes once before any comes again, in an order by chance."""
    chance = Random(f"chaos {seed}")
    number = 0
    while True:
        for kind in chance.sample(kinds, len(kinds)):
            number += 1
            yield _plan(chance, number, kind)


def _plan(chance: Random, number: int, kind: str) -> Plan:
    clocks = [chance.choice((-1, 1)) * chance.randint(2 * _MINUTE, 15 * _MINUTE) for _ in range(3)]
    return Plan(
        number=number,
        kind=kind,
        seed=chance.getrandbits(32),
        step=chance.choice(OPEN),
        times=chance.randint(2, 20),
        after=chance.uniform(0.2, 2.0),
        down=chance.uniform(0.0, 1.0),
        static=chance.random() < 0.5,
        protocol="consumer" if chance.random() < 0.3 else "classic",
        clocks=(clocks[0], -clocks[0], clocks[2]) if kind == "skew" else (0, 0, 0),
    )
