"""Faults on demand: what a simulator does wrong, to which requests, and how often.

A fault is data, given in a TOML file (`[[faults]]`), over `/_control` or by a test. The plan
decides for every request which faults fire; the shell carries them out.
"""

from __future__ import annotations

import random
import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

__all__ = [
    "Fault",
    "FaultPlan",
    "Firing",
    "Kind",
    "Scenario",
    "load_scenario",
    "read_faults",
    "read_scenario",
]

Kind = Literal[
    "status",
    "reset",
    "timeout",
    "accept_then_reset",
    "accept_then_timeout",
    "latency",
    "drop",
    "fail_rows",
]

_NotNegative = Annotated[float, msgspec.Meta(ge=0)]
_Count = Annotated[int, msgspec.Meta(ge=0)]


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One thing that goes wrong.

    It concerns the requests whose path is like `endpoint` and one of whose rows has all of `match`
    (patterns with `*`, on what the vendor offers: `email`, `metric`, `unique_id`, …), and that come
    in its time: from `begins` on, for as long as it `lasts`. Of those it lets the first `after`
    pass, then fires with `probability`, at most `count` times.
    """

    kind: Kind
    """What happens: `status` answers `status` and keeps nothing; `reset` and `timeout` break off
    without having kept anything, their `accept_then_` twins after having kept it; `latency` answers
    late; `drop` answers as if all were well where the vendor promises only to process later, and
    keeps nothing; `fail_rows` lets rows of a job fail after it was accepted."""
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] = 503
    """The HTTP status of kind `status`."""
    retry_after: _Count | None = None
    """Seconds for the `Retry-After` header of kind `status`; without it there is no such header."""
    retry_after_form: Literal["seconds", "date"] = "seconds"
    """How that header tells them: as a number, or as the HTTP date when they are over."""
    seconds: _NotNegative | None = None
    """How late (`latency`), or after how long the connection is closed (`timeout`; without it, when
    the client leaves)."""
    jitter: _NotNegative = 0.0
    """Up to so many seconds more of `latency`, at random."""
    rows: Annotated[int, msgspec.Meta(ge=1)] = 1
    """How many rows fail (`fail_rows`): the first that match."""
    endpoint: str = "*"
    match: dict[str, str] = {}
    begins: _NotNegative = 0.0
    """Seconds from the first request that came after the faults were given, whatever it was."""
    lasts: Annotated[float, msgspec.Meta(gt=0)] | None = None
    """Seconds from there on; None: until the faults are replaced."""
    after: _Count = 0
    count: _Count | None = None
    probability: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    seed: int = 0
    """The start of this fault's own random numbers: equal seeds fire at equal requests."""

    def concerns(self, row: Mapping[str, str]) -> bool:
        """Whether a row has everything that the fault asks for."""
        return all(
            name in row and fnmatchcase(row[name], pattern) for name, pattern in self.match.items()
        )

    def is_due(self, elapsed: float) -> bool:
        """Whether it is the fault's time, so many seconds after the first request."""
        since = elapsed - self.begins
        return since >= 0 and (self.lasts is None or since < self.lasts)


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A TOML file for a simulator: its faults, and the vendor's own switches by name."""

    faults: tuple[Fault, ...] = ()
    switches: dict[str, object] = {}


@dataclass(frozen=True, slots=True)
class Firing:
    """What the plan decided for one request: seconds of delay, and the fault, if any."""

    delay: float = 0.0
    fault: Fault | None = None


_NOTHING = Firing()


@dataclass(slots=True)
class _Armed:
    fault: Fault
    random: random.Random = field(init=False)
    seen: int = 0
    fired: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.fault.seed)

    def fires(
        self, endpoint: str, elapsed: float, traits: Callable[[], Sequence[Mapping[str, str]]]
    ) -> bool:
        fault = self.fault
        if not (fault.is_due(elapsed) and fnmatchcase(endpoint, fault.endpoint)):
            return False
        if fault.match and not any(map(fault.concerns, traits())):
            return False
        self.seen += 1
        if self.seen <= fault.after or (fault.count is not None and self.fired >= fault.count):
            return False
        if fault.probability < 1 and self.random.random() >= fault.probability:
            return False
        self.fired += 1
        return True


class FaultPlan:
    """The faults in force, in order: delays add up, and the first other fault that fires wins."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._armed = [_Armed(fault) for fault in faults]
        self._first: float | None = None

    def fire(
        self, endpoint: str, at: float, traits: Callable[[], Sequence[Mapping[str, str]]]
    ) -> Firing:
        """Decide for one request, which came at the time `at` (seconds since 1970).

        `traits` is asked only where a fault is matched on it.
        """
        if not self._armed:
            return _NOTHING
        if self._first is None:
            self._first = at
        delay = 0.0
        for armed in self._armed:
            if not armed.fires(endpoint, at - self._first, traits):
                continue
            fault = armed.fault
            if fault.kind != "latency":
                return Firing(delay, fault)
            delay += (fault.seconds or 0.0) + armed.random.random() * fault.jitter
        return Firing(delay)

    def describe(self) -> list[dict[str, object]]:
        """The faults as JSON, each with how many requests it concerned and how often it fired."""
        return [
            {**msgspec.to_builtins(armed.fault), "seen": armed.seen, "fired": armed.fired}
            for armed in self._armed
        ]


def read_faults(value: object) -> tuple[Fault, ...]:
    """Make faults of parsed JSON or TOML; raises ValueError that names the wrong field."""
    return msgspec.convert(value, tuple[Fault, ...])


def read_scenario(text: str) -> Scenario:
    """Make a scenario of TOML; raises ValueError that names the wrong field."""
    return msgspec.convert(tomllib.loads(text), Scenario)


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file; raises ValueError that names the file and the wrong field."""
    try:
        return read_scenario(path.read_text("utf-8"))
    except OSError as error:
        raise ValueError(f"--faults: cannot read {path}: {error.strerror}") from error
    except ValueError as error:  # also TOML's and msgspec's own errors
        raise ValueError(f"--faults: {path}: {error}") from error
