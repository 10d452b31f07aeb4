"""`./run test mutants`: break the program on purpose, one rule at a time; a test must notice."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from streams.demo.broker import Broker
from tests.mutants.table import MUTANTS
from tests.mutants.trial import innocent, judge, run, snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.mutants.mutant import Mutant

AT_ONCE = 2
"""Trials at a time: some of them start workers of their own."""


def main() -> int:
    """Try the mutants; 0 when each of them was noticed."""
    parser = argparse.ArgumentParser(prog="./run test mutants", description=__doc__)
    parser.add_argument("--only", action="append", metavar="NAME", help="this one (repeatable)")
    parser.add_argument("--no-broker", action="store_true", help="leave out those that need Kafka")
    options = parser.parse_args()
    chosen = [m for m in MUTANTS if not options.only or m.name in options.only]
    unknown = set(options.only or ()) - {mutant.name for mutant in chosen}
    if unknown:
        parser.error(f"no mutant is called {', '.join(sorted(unknown))}")
    if options.no_broker:
        chosen = [mutant for mutant in chosen if not mutant.needs_broker]
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="streams-mutants-") as place, ExitStack() as stack:
        pristine = Path(place) / "pristine"
        snapshot(pristine)
        bootstrap = ""
        if any(mutant.needs_broker for mutant in chosen):
            bootstrap = stack.enter_context(Broker(Path(place) / "kafka")).bootstrap
        survivors = _try(chosen, pristine, bootstrap)
    seconds = time.monotonic() - began
    print(f"{len(chosen) - survivors} of {len(chosen)} mutants killed in {seconds:.0f} s")
    return 1 if survivors else 0


def _try(mutants: Sequence[Mutant], pristine: Path, bootstrap: str) -> int:
    """Try them all and print the table; return how many were not killed."""
    guilty = _guilty_without_a_fault(mutants, pristine, bootstrap)
    for test in guilty:
        print(f"{test} does not pass without any fault: it can judge nothing", file=sys.stderr)
    fair = [mutant for mutant in mutants if not set(guilty).intersection(mutant.tests)]
    widest = max((len(mutant.name) for mutant in mutants), default=0)
    survivors = len(mutants) - len(fair)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for verdict in pool.map(partial(judge, pristine=pristine, bootstrap=bootstrap), fair):
            survivors += verdict.killed_by is None
            print(f"{verdict.mutant.name:{widest}}  {verdict.killed_by or verdict.survived}")
            sys.stdout.flush()
    return survivors


def _guilty_without_a_fault(mutants: Sequence[Mutant], pristine: Path, bootstrap: str) -> list[str]:
    """The tests that do not pass in an unchanged copy, not even when they are run again alone."""
    wanted = list(dict.fromkeys(test for mutant in mutants for test in mutant.tests))
    halves = [
        [test for test in wanted if test.startswith("tests/kafka/") is needs_broker]
        for needs_broker in (False, True)
    ]
    ran = partial(run, pristine, "streams", stop=False, bootstrap=bootstrap)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(ran, [half for half in halves if half]))
    for answer in answers:
        if answer.code is None:
            print(answer.output, file=sys.stderr)
    failed = [test for test in wanted if not any(innocent(test, answer) for answer in answers)]
    if not failed:
        return []
    again = ran(failed)
    for test in failed:
        if innocent(test, again):
            print(f"{test} passes only when it is run again: mend it", file=sys.stderr)
    return [test for test in failed if not innocent(test, again)]


if __name__ == "__main__":
    sys.exit(main())
