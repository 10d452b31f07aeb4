"""`./run chaos --rounds N [--seed S]`: put derive workers to faults, and compare with the truth.

A round counts only if its fault met an open transaction or a restore, as the worker itself says.
Exit 1 if anything differs, or if fewer rounds counted than were asked for. `./run chaos delivery`
does the like to deliver workers and their vendors (`tests.chaos.delivery`).
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING

from streams.demo.broker import Broker
from streams.demo.cluster import Cluster
from tests.chaos.delivery.main import main as delivery
from tests.chaos.plan import known_kinds, plans
from tests.chaos.round import run_round
from tests.chaos.tally import line, table, verdict

if TYPE_CHECKING:
    from tests.chaos.round import Outcome

_SPARE = 3
"""Rounds beyond twice those asked for, when faults meet nothing."""


def main() -> int:
    """Run the rounds; 0 when each was exact."""
    options = _options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # asked to end: end what we started
    print(f"seed {options.seed}: {options.rounds} rounds on {options.brokers} broker(s), "
          f"{options.state} state", flush=True)  # fmt: skip
    place = Path(tempfile.mkdtemp(prefix="streams-chaos-", dir=options.directory))
    began = time.monotonic()
    outcomes: list[Outcome] = []
    with suppress(KeyboardInterrupt):  # what was found so far is told all the same
        _run(options, place, outcomes)
    told, good = verdict(outcomes, options.rounds)
    print("\n" + "\n".join(table(outcomes)))
    print(f"\n{told}, seed {options.seed}, {time.monotonic() - began:.0f} s")
    if good:
        shutil.rmtree(place)
    else:
        print(f"logs and topics are in {place}")
    return 0 if good else 1


def _run(options: argparse.Namespace, place: Path, outcomes: list[Outcome]) -> None:
    """Run until enough rounds count; each outcome is told, and put to the others."""
    several, directory = options.brokers > 1, place / "kafka"
    with Cluster(directory, nodes=options.brokers) if several else Broker(directory) as kafka:
        for plan in plans(options.seed, options.faults):
            folder = place / f"round-{plan.number}"
            folder.mkdir()
            outcomes.append(run_round(kafka, folder, plan, options.events, options.state))
            print(line(outcomes[-1]), flush=True)
            enough = sum(each.counts for each in outcomes) >= options.rounds
            if enough or len(outcomes) >= 2 * options.rounds + _SPARE:
                return


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=4, help="that count")
    parser.add_argument("--seed", type=int, help="the same one gives the same faults")
    parser.add_argument("--events", type=int, default=5_000, help="webhooks a round, at least")
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=1)
    parser.add_argument("--state", choices=("memory", "rocksdb"), default="memory")
    parser.add_argument("--faults", help="some only, with commas between")
    parser.add_argument("--directory", type=Path, help="for everything that is written")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = SystemRandom().randrange(1_000_000)
    known = known_kinds(options.brokers)
    options.faults = options.faults.split(",") if options.faults else list(known)
    if unknown := set(options.faults) - set(known):
        parser.error(f"no such fault: {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    return options


if __name__ == "__main__":
    sys.exit(delivery(sys.argv[2:]) if sys.argv[1:2] == ["delivery"] else main())
