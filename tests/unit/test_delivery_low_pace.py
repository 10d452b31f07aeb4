"""The low lane's share of a limit: evenly spread, and made up for where timers wake late."""

from __future__ import annotations

import pytest

from streams.delivery.low_pace import LowPace
from streams.model.rules import Limit

LIMITS = [Limit("events", 350, 1.0), Limit("events", 3_500, 60.0)]
HALF = 3_500 / 60 / 2
"""Requests a second: half of what the longer window allows."""


class Lane:
    """A lane that sends as soon as it may, by timers that wake too late."""

    def __init__(self, late: float) -> None:
        self.now = 100.0
        self._late = late
        self.pace = LowPace(LIMITS, share=0.5, factor=1.0, concurrency=8, clock=lambda: self.now)

    def send(self) -> float:
        """Wait and send; when."""
        wait = self.pace.wait("events")
        self.now += wait + self._late if wait else 0.0
        self.pace.note("events")
        return self.now


@pytest.mark.parametrize("late", [0.0, 0.002, 0.02])
def test_the_share_is_reached_though_timers_wake_late(late: float) -> None:
    """A plan that counts on the share would be wrong by as much as each delay."""
    lane = Lane(late)
    times = [lane.send() for _ in range(600)]

    assert pytest.approx(HALF, rel=0.01) == 599 / (times[-1] - times[0])


def test_a_pause_is_not_made_up_for() -> None:
    """What stood still for a minute does not come all at once: live traffic needs the room."""
    lane = Lane(0.0)
    lane.send()
    lane.now += 60.0
    at_once = 0
    while not lane.pace.wait("events"):
        lane.send()
        at_once += 1

    assert at_once <= 3
