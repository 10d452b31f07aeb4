"""What the watchdog takes for a stall, and what for a wait: no thread, no clock of its own."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from pydantic import ValidationError
from typing_extensions import override

from streams.delivery.overdue import Overdue
from streams.demo.broker import free_ports
from streams.engine.away import BrokerWatch
from streams.engine.batch import FIRST, Batch, Part, Position
from streams.engine.client_log import Seldom
from streams.engine.job_handler import JobHandler
from streams.engine.kafka import KafkaSettings
from streams.engine.lane import Lane, PassiveHandler
from streams.engine.ownership import Share
from streams.engine.poller import Poller
from streams.engine.publication import do_nothing
from streams.engine.rows import Shard
from streams.engine.statistics import LaneStatistics
from streams.engine.underway import Underway
from streams.engine.watchdog import LOOP, POLL_THREAD, WORK, Judge, Stall, Watchdog
from streams.engine.watchdog import Part as Sight
from streams.health import starting_pages
from streams.model.rules import Limit
from streams.settings.tables import Worker
from tests.support.delivery import Stage, tell, until
from tests.support.delivery_vendor import Answer, Gate, event
from tests.support.engine_job import Counting
from tests.support.health_pages import page

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from streams.engine.compute import Work

KAFKA = KafkaSettings(bootstrap="nowhere")
AWAY = KafkaException(KafkaError(KafkaError._TRANSPORT, "no connection"))

Looks = list[tuple[float, float | None]]
"""(time of the look, the mark that is seen)."""


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        pytest.param([(n, 7.0) for n in range(11)], None, id="as long as the timeout"),
        pytest.param([(n, 7.0) for n in range(12)], 11.0, id="longer"),
        pytest.param([(n, float(n)) for n in range(30)], None, id="moves on"),
        pytest.param([(n, float(n // 8)) for n in range(30)], None, id="moves on slowly"),
        pytest.param([(n, None) for n in range(30)], None, id="has nothing to do"),
        pytest.param(
            [(n, None if n == 8 else 7.0) for n in range(18)], None, id="could not for a moment"
        ),
        pytest.param([(0, 7.0), (1, 7.0), (500, 7.0), (501, 7.0)], None, id="was stopped"),
        pytest.param(
            [(0, 7.0), *((500 + n, 7.0) for n in range(10))], 11.0, id="was stopped, and stands"
        ),
        pytest.param([(0, 0.0), (1_000, 0.0)], None, id="looked at for the first time"),
    ],
)
def test_what_stands(looks: Looks, expected: float | None) -> None:
    """A part stands when its mark stayed for longer than the timeout, as far as anyone looked."""
    judge, found = Judge(10.0, 2.0), None
    part = Sight("derive", WORK)
    for now, mark in looks:
        stalls = judge.look(now, {part: mark})
        found = stalls[0].seconds if stalls else None

    assert expected == found


def test_each_part_is_judged_for_itself() -> None:
    """The loop turns, one lane works, another's poll thread stands: that one is named."""
    judge = Judge(10.0, 2.0)
    stuck, busy = Sight("derive", POLL_THREAD), Sight("klaviyo", WORK)
    stalls: list[Stall] = []
    for now in range(13):
        stalls = judge.look(now, {LOOP: float(now), stuck: 3.0, busy: float(now)})

    assert ["derive: the poll thread stands for 12 s"] == [stall.text for stall in stalls]
    assert "the event loop stands for 3 s" == Stall(*LOOP, 3.0).text


class LaneInTrouble:
    """A lane whose work was begun long ago, and cannot always be asked."""

    ticked = 0.0

    def __init__(self) -> None:
        self.asked = 0

    @property
    def runnable_since(self) -> float | None:
        """The same moment, or an error at first."""
        self.asked += 1
        if self.asked == 1:
            raise RuntimeError
        return 1.0


def test_the_thread_tells_once(caplog: pytest.LogCaptureFixture) -> None:
    """A look that fails is logged and no end of the watch; a stall is told once."""
    told: list[list[str]] = []
    lane = LaneInTrouble()

    async def scenario() -> None:
        done = asyncio.Event()
        loop = asyncio.get_running_loop()

        def stalled(stalls: Sequence[Stall]) -> None:
            told.append([stall.name for stall in stalls])
            loop.call_soon_threadsafe(done.set)

        Watchdog(0.05, {"derive": lane}, stalled=stalled).start(loop)
        async with asyncio.timeout(30):
            await done.wait()

    asyncio.run(scenario())

    assert [[POLL_THREAD, WORK]] == told
    assert ["the watchdog could not look"] == [record.message for record in caplog.records]


