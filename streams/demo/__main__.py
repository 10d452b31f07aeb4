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
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from streams.demo.checkouts import SETTLES
from streams.demo.children import Child, ChildFailed
from streams.demo.java import BrokerError
from streams.demo.loyalty_books import LoyaltyBooks
from streams.demo.loyalty_programme import SHARE, Programme
from streams.demo.shop import Shop, opens_for
from streams.demo.shopkeeping import Books
from streams.demo.showing import show
from streams.demo.stage import Stage
from streams.demo.summary import Summary, summarize
from streams.names import OKENDO, ORDERGROOVE, SOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

STUCK_SECONDS = 60.0
CALM_SECONDS = 1.0
MISSING_SECONDS = 10.0
IDLE_LAG = 2_000
"""Milliseconds that the stream time of an idle partition stays behind the clock (DESIGN §5)."""
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
    shop = Shop(options.seed, events=options.events, opens=opens_for(time.time()))
    with Stage(directory) as stage:
        places = ", ".join(f"{name} {url}" for name, url in stage.urls.items())
        console.print(f"Kafka {stage.bootstrap}, {places}", soft_wrap=True)
        programme = Programme(options.seed, max(1, options.events // SHARE), shop.world)
        books = Books(shop)
        members = LoyaltyBooks(programme, books.expected.ledgers)
        began = time.time()
        children = {source: stage.producing(source) for source in SOURCES}
        with _progress(console) as progress:
            fed = progress.add_task("webhooks in", total=options.events + programme.events)
            for body in books.day():
                _feed(children[ORDERGROOVE], body)
                for line in members.upto(books.fed / options.events):
                    _feed(children[OKENDO], line)
                progress.update(fed, completed=books.fed + members.fed)
            books.break_some(stage.bootstrap, stage.names.events(ORDERGROOVE), options.seed)
            members.break_some(stage.bootstrap, stage.names.events(OKENDO), options.seed)
            for child in children.values():
                _end(child, once=options.once)
            _write(stage, ORDERGROOVE, books)
            _write(stage, OKENDO, members)
            _follow(stage, books, members, progress)
        summary = summarize(stage, books, members, options.seed, began)
        show(summary, console)
        if options.json is not None:
            options.json.write_bytes(_json(summary))
        if not options.once:
            _trickle(stage, books, members, children, console)
        return 0 if summary.ok else 1


def _feed(child: Child, body: bytes) -> None:
    try:
        child.stdin.write(body)
    except BrokenPipeError:
        child.wait(STUCK_SECONDS)
        raise ChildFailed(f"{child.name} reads no more:\n{child.tail()}") from None


def _end(child: Child, *, once: bool) -> None:
    """The day is over: nothing more comes, or nothing for now."""
    if once:
        child.stdin.close()
        child.wait(STUCK_SECONDS)
    else:
        child.stdin.flush()


def _json(summary: Summary) -> bytes:
    return msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n"


def _progress(console: Console) -> Progress:
    columns = (
        TextColumn("{task.description:<22}"), BarColumn(), MofNCompleteColumn(),
        TimeElapsedColumn(),
    )  # fmt: skip
    return Progress(*columns, console=console)


def _write(stage: Stage, source: str, books: Books | LoyaltyBooks) -> None:
    """Write a source's books, once its topic holds everything that was fed."""
    deadline = time.monotonic() + STUCK_SECONDS
    topic = stage.names.events(source)
    while (there := stage.topics.size(topic)) < books.records:
        stage.check()
        if time.monotonic() > deadline:
            raise ChildFailed(f"{there} of {books.records} records on {topic}")
        time.sleep(0.1)
    books.write(stage.topics.records(topic))


def _follow(stage: Stage, books: Books, members: LoyaltyBooks, progress: Progress) -> None:
    """Wait until everything has come through; raises `ChildFailed` when nothing moves any more.

    The end is not before the clock has moved the stream time of idle partitions past the last
    checkout. If something is still missing when all is quiet, it is not waited for much longer.
    """
    ledgers = books.expected.ledgers
    expected = {name: one.expected for name, one in ledgers.items()}
    least = {name: one.least for name, one in ledgers.items()}
    tasks = {
        name: progress.add_task(f"arrived at {name}", total=total)
        for name, total in expected.items()
    }
    over = (max(books.last_at, members.last_at) + SETTLES + IDLE_LAG) / 1_000
    moved, last = time.monotonic(), dict.fromkeys(expected, 0)
    while True:
        now = {name: stage.simulators[name].count() for name in expected}
        for name, count in now.items():
            progress.update(tasks[name], completed=count)
        if now != last:
            moved, last = time.monotonic(), now
        still = time.monotonic() - moved
        there = all(least[name] <= now[name] <= expected[name] for name in expected)
        enough = CALM_SECONDS if there else MISSING_SECONDS
        if still > enough and time.time() > over and stage.quiet():
            return
        if still > STUCK_SECONDS:
            raise ChildFailed(f"nothing moves: {now} of {expected} records arrived")
        time.sleep(0.2)


def _trickle(
    stage: Stage,
    books: Books,
    members: LoyaltyBooks,
    children: Mapping[str, Child],
    console: Console,
) -> None:
    """Keep the shop open until somebody stops it."""
    console.print("the shop stays open: a trickle of events goes on; Ctrl-C stops")
    lines: dict[str, Iterator[bytes]] = {
        ORDERGROOVE: books.trickle(), OKENDO: members.trickle(),
    }  # fmt: skip
    while True:
        for source in (OKENDO, *[ORDERGROOVE] * SHARE):
            time.sleep(TRICKLE_SECONDS)
            stage.check()
            _feed(children[source], next(lines[source]))
            children[source].stdin.flush()
        console.print(
            f"{books.fed + members.fed:,} webhooks in, records arrived: "
            + ", ".join(f"{one.count():,} {name}" for name, one in stage.simulators.items())
        )


if __name__ == "__main__":
    sys.exit(main())
