"""`./run chaos upgrade [--from REV]`: workers of two versions side by side, one replaced at a time.

A day of the demo's shop goes through two derive and two deliver workers of an earlier version (by
default the newest commit whose program is another one). While webhooks come in, each worker is
stopped in order and replaced by one of the version that is here; then each by one of the earlier
version again. Every worker keeps its name and so its partitions, as a pod of a StatefulSet does.
Judged is what the demo judges: that every record, outcome and request is the one that the books
expect, in order; and besides that nothing came twice to a vendor. A step counts only if webhooks
came in meanwhile. Exit 1 if anything differs.
"""

from __future__ import annotations

import argparse
import io
import shutil
import signal
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from rich.console import Console

from streams.demo.children import ChildFailed
from streams.demo.day import play
from streams.demo.java import BrokerError
from streams.demo.loyalty_programme import SHARE
from streams.demo.summary import summarize
from tests.chaos.upgrade.pace import Pace
from tests.chaos.upgrade.revision import CURRENT, NoRevision, earlier, extracted
from tests.chaos.upgrade.stage import Change, Place, UpgradeStage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.demo.summary import Summary
    from tests.chaos.upgrade.revision import Version

_FIRST: Final = 20
"""Webhooks before the first step."""


class Step(NamedTuple):
    """A change, and how many webhooks came in meanwhile."""

    change: Change
    fed: int


class Outcome(NamedTuple):
    """What came of it.

    Attributes:
        steps: that were made.
        summary: the demo's.
        repeats: vendor → records that came to it again.
        wrong: what must not be, in words.
        notes: what else happened.
    """

    steps: list[Step]
    summary: Summary
    repeats: dict[str, int]
    wrong: list[str]
    notes: list[str]


def steps_of(old: Version, each: int) -> list[tuple[Place, Version]]:
    """Who is replaced by what, in order: readers before those who write for them, then back."""
    places = [Place(role, n) for role in ("deliver", "derive") for n in reversed(range(each))]
    back = [Place(role, n) for role in ("derive", "deliver") for n in reversed(range(each))]
    return [*((place, CURRENT) for place in places), *((place, old) for place in back)]


def rehearse(
    directory: Path,
    old: Version,
    *,
    events: int,
    seed: int,
    steps: Sequence[tuple[Place, Version]] | None = None,
    each: int = 2,
) -> Outcome:
    """Play the day and make the steps; raises `ChildFailed` where something comes to nothing."""
    plan = steps_of(old, each) if steps is None else steps
    pace = Pace(events + max(1, events // SHARE), len(plan))
    done: list[Step] = []
    failed: list[ChildFailed] = []

    def make(stage: UpgradeStage) -> None:
        pace.until(_FIRST)
        try:
            for place, version in plan:
                before = pace.fed
                change = stage.change(place, version)
                done.append(Step(change, pace.fed - before))
                pace.step()
        except ChildFailed as error:
            failed.append(error)
        finally:
            pace.end()

    with UpgradeStage(directory, old, pace, each) as stage:
        making = threading.Thread(target=make, args=(stage,), name="upgrade", daemon=True)
        making.start()
        day = play(stage, seed=seed, events=events, once=True, console=Console(file=io.StringIO()))
        making.join()
        if failed:
            raise failed[0]
        summary = summarize(stage, day.books, day.members, seed, day.began)
    return judged(done, summary, stage.notes)


def judged(steps: list[Step], summary: Summary, notes: Sequence[str] = ()) -> Outcome:
    """What is wrong with it."""
    repeats = {name: one.repeats for name, one in summary.connections.items()}
    wrong = [*summary.differences]
    for name, one in summary.connections.items():
        wrong += [f"{name}: {each}" for each in one.differences]
    wrong += [f"{name}: {count} records came again" for name, count in repeats.items() if count]
    for change, fed in steps:
        if change.code:
            wrong.append(f"{change.place.name}: the worker before ended with {change.code}")
        if not fed:
            wrong.append(f"{change.place.name}: no webhook came in meanwhile: take more --events")
    return Outcome(steps, summary, repeats, wrong, list(notes))


def told(outcome: Outcome) -> list[str]:
    """The table of the steps, and the counts."""
    rows = [("worker", "version", "stopped", "exit", "ready again", "webhooks meanwhile")]
    for (place, version, stopped, code, ready), fed in outcome.steps:
        words = version.name.partition(" ")[0]
        row = (place.name, words, f"{stopped:.1f} s", str(code), f"{ready:.1f} s", str(fed))
        rows.append(row)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in rows]
    summary = outcome.summary
    arrived = ", ".join(
        f"{name} {one.accepted:,} of {one.expected:,}" for name, one in summary.connections.items()
    )
    return [
        *lines,
        "",
        (
            f"{summary.bodies:,} webhooks, {summary.records:,} records, "
            f"{summary.deliveries:,} deliveries"
        ),
        f"records that vendors took, of those expected: {arrived}",
        f"came again: {sum(outcome.repeats.values())}",
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Rehearse; 0 when nothing was lost, came twice, or out of order."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # asked to end: end what we started
    place, began = (
        Path(tempfile.mkdtemp(prefix="streams-upgrade-", dir=options.directory)),
        time.monotonic(),
    )
    try:
        revision = options.revision or earlier()
        old = extracted(revision, place / "old")
        print(f"from {old.name} to what is here, and back; seed {options.seed}", flush=True)
        stage = place / "stage"
        stage.mkdir()
        outcome = rehearse(stage, old, events=options.events, seed=options.seed)
    except NoRevision as error:
        print(f"./run chaos upgrade: {error}")
        return 2
    except (ChildFailed, BrokerError) as error:
        print(f"{error}\nlogs are in {place}")
        return 1
    except KeyboardInterrupt:
        print("stopped")
        return 130
    print("\n".join([*told(outcome), *(f"note: {each}" for each in outcome.notes)]))
    for line in outcome.wrong:
        print(f"FAILED: {line}")
    verdict = "differs" if outcome.wrong else "nothing lost, nothing twice, all in order"
    print(f"\n{verdict}, {time.monotonic() - began:.0f} s")
    if outcome.wrong:
        print(f"logs are in {place}")
        return 1
    with suppress(OSError):
        shutil.rmtree(place)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./run chaos upgrade",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--from", dest="revision", metavar="REV", help="a commit, a tag. Default: see above"
    )
    parser.add_argument("--events", type=int, default=3_000, help="webhooks of the shop's day")
    parser.add_argument("--seed", type=int, default=7, help="another seed is another shop")
    parser.add_argument("--directory", type=Path, help="for everything that is written")
    options = parser.parse_args(arguments)
    if options.events < 100:
        parser.error("--events: at least 100")
    return options
