"""The targets of DESIGN §11, as every bench ends with them: target, figure, reached or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench.measure import plain_table

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Target", "at_least", "at_most", "print_targets"]


@dataclass(frozen=True, slots=True)
class Target:
    """One target.

    Attributes:
        name: what is aimed at.
        wanted: the bound, as text: `≥ 15x`.
        figure: what was measured, as text: `17.2x`.
        reached: whether it was.
    """

    name: str
    wanted: str
    figure: str
    reached: bool


def at_least(name: str, bound: float, figure: float, unit: str = "") -> Target:
    """A target whose figure must not be smaller than its bound."""
    return Target(name, f"≥ {_text(bound)}{unit}", f"{_text(figure)}{unit}", figure >= bound)


def at_most(name: str, bound: float, figure: float, unit: str = "") -> Target:
    """A target whose figure must not be larger than its bound."""
    return Target(name, f"≤ {_text(bound)}{unit}", f"{_text(figure)}{unit}", figure <= bound)


def print_targets(targets: Sequence[Target]) -> bool:
    """Print a line for each target, and return whether all were reached.

    A bench's exit status does not depend on it: a shared machine is slow at times.
    """
    rows = [
        (each.name, each.wanted, each.figure, f"reached {'yes' if each.reached else 'no'}")
        for each in targets
    ]
    print(plain_table(("target", "wanted", "figure", ""), rows))
    return all(each.reached for each in targets)


def _text(number: float) -> str:
    """Two decimals below ten, one below a hundred, none above; a whole bound is written as such."""
    if number == int(number) or number >= 100:
        return f"{number:,.0f}"
    return f"{number:.1f}" if number >= 10 else f"{number:.2f}"
