"""`history = "synced"`: from the mark that ends a first sync on, who is unknown is new."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import pytest

from streams.avro import registry
from streams.cli.composition import derive_options_of
from streams.cli.worker.deriving import job_of
from streams.derive import DeriveOptions
from streams.engine.batch import FIRST, Part, Position
from streams.engine.compute import Work, compute
from streams.engine.partitioning import partition_of
from streams.engine.rows import Shard
from streams.metrics import DeriveCounts
from streams.model.ids import customer_key, is_nobody, sync_mark, synced_by, synced_row
from streams.names import Names
from streams.pipeline import Pipeline, enriched_of
from streams.registry import Schemas
from streams.settings import load_settings
from streams.sources.ordergroove import record_of
from streams.sources.ordergroove.state import Listed, state_record
from streams.synced import History
from streams.topology import DeriveJob
from tests.support.driver import ENRICHED, ROUTES, SOURCE
from tests.support.webhooks import CUSTOMER, DAY, MERCHANT, START, subscription, webhook

if TYPE_CHECKING:
    from pathlib import Path

    from streams.derive.terms import History as History_
    from streams.engine.job import Headers

NAMES = Names("t")
KEY = customer_key(MERCHANT, CUSTOMER)
MARK = sync_mark(MERCHANT, 7)
OLD = START - 900 * DAY


class Record:
    """A record of the source topic as far as the job looks."""

    def __init__(
        self, key: bytes, value: bytes, at: int = START, headers: Headers | None = None
    ) -> None:
        self.key = partial(bytes, key)
        self.value = partial(bytes, value)
        self.timestamp = lambda: (2, at * 1_000)
        self.topic = lambda: NAMES.events("ordergroove")
        self.partition = lambda: 3
        self.offset = lambda: 40
        self.headers = lambda: headers


def job(history: History_ = "synced") -> DeriveJob:
    """A job of the derive role that waits for the end of the sync."""
    pipeline = Pipeline(SOURCE, ENRICHED, ROUTES, DeriveOptions(history=history))
    counts = DeriveCounts()
    return DeriveJob(
        pipeline, NAMES, Schemas(registry()), counts, history=History(pipeline, awaited=True)
    )


def run(shard: Shard, *records: Record, history: History_ = "synced") -> Work:
    """Compute a part."""
    messages: Any = list(records)
    work = asyncio.run(compute(job(history), shard, Part(3, 1, FIRST, messages)))
    assert work is not None
    return work


def concluded(work: Work) -> list[str]:
    """Of somebody's first subscription ever and the end of their last one, what is told."""
    told = [
        enriched_of(ENRICHED, value).type
        for topic, _, value, _ in work.outputs
        if "deliver" in topic
    ]
    return [each for each in told if each in {"subscriber.create", "subscriber.cancel"}]


def welcomed(work: Work) -> bool:
    """Whether somebody's first subscription ever is told."""
    return "subscriber.create" in concluded(work)


def somebody(at: int = START) -> Record:
    """A subscription of long ago, seen for the first time."""
    return changed("subscription.change_payment", "oats", at)


def changed(event_type: str, which: str, at: int, *, live: bool = True) -> Record:
    """What a webhook says of a subscription of long ago."""
    subject = subscription(which, at, live=live, created=OLD)
    return Record(KEY, SOURCE.encode(record_of(webhook(event_type, subject, at), at)), at)


def mark(merchant: str = MERCHANT, at: int = START) -> Record:
    """The end of a merchant's sync; what its value says is nobody's business here."""
    return Record(sync_mark(merchant, 7), b"", at)


def empty() -> Shard:
    """Where nothing is known."""
    return Shard({}, job().due, Position(40))


def test_before_the_mark_nothing_is_known() -> None:
    """Nobody is welcomed who may be a customer of years, before the sync has told who is."""
    assert not welcomed(run(empty(), somebody()))
    assert welcomed(run(empty(), mark(), somebody()))


def test_each_merchant_has_a_mark_of_its_own() -> None:
    """A second shop on the topic is synced when it is synced."""
    assert not welcomed(run(empty(), mark("another"), somebody()))


