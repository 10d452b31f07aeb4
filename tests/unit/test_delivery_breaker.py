"""Stories of the connection's breaker: it stops before its topic drains into the dead letters."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from streams.breaker import Rule
from tests.support.delivery import FAST, Stage, tell, until
from tests.support.delivery_vendor import Answer, Gate, Seen, decode, event

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.model.delivery import Options, Part, Refusal
    from streams.model.enriched import EnrichedEvent

QUICK = Rule(at_least=10, retry=0.02)
NEVER = Rule(at_least=10, retry=1e6)
"""No trial while the test lasts."""

PEOPLE = [f"c{each}" for each in range(12)]


def day(*numbers: int) -> list[EnrichedEvent]:
    """These events of all customers, mixed."""
    return [event(customer=each, number=number) for number in numbers for each in PEOPLE]


def given_up(stage: Stage) -> list[str]:
    """The event ids of the outcomes that are `rejected`."""
    return [each for each, _, outcome in stage.outcomes() if outcome == "rejected"]


def delivered(stage: Stage) -> list[str]:
    """The event ids of the outcomes that are `delivered`, in order."""
    return [each for each, _, outcome in stage.outcomes() if outcome == "delivered"]


def is_open(stage: Stage) -> bool:
    """Whether the breaker shows as open."""
    return stage.poller.statistics.breakers == {"all": 1}


def ids(events: list[EnrichedEvent]) -> list[str]:
    """Their ids."""
    return [each.event_id for each in events]


def first_left(stage: Stage) -> int:
    """The offset of the first delivery of the day that was not given up; answers may cross."""
    lost = given_up(stage)
    return next(offset for offset, each in enumerate(ids(day(1, 2))) if each not in lost)


def in_order(arrived: list[str]) -> bool:
    """Whether each customer's events are in the order of their numbers."""
    places: dict[str, list[int]] = {}
    for each in arrived:
        customer, _, number = each.partition("-")
        places.setdefault(customer, []).append(int(number))
    return all(numbers == sorted(numbers) for numbers in places.values())


@pytest.mark.parametrize("concurrency", [1, 8])
def test_a_vendor_that_refuses_everything_stops_the_connection(concurrency: int) -> None:
    """Nothing more is sent or given up; the offset stays behind what was; it shows why."""

    async def story(stage: Stage) -> None:
        stage.server.answer = lambda _: Answer(400)
        await stage.feed(*day(1, 2))
        await until(lambda: is_open(stage) and not stage.handler.statistics.in_flight)
        await until(lambda: stage.offset == first_left(stage))
        seen.append(len(stage.server.seen))
        await stage.feed(event(customer="later"))
        await stage.handler._commits.commit([0])
        seen.append(len(stage.server.seen))

    seen: list[int] = []
    stage = tell(story, rule=NEVER, concurrency=concurrency)

    assert "stopped: 10 of 10 failed alike: invalid (email)" == stage.poller.reasons[0]
    assert (9, 9) == (len(given_up(stage)), len(stage.dead_letters("id")))
    assert first_left(stage) == stage.offset
    assert seen[0] == seen[1] < 10 + concurrency


def test_after_the_fix_all_arrive_once_and_in_order() -> None:
    """The vendor takes events again: a trial shows it, and nothing is lost or repeated."""

    async def story(stage: Stage) -> None:
        stage.server.answer = lambda _: Answer(400)
        await stage.feed(*day(1, 2, 3))
        await until(lambda: is_open(stage) and not stage.handler.statistics.in_flight)
        before = len(stage.server.seen)
        await until(lambda: len(stage.server.seen) > before + 2)
        stage.server.answer = lambda _: Answer()
        await stage.feed(*day(4))
        await stage.until_offset(48)
        after.append((stage.poller.reason, is_open(stage)))

    after: list[tuple[str | None, bool]] = []
    stage = tell(story, rule=QUICK, concurrency=4)
    lost = given_up(stage)

    assert 9 == len(lost) == len(stage.dead_letters("id"))
    assert sorted({*ids(day(1, 2, 3, 4))} - {*lost}) == sorted(delivered(stage))
    assert in_order(delivered(stage))
    assert [(None, False)] == after


