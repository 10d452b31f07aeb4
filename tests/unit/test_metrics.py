"""What Prometheus is told of lanes, connections and accounts, beyond plain counts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import msgspec

from streams.delivery.account import Account
from streams.delivery.gate import Gate
from streams.delivery.gauges import delivery_metrics
from streams.delivery.limits import Limiter
from streams.engine.statistics import LaneStatistics, RestoreProgress
from streams.histogram import Histogram
from streams.metrics import engine_metrics
from streams.model.rules import Limit
from tests.support.delivery import Stage, tell, until
from tests.support.delivery_vendor import Answer, event

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client.core import Metric

Told = dict[tuple[str, ...], float]


def told(families: Iterable[Metric], name: str) -> Told:
    """One family's samples: the values of its labels, and its value."""
    found = next(each for each in families if each.name == f"streams_{name}")
    return {tuple(one.labels.values()): one.value for one in found.samples}


def connections(stage: Stage) -> list[Metric]:
    """What the connection tells now."""
    return list(delivery_metrics({"klaviyo": stage.handler.statistics}))


def test_refused_credentials_are_told_apart_from_a_pause() -> None:
    """Both pause the connection; only one of them is for the vendor's sake."""
    seen: list[tuple[Told, Told]] = []

    async def story(stage: Stage) -> None:
        def note() -> None:
            families = connections(stage)
            seen.append((told(families, "paused"), told(families, "unauthorized")))

        stage.server.answer = lambda _: Answer(401)
        await stage.feed(event())
        await until(lambda: stage.handler.statistics.paused is not None)
        note()
        stage.handler.pause("lunch")
        note()
        stage.server.answer = lambda _: Answer()
        stage.handler.resume()
        note()
        await stage.until_offset(1)

    tell(story)
    yes, no = {("klaviyo",): 1.0}, {("klaviyo",): 0.0}

    assert [(yes, yes), (yes, no), (no, no)] == seen


def test_the_mode_is_told_as_it_is_now() -> None:
    """By the settings, until somebody decides otherwise."""
    seen: list[Told] = []

    async def story(stage: Stage) -> None:
        seen.append(told(connections(stage), "mode"))
        stage.handler.govern(Gate(mode="shadow"))
        seen.append(told(connections(stage), "mode"))

    tell(story)

    assert [{("klaviyo", "live"): 1.0}, {("klaviyo", "shadow"): 1.0}] == seen


def test_parts_are_timed_and_the_low_lane_is_counted() -> None:
    """From the record to the outcome, for what is live; a replay waits on purpose."""

    async def story(stage: Stage) -> None:
        await stage.feed(event(customer="a"), event(customer="b"))
        await stage.until_offset(2)
        low = event(customer="c")
        stage.low.put(msgspec.json.encode(low), low.customer_id.encode(), 0)
        await until(lambda: stage.handler.statistics.low.finished == 1)

    stage = tell(story)
    parts = len({each[:2] for each in stage.outcomes() if each[0] in {"a-1", "b-1"}})
    families = connections(stage)

    assert parts == stage.handler.statistics.flow.cumulative()[-1][1]
    assert {("klaviyo",): 1.0} == told(families, "low_finished")


def test_limits_used_are_those_of_the_window_that_ends_now() -> None:
    """What was started before it counts no more; a refusal lowers what is left."""
    now = [1_000.0]
    limits = (Limit("events", 10, 1.0), Limit("events", 100, 60.0))
    limiter = Limiter(limits, factor=1.0, safety=1.0, clock=lambda: now[0])
    for _ in range(5):
        while limiter.take("events"):
            now[0] += 0.01
    now[0] += 0.1
    before = list(delivery_metrics({}, [Account("shop", limiter)]))
    now[0] += 2.0
    limiter.throttled("events", 0.0)
    after = list(delivery_metrics({}, [Account("shop", limiter)]))
    short, long = ("shop", "events", "1"), ("shop", "events", "60")

    assert {short: 0.5, long: 0.05} == told(before, "limit_used_ratio")
    assert {short: 0.0, long: 0.05} == told(after, "limit_used_ratio")
    assert {("shop", "events"): 1.0} == told(before, "limit_level_ratio")
    assert told(after, "limit_level_ratio")["shop", "events"] < 1.0


def test_restores_under_way_say_how_much_is_left() -> None:
    """Together, of all partitions; and how many partitions wait for their state."""
    statistics = LaneStatistics(
        restoring={0: RestoreProgress(0, 10, 25), 1: RestoreProgress(5, 40, 40)}
    )
    poller = SimpleNamespace(
        statistics=statistics, lag={}, oldest={}, owned=frozenset({0, 1, 2}),
        loading=frozenset({0, 1}), waited=Histogram(), away=None, stalled=None,
    )  # fmt: skip
    families = list(engine_metrics(lambda: {"derive": cast("Any", poller)}, {"derive": 86_400.0}))

    assert {("derive",): 15.0} == told(families, "restore_left")
    assert {("derive",): 2.0} == told(families, "loading")
    assert {("derive",): 86_400.0} == told(families, "retention_seconds")
