"""Accounts that several connections and processes share: `account`, `sharer`, `heartbeats`.

The processes here are in one, on one clock that is moved; the control topic is a list that hands
each record to all. `tests/kafka/test_shared_limits.py` has a real one.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import pytest
from pydantic import ValidationError

from streams.cli.composition import connection_of
from streams.delivery.account import Accounts, account_name
from streams.delivery.clock import Clock
from streams.delivery.connection import Connection
from streams.delivery.heartbeats import Heartbeats
from streams.delivery.limits import WindowKey
from streams.errors import ConfigurationError
from streams.model.rules import Limit
from streams.settings import Connection as ConnectionSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.delivery.publisher import Headers

LIMITS = (Limit("events", 100, 1.0), Limit("events", 1_000, 60.0))
SECOND, MINUTE = WindowKey("events", 1.0), WindowKey("events", 60.0)
STEP = 0.5


def connection(name: str = "klaviyo", **told: object) -> Connection:
    """A connection with credentials."""
    values = {"name": name, "destination": "klaviyo", "credentials": "pk_one", **told}
    return msgspec.convert(values, Connection)


class Topic:
    """The control topic: what was written last of each key, and who is told of new records."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.away = False
        self.held: dict[bytes, tuple[bytes | None, int]] = {}
        self.written: list[tuple[bytes, bytes | None]] = []
        self.followers: list[Process] = []

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Headers | None = None,
        *,
        partition: int | None = None,
    ) -> asyncio.Future[tuple[int, int]]:
        """Append a record, unless the broker is away."""
        del topic, headers, partition
        future: asyncio.Future[tuple[int, int]] = asyncio.get_running_loop().create_future()
        assert key is not None
        if self.away:
            return future
        at = int(self.now * 1_000)
        self.held[key] = value, at
        self.written.append((key, value))
        for each in self.followers:
            each.heartbeats.take([(key, value, at)])
        future.set_result((0, len(self.written)))
        return future


class Process:
    """One process with an account, which starts whatever the limiter lets it, if it has work."""

    def __init__(self, topic: Topic, limits: tuple[Limit, ...] = LIMITS) -> None:
        clock = Clock(now=lambda: int(topic.now * 1_000), monotonic=lambda: topic.now)
        accounts = Accounts(b"key", clock.monotonic)
        self.backlog = 0
        self.begun: list[float] = []
        self._topic = topic
        self.limiter = accounts.limiter(connection(), limits, lambda: self.backlog)
        self.heartbeats = Heartbeats(accounts, "og.control", topic, clock)

    def start(self) -> None:
        """Tell, then listen."""
        self.heartbeats.beat()
        self._topic.followers.append(self)
        self.heartbeats.take([(k, v, at) for k, (v, at) in self._topic.held.items()])
        self.heartbeats.join()
        self.heartbeats.beat()

    def work(self) -> None:
        """Start what may start."""
        while self.backlog and not self.limiter.take("events"):
            self.backlog -= 1
            self.begun.append(self._topic.now)

    def usable(self, key: WindowKey = SECOND) -> int:
        """What the limiter is granted of a window."""
        windows = self.limiter._endpoints[key.endpoint].windows
        return next(each.portion.requests for each in windows if each.seconds == key.seconds)


def run(topic: Topic, seconds: float, *processes: Process, look: float = 0.05) -> None:
    """Let time pass; the processes look every so many seconds whether they may start more."""
    for step in range(round(seconds / 0.05)):
        topic.now += 0.05
        for each in processes:
            if step % round(look / 0.05) == 0:
                each.work()
            if step % round(STEP / 0.05) == 0:
                each.heartbeats.beat()


def play(story: Callable[[Topic], None]) -> Topic:
    """Let a story happen on an event loop."""
    topic = Topic()

    async def told() -> None:
        story(topic)

    asyncio.run(told())
    return topic


def fullest(processes: list[Process], seconds: float) -> int:
    """The most requests that all processes together started in any window of this length."""
    begun = sorted(each for process in processes for each in process.begun)
    most, first = 0, 0
    for last, at in enumerate(begun):
        while begun[first] <= at - seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


