"""Ids that were not met before: asked for and waited for, before their records are read."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import KafkaException

from streams.engine.batch import FIRST, Part
from streams.errors import BadRecord
from streams.registry import RegistryAway, Schemas, ServedRegistry, Waiting
from streams.registry.client import Written
from tests.support.registry import OURS

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 60.0
SCHEMA = Written("AVRO", ('{"type": "record", "name": "Other", "fields": []}',))


class World:
    """A clock that only sleeping moves, a registry by that clock, and a lane of two partitions.

    Attributes:
        now: seconds.
        known_from: id → when it is registered.
        away: from when until when the registry is away, and what then comes of asking.
        asked: (time, id) of each question.
        owned: the partitions that are accepted, with their epoch.
        revoked_at: when all of them are taken away.
        marks: what the lane was told, without repetitions.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.known_from: dict[int, float] = {}
        self.away = (0.0, 0.0)
        self.reason = "Connection refused"
        self.asked: list[tuple[float, int]] = []
        self.owned = {(0, 1), (1, 1)}
        self.revoked_at = float("inf")
        self.marks: list[str | None] = []
        self.counts: list[dict[str, int]] = []
        self.lane = SimpleNamespace(name="derive")
        self.registry = ServedRegistry(self, OURS)  # type: ignore[arg-type]
        self.waiting = Waiting(self.registry, PATIENCE, clock=lambda: self.now, sleep=self.sleep)

    def schema(self, number: int) -> Written | None:
        """Answer as the client does."""
        self.asked.append((self.now, number))
        if self.away[0] <= self.now < self.away[1]:
            raise RegistryAway(self.reason)
        return SCHEMA if self.now >= self.known_from.get(number, float("inf")) else None

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        await asyncio.sleep(0)

    def accepts(self, partition: int, epoch: int) -> bool:
        """Whether the partition is ours."""
        return (partition, epoch) in self.owned and self.now < self.revoked_at

    def unready(self, reason: str | None, *, about: str) -> None:
        """Take note of a mark."""
        assert "registry" == about
        if self.marks[-1:] != [reason]:
            self.marks.append(reason)
            self.counts.append({cause: n for cause, n in self.waiting.lanes.items() if n})

    def prepare(self, *parts: list[bytes | None]) -> None:
        """Await the waiting, with records of partition 0, 1 and so on."""
        made = [
            Part(place, 1, FIRST, [SimpleNamespace(value=lambda v=v: v) for v in values])  # type: ignore[misc]
            for place, values in enumerate(parts)
        ]
        asyncio.run(self.waiting(made, self))  # type: ignore[arg-type]

    def is_known(self, number: int) -> bool:
        """Whether records of that id can be read."""
        try:
            self.registry.schema(number)
        except BadRecord as bad:
            return bad.detail != f"the registry has no schema {number}"
        return True


def record(number: int) -> bytes:
    """A record of some schema."""
    return number.to_bytes(5, "big") + b"anything"


@pytest.fixture
def world() -> World:
    """A registry that knows nothing."""
    return World()


def test_an_id_is_asked_for_once(world: World) -> None:
    """Whatever partition and batch it comes in, and nobody is kept waiting."""
    world.known_from = {7: 0, 8: 0}
    world.prepare([record(7), record(8), record(7)], [record(8)])
    world.prepare([record(7)], [record(8)])

    assert [(0, 7), (0, 8)] == world.asked
    assert [] == world.marks
    assert world.is_known(7)
    assert 0 == world.now


def test_what_has_no_id_is_not_asked_for(world: World) -> None:
    """Tombstones, JSON, cut and foreign bytes are for the decoder to judge."""
    world.prepare([None, b"", b"\0", record(7)[:4], b'{"event": 1}', b"\x01\0\0\0\x07x"], [])

    assert [] == world.asked


def test_an_id_that_is_registered_meanwhile_is_waited_for(world: World) -> None:
    """The lane is unready until then, with the ids; and no longer."""
    world.known_from = {7: 20.0, 8: 10.0}
    world.prepare([record(7), record(8)])

    assert world.is_known(7)
    assert world.is_known(8)
    assert 20 <= world.now < 26
    assert [
        "the schema registry does not know 7, 8 yet",
        "the schema registry does not know 7 yet",
        None,
    ] == world.marks
    assert [{"unknown": 1}, {"unknown": 1}, {}] == world.counts


def test_after_patience_an_id_is_unknown(world: World) -> None:
    """All ids of a batch have the same time; they are named up to five."""
    world.prepare([record(n) for n in range(1, 5)], [record(n) for n in range(5, 9)])

    assert PATIENCE <= world.now < PATIENCE + 6
    assert [False] * 8 == [world.is_known(n) for n in range(1, 9)]
    assert [
        "the schema registry does not know 1, 2, 3, 4, 5 and 3 more yet",
        None,
    ] == world.marks


