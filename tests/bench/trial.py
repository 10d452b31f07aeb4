"""One engine works off one topic: started, watched from outside, stopped; what it cost.

Progress is what its group has committed. The warm-up, until a tenth is committed, does not count;
time and CPU are read at the first observation after it and at the first with everything committed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from confluent_kafka import Consumer, KafkaException, TopicPartition

from streams.engine.kafka import KafkaSettings
from tests.bench.measure import Figure, cpu_seconds, family, peak_mib

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.engines import Engine, Run

ROOT = Path(__file__).parents[2]
WARM_UP = 0.1
"""Share of the events that does not count."""
EVERY = 0.05
PATIENCE = 900.0
STOP_SECONDS = 8.0


class TrialFailed(Exception):
    """The engine ended, or did not come to an end; holds the end of its log."""


class _Seen(NamedTuple):
    """An observation: events committed, the clock, CPU seconds of the processes."""

    done: int
    at: float
    cpu: float


def trial(engine: Engine, run: Run, topic: str, events: int) -> Figure | None:
    """Run an engine until it has committed so many events of a topic; raises `TrialFailed`.

    None where they were too few to measure: all were committed at once.
    """
    commands = engine.commands(run)
    group = _Group(run, engine.group(run), topic)
    logs = [run.directory / f"{number}.log" for number in range(len(commands))]
    processes = [
        _start(command, run.directory, log) for command, log in zip(commands, logs, strict=True)
    ]
    try:
        first = _observe(group, processes, logs, int(events * WARM_UP) + 1)
        last = _observe(group, processes, logs, events)
        peak = sum(peak_mib(pid) for process in processes for pid in family(process.pid))
    finally:
        group.close()
        _stop(processes)
    if last.done == first.done:
        return None
    return Figure(
        engine=engine.label,
        guarantee=engine.guarantee,
        events=last.done - first.done,
        seconds=last.at - first.at,
        cpu_seconds=last.cpu - first.cpu,
        peak_mib=peak,
        excluded=first.done,
    )


class _Group:
    """What a consumer group has committed of a topic, asked for without joining it.

    By a consumer: librdkafka's admin client crashes when the group's coordinator is still loading.
    """

    def __init__(self, run: Run, group: str, topic: str) -> None:
        # uncommitted: a transaction that is open must not delay the answer
        told = {"isolation.level": "read_uncommitted", "log_level": 0}
        self._client = Consumer(KafkaSettings(bootstrap=run.bootstrap).observer(group) | told)
        self._places = [TopicPartition(topic, partition) for partition in range(run.partitions)]
        self._done = 0

    def done(self) -> int:
        """Events committed; as before while nobody can be asked."""
        with suppress(KafkaException):
            places = self._client.committed(self._places, 5.0)
            self._done = sum(max(place.offset, 0) for place in places)
        return self._done

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()


def _start(command: Sequence[str], directory: Path, log: Path) -> subprocess.Popen[bytes]:
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    with log.open("wb") as file:
        return subprocess.Popen(
            command,
            cwd=directory,
            env={**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "ignore"},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )


def _observe(
    group: _Group, processes: Sequence[subprocess.Popen[bytes]], logs: Sequence[Path], wanted: int
) -> _Seen:
    """Wait until so many events are committed."""
    deadline = time.monotonic() + PATIENCE
    while (done := group.done()) < wanted:
        for process, log in zip(processes, logs, strict=True):
            if process.poll() is not None:
                raise TrialFailed(f"ended with {process.returncode}:\n{log_tail(log)}")
        if time.monotonic() > deadline:
            raise TrialFailed(
                f"{done} of {wanted} events in {PATIENCE:.0f} s:\n{log_tail(logs[0])}"
            )
        time.sleep(EVERY)
    return _Seen(done, time.monotonic(), sum(cpu_seconds(each.pid) for each in processes))


def _stop(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """End them together: SIGTERM, and after some seconds SIGKILL; all is committed."""
    for process in processes:
        process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def log_tail(log: Path, lines: int = 20) -> str:
    """The end of what a process printed."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
