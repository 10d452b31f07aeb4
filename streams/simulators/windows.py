"""Rate limits in fixed windows of one second, and of one minute, per account and endpoint.

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
    """How many requests one account may make to one endpoint: each second, and each minute.

    `steady` is None where the vendor counts no minutes.
    """

    burst: int
    steady: int | None = None

    def scaled(self, factor: float) -> Limit:
        """The limit times a factor, but never less than one request."""
        steady = None if self.steady is None else max(1, int(self.steady * factor))
        return Limit(max(1, int(self.burst * factor)), steady)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request is within its limits, and what the vendor's headers say of it.

    `limit` is the one in force; `remaining` and `reset` (whole seconds) speak of the longest of its
    windows; `retry_after` is the number of whole seconds until the exceeded window ends, 0 where
    the request is allowed.
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
    size: int
    number: int = -1
    used: int = 0

    def roll(self, at: float, stolen_share: float) -> None:
        number = int(at // self.seconds)
        if number != self.number:
            self.number, self.used = number, int(self.size * stolen_share)

    def remaining_seconds(self, at: float) -> float:
        return (self.number + 1) * self.seconds - at


class FixedWindows:
    """Counters for every (account, endpoint), whose limit is always the same.

    `factor` scales the vendor's numbers (None: no limits at all). `stolen_share` is the part of
    each window, 0 to 1, that a stranger with the same account has used up before we come. A
    refused request uses nothing.
    """

    def __init__(self, factor: float | None, stolen_share: float = 0.0) -> None:
        self._factor = factor
        self.stolen_share = stolen_share
        self._windows: dict[tuple[str, str], list[_Window]] = {}

    def take(self, account: str, endpoint: str, limit: Limit, at: float) -> Verdict | None:
        """Count one request at time `at` (seconds since 1970); None where nothing limits."""
        if self._factor is None:
            return None
        scaled = limit.scaled(self._factor)
        windows = self._windows.get((account, endpoint))
        if windows is None:
            windows = self._windows[account, endpoint] = _windows_of(scaled)
        for window in windows:
            window.roll(at, self.stolen_share)
        full = [window.remaining_seconds(at) for window in windows if window.used >= window.size]
        if not full:
            for window in windows:
                window.used += 1
        longest = windows[-1]
        return Verdict(
            limit=scaled,
            remaining=max(0, longest.size - longest.used),
            reset=math.ceil(longest.remaining_seconds(at)),
            retry_after=math.ceil(max(full, default=0.0)),
        )

    def reset(self) -> None:
        """Begin all windows anew."""
        self._windows.clear()


def _windows_of(limit: Limit) -> list[_Window]:
    """The windows of a limit, the shortest first."""
    burst = _Window(1, limit.burst)
    return [burst] if limit.steady is None else [burst, _Window(60, limit.steady)]


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