def test_who_is_alone_has_all_of_it_at_once() -> None:
    """The first process waits for nobody."""

    def story(topic: Topic) -> None:
        process = Process(topic)
        before = process.usable()
        process.start()

        assert (0, 100, 980) == (before, process.usable(), process.usable(MINUTE))

    play(story)


def test_a_skew_of_the_load_is_a_skew_of_the_shares() -> None:
    """Two that have more than they may send come to nine tenths and one; never more than all."""

    def story(topic: Topic) -> None:
        large, small = Process(topic), Process(topic)
        large.backlog, small.backlog = 90_000, 10_000
        for each in (large, small):
            each.start()
        run(topic, 300.0, large, small)

        assert (90, 10) == (large.usable(), small.usable())
        assert pytest.approx((882, 98), abs=5) == (large.usable(MINUTE), small.usable(MINUTE))
        late = [sum(at > 1_180.0 for at in each.begun) for each in (large, small)]
        assert sum(late) >= 0.95 * 1_000 / 60 * 120
        assert pytest.approx(0.9, abs=0.03) == late[0] / sum(late)
        assert (100, 1_000) >= (fullest([large, small], 1.0), fullest([large, small], 60.0))

    play(story)


def test_a_newcomer_begins_small_and_grows_when_the_others_use_has_left() -> None:
    """No window holds too many while a second one with as much work comes and goes."""

    def story(topic: Topic) -> None:
        first, second = Process(topic), Process(topic)
        first.backlog = second.backlog = 50_000
        first.start()
        run(topic, 90.0, first)
        second.start()
        seen = [(first.usable(MINUTE), second.usable(MINUTE))]
        for seconds in (4.0, 50.0, 40.0):
            run(topic, seconds, first, second)
            seen.append((first.usable(MINUTE), second.usable(MINUTE)))
        second.heartbeats._send(second.heartbeats._key(NAME), None)
        topic.followers.remove(second)
        run(topic, 50.0, first)
        seen.append((first.usable(MINUTE), 0))
        run(topic, 30.0, first)

        assert seen[0] == (980, 0)
        assert seen[1][1] == 20
        assert seen[2][1] == 20
        assert 450 <= seen[3][1] <= 520
        assert seen[4][0] <= 550
        assert 980 == first.usable(MINUTE)
        assert fullest([first, second], 60.0) <= 1_000
        assert fullest([first, second], 1.0) <= 100

    play(story)


def test_a_process_that_falls_silent_is_dead() -> None:
    """What it had goes to the others, after the patience of its last heartbeat and the window."""

    def story(topic: Topic) -> None:
        first, second = Process(topic), Process(topic)
        for each in (first, second):
            each.backlog = 50_000
            each.start()
        run(topic, 90.0, first, second)
        shared = first.usable()
        topic.followers.remove(second)
        run(topic, 5.0, first)
        before = first.usable()
        run(topic, 7.0, first)

        assert shared < 60
        assert before < 60
        assert (100, True) == (first.usable(), first.usable(MINUTE) < 600)

    play(story)


def test_without_the_control_topic_the_last_share_is_kept_for_a_while() -> None:
    """While the others take it for alive and wait; then the least. It grows late afterwards."""

    def story(topic: Topic) -> None:
        process = Process(topic)
        process.backlog = 100_000
        process.start()
        run(topic, 10.0, process)
        topic.away = True
        run(topic, 8.0, process)
        kept = process.usable()
        run(topic, 4.0, process)
        least = process.usable(), process.usable(MINUTE)
        topic.away = False
        run(topic, 2.0, process)
        soon = process.usable()
        run(topic, 4.0, process)

        assert (100, (2, 980), 2, 100) == (kept, least, soon, process.usable())

    play(story)


