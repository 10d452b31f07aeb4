"""`streams sync` as it runs: real command line, child process, broker, simulated API."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from streams.model.ids import is_nobody
from tests.support.sync_world import (
    LISTS,
    MERCHANT,
    PATIENCE,
    SyncWorld,
    generated,
    standings_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from streams.demo.children import Child

SYNCED = '[derive]\nhistory = "synced"'
LONG_TIME = 1_800.0


@pytest.fixture
def begin(broker: str, prefix: str, tmp_path: Path) -> Iterator[Callable[..., SyncWorld]]:
    """Makes the world of a test."""
    made: list[SyncWorld] = []

    def make(**switches: object) -> SyncWorld:
        made.append(SyncWorld(tmp_path, broker, prefix, more=SYNCED, **switches))
        return made[-1]

    yield make
    for each in made:
        each.close()


def said(world: SyncWorld) -> list[tuple[str, str]]:
    """What stands on the audit topic: (state, done or not)."""
    records = [json.loads(each.value() or b"") for each in world.topics.records(world.names.audit)]
    return [(each["state"], each.get("result", {}).get("done", "-")) for each in records]


def test_the_first_sync_and_the_next(begin: Callable[..., SyncWorld]) -> None:
    """All of a shop, confirmed; then only what changed. Rows are as the shop is."""
    world = begin(customers=130)
    number = world.asked("--since", "beginning")
    before = list(world.records())
    told = world.sync("--since", "beginning", "--yes", number)
    records = list(world.records())
    marks = {each.partition: each.offset for each in records if is_nobody(each.key)}
    entities, standings = generated(130)
    rows = world.derived(standings)

    assert [] == before
    assert Counter(entities) == Counter(e.entity for e in records if not is_nobody(e.key))
    assert f"{len(records) - 3:,} entities" in told
    assert {0, 1, 2} == set(marks)
    assert all(each.offset <= marks[each.partition] for each in records)
    assert standings == standings_of(rows)
    assert all(row.stated for row in rows.values())
    assert not any(row.complete for row in rows.values()), "with the first record behind the mark"
    assert [("began", "-"), ("done", True)] == said(world)

    [one, *_] = world.entities("subscriptions")
    world.put("subscriptions", {"public_id": one["public_id"], "quantity": 7})
    world.sync()
    newer = list(world.records())
    added = _added(records, newer)

    assert [("subscriptions", one["public_id"])] == added
    assert {0, 1, 2} == {each.partition for each in newer if is_nobody(each.key)}
    assert sum(is_nobody(each.key) for each in newer) == 3


def _added(before: list[Any], after: list[Any]) -> list[tuple[str, str]]:
    """The entities of records that were not there before."""
    places = {(each.partition, each.offset) for each in before}
    return [each.entity for each in after if (each.partition, each.offset) not in places]


@pytest.mark.parametrize(
    ("customers", "least", "last", "seconds"),
    [
        pytest.param(1_500, 2_000, 4, PATIENCE, id="2,000 subscriptions"),
        pytest.param(
            73_000, 100_000, 150, LONG_TIME, id="100,000 subscriptions", marks=pytest.mark.long
        ),
    ],
)
def test_killed_twice_it_loses_and_doubles_nothing(
    begin: Callable[..., SyncWorld], customers: int, least: int, last: int, seconds: float
) -> None:
    """Kill -9 within two transactions at random; the third process ends it, exactly.

    Nor does it ask again whose orders were read: it finds them on the topic.
    """
    chance = Random(customers)
    world = begin(customers=customers)
    asked = ["--since", "beginning", "--yes", world.asked("--since", "beginning")]
    for _ in range(2):
        step, number = chance.choice(("produced", "flushed", "committed")), chance.randint(2, last)
        child = world.start(*asked, rehearse=f"kill@{step}#{number}")
        assert child.process.wait(seconds) == -signal.SIGKILL, child.tail()
    began = time.monotonic()
    told = world.sync(*asked, seconds=seconds)
    print(told.splitlines()[-9:], f"{time.monotonic() - began:.1f} s")
    entities: Counter[tuple[str, str]] = Counter()
    ids: set[str] = set()
    marked = 0
    for each in world.records():
        ids.add(each.said["event_id"])
        if is_nobody(each.key):
            marked += 1
        else:
            entities[each.entity] += 1
    truth, standings = generated(customers)
    began = time.monotonic()
    rows = world.derived(standings, seconds)
    print(f"derived {len(ids):,} records within {time.monotonic() - began:.1f} s")

    assert Counter(truth) == entities
    assert len(ids) == len(truth) + marked
    assert marked == 3
    assert sum(kind == "subscriptions" for kind, _ in truth) >= least
    assert standings == standings_of(rows)
    assert "of them before" in told
    assert [] == [each for each in world.asked_paths() if each.startswith("/orders/")]


def test_one_that_another_took_over_writes_nothing_more(begin: Callable[..., SyncWorld]) -> None:
    """Frozen within a transaction; a second command goes on with its run, and it is told so."""
    world = begin(customers=130)
    asked = ["--since", "beginning", "--yes", world.asked("--since", "beginning")]
    frozen = world.start(*asked, rehearse="stop@produced#1")
    _await(lambda: _state_of(frozen.process.pid) == "T")
    world.sync(*asked)
    frozen.process.send_signal(signal.SIGCONT)
    code = frozen.process.wait(PATIENCE)
    entities = [each.entity for each in world.records() if not is_nobody(each.key)]

    assert code == 75, frozen.tail()
    assert "another sync" in frozen.tail()
    assert Counter(generated(130)[0]) == Counter(entities)


def test_one_that_stays_reads_on(begin: Callable[..., SyncWorld]) -> None:
    """Every second what changed; unready while the key is refused; SIGTERM ends it in order.

    The first run alone ends with marks, also where it was told that its past is complete.
    """
    world = begin(customers=5)
    first = ("--since", "beginning", "--complete")
    child = world.start(*first, "--every", "1s", "--behind", "0s", "--port", "0")
    url = _health(child)
    with httpx2.Client(base_url=url, timeout=PATIENCE) as client:
        _await(lambda: client.get("/metrics").text.count('outcome="written"') == len(LISTS))
        ready = client.get("/readyz")
        world.put("orders", {"public_id": "d" * 32, "customer": "0000000"})
        _await(lambda: ("orders", "d" * 32) in {e.entity for e in _entities(world)})
        switches = {"switches": {"customers": 5, "keys": {"another": {}}}}
        world.control.put("/_control/switches", json=switches)
        _await(lambda: client.get("/readyz").status_code == 503)
        refused = client.get("/readyz").json()
        metrics = client.get("/metrics").text
    child.process.send_signal(signal.SIGTERM)

    assert child.process.wait(PATIENCE) == 0, child.tail()
    assert len(list(world.records())) == len(_entities(world)) + 3
    assert ready.status_code == 200
    assert {MERCHANT: "ApiRefused"} == refused["reasons"]
    assert f'streams_sync_failures_total{{merchant="{MERCHANT}"}} 1.0' in metrics
    assert "streams_sync_age_seconds" in metrics


def _entities(world: SyncWorld) -> list[Any]:
    return [each for each in world.records() if not is_nobody(each.key)]


def _health(child: Child) -> str:
    """Where a process that stays answers."""
    found: list[str] = []

    def is_said() -> bool:
        child.check()
        lines = child.tail(50).splitlines()
        found.extend(each.rpartition(" ")[2] for each in lines if "health on" in each)
        return bool(found)

    _await(is_said)
    return found[0]


def _await(holds: Callable[[], bool]) -> None:
    """Wait until something holds; what is not there yet may refuse to be asked."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if holds():
                return
        except (httpx2.TransportError, KeyError):
            pass
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _state_of(pid: int) -> str:
    """The state of a process: `T` while it is stopped."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:  # noqa: PTH123 - no file of ours
        return stat.read().rpartition(")")[2].split()[0]
