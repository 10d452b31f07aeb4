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

from streams.demo.children import Child, ChildFailed
from streams.demo.java import BrokerError
from streams.demo.shop import Shop, opens_for
from streams.demo.shopkeeping import Books
from streams.demo.stage import Stage
from streams.demo.summary import Summary, show, summarize

if TYPE_CHECKING:
    from collections.abc import Iterator

STUCK_SECONDS = 60.0
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
    parser.add_argument("--events", type=int, default=5_000, help="webhooks of the day")
    parser.add_argument("--seed", type=int, default=7, help="another seed is another shop")
    parser.add_argument("--json", type=Path, help="write the summary here")
    options = parser.parse_args()
    if options.events < 1:
        parser.error("--events: at least 1")
    return options


def _interrupt(*_: object) -> None:
    raise Interrupted


def _run(options: argparse.Namespace, directory: Path, console: Console) -> int:
    console.print("starting Kafka, the Klaviyo simulator, a derive and a deliver worker …")
    shop = Shop(options.seed, events=options.events, opens=opens_for(time.time()))
    with Stage(directory) as stage:
        console.print(f"Kafka {stage.bootstrap}, simulator {stage.vendor_url}")
        books = Books(shop, "klaviyo")
        began = time.monotonic()
        child = stage.producing()
        with _progress(console) as progress:
            fed = progress.add_task("webhooks in", total=options.events)
            for body in books.day():
                _feed(child, body)
                progress.advance(fed)
            books.break_some(stage.bootstrap, stage.names.events("ordergroove"), options.seed)
            if options.once:
                child.stdin.close()
                child.wait(STUCK_SECONDS)
            else:
                child.stdin.flush()
            _follow(stage, books, progress)
        summary = summarize(stage, books, options.seed, time.monotonic() - began)
        show(summary, console)
        if options.json is not None:
            options.json.write_bytes(_json(summary))
        if not options.once:
            _trickle(stage, books, child, console)
        return 0 if summary.ok else 1


def _feed(child: Child, body: bytes) -> None:
    try:
        child.stdin.write(body)
    except BrokenPipeError:
        child.wait(STUCK_SECONDS)
        raise ChildFailed(f"{child.name} reads no more:\n{child.tail()}") from None


def _json(summary: Summary) -> bytes:
    return msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n"


def _progress(console: Console) -> Progress:
    columns = (
        TextColumn("{task.description:<22}"), BarColumn(), MofNCompleteColumn(),
        TimeElapsedColumn(),
    )  # fmt: skip
    return Progress(*columns, console=console)


def _follow(stage: Stage, books: Books, progress: Progress) -> None:
    """Wait until everything has come through; raises `ChildFailed` when nothing moves any more."""
    expected = sum(map(len, books.expected.requests.values()))
    arrived = progress.add_task("arrived at Klaviyo", total=expected)
    moved, last = time.monotonic(), -1
    quiet = 0
    while quiet < 2:
        now = len(stage.vendor.accepted())
        progress.update(arrived, completed=now)
        quiet = quiet + 1 if stage.quiet() and now == last else 0
        if now != last:
            moved, last = time.monotonic(), now
        elif time.monotonic() - moved > STUCK_SECONDS:
            raise ChildFailed(f"nothing moves: {now} of {expected} requests arrived")
        time.sleep(0.2)


def _trickle(stage: Stage, books: Books, child: Child, console: Console) -> None:
    """Keep the shop open until somebody stops it."""
    console.print("the shop stays open: a trickle of events goes on; Ctrl-C stops")
    bodies: Iterator[bytes] = books.trickle()
    while True:
        for _ in range(10):
            time.sleep(TRICKLE_SECONDS)
            stage.check()
            _feed(child, next(bodies))
            child.stdin.flush()
        console.print(
            f"{books.expected.bodies:,} webhooks in, "
            f"{len(stage.vendor.accepted()):,} requests arrived"
        )


if __name__ == "__main__":
    sys.exit(main())