def test_trials_go_one_at_a_time() -> None:
    """While it is open, one request is under way at most, however many could go."""

    async def answer(_: Seen) -> Answer:
        await asyncio.sleep(0)
        most.append(stage_now[0].handler.statistics.in_flight if trials[0] else 0)
        return Answer(400)

    async def story(stage: Stage) -> None:
        stage_now.append(stage)
        stage.server.answer = answer
        await stage.feed(*day(1, 2))
        await until(lambda: is_open(stage) and not stage.handler.statistics.in_flight)
        trials[0] = True
        before = len(stage.server.seen)
        await until(lambda: len(stage.server.seen) > before + 5)

    stage_now: list[Stage] = []
    trials, most = [False], [0]
    stage = tell(story, rule=QUICK, concurrency=8)

    assert 1 == max(most)
    assert 9 == len(given_up(stage))


def test_one_that_is_truly_wrong_holds_nobody_up() -> None:
    """Each trial takes another delivery, so one bad record in front does not keep it open."""
    wrong = {"c9-1", "c10-1"}

    async def story(stage: Stage) -> None:
        stage.server.answer = lambda _: Answer(400)
        await stage.feed(*day(1))
        await until(lambda: is_open(stage) and not stage.handler.statistics.in_flight)
        stage.server.answer = lambda seen: Answer(400 if seen.event in wrong else 202)
        await stage.until_offset(12)

    stage = tell(story, rule=QUICK, concurrency=1)

    assert ["c11-1"] == delivered(stage)
    assert wrong < {*given_up(stage)}


def test_a_trial_that_fails_otherwise_closes_it() -> None:
    """What fails in another way is another matter: it is concluded, and the others go."""

    async def story(stage: Stage) -> None:
        stage.server.answer = lambda _: Answer(400)
        await stage.feed(*day(1))
        await until(lambda: is_open(stage) and not stage.handler.statistics.in_flight)
        stage.server.answer = lambda _: Answer(418)
        await stage.until_offset(12)

    stage = tell(story, rule=QUICK, concurrency=1)
    reasons = Counter(reason for *_, what, reason in stage.outcomes("reason") if what == "rejected")

    assert {"invalid": 9, "unreadable_answer": 3} == reasons


@pytest.mark.parametrize(
    "meanwhile",
    [
        pytest.param(lambda _: Answer(500), id="its own trouble"),
        pytest.param(lambda _: Answer(cut=True), id="cut off"),
        pytest.param(lambda _: Answer(429), id="throttled"),
        pytest.param(
            lambda seen: Answer(422 if "email" in seen.body else 400), id="repaired, then refused"
        ),
    ],
)
def test_a_trial_without_a_verdict_decides_nothing(meanwhile: Callable[[Seen], Answer]) -> None:
    """It stays open until something is accepted; nothing is given up on the way."""

    async def story(stage: Stage) -> None:
        stage.server.answer = lambda _: Answer(400)
        await stage.feed(*day(1))
        await until(lambda: is_open(stage) and not stage.handler.statistics.in_flight)
        before = len(stage.server.seen)
        stage.server.answer = meanwhile
        await until(lambda: len(stage.server.seen) > before + 3)
        still.append(is_open(stage))
        stage.server.answer = lambda _: Answer()
        await stage.until_offset(12)

    still: list[bool] = []
    stage = tell(story, rule=QUICK, concurrency=1)

    assert [True] == still
    assert (9, ["c10-1", "c11-1", "c9-1"]) == (len(given_up(stage)), sorted(delivered(stage)))


def test_a_trial_that_must_wait_keeps_its_backoff() -> None:
    """The vendor's own trouble with one delivery: the next trial is another one, meanwhile."""

    async def story(stage: Stage) -> None:
        stage.server.answer = lambda _: Answer(400)
        await stage.feed(*day(1))
        await until(lambda: is_open(stage) and not stage.handler.statistics.in_flight)
        stage.server.answer = lambda seen: Answer(202 if seen.event == "c11-1" else 500)
        before.update(stage.server.events)
        await until(lambda: delivered(stage) == ["c11-1"])
        await until(lambda: sum(each.timer is not None for each in stage.handler._ledgers[0]) == 2)

    before: Counter[str] = Counter()
    slow = replace(FAST, base=1e6, cap=1e6)
    stage = tell(story, rule=QUICK, concurrency=1, schedule=slow)

    assert {"c9-1": 1, "c10-1": 1, "c11-1": 1} == Counter(stage.server.events) - before


