"""One account's part in sharing: what this process wants of it, whom it hears, what it may use.

No loop, no clock, no Kafka here: `heartbeats` brings records and the time.
"""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from streams.delivery.shares import (
    FLOOR,
    NOTHING,
    Delayed,
    Portion,
    Want,
    floor_of,
    least,
    portions,
    shares,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.delivery.account import Account
    from streams.delivery.limits import WindowKey

BUSY_SECONDS: Final = 1.5
"""Between two heartbeats of a process whose account has work …"""
IDLE_SECONDS: Final = 10.0
"""… or has none; when that changes, the next one goes at once."""

_MISSED: Final = 3.0
_LATE_SECONDS: Final = 1.5
"""A process is dead when so many heartbeats, and a moment more, have not come."""

_AVERAGE_SECONDS: Final = 5.0
"""What is told of the requests is a mean of about so long."""

_LONG_SECONDS: Final = 10.0
"""A newcomer may not begin within a longer window, but for what is kept for newcomers."""

_HELD_SECONDS: Final = 3.0
"""A limit that held something back so lately still does: senders look once a second."""

_BACKLOG_SECONDS: Final = 5.0
"""So much work, at the rate it goes, is none yet: what was sent lately waits for its commit."""

_BURST_SECONDS: Final = 2.0
"""Nor is what goes out so soon, at the rate of the shortest window: a burst."""

_DRAIN_SECONDS: Final = 10.0
"""In so long a process wants to have sent what waits."""


class Heartbeat(msgspec.Struct, frozen=True):
    """What a process tells of an account.

    Attributes:
        wants: by endpoint: requests a second, and whether a limit holds some back.
        next: seconds until the next heartbeat at the latest.
    """

    wants: dict[str, tuple[float, bool]]
    next: float

    @property
    def patience(self) -> float:
        """Seconds after which the process is taken for dead if nothing comes after this one."""
        return _MISSED * self.next + _LATE_SECONDS


class _Live(NamedTuple):
    heartbeat: Heartbeat
    dies_at: float


def delay_of(seconds: float) -> float:
    """How long a portion of a window of this length waits before it grows.

    Until the others have heard of it, and what they started has left the vendor's window.
    """
    return seconds + 2 * BUSY_SECONDS


class Sharer:
    """One account of this process. Times are monotonic seconds."""

    def __init__(self, account: Account, instance: str, now: float) -> None:
        """Begin with nothing: nobody was heard yet.

        Args:
            account: whose limiter is granted portions.
            instance: this process, in its heartbeats.
            now: the time.
        """
        self.account = account
        self._instance = instance
        self._windows: Mapping[WindowKey, int] = account.limiter.windows
        self._endpoints = sorted({key.endpoint for key in self._windows})
        self._live: dict[str, _Live] = {}
        self._delayed: dict[WindowKey, Delayed] = {}
        self._joined = 0.0
        self._back = now
        self._own = Heartbeat({}, BUSY_SECONDS)
        self._told = float("-inf")
        self._rates = dict.fromkeys(self._endpoints, 0.0)
        self._in_bursts = dict.fromkeys(self._endpoints, 0.0)
        self._started = dict.fromkeys(self._endpoints, 0)
        self._measured = now
        for key in self._windows:
            account.limiter.grant(key, NOTHING)

    def due(self, now: float) -> Heartbeat | None:
        """The heartbeat to be sent now, if one is: it is taken for sent."""
        self._measure(now)
        wants = {name: self._want(name, now) for name in self._endpoints}
        busy = any(demand or backlog for demand, backlog in wants.values())
        heartbeat = Heartbeat(wants, BUSY_SECONDS if busy else IDLE_SECONDS)
        if heartbeat.next == self._own.next and now < self._told + heartbeat.next:
            return None
        self._own, self._told = heartbeat, now
        return heartbeat

    def heard(self, instance: str, heartbeat: Heartbeat | None, now: float, age: float) -> None:
        """Take a heartbeat that is so many seconds old; None: that process has stopped."""
        if instance == self._instance:
            self._back = now - age
        if heartbeat is None:
            self._live.pop(instance, None)
        else:
            self._live[instance] = _Live(heartbeat, now - age + heartbeat.patience)

    def join(self, now: float) -> None:
        """Begin to use the account: everybody who shares it was heard."""
        alone = not (self._alive(now).keys() - {self._instance})
        self._joined = float("-inf") if alone else now
        for key in self._windows:
            first = Portion(self._count(key)) if alone else NOTHING
            self._delayed[key] = Delayed(delay_of(key.seconds), first, now)

    def divide(self, now: float) -> None:
        """Grant the limiter what this process may use now."""
        alive = self._alive(now)
        for name in self._endpoints:
            keys = [key for key in self._windows if key.endpoint == name]
            allowed = min(self._count(key) / key.seconds for key in keys)
            wants = {each: _want_of(told, name) for each, told in alive.items()}
            divided = shares(wants, allowed)
            for key in keys:
                told = portions(self._count(key), divided)[self._instance]
                usable = self._usable(key, told, len(alive), now)
                self.account.limiter.grant(key, usable)
                if key == min(keys):
                    self._in_bursts[name] = usable.rate / key.seconds

    def _usable(self, key: WindowKey, told: Portion, processes: int, now: float) -> Portion:
        delay = delay_of(key.seconds)
        if now > self._back + self._own.patience + delay:
            lowest = least(floor_of(processes) * self._count(key))
            self._delayed[key] = Delayed(delay, lowest, now)  # the others may use all by now
            return lowest
        self._delayed[key].tell(told, now)
        usable = self._delayed[key].at(now)
        if now < self._joined + 2 * BUSY_SECONDS or processes == 1:
            return usable
        begin = least(self._reserve(key) / (processes - 1))  # the others know of us by now
        return max(usable, begin, key=lambda each: each.rate)

    def _reserve(self, key: WindowKey) -> int:
        """Requests of a long window that are nobody's, so that newcomers need not wait for it."""
        return int(FLOOR * self._windows[key]) if key.seconds >= _LONG_SECONDS else 0

    def _count(self, key: WindowKey) -> int:
        """Requests of a window that are divided."""
        return self._windows[key] - self._reserve(key)

    def _alive(self, now: float) -> dict[str, Heartbeat]:
        """The last heartbeats of those who live, this process always among them."""
        alive = {name: each.heartbeat for name, each in self._live.items() if each.dies_at > now}
        return {self._instance: self._own} | alive

    def _measure(self, now: float) -> None:
        """Look at what was started since the last look."""
        passed, self._measured = now - self._measured, now
        if passed <= 0:
            return
        weight = 1.0 - exp(-passed / _AVERAGE_SECONDS)
        for name in self._endpoints:
            started = self.account.limiter.started[name]
            rate = (started - self._started[name]) / passed
            self._started[name] = started
            self._rates[name] += weight * (rate - self._rates[name])

    def _want(self, endpoint: str, now: float) -> tuple[float, bool]:
        """Requests a second that are wanted, and whether there is a backlog.

        What is told must be steady: a portion of a minute's window is the least of a minute. So of
        a long backlog it is what waits, without the rate: where a long window limits it, requests
        come in bursts.
        """
        rate = round(self._rates[endpoint], 1)
        waiting = self.account.backlog
        held_at = self.account.limiter.held_at.get(endpoint, float("-inf"))
        soon = max(rate * _BACKLOG_SECONDS, self._in_bursts[endpoint] * _BURST_SECONDS)
        if now > held_at + _HELD_SECONDS or (waiting is not None and waiting <= soon):
            return rate, False
        if waiting is None:  # then all who are held back want the same
            most = max(count for key, count in self._windows.items() if key.endpoint == endpoint)
            return float(most), True
        return max(rate, round(waiting / _DRAIN_SECONDS, 1)), True


def _want_of(heartbeat: Heartbeat, endpoint: str) -> Want:
    return Want(*heartbeat.wants.get(endpoint, (0.0, False)))