def test_a_mark_outlives_the_process() -> None:
    """It is a row like others: whoever restores the table knows it, and no timer comes of it."""
    work = run(empty(), mark())
    rows = {key: row for key, row in work.changes.items() if row is not None}
    successor = Shard(dict(rows), job().due, work.position)

    assert {synced_row(KEY)} == set(rows)
    assert 0 == successor.timers.earliest
    assert welcomed(run(successor, somebody()))


def test_the_first_mark_counts() -> None:
    """A later full sync finds everybody known: it makes nobody old who was new."""
    first = run(empty(), mark(at=START))
    again = run(
        Shard({k: v for k, v in first.changes.items() if v}, job().due, first.position),
        mark(at=START + DAY),
    )

    assert {} == again.changes


def test_a_copy_of_an_older_record_is_older_than_the_mark() -> None:
    """Behind the mark may stand what another topic had before it; time decides."""
    known = somebody()
    recorded: Headers = [("streams-recorded-at", b"%d" % ((START - DAY) * 1_000))]
    copied = Record(known.key(), known.value(), START, recorded)

    assert not welcomed(run(empty(), mark(at=START), copied))


def test_a_mark_is_no_dead_letter() -> None:
    """Nor does a merchant's derivation that does not wait for it stumble over it."""
    pipeline = Pipeline(SOURCE, ENRICHED, ROUTES, DeriveOptions(history="complete"))
    settled = DeriveJob(pipeline, NAMES, Schemas(registry()), DeriveCounts())
    messages: Any = [mark(), Record(b"\0who knows", b"?"), somebody()]
    work = asyncio.run(compute(settled, empty(), Part(3, 1, FIRST, messages)))

    assert work is not None
    assert {synced_row(KEY), KEY} == set(work.changes)
    assert welcomed(work)


def test_marks_have_names_of_their_own() -> None:
    """Read back from the key, whatever was tried; and a partition can be aimed at."""
    aimed = {partition_of(sync_mark(MERCHANT, tried), 12) for tried in range(200)}

    assert synced_row(KEY) == synced_by(MARK)
    assert is_nobody(MARK)
    assert not is_nobody(KEY)
    assert synced_by(KEY) is None
    assert set(range(12)) == aimed


def state(entity: str, told: dict[str, Any], at: int) -> Record:
    """What a sync says of an entity."""
    product = None
    made = state_record(Listed(entity, told, MERCHANT, CUSTOMER, product), at * 1_000)
    return Record(KEY, SOURCE.encode(made), at)


CUSTOMER_OF_YEARS = {
    "merchant_user_id": CUSTOMER, "merchant": MERCHANT, "email": "nina@shop-demo.io",
    "last_updated": "2026-01-02 03:04:05", "created": "2024-01-02 03:04:05",
}  # fmt: skip
OATS = subscription("oats", created="2024-01-02 03:04:05") | {"updated": "2026-01-02 03:04:05"}
RICE = OATS | {"public_id": "rice"}
OF_THE_FIRST_DAY = OATS | {"updated": "2024-01-02 03:04:05"}
HISTORIES: tuple[History_, ...] = ("synced", "live")


@pytest.mark.parametrize("history", HISTORIES)
def test_what_a_sync_has_told_so_far_is_not_the_past(history: History_) -> None:
    """It reads customers and subscriptions side by side, and webhooks come between them.

    Nobody is welcomed for a subscription of years that was not read yet, nor mourned while another
    one is still to come.
    """
    customer = state("customers", CUSTOMER_OF_YEARS, START)
    ended = changed("subscription.cancel", "oats", START + 1, live=False)
    rice = state("subscriptions", RICE, START + 2)

    assert [] == concluded(run(empty(), customer, somebody(), history=history))
    assert [] == concluded(run(empty(), customer, ended, rice, history=history))
    unchanged = state("subscriptions", OF_THE_FIRST_DAY, START)
    assert [] == concluded(run(empty(), customer, unchanged, ended, rice, history=history))


@pytest.mark.parametrize("history", HISTORIES)
@pytest.mark.parametrize("told", [("subscriptions", OATS), ("customers", CUSTOMER_OF_YEARS)])
def test_from_the_mark_on_all_is_known_of_whom_the_sync_told(
    told: tuple[str, dict[str, Any]], history: History_
) -> None:
    """Whatever it told of them, and whether before the mark or, an hourly run, behind it."""
    ended = changed("subscription.cancel", "oats", START + 2, live=False)
    before = run(empty(), state(*told, START), somebody(), mark(), ended, history=history)
    behind = run(empty(), somebody(), mark(), state(*told, START), ended, history=history)

    assert ["subscriber.cancel"] == concluded(before) == concluded(behind)


