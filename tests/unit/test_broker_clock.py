"""The broker's clock, as stamps tell it: whatever a worker's own clock says."""

from __future__ import annotations

from typing import Any

import pytest
from confluent_kafka import TIMESTAMP_CREATE_TIME, TIMESTAMP_LOG_APPEND_TIME

from streams.engine.broker_clock import BrokerClock

WALL = 5_000.0


class Stamped:
    """A record with a stamp in seconds, or an event without one."""

    def __init__(self, seconds: float, kind: int = TIMESTAMP_LOG_APPEND_TIME) -> None:
        self._stamp = kind, int(seconds * 1_000)

    def error(self) -> object:
        """Records have none; an event is told by its kind."""
        return "end of partition" if self._stamp[0] < 0 else None

    def timestamp(self) -> tuple[int, int]:
        """Its kind and milliseconds."""
        return self._stamp


END = Stamped(0, -1)
Heard = list[tuple[float, list[Any]]]


@pytest.mark.parametrize(
    ("heard", "now"),
    [
        pytest.param([], WALL, id="nothing yet: our own clock"),
        pytest.param([(10, [])], WALL, id="nothing came"),
        pytest.param([(10, [END])], WALL, id="an event"),
        pytest.param([(10, [Stamped(900, TIMESTAMP_CREATE_TIME)])], WALL, id="somebody's stamp"),
        pytest.param([(10, [Stamped(900)])], 990, id="a stamp, and what has passed since"),
        pytest.param([(10, [Stamped(900), END])], 990, id="a stamp before an event"),
        pytest.param([(10, [Stamped(899), Stamped(900)])], 990, id="the last of several"),
        pytest.param([(10, [Stamped(900)]), (50, [Stamped(945)])], 995, id="a nearer bound"),
        pytest.param([(10, [Stamped(900)]), (50, [Stamped(910)])], 990, id="one that came late"),
    ],
)
def test_now(heard: Heard, now: float) -> None:
    """At steady second 100, when our own clock says 5,000."""
    steady = 0.0
    clock = BrokerClock(steady=lambda: steady, wall=lambda: WALL)
    for steady, messages in heard:  # noqa: B007 - the clock looks at it
        clock.heard(messages)
    steady = 100.0

    assert now == clock.now()


@pytest.mark.parametrize(
    ("stamps", "heard", "now"),
    [
        pytest.param([], [], WALL, id="none"),
        pytest.param([-1], [], WALL, id="an empty partition"),
        pytest.param([900_000, 800_000, -1], [], 990, id="the latest of the last ones"),
        pytest.param([900_000], [Stamped(700)], 790, id="a record that came knows better"),
        pytest.param([900_000], [Stamped(950)], 1_040, id="whichever it is"),
    ],
)
def test_last_stamps_tell_until_a_record_does(
    stamps: list[int], heard: list[Any], now: float
) -> None:
    """Looked up at steady second 10, nothing came since; asked at 100."""
    steady = 10.0
    clock = BrokerClock(steady=lambda: steady, wall=lambda: WALL)
    for each in stamps:
        clock.at_least(each)
    clock.heard(heard)
    steady = 100.0

    assert (now, bool(heard)) == (clock.now(), clock.knows)