def test_it_can_be_off_and_stopped() -> None:
    """A timeout of 0 looks at nothing, and neither does a watchdog that was stopped."""
    off, stopped = LaneInTrouble(), LaneInTrouble()

    async def scenario() -> None:
        for watchdog in (
            Watchdog(0.0, {"derive": off}, stalled=lambda _: None),
            Watchdog(3_600.0, {"derive": stopped}, stalled=lambda _: None),
        ):
            watchdog.start(asyncio.get_running_loop())
            watchdog.stop()
            for thread in threading.enumerate():
                if thread.name == "watchdog":
                    await asyncio.to_thread(thread.join, 30)

    asyncio.run(scenario())

    assert (0, 0) == (off.asked, stopped.asked)


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def test_pieces_of_work() -> None:
    """The oldest piece counts; one that gives signs of life is as old as the last of them."""
    clock = Hand()
    underway = Underway(clock)
    seen = [underway.since]
    first = underway.begin()
    clock.now += 1
    second = underway.begin()
    seen.append(underway.since)
    underway.end(first)
    underway.end(first)
    seen.append(underway.since)
    underway.end(second)
    with underway.beating(lambda: {3}) as alive:
        clock.now += 50
        answer = alive()
        seen.append(underway.since)
    with underway.piece():
        pass

    assert [None, 100.0, 101.0, 151.0] == seen
    assert ({3}, None) == (answer, underway.since)


def test_overdue_things() -> None:
    """A request is overdue when its own time is over, not before; the first one is named."""
    clock = Hand()
    overdue = Overdue(clock, 20.0)
    overdue.begin("first")
    clock.now += 5
    overdue.begin("second")
    seen = []
    for seconds in (14.9, 0.1, 10):
        clock.now += seconds
        seen.append(overdue.since)
    overdue.end("first")
    seen.append(overdue.since)
    overdue.end("second")

    assert [None, 120.0, 120.0, 125.0, None] == [*seen, overdue.since]


class Idle(PassiveHandler):
    """A handler without any work of its own."""

    def attach(self, poller: Poller) -> None:
        """Needs none."""

    def load(self, positions: Mapping[int, Position], alive: Callable[[], AbstractSet[int]]) -> Any:
        """Nothing to load."""

    def install(self, owned: Sequence[Share], loaded: Mapping[int, Any]) -> None:
        """Nothing to keep."""

    def drop(self, partitions: Collection[int]) -> None:
        """Nothing to forget."""

    async def feed(self, batch: Batch) -> None:
        """Nothing to do."""

    async def barrier(self, partitions: Collection[int]) -> None:
        """Nothing under way."""


def test_a_batch_waits_for_its_turn() -> None:
    """Handed over and not taken is runnable; behind another one it is not, until that is done."""
    poller = Poller(Lane(name="l", topic="t", group="g", handler=Idle()), KAFKA)
    seen = [poller.runnable_since is None]
    handed_over = poller._loop.handed_over
    first, second = handed_over.begin(), handed_over.begin()
    seen.append(poller.runnable_since == handed_over.since)
    with poller.feeding():
        seen.append(poller.runnable_since is None)
        handed_over.end(first)
    then = poller.runnable_since
    seen.append(then is not None and then == poller._fed_at >= (handed_over.since or 0))
    handed_over.end(second)

    assert [True] * 5 == [*seen, poller.runnable_since is None]


def test_reasons_of_a_lane() -> None:
    """What stands and a broker that is away come first, whatever else there is."""
    poller = Poller(Lane(name="l", topic="t", group="g", handler=Idle()), KAFKA)
    poller.unready("stopped", about="breaker")
    poller._loop.broker.heard(KafkaError(KafkaError._ALL_BROKERS_DOWN, "1/1 brokers are down"))
    poller.stalled = "work stands still"

    assert (
        "work stands still; the broker is away: 1/1 brokers are down; stopped" == poller.not_ready
    )


class AskedPoller:
    """What a job's handler asks of its poller."""

    away: str | None = None

    def __init__(self) -> None:
        self.statistics = LaneStatistics()
        self.owned = frozenset({0})
        self.suspected: list[BaseException] = []

    def accepts(self, partition: int, epoch: int) -> bool:
        """Everything is ours."""
        del partition, epoch
        return True

    def reset(self, shares: Sequence[Share], cause: str) -> None:
        """Take no note."""

    def committed(self, offsets: Mapping[int, int]) -> None:
        """Take no note."""

    def unready(self, reason: str | None, *, about: str) -> None:
        """Take no note."""

    def suspect(self, error: BaseException) -> None:
        """Keep it."""
        self.suspected.append(error)


class Held:
    """A publication that is held up, and fails in the end."""

    def __init__(self) -> None:
        self.may = threading.Event()
        self.at = do_nothing

    def attach(self, poller: Any, changelog: str | None) -> None:
        """Nothing is needed."""

    def prepare(self) -> None:
        """Nothing is connected."""

    def publish(self, works: Sequence[Work]) -> Sequence[Work]:
        """Wait, and fail."""
        del works
        assert self.may.wait(30)
        raise AWAY

    def close(self) -> None:
        """Nothing is open."""


