"""How the processes that share an account divide its rates: pure.

Every process computes all shares from the same heartbeats, so that all come to the same without
asking each other. A process that others gave up a share for must still wait: what they started
counts in the vendor's window until the window's length has passed (`Delayed`).
"""

from __future__ import annotations

from collections import deque
from math import ceil
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

FLOOR: Final = 0.02
"""The least share of a live process: it must be able to begin, and be seen to want more."""

_HEADROOM: Final = 1.1
"""What a process without a backlog is granted, by what it uses: it must be able to see more."""

_STEP: Final = 0.01
"""Such grants are whole percents, so that they seldom change: each growth costs a window's wait."""


class Want(NamedTuple):
    """What a process wants of an endpoint.

    Attributes:
        demand: requests a second: those that it starts, or if there is a backlog, what would work
            it off in some seconds.
        backlog: whether the limit holds much back.
    """

    demand: float = 0.0
    backlog: bool = False


def shares(wants: Mapping[str, Want], allowed: float) -> dict[str, float]:
    """The share of each process, together 1 (nothing for nobody).

    Where there is enough, everybody gets what it wants, and an equal part of the rest. Else who has
    no backlog gets what it uses, and a little more; what is left goes to those with a backlog in
    proportion to their demand, as one process for all would serve them.

    Args:
        wants: by process; the live ones.
        allowed: requests a second of the account.
    """
    if not wants:
        return {}
    needs = {
        name: ceil(want.demand * _HEADROOM / allowed / _STEP) * _STEP
        for name, want in wants.items()
    }
    rest = 1.0 - sum(needs.values())
    if rest >= 0.0:
        return _raised({name: need + rest / len(needs) for name, need in needs.items()})
    calm = {name: need for name, need in needs.items() if not wants[name].backlog}
    waiting = {name: need for name, need in needs.items() if wants[name].backlog and need}
    found = dict.fromkeys(wants, 0.0) | calm
    left = 1.0 - sum(calm.values())
    if not waiting or left <= 0.0:
        return _raised(_scaled(found, 1.0))
    return _raised(found | _scaled(waiting, left))


def _scaled(shares: dict[str, float], total: float) -> dict[str, float]:
    """In the same proportion, and together so much."""
    now = sum(shares.values())
    return {name: share / now * total for name, share in shares.items()}


def _raised(found: dict[str, float]) -> dict[str, float]:
    """Nobody below the floor; what that takes comes from those above it, as they are above."""
    floor = floor_of(len(found))
    lacking = sum(floor - share for share in found.values() if share < floor)
    above = sum(share - floor for share in found.values() if share > floor)
    if not lacking:
        return found
    keep = max(0.0, 1.0 - lacking / above)
    return {name: floor + max(0.0, share - floor) * keep for name, share in found.items()}


def floor_of(processes: int) -> float:
    """The least share of each of so many processes: all together a tenth at most."""
    return min(FLOOR, 0.1 / processes)


class Portion(NamedTuple):
    """What one process may start of a window: so many requests in `stretch` times its seconds."""

    requests: int
    stretch: float = 1.0

    @property
    def rate(self) -> float:
        """Requests in each of the vendor's windows, on average."""
        return self.requests / self.stretch


NOTHING: Final = Portion(0)


def least(count: float) -> Portion:
    """The portion of so many requests a window, which may be less than one."""
    if count <= 0:
        return NOTHING
    return Portion(int(count)) if count >= 1 else Portion(1, 1 / count)


def portions(count: int, shares: Mapping[str, float]) -> dict[str, Portion]:
    """A window's requests by process: whole numbers, together never more than `count`.

    Whole, because two processes with 3.9 of 8 would each start 4 in one window at times, and with
    4.2 each 5. Each gets one at least; where there are more processes than requests, each waits
    its turn: one in several windows.
    """
    if count < len(shares):
        return dict.fromkeys(shares, Portion(1, len(shares) / count))
    exact = {name: share * count for name, share in shares.items()}
    whole = {name: int(each + 1e-9) for name, each in exact.items()}
    by_remainder = sorted(shares, key=lambda name: (whole[name] - exact[name], name))
    for name in by_remainder[: max(0, count - sum(whole.values()))]:
        whole[name] += 1
    for name in sorted(shares):
        while not whole[name] or sum(whole.values()) > count:
            largest = max(sorted(shares), key=lambda each: whole[each])
            whole[largest] -= 1
            whole[name] += not whole[name]
    return {name: Portion(each) for name, each in whole.items()}


class Delayed:
    """A process's portion of one window as it may be used: smaller at once, larger only later.

    So it is the smallest of those that were told within the delay: until then what others started
    under their larger ones may be in the vendor's window.
    """

    def __init__(self, delay: float, first: Portion, now: float) -> None:
        """Begin with a portion that may be used at once.

        Args:
            delay: seconds.
            first: all, if nobody else is there; else `NOTHING`.
            now: monotonic seconds.
        """
        self._delay = delay
        self._told = deque([(now, first)])

    def tell(self, portion: Portion, now: float) -> None:
        """Take what it is from now on."""
        if portion != self._told[-1][1]:
            self._told.append((now, portion))

    def at(self, now: float) -> Portion:
        """What may be used."""
        told = self._told
        while len(told) > 1 and told[1][0] <= now - self._delay:  # the next one is older, too
            told.popleft()
        return min((portion for _, portion in told), key=lambda each: each.rate)