def test_what_is_under_way_when_it_opens_is_not_lost() -> None:
    """Accepted is delivered; refused stays unconcluded, says so, and goes again later."""
    gate, late = Gate(), {"c10-1": 202, "c11-1": 400}

    async def answer(seen: Seen) -> Answer:
        if seen.event not in late:
            return Answer(400)
        await gate(seen)
        return Answer(late[seen.event])

    async def story(stage: Stage) -> None:
        stage.server.answer = answer
        await stage.feed(*[each for each in day(1) if each.event_id in late])
        await until(lambda: len(stage.server.seen) == 2)
        await stage.feed(*[each for each in day(1) if each.event_id not in late])
        await until(lambda: is_open(stage))
        gate.open.set()
        await until(lambda: not stage.handler.statistics.in_flight)

    stage = tell(story, rule=NEVER, concurrency=3)

    assert ["c10-1"] == delivered(stage)
    assert ("c11-1", "event", "retrying", "invalid", "email", False) in stage.outcomes(
        "reason", "field", "final"
    )
    assert "c11-1" not in given_up(stage)


class Renderer:
    """Raises on everything until it is mended."""

    def __init__(self, stage: Stage) -> None:
        self.mended = False
        destination = stage.handler._sender._renderer._destination
        self._render: Callable[..., list[Part | Refusal]] = destination.render
        destination.render = self  # type: ignore[method-assign, assignment]

    def __call__(
        self, told: EnrichedEvent, identity: str, now: int, options: Options, *, superseded: bool
    ) -> list[Part | Refusal]:
        """Render, or raise."""
        if not self.mended:
            raise KeyError(told.profile.email)
        return self._render(told, identity, now, options, superseded=superseded)


def test_a_renderer_that_raises_on_everything_stops_the_connection() -> None:
    """Nine are given up as `failed`, nothing is sent; mended, the others go, in order."""

    async def story(stage: Stage) -> None:
        renderer = Renderer(stage)
        await stage.feed(*day(1, 2))
        await until(lambda: is_open(stage))
        await stage.until_offset(9)
        sent.append(len(stage.server.seen))
        renderer.mended = True
        await stage.until_offset(24)

    sent: list[int] = []
    stage = tell(story, rule=QUICK)

    assert "stopped: 10 of 10 failed alike: failed" == stage.poller.reasons[0]
    assert ([0], [("failed",)] * 9) == (sent, stage.dead_letters("reason"))
    assert sorted({*ids(day(1, 2))} - {*given_up(stage)}) == sorted(delivered(stage))
    assert in_order(delivered(stage))


def test_records_that_nobody_can_read_stop_the_connection() -> None:
    """A wrong schema: the offset does not pass the tenth, and goes on when they can be read."""

    async def story(stage: Stage) -> None:
        renderer = stage.handler._sender._renderer
        renderer._decode = lambda _: decode(b"{")
        await stage.feed(*day(1))
        await until(lambda: is_open(stage))
        await stage.until_offset(9)
        renderer._decode = decode
        await stage.until_offset(12)

    stage = tell(story, rule=QUICK)

    assert "stopped: 10 of 10 failed alike: malformed" == stage.poller.reasons[0]
    assert [("malformed",)] * 9 == stage.dead_letters("reason")
    assert ["c10-1", "c11-1", "c9-1"] == sorted(delivered(stage))


@pytest.mark.parametrize(
    ("kinds", "answers"),
    [
        pytest.param(["order.success"] * 4 + ["nobody"], 202, id="exactly the share"),
        pytest.param(["nothing"] * 5, 202, id="filtered"),
        pytest.param(["order.success"] * 5, 500, id="the vendor is down"),
    ],
)
def test_what_is_no_draining_stops_nothing(kinds: list[str], answers: int) -> None:
    """A share that is not above the limit, what was filtered, and a vendor that is away."""

    async def story(stage: Stage) -> None:
        failing = Counter(stage.server.events)

        def answer(seen: Seen) -> Answer:
            failing[seen.event] += 1
            return Answer(answers if failing[seen.event] < 3 else 202)

        stage.server.answer = answer
        people = [f"x{each}" for each in range(100)]
        events = [event(kinds[n % len(kinds)], customer=each) for n, each in enumerate(people)]
        await stage.feed(*events)
        await stage.until_offset(100)

    stage = tell(story, rule=Rule(at_least=100, retry=1e6))

    assert [] == stage.poller.reasons


def test_filtered_ones_do_not_hide_it() -> None:
    """The share is of what was judged, not of what was left out."""

    async def story(stage: Stage) -> None:
        filtered = [event("nothing", customer=f"x{each}") for each in range(200)]
        refused = [event("nobody", customer=f"y{each}") for each in range(20)]
        await stage.feed(*filtered, *refused)
        await until(lambda: is_open(stage))

    assert 9 == len(given_up(tell(story, rule=NEVER)))


