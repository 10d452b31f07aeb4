"""`./run chaos delivery --rounds N [--seed S]`: trouble for deliver workers and their vendors.

Each round has two connections, one of which has the trouble, and two workers. It counts only if its
fault met requests of the victim under way. Judged is what the vendors' simulators received: every
delivery arrived, first acceptances stand in order by customer, and nothing came again but what was
in flight at the fault. Exit 1 if anything is lost, reordered or repeated without a fault, or if
fewer rounds counted than were asked for. `--rounds 3` is the short form for CI.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING

from streams.demo.broker import Broker
from tests.chaos.delivery.plan import KINDS, plans
from tests.chaos.delivery.round import run_round
from tests.chaos.delivery.tally import line, table, verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.chaos.delivery.round import Outcome

_SPARE = 3
"""Rounds beyond twice those asked for, when faults meet nothing."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rounds; 0 when each was good."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # asked to end: end what we started
    print(f"seed {options.seed}: {options.rounds} rounds of delivery", flush=True)
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
        print(f"logs, records and topics are in {place}")
    return 0 if good else 1


def _run(options: argparse.Namespace, place: Path, outcomes: list[Outcome]) -> None:
    """Run until enough rounds count; each outcome is told, and put to the others."""
    with Broker(place / "kafka") as kafka:
        for plan in plans(options.seed, options.faults):
            folder = place / f"round-{plan.number}"
            folder.mkdir()
            outcomes.append(run_round(kafka, folder, plan))
            print(line(outcomes[-1]), flush=True)
            enough = sum(each.counts for each in outcomes) >= options.rounds
            if enough or len(outcomes) >= 2 * options.rounds + _SPARE:
                return


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./run chaos delivery",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=3, help="that count")
    parser.add_argument("--seed", type=int, help="the same one gives the same faults")
    parser.add_argument("--faults", help=f"some only, with commas between: {', '.join(KINDS)}")
    parser.add_argument("--directory", type=Path, help="for everything that is written")
    options = parser.parse_args(arguments)
    if options.seed is None:
        options.seed = SystemRandom().randrange(1_000_000)
    options.faults = options.faults.split(",") if options.faults else list(KINDS)
    if unknown := set(options.faults) - set(KINDS):
        parser.error(f"no such fault: {', '.join(sorted(unknown))}; known: {', '.join(KINDS)}")
    return options