class Message:
    """A record as the job looks at it."""

    def offset(self) -> int:
        """Return the offset."""
        return 0

    def timestamp(self) -> tuple[int, int]:
        """Return a time."""
        return (2, 1)

    def key(self) -> bytes:
        """Return the key."""
        return b"a"

    def value(self) -> bytes:
        """Return the value."""
        return b"1"


def test_when_a_job_has_runnable_work() -> None:
    """Computing and publishing; not waiting for the registry, nor for a broker that is away."""
    seen: dict[str, bool] = {}
    poller, publication = AskedPoller(), Held()

    async def scenario() -> None:
        ready = asyncio.Event()

        async def prepare(*_: Any) -> None:
            await ready.wait()

        class Watched(Counting):
            @override
            def apply(self, *given: Any) -> None:
                seen["computing"] = handler.runnable_since() is not None
                super().apply(*given)

        job = Watched("out")
        handler = JobHandler(KAFKA, job, None, publication, preparation=prepare)  # type: ignore[arg-type]
        handler.attach(poller)  # type: ignore[arg-type]
        handler.install([Share(0, 1)], {0: Shard({}, job.due, Position(0))})
        batch = Batch([Part(0, 1, FIRST, [Message()])], lambda: None)  # type: ignore[list-item]
        feeding = asyncio.create_task(handler.feed(batch))
        await asyncio.sleep(0)
        seen["waiting for the registry"] = handler.runnable_since() is not None
        ready.set()
        await feeding
        seen["publishing"] = handler.runnable_since() is not None
        poller.away = "the broker is away"
        seen["publishing, the broker away"] = handler.runnable_since() is not None
        poller.away = None
        publication.may.set()
        await handler.barrier([0])
        seen["published"] = handler.runnable_since() is not None
        handler.close()

    asyncio.run(scenario())

    assert {
        "waiting for the registry": False,
        "computing": True,
        "publishing": True,
        "publishing, the broker away": False,
        "published": False,
    } == seen
    assert [AWAY] == poller.suspected


class Admin:
    """Answers when the test says so."""

    def __init__(self) -> None:
        self.questions: list[Future[object]] = []

    def describe_cluster(self, **_: float) -> Future[object]:
        """Return a question that is open."""
        self.questions.append(Future())
        return self.questions[-1]


def test_a_suspicion_is_checked_by_asking() -> None:
    """Without a reason nothing is asked; silence makes it a fact, and an answer ends it."""
    clock, admin = Hand(), Admin()
    watch = BrokerWatch("l", clock)
    reasons = []

    def look(*, member: bool = True) -> None:
        clock.now += 1
        watch.look(admin, member=member)  # type: ignore[arg-type]

    look()
    watch.suspect(RuntimeError())
    look()
    asked = [len(admin.questions)]
    watch.suspect(AWAY)
    look()
    look()
    reasons.append(watch.reason)
    admin.questions[-1].set_exception(AWAY)
    look()
    reasons.append(watch.reason)
    look()
    admin.questions[-1].set_result(None)
    look()
    reasons.append(watch.reason)
    look()
    asked.append(len(admin.questions))
    look(member=False)
    asked.append(len(admin.questions))

    assert [None, "the broker is away: no connection", None] == reasons
    assert [0, 2, 3] == asked


def test_what_the_client_says_by_itself() -> None:
    """No connection at all is a fact at once; one connection that fails is none."""
    watch = BrokerWatch("l")
    watch.heard(KafkaError(KafkaError._TRANSPORT, "one of three"))
    before = watch.reason
    watch.heard(KafkaError(KafkaError._ALL_BROKERS_DOWN, "3/3 brokers are down"))

    assert (None, "the broker is away: 3/3 brokers are down") == (before, watch.reason)


def test_the_client_says_it_seldom() -> None:
    """The same failure each tenth of a second is one line in half a minute; another one passes."""
    clock = Hand()
    seldom = Seldom(clock)
    passed = []
    for tenth in range(301):
        clock.now = 100 + tenth / 10
        for broker in (1, 2)[: 1 + (tenth == 7)]:
            text = f"FAIL {broker}: refused (after {tenth}ms in state CONNECT)"
            if seldom.filter(logging.makeLogRecord({"msg": text})):
                passed.append((tenth, broker))

    assert [(0, 1), (7, 2), (300, 1)] == passed


