"""The summary: what went in, was concluded and arrived, and whether that is exactly right."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from streams.demo.compare import compare
from streams.demo.observation import dead_letters, derived, verdicts
from streams.demo.stage import LIMITS, Stage
from streams.demo.verdicts import differing_verdicts
from streams.names import OKENDO, ORDERGROOVE, SOURCES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from streams.demo.compare import Received
    from streams.demo.ledger import Ledger
    from streams.demo.loyalty_books import LoyaltyBooks
    from streams.demo.observation import Verdicts
    from streams.demo.shopkeeping import Books
    from streams.demo.verdicts import Verdict

Counts = dict[str, int]

_CHECKOUT = "subscriber.subscriptions_created"
_SHOWN = 20


class Through(msgspec.Struct, frozen=True):
    """What went through one connection.

    `derived`: events on its delivery topic by type; `outcomes`: parts of deliveries by what came of
    them; `requests`: all calls that its vendor got, some with several records. Of records so many
    were `expected`, and so many `accepted`, among them `repeats`.
    """

    ok: bool
    derived: Counts
    deliveries: int
    outcomes: Counts
    dead_letters: Counts
    requests: int
    accepted: int
    expected: int
    repeats: int
    differences: list[str]


class Source(msgspec.Struct, frozen=True):
    """What went in by one source: webhooks, the records that they became, what was given up on."""

    webhooks: int
    records: int
    dead_letters: Counts


class Summary(msgspec.Struct, frozen=True):
    """What `--json` writes. Rates are a second, durations seconds; `differences` are for people.

    Counts are those of all connections, as in `Through`, and of all `sources` together.
    `checkouts`: how many were told, how many list several subscriptions, how many were told again,
    and how many at the end, when no webhook moved stream time any more. `seconds`: from the first
    webhook to the last request, without those that tell of checkouts: these wait on purpose.
    """

    ok: bool
    seed: int
    bodies: int
    records: int
    derived: Counts
    deliveries: int
    outcomes: Counts
    dead_letters: Counts
    source_dead_letters: Counts
    sources: dict[str, Source]
    checkouts: Counts
    requests: int
    accepted: int
    expected: int
    repeats: int
    seconds: float
    events_per_second: float
    limits_factor: int
    connections: dict[str, Through]
    differences: list[str]


def summarize(
    stage: Stage, books: Books, members: LoyaltyBooks, seed: int, began: float
) -> Summary:
    """Hold what was observed beside the books. `began`: epoch seconds of the first webhook."""
    topics, names, book = stage.topics, stage.names, books.expected
    letters = {name: dead_letters(topics, names.dead_letters(name)) for name in SOURCES}
    sources = {
        ORDERGROOVE: _source(books.fed + len(books.broken), book.records, letters[ORDERGROOVE]),
        OKENDO: _source(
            members.fed + len(members.broken), members.expected.records, letters[OKENDO]
        ),
    }
    came = verdicts(topics, names.outcomes)
    received = {name: stage.simulators[name].accepted() for name in book.ledgers}
    for name, ledger in book.ledgers.items():
        ledger.settle({one for (one, _), of in came[name].items() if of.outcome == "superseded"})
    through = {
        name: _through(stage, ledger, received[name], came[name])
        for name, ledger in book.ledgers.items()
    }
    differences = books.strays + members.strays
    for name, one in ((ORDERGROOVE, books), (OKENDO, members)):
        differences += _differing(f"{name}: dead letters", one.dead_letters(), letters[name])
    differences += [f"{name}: {each}" for name, one in through.items() for each in one.differences]
    ledgers = book.ledgers.values()
    ended = max((_last(one, received[one.connection]) for one in ledgers), default=began)
    seconds = max(ended - began, 0.001)
    fed = sum(one.webhooks for one in sources.values())
    every = through.values()
    return Summary(
        ok=not differences,
        seed=seed,
        bodies=fed,
        records=sum(one.records for one in sources.values()),
        derived=_total(one.derived for one in every),
        deliveries=sum(one.deliveries for one in every),
        outcomes=_total(one.outcomes for one in every),
        dead_letters=_total([*letters.values(), *(one.dead_letters for one in every)]),
        source_dead_letters=_total(letters.values()),
        sources=sources,
        checkouts=_checkouts(book.noticed),
        requests=sum(one.requests for one in every),
        accepted=sum(one.accepted for one in every),
        expected=sum(one.expected for one in every),
        repeats=sum(one.repeats for one in every),
        seconds=round(seconds, 2),
        events_per_second=round(fed / seconds, 1),
        limits_factor=LIMITS,
        connections=through,
        differences=differences[:_SHOWN],
    )


def _source(webhooks: int, records: int, letters: Counter[str]) -> Source:
    return Source(webhooks, records, _total([letters]))


def _through(stage: Stage, ledger: Ledger, received: list[Received], came: Verdicts) -> Through:
    name = ledger.connection
    report = compare(ledger, received)
    told = derived(stage.topics, stage.names.deliveries(name))
    letters = dead_letters(stage.topics, stage.names.dead_letters(name))
    differences = [
        *map(str, report.differences),
        *_differing("deliveries", ledger.deliveries, told),
        *differing_verdicts(ledger, came),
        *_differing("dead letters", ledger.dead_letters, letters),
    ]
    return Through(
        ok=not differences,
        derived=_total([told]),
        deliveries=told.total(),
        outcomes=_total([Counter(_words(part, one) for (_, part), one in came.items())]),
        dead_letters=_total([letters]),
        requests=stage.simulators[name].requests,
        accepted=len(received),
        expected=report.expected,
        repeats=report.repeats,
        differences=differences[:_SHOWN],
    )


def _last(ledger: Ledger, received: list[Received]) -> float:
    """When the last request came that tells of no checkout, epoch seconds; 0.0 if none came."""
    labels = ledger.vendor.labels
    waited = {
        labels(one.body).identity
        for calls in ledger.requests.values()
        for one in calls
        if one.type == _CHECKOUT
    }
    return max((one.at for one in received if labels(one.body).identity not in waited), default=0.0)


def _words(part: str, verdict: Verdict) -> str:
    reason = f": {verdict.reason}" if verdict.reason else ""
    return f"{part} {verdict.outcome}{reason}"


def _checkouts(noticed: Counter[str]) -> Counts:
    of = {name: count for name, count in noticed.items() if name.startswith("checkout of ")}
    several = sum(count for name, count in of.items() if name != "checkout of 1")
    return {
        "told": sum(of.values()),
        "of_several": several,
        "again": noticed["checkout, again"],
        "last": noticed["checkout, last"],
    }


def _total(counts: Iterable[Mapping[str, int]]) -> Counts:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(sorted(total.items()))


def _differing(what: str, wanted: Counter[str], found: Counter[str]) -> list[str]:
    """What the books say differently; a count of nothing is no difference."""
    return [
        f"{what} {name}: expected {wanted[name]}, got {found[name]}"
        for name in sorted(wanted.keys() | found.keys())
        if wanted[name] != found[name]
    ]
