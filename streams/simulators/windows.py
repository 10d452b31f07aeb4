"""Rate limits in fixed windows of one second and one minute, per account and endpoint.

Shared by the simulators. Windows begin at whole seconds and whole minutes of the clock, as a
vendor's own counters do, so a sender that spreads its requests evenly and one that sends in bursts
see different answers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["FixedWindows", "Limit", "Verdict", "limits_factor"]


@dataclass(frozen=True, slots=True)
class Limit:
    """How many requests one account may make to one endpoint: each second, and each minute."""

    burst: int
    steady: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request is within its limits, and what the vendor's headers say of it.

    `limit` is the one in force; `remaining` and `reset` (whole seconds) speak of the window of one
    minute; `retry_after` is the number of whole seconds until the exceeded window ends, 0 where the
    request is allowed.
    """

    limit: Limit
    remaining: int
    reset: int
    retry_after: int

    @property
    def allowed(self) -> bool:
        """Whether the request may pass."""
        return self.retry_after == 0


@dataclass(slots=True)
class _Window:
    seconds: int
    number: int = -1
    used: int = 0

    def roll(self, at: float, taken_at_start: int) -> None:
        number = int(at // self.seconds)
        if number != self.number:
            self.number, self.used = number, taken_at_start

    def remaining_seconds(self, at: float) -> float:
        return (self.number + 1) * self.seconds - at


class FixedWindows:
    """Counters for every (account, endpoint).

    `factor` scales the vendor's numbers (None: no limits at all). `stolen_share` is the part of
    each window, 0 to 1, that a stranger with the same account has used up before we come. A
    refused request uses nothing.
    """

    def __init__(self, factor: float | None, stolen_share: float = 0.0) -> None:
        self._factor = factor
        self._stolen_share = stolen_share
        self._windows: dict[tuple[str, str], tuple[_Window, _Window]] = {}

    def take(self, account: str, endpoint: str, limit: Limit, at: float) -> Verdict | None:
        """Count one request at time `at` (seconds since 1970); None where nothing limits."""
        if self._factor is None:
            return None
        scaled = Limit(
            max(1, int(limit.burst * self._factor)), max(1, int(limit.steady * self._factor))
        )
        pair = self._windows.get((account, endpoint))
        if pair is None:
            pair = self._windows[account, endpoint] = (_Window(1), _Window(60))
        burst, steady = pair
        burst.roll(at, int(scaled.burst * self._stolen_share))
        steady.roll(at, int(scaled.steady * self._stolen_share))
        wait = 0.0
        if burst.used >= scaled.burst:
            wait = burst.remaining_seconds(at)
        if steady.used >= scaled.steady:
            wait = max(wait, steady.remaining_seconds(at))
        if not wait:
            burst.used += 1
            steady.used += 1
        return Verdict(
            limit=scaled,
            remaining=max(0, scaled.steady - steady.used),
            reset=math.ceil(steady.remaining_seconds(at)),
            retry_after=math.ceil(wait),
        )

    def reset(self) -> None:
        """Begin all windows anew."""
        self._windows.clear()


def limits_factor(text: str) -> float | None:
    """Read the `--limits` argument: a factor above 0, or `off` (None).

    Raises ValueError, naming the argument, for anything else.
    """
    if text == "off":
        return None
    try:
        factor = float(text)
    except ValueError:
        factor = math.nan
    if not (0 < factor < math.inf):
        raise ValueError(f"--limits must be a number above 0, or 'off': {text!r}")
    return factor