@pytest.mark.parametrize(
    ("text", "seconds"), [("2m", 120.0), ("90s", 90.0), ("0s", 0.0), ("0m", 0.0)]
)
def test_how_long_may_be_chosen(text: str, seconds: float) -> None:
    """0 switches it off."""
    told = Worker.model_validate({"stall_timeout": text})

    assert seconds == told.stall_timeout.total_seconds()
    assert 120.0 == Worker().stall_timeout.total_seconds()


@pytest.mark.parametrize("text", ["89s", "1ms", "0", 5])
def test_how_long_may_not(text: object) -> None:
    """What a broker that hangs may take is no stall; and a number needs its unit."""
    with pytest.raises(ValidationError):
        Worker.model_validate({"stall_timeout": text})


def test_pages_of_a_process_that_waits_to_start() -> None:
    """Alive, not ready, and why; the port is free afterwards; without a port there is nothing."""
    (port,) = free_ports(1)
    address = f"http://127.0.0.1:{port}"
    with starting_pages("127.0.0.1", port), starting_pages("127.0.0.1", port):
        found = [page(f"{address}/{name}") for name in ("livez", "readyz", "metrics")]
    with starting_pages("127.0.0.1", 0):
        found.append(page(f"{address}/livez"))

    assert [200, 503, 404, 0] == [status for status, _ in found]
    assert "waits for the schema registry or the broker" in found[1][1]


def asked(stage: Stage) -> bool:
    """Whether the connection has runnable work that stands."""
    return stage.handler.runnable_since() is not None


def test_waits_of_a_connection_are_no_stalls() -> None:
    """A slow vendor, a limit, a retry, refused credentials: customers wait, nothing stands."""
    seen: Counter[str] = Counter()

    async def slow(stage: Stage) -> None:
        stage.server.answer = gate = Gate()
        await stage.feed(event(), event(customer="c2"), event(customer="c3"))
        await until(lambda: len(stage.server.seen) == 1)
        feeding = asyncio.create_task(stage.feed(event(customer="c4")))
        await until(lambda: stage.handler._no_room_since is not None)
        seen["slow"] += asked(stage)
        gate.open.set()
        await feeding
        await stage.until_offset(4)
        seen["done"] += asked(stage)

    async def limited(stage: Stage) -> None:
        await stage.feed(event(), event(customer="c2"))
        await stage.until_offset(1)
        await until(lambda: stage.handler.statistics.limiter_waits > 0)
        seen["limited"] += asked(stage)

    async def refused(stage: Stage) -> None:
        stage.server.answer = lambda _: Answer(401)
        await stage.feed(event(), event(customer="c2"))
        await until(lambda: stage.poller.reason is not None)
        await until(lambda: not stage.handler.statistics.in_flight)
        seen["refused"] += asked(stage)

    tell(slow, concurrency=1, window_count=3)
    tell(limited, limits=(Limit("events", 1, 3_600.0),))
    tell(refused, concurrency=1)

    assert {"slow": 0, "done": 0, "limited": 0, "refused": 0} == seen


def test_a_request_beyond_its_timeout_stands() -> None:
    """Its own timeout should have ended it: after that it is overdue."""
    seen: list[bool] = []

    async def story(stage: Stage) -> None:
        stage.server.answer = gate = Gate()
        clock = Hand()
        stage.handler._sender._overdue._clock = clock
        await stage.feed(event())
        await until(lambda: len(stage.server.seen) == 1)
        for seconds in (19.0, 2.0):
            clock.now += seconds
            seen.append(asked(stage))
        gate.open.set()
        await stage.until_offset(1)
        seen.append(asked(stage))

    tell(story)

    assert [False, True, False] == seen


def test_a_record_that_nobody_takes_stands() -> None:
    """A lost wake-up: there is room again, and the batch goes on waiting for it."""
    seen: list[bool] = []

    async def story(stage: Stage) -> None:
        stage.server.answer = gate = Gate()
        feeding = asyncio.create_task(stage.feed(event(), event(customer="c2")))
        await until(lambda: stage.handler._no_room_since is not None)
        seen.append(asked(stage))
        stage.handler._window.count = 2
        seen.append(asked(stage))
        gate.open.set()
        await feeding
        await stage.until_offset(2)
        seen.append(asked(stage))

    tell(story, window_count=1)

    assert [False, True, False] == seen


def test_a_delivery_that_nobody_begins_stands() -> None:
    """A lost wake-up: it is a customer's turn, nothing is in the way, and nothing happens."""
    seen: list[bool] = []

    async def story(stage: Stage) -> None:
        sender = stage.handler._sender
        ask, sender.wake = sender.wake, lambda: None  # type: ignore[method-assign]
        await stage.feed(event())
        seen.append(asked(stage))
        sender.wake = ask  # type: ignore[method-assign]
        sender.wake()
        seen.append(asked(stage))
        await stage.until_offset(1)
        seen.append(asked(stage))

    tell(story)

    assert [True, False, False] == seen