def test_heartbeats_are_few() -> None:
    """One in 1.5 s where there is work, one in 10 s where there is none, one at once between."""

    def story(topic: Topic) -> None:
        process = Process(topic, (Limit("events", 1, 1.0),))
        process.start()
        run(topic, 60.0, process)
        idle.append(len(topic.written))
        process.backlog = 10**6
        run(topic, 1.0, process, look=1.0)
        changed.append(len(topic.written) - idle[0])
        run(topic, 60.0, process, look=0.7)
        busy.append(len(topic.written) - idle[0] - changed[0])
        for _, value in topic.written[-busy[0] :]:
            backlogs.add(msgspec.json.decode(value or b"")["wants"]["events"][1])

    idle: list[int] = []
    changed: list[int] = []
    busy: list[int] = []
    backlogs: set[bool] = set()
    topic = play(story)

    assert idle[0] <= 7
    assert 1 <= changed[0] <= 2
    assert 29 <= busy[0] <= 41
    assert {True} == backlogs, "who looks once a second is held back between two looks, too"
    assert 1 == len({key for key, _ in topic.written})


def test_other_records_of_the_topic_are_ignored() -> None:
    """Other kinds, other accounts, and what cannot be read."""

    def story(topic: Topic) -> None:
        process = Process(topic)
        process.start()
        for key, value in (
            (b"first-offsets:og-derive:og.ordergroove.events", b'{"at": 1}'),
            (b"share:klaviyo-other:abc", b'{"wants":{"events":[9,true]},"next":10}'),
            (f"share:{NAME}:def".encode(), b"not JSON"),
            (b"\xff", None),
        ):
            process.heartbeats.take([(key, value, int(topic.now * 1_000))])
        run(topic, 5.0, process)

        assert 100 == process.usable()

    play(story)


def test_heartbeats_of_the_long_dead_are_taken_off_the_topic() -> None:
    """Nobody else would: their process cannot."""

    def story(topic: Topic) -> None:
        old = f"share:{NAME}:0ld".encode()
        topic.held[old] = b'{"wants":{},"next":1.5}', int((topic.now - 4_000) * 1_000)
        process = Process(topic)
        process.start()

        assert (old, None) in topic.written
        assert 100 == process.usable()

    play(story)


def test_connections_of_one_account_share_one_limiter() -> None:
    """By their credentials, or by the operator's name for the account."""
    accounts = Accounts(b"key", lambda: 0.0)

    def limiter_of(name: str, **told: object) -> int:
        return id(accounts.limiter(connection(name, **told), LIMITS))

    one = limiter_of("klaviyo")

    assert one == limiter_of("klaviyo-eu")
    assert one != limiter_of("other", credentials="pk_two")
    assert one != limiter_of("yespo", destination="yespo")
    assert limiter_of("a", account="shop") == limiter_of("b", account="shop", credentials="pk_3")
    assert 4 == len(list(accounts))


def test_the_account_is_a_setting() -> None:
    """By name, without anything that a key of the control topic could not hold."""
    told = connection_of("klaviyo", ConnectionSettings(account="shop-1", mode="shadow"))

    assert "shop-1" == told.account
    assert connection_of("klaviyo", ConnectionSettings()).account is None
    with pytest.raises(ValidationError, match="account"):
        ConnectionSettings(account="shop:1")


def test_a_name_gives_no_credentials_away() -> None:
    """It is the same in all processes with the same key, and says nothing without it."""
    names = {account_name(connection(), key) for key in (b"key", b"key", b"other")}

    assert 2 == len(names)
    assert all(each.startswith("klaviyo-") and "pk_" not in each for each in names)
    assert "klaviyo.shop" == account_name(connection(account="shop"), b"key")


def test_one_account_has_one_share_of_the_limits() -> None:
    """Two connections that would use it differently are refused, with both names."""
    accounts = Accounts(b"key")
    accounts.limiter(connection(), LIMITS)

    with pytest.raises(ConfigurationError, match=r"connections\.eu\.limits: klaviyo uses the same"):
        accounts.limiter(connection("eu", limits=0.5), LIMITS)


NAME = account_name(connection(), b"key")
