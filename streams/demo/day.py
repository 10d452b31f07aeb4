"""A day of the shop, played: webhooks go in, books are kept, and all of it is waited for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from streams.demo.checkouts import SETTLES
from streams.demo.children import ChildFailed
from streams.demo.loyalty_books import LoyaltyBooks
from streams.demo.loyalty_programme import SHARE, Programme
from streams.demo.shop import Shop, opens_for
from streams.demo.shopkeeping import Books
from streams.names import OKENDO, ORDERGROOVE, SOURCES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from streams.demo.children import Child
    from streams.demo.stage import Stage

__all__ = ["Day", "feed", "play"]

STUCK_SECONDS = 60.0
CALM_SECONDS = 1.0
MISSING_SECONDS = 10.0
IDLE_LAG = 2_000
"""Milliseconds that the stream time of an idle partition stays behind the clock (DESIGN §5)."""


class Day(NamedTuple):
    """A day that has come through.

    Attributes:
        books: of the shop.
        members: of its loyalty programme.
        children: by source, who feed webhooks in.
        began: epoch seconds of the first webhook.
    """

    books: Books
    members: LoyaltyBooks
    children: Mapping[str, Child]
    began: float


def play(stage: Stage, *, seed: int, events: int, once: bool, console: Console) -> Day:
    """Play the day on this stage; it is over when everything has been derived and delivered.

    Args:
        stage: that runs.
        seed: another one is another shop.
        events: webhooks of the day.
        once: nothing more comes after the day: its feeders end.
        console: where progress is shown.

    Raises:
        ChildFailed: a process ended, or nothing moves any more.
    """
    shop = Shop(seed, events=events, opens=opens_for(time.time()))
    programme = Programme(seed, max(1, events // SHARE), shop.world)
    books = Books(shop)
    members = LoyaltyBooks(programme, books.expected.ledgers)
    began = time.time()
    children = {source: stage.producing(source) for source in SOURCES}
    with _progress(console) as progress:
        fed = progress.add_task("webhooks in", total=events + programme.events)
        for body in books.day():
            feed(children[ORDERGROOVE], body)
            for line in members.upto(books.fed / events):
                feed(children[OKENDO], line)
            progress.update(fed, completed=books.fed + members.fed)
        books.break_some(stage.bootstrap, stage.names.events(ORDERGROOVE), seed)
        members.break_some(stage.bootstrap, stage.names.events(OKENDO), seed)
        for child in children.values():
            _end(child, once=once)
        _write(stage, ORDERGROOVE, books)
        _write(stage, OKENDO, members)
        _follow(stage, books, members, progress)
    return Day(books, members, children, began)


def feed(child: Child, body: bytes) -> None:
    """Hand a webhook to who feeds it in; raises `ChildFailed` if that process has ended."""
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
