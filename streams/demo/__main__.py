"""`./run demo`: a shop's day through the real program, on a real Kafka, judged by its own books."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from rich.console import Console

from streams.demo.children import ChildFailed
from streams.demo.day import feed, play
from streams.demo.java import BrokerError
from streams.demo.loyalty_programme import SHARE
from streams.demo.showing import show
from streams.demo.source_api import put_shop
from streams.demo.stage import READY_SECONDS, Stage
from streams.demo.summary import Summary, summarize
from streams.demo.world import MERCHANT
from streams.names import OKENDO, ORDERGROOVE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.demo.day import Day

TRICKLE_SECONDS = 0.5


class Interrupted(Exception):
    """The demo was asked to stop."""


def main() -> int:
    """Run the demo; 0 when what arrived is exactly what the books expect."""
    options = _options()
    console = Console(stderr=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        with tempfile.TemporaryDirectory(prefix="streams-demo-") as directory:
            return _run(options, Path(directory), console)
    except Interrupted:
        console.print("stopped")
        return 130 if options.once else 0
    except (ChildFailed, BrokerError) as error:
        console.print(str(error), markup=False)
        return 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end by itself, exit 0 only if exact")
    parser.add_argument("--events", type=int, default=5_000, help="webhooks of the shop's day")
    parser.add_argument("--seed", type=int, default=7, help="another seed is another shop")
    parser.add_argument("--json", type=Path, help="write the summary here")
    options = parser.parse_args()
    if options.events < 1:
        parser.error("--events: at least 1")
    return options


def _interrupt(*_: object) -> None:
    raise Interrupted


def _run(options: argparse.Namespace, directory: Path, console: Console) -> int:
    console.print("starting Kafka, four vendors' simulators, a derive and a deliver worker …")
    with Stage(directory) as stage:
        places = ", ".join(f"{name} {url}" for name, url in stage.urls.items())
        console.print(f"Kafka {stage.bootstrap}, {places}", soft_wrap=True)
        pages = stage.console().line("http", READY_SECONDS)
        console.print(f"console {pages}", soft_wrap=True)
        day = play(
            stage, seed=options.seed, events=options.events, once=options.once, console=console
        )
        summary = summarize(stage, day.books, day.members, options.seed, day.began)
        show(summary, console)
        if options.json is not None:
            options.json.write_bytes(_json(summary))
        if not options.once:
            _trickle(stage, day, pages, console)
        return 0 if summary.ok else 1


def _json(summary: Summary) -> bytes:
    return msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n"


def _trickle(stage: Stage, day: Day, pages: str, console: Console) -> None:
    """Keep the shop open until somebody stops it."""
    entities = put_shop(day.books.world, stage.source_api(MERCHANT))
    console.print(
        f"its REST API: {', '.join(f'{count:,} {kind}' for kind, count in entities.items())}"
    )
    console.print(
        f"  streams --settings {stage.settings} sync ordergroove --since beginning", soft_wrap=True
    )
    console.print("the shop stays open: a trickle of events goes on; Ctrl-C stops")
    console.print(f"look at it in the console: {pages}", soft_wrap=True)
    lines: dict[str, Iterator[bytes]] = {
        ORDERGROOVE: day.books.trickle(), OKENDO: day.members.trickle(),
    }  # fmt: skip
    while True:
        for source in (OKENDO, *[ORDERGROOVE] * SHARE):
            time.sleep(TRICKLE_SECONDS)
            stage.check()
            feed(day.children[source], next(lines[source]))
            day.children[source].stdin.flush()
        console.print(
            f"{day.books.fed + day.members.fed:,} webhooks in, records arrived: "
            + ", ".join(f"{one.count():,} {name}" for name, one in stage.simulators.items())
        )


if __name__ == "__main__":
    sys.exit(main())