def test_an_unknown_id_is_waited_for_only_once(world: World) -> None:
    """Later records with it go on at once; as long as patience it is not even asked for."""
    world.prepare([record(7)])
    given_up, asked = world.now, len(world.asked)
    world.now = given_up + PATIENCE - 6
    world.prepare([record(7)])
    between = len(world.asked)
    world.now = given_up + PATIENCE + 1
    world.prepare([record(7)])

    assert asked == between
    assert asked + 1 == len(world.asked)
    assert given_up + PATIENCE + 1 == world.now
    assert not world.is_known(7)


def test_an_unknown_id_may_be_registered_late(world: World) -> None:
    """It is found when it is asked for the next time, and is good from then on."""
    world.prepare([record(7)])
    world.known_from = {7: 0.0}
    world.now += PATIENCE + 1
    world.prepare([record(7)])

    assert world.is_known(7)


@pytest.mark.parametrize(
    "reason", ["Connection refused", "it refuses our credentials: HTTP 401", "it answers HTTP 503"]
)
def test_a_registry_that_is_away_is_waited_for(world: World, reason: str) -> None:
    """However long, and whatever it is that it does not say: nothing is given up."""
    world.away, world.reason = (0.0, 100 * PATIENCE), reason
    world.known_from = {7: 0.0}
    world.prepare([record(7)])

    assert world.is_known(7)
    assert 100 * PATIENCE <= world.now < 100 * PATIENCE + 6
    assert [f"the schema registry is away: {reason}", None] == world.marks
    assert [{"away": 1}, {}] == world.counts


def test_being_away_uses_up_no_patience(world: World) -> None:
    """The time of an id begins when the registry first says that it does not know it."""
    world.away = (0.0, 1000.0)
    world.prepare([record(7)])

    assert 1000 + PATIENCE <= world.now < 1000 + PATIENCE + 11
    assert [{"away": 1}, {"unknown": 1}, {}] == world.counts


def test_a_partition_that_is_taken_away_is_given_up(world: World) -> None:
    """At once, with the id open: whoever has it now asks again."""
    world.revoked_at = 30.0
    world.prepare([record(7)], [record(8)])

    assert 30 <= world.now < 30.2
    assert not world.is_known(7)
    assert [{"unknown": 1}, {}] == world.counts


def test_what_is_not_ours_is_not_asked_for(world: World) -> None:
    """A part whose epoch is over keeps nobody waiting."""
    world.owned = {(1, 1)}
    world.known_from = {8: 0.0}
    world.prepare([record(7)], [record(8)])

    assert [(0, 8)] == world.asked


def test_a_question_without_an_answer_holds_back_no_rebalance(world: World) -> None:
    """A request that hangs is left behind when the partition is taken away."""
    hangs, asked = threading.Event(), threading.Event()

    def schema(number: int) -> None:
        asked.set()
        world.revoked_at = 0
        hangs.wait(60)

    world.schema = schema  # type: ignore[method-assign]
    world.prepare([record(7)])

    assert asked.is_set()
    assert not world.is_known(7)
    hangs.set()


def test_a_bug_is_not_hidden(world: World) -> None:
    """What nobody foresaw reaches the lane."""

    def schema(number: int) -> None:
        raise ZeroDivisionError(number)

    world.schema = schema  # type: ignore[method-assign]
    with pytest.raises(ZeroDivisionError):
        world.prepare([record(7)])


def test_the_log_says_so_once_in_a_while(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Not with every question."""
    world.away, world.known_from = (0.0, 100.0), {7: 0.0}
    with caplog.at_level(logging.INFO):
        world.prepare([record(7)])
    warnings = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]

    assert ["derive: waits: the schema registry is away: Connection refused"] * 4 == warnings
    assert 10 < len(world.asked)
    assert "derive: waits no longer for the schema registry" == caplog.messages[-1]


LOADING: dict[str, tuple[Callable[[World], None], type[Exception] | None]] = {
    "known": (lambda it: it.known_from.update({7: 0.0}), None),
    "unknown": (lambda _: None, BadRecord),
    "away": (lambda it: setattr(it, "away", (0.0, 1.0)), KafkaException),
}


@pytest.mark.parametrize("case", LOADING)
def test_the_loading_thread_asks_itself(world: World, case: str) -> None:
    """A record read at a start teaches its schema; while that cannot be, the thread comes again."""
    arrange, error = LOADING[case]
    arrange(world)
    ours = OURS.texts["outcome"]
    world.schema = _as_outcome(world.schema, ours)  # type: ignore[method-assign]
    decode = Schemas(world.registry).decode_in_thread("outcome")
    value = (7).to_bytes(5, "big") + b"\0"
    if error is not None:
        with pytest.raises(error):
            decode(value)
    else:
        with pytest.raises(
            BadRecord, match="do not fit"
        ):  # the schema is there, these bytes are short
            decode(value)

        assert world.registry.schema(7) is world.registry.ours["outcome"]


def _as_outcome(ask: Callable[[int], Written | None], text: str) -> Any:
    def schema(number: int) -> Written | None:
        return None if ask(number) is None else Written("AVRO", (json.dumps(json.loads(text)),))

    return schema