@pytest.mark.parametrize(("bad", "opens"), [(1, False), (4, True)])
def test_shadow_judges_what_it_renders(bad: int, *, opens: bool) -> None:
    """Nothing is delivered in shadow: what could be counts as good, what is refused does not."""

    async def story(stage: Stage) -> None:
        kinds = ["nobody" if n % 10 < bad else "order.success" for n in range(100)]
        await stage.feed(*(event(kind, customer=f"x{n}") for n, kind in enumerate(kinds)))
        await until(lambda: is_open(stage) or stage.offset == 100)
        opened.append(is_open(stage))

    opened: list[bool] = []
    tell(story, rule=Rule(at_least=20, retry=1e6), mode="shadow")

    assert [opens] == opened


def test_a_profile_counts_as_an_event_does() -> None:
    """Rejected profiles stop the connection too; the events before them were delivered."""

    async def story(stage: Stage) -> None:
        stage.server.answer = lambda seen: Answer(400 if seen.endpoint == "profiles" else 202)
        await stage.feed(*(event("both", customer=each) for each in PEOPLE))
        await until(lambda: is_open(stage) and not stage.handler.statistics.in_flight)
        stage.server.answer = lambda _: Answer()
        await stage.until_offset(12)

    stage = tell(story, rule=QUICK, concurrency=1)
    profiles = Counter(o for _, part, o in stage.outcomes() if part == "profile")

    assert ids(day(1)) == [
        e for e, part, o in stage.outcomes() if (part, o) == ("event", "delivered")
    ]
    assert (4, 12) == (profiles["rejected"], profiles["rejected"] + profiles["delivered"])


def test_refused_credentials_show_beside_it() -> None:
    """Stopped, and then paused: both reasons are shown, nothing more is tried."""

    async def story(stage: Stage) -> None:
        stage.server.answer = lambda _: Answer(400)
        await stage.feed(*day(1))
        await until(lambda: is_open(stage))
        stage.server.answer = lambda _: Answer(401)
        await until(lambda: stage.handler.statistics.paused is not None)

    stage = tell(story, rule=QUICK, concurrency=1)

    assert (
        "paused: key_refused; stopped: 10 of 10 failed alike: invalid (email)"
        == (stage.poller.reasons[1])
    )


def test_a_partition_that_goes_takes_its_trial_along() -> None:
    """Another partition's delivery is tried instead; nothing of the lost one is concluded."""

    async def story(stage: Stage) -> None:
        gate = Gate()
        stage.own(1)
        stage.server.answer = lambda _: Answer(400)
        await stage.feed(*day(1))
        await until(lambda: is_open(stage) and not stage.handler.statistics.in_flight)
        stage.server.answer = lambda seen: Answer() if seen.event == "other-1" else gate(seen)
        await until(lambda: stage.handler.statistics.in_flight == 1)
        await stage.feed(event(customer="other"), partition=1)
        stage.handler.drop([0])
        await until(lambda: "other-1" in delivered(stage) and not is_open(stage))

    stage = tell(story, rule=QUICK, concurrency=1)

    assert (["other-1"], 9) == (delivered(stage), len(given_up(stage)))


def test_a_new_owner_begins_closed() -> None:
    """A worker that owns nothing is not unready for what others may see otherwise."""

    async def story(stage: Stage) -> None:
        stage.server.answer = lambda _: Answer(400)
        await stage.feed(*day(1))
        await until(lambda: is_open(stage) and not stage.handler.statistics.in_flight)
        stage.handler.drop([0])
        after.append((stage.poller.reason, is_open(stage)))

    after: list[tuple[str | None, bool]] = []
    tell(story, rule=NEVER)

    assert [(None, False)] == after


def test_retries_wait_while_it_is_open() -> None:
    """A customer whose backoff ends meanwhile is not sent; afterwards its order holds."""

    async def story(stage: Stage) -> None:
        slow = event(customer="slow"), event(customer="slow", number=2)
        stage.server.answer = lambda seen: Answer(500 if "slow" in seen.event else 400)
        await stage.feed(*slow, *day(1))
        await until(lambda: is_open(stage) and not stage.handler.statistics.in_flight)
        await until(lambda: not any(each.timer for each in stage.handler._ledgers[0]))
        before = len(stage.server.seen)
        await stage.handler._commits.commit([0])
        after.append(len(stage.server.seen) - before)

    after: list[int] = []
    stage = tell(story, rule=NEVER)

    assert ([0], []) == (after, delivered(stage))
    assert "slow-2" not in stage.server.events