@pytest.mark.parametrize(
    ("history", "told"), [("synced", 1), ("live", 1), ("complete", 2)], ids=str
)
def test_a_worker_s_settings_wait_for_the_mark(
    tmp_path: Path, history: History_, told: int
) -> None:
    """Half of what a sync says, the mark, the end: `complete` alone knew it all before."""
    file = tmp_path / "streams.toml"
    file.write_text(f'[derive]\nhistory = "{history}"\nflows_from = "beginning"\n')
    settings = load_settings(file)
    pipeline = Pipeline(SOURCE, ENRICHED, ROUTES, derive_options_of(settings))
    made = job_of(settings, pipeline, Schemas(registry()), DeriveCounts())
    customer = state("customers", CUSTOMER_OF_YEARS, START)
    ended = changed("subscription.cancel", "oats", START + 2, live=False)
    messages: Any = [customer, somebody(), mark(), ended]
    work = asyncio.run(compute(made, empty(), Part(3, 1, FIRST, messages)))

    assert work is not None
    assert ["subscriber.create", "subscriber.cancel"][-told:] == concluded(work)


@pytest.mark.parametrize("history", HISTORIES)
def test_of_whom_no_sync_told_the_mark_says_nothing(history: History_) -> None:
    """They were seen before it, and perhaps Ordergroove's lists hide them."""
    ended = changed("subscription.cancel", "oats", START + 2, live=False)

    assert [] == concluded(run(empty(), somebody(), mark(), ended, history=history))


def test_where_nothing_is_known_a_mark_makes_nobody_new() -> None:
    """`live` judges the unknown by their age; `synced` says that they are new."""
    assert [] == concluded(run(empty(), mark(), somebody(), history="live"))


def profiles(work: Work) -> int:
    """How many times a profile is told."""
    told = [
        enriched_of(ENRICHED, value) for topic, _, value, _ in work.outputs if "deliver" in topic
    ]
    return sum(each.type == "profile.changed" for each in told)


def seeded(*more: Record) -> Work:
    """A customer and a subscription, told by a sync; then more."""
    person = state("customers", CUSTOMER_OF_YEARS, START)
    return run(empty(), person, state("subscriptions", OATS, START), *more)


def test_a_first_sync_is_news_to_nobody() -> None:
    """Everybody's profile at once would be a flood: a backfill sends them, on request."""
    assert 0 == profiles(seeded())


def test_after_the_mark_a_sync_tells_what_changed() -> None:
    """A later run finds what no webhook told: vendors are to know."""
    gone = subscription("oats", live=False) | {"updated": "2026-02-02 03:04:05"}

    assert 1 == profiles(seeded(mark(), state("subscriptions", gone, START + DAY)))


def test_whoever_was_heard_of_is_told_of() -> None:
    """A sync that corrects what events said is no seeding, mark or not."""
    event = somebody(START)
    more = subscription("rice") | {"updated": "2026-10-01 11:00:00"}

    assert 1 == profiles(run(empty(), event, state("subscriptions", more, START + 9))) - profiles(
        run(empty(), event)
    )


def test_where_nothing_is_awaited_a_first_sync_is_no_news_either() -> None:
    """A shop whose history is live, or complete, may be synced too."""
    pipeline = Pipeline(SOURCE, ENRICHED, ROUTES, DeriveOptions(history="complete"))
    history = History(pipeline, awaited=False)
    told = DeriveJob(pipeline, NAMES, Schemas(registry()), DeriveCounts(), history=history)
    content = subscription("oats") | {"updated": "2026-01-02 03:04:05"}
    states = [state("subscriptions", content, START)]
    silent = asyncio.run(compute(told, empty(), Part(3, 1, FIRST, cast("Any", states))))
    loud = asyncio.run(compute(told, empty(), Part(3, 1, FIRST, cast("Any", [mark(), *states]))))

    assert silent is not None
    assert loud is not None
    assert (0, 1) == (profiles(silent), profiles(loud))
