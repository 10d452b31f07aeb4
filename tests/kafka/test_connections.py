"""`streams connections` on a real broker: what is decided, how it is heard, what is counted."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from streams.cli.connections import promotion
from streams.control import follower as following
from streams.control.connections import ConnectionControl
from streams.control.follower import Follower
from streams.control.records import CONNECTIONS, ConnectionState, Pause
from streams.delivery.connection import Connection
from streams.demo.broker import free_ports
from streams.engine.kafka import KafkaSettings
from streams.engine.watermarks import Watermarks
from streams.errors import ConfigurationError
from tests.support.connections_world import MERCHANT, NAME, PARTITIONS, ConnectionsWorld
from tests.support.delivery import until
from tests.support.engine_world import until as until_soon
from tests.support.steered import Handler

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

SETTINGS = Connection(name=NAME, destination=NAME, mode="shadow", credentials="pk_81c2f0aa")


@pytest.fixture
def world(broker: str, prefix: str, monkeypatch: pytest.MonkeyPatch) -> ConnectionsWorld:
    """Topics of one's own."""
    return ConnectionsWorld(broker, prefix, monkeypatch)


def steer(world: ConnectionsWorld, story: Callable[[Handler], Awaitable[None]]) -> Handler:
    """Let a handler be steered while a story happens, as in a worker that starts now."""

    async def play() -> Handler:
        handler = Handler()
        with closing(Follower(world.kafka, world.names.control, CONNECTIONS)) as follower:
            await asyncio.to_thread(follower.start)
            ConnectionControl(SETTINGS, handler, follower).start()
            await story(handler)
        return handler

    return asyncio.run(play())


async def nothing(_: Handler) -> None:
    """Nothing happens."""


def test_a_running_worker_hears_it(world: ConnectionsWorld) -> None:
    """A pause, a promotion and a resumption reach it in their order, and nobody else's does."""

    async def story(handler: Handler) -> None:
        world.write("eu", b'{"pause": {"by": "kim", "since": 1}}')
        assert (0, "") == await _run("pause", NAME, "--reason", "fire drill", "--by", "kim")
        await until(lambda: handler.told == ["pause: by kim: fire drill"])
        assert (0, "") == await _run("promote", NAME, "--percentage", "25", "--execute")
        await until(lambda: handler.gate.mode == "live")
        assert (0, "") == await _run("resume", NAME)
        await until(lambda: handler.told[1:] == ["resume"])
        assert (0, "") == await _run("reset", NAME)
        await until(lambda: handler.gate.mode == "shadow")

    async def _run(*arguments: str) -> tuple[int, str]:
        code, said = await asyncio.to_thread(world.run, *arguments)
        return code, said if code else ""

    world.derive_begins()
    world.deliver_begins()
    handler = steer(world, story)

    assert [("shadow", 100.0), ("live", 25.0), ("shadow", 100.0)] == handler.modes


def test_a_restart_finds_what_was_decided(world: ConnectionsWorld) -> None:
    """Before its first record: a pause, a promotion, a decision; an old resumption is no news."""
    world.deliver_begins()
    world.derive_begins()
    world.deliver("c1", "c2", "c3")
    for arguments in (
        ("promote", NAME, "--allowlist", f"{MERCHANT}:c1", "--execute"),
        ("resume", NAME, "--skip"),
    ):
        assert world.run(*arguments)[0] == 0
    running = steer(world, nothing)
    world.run("pause", NAME, "--by", "kim")
    paused = steer(world, nothing)
    decision = running.gate.decision

    assert ([], ["pause: by kim"]) == (running.told, paused.told)
    assert ("allowlist", frozenset({f"{MERCHANT}:c1"})) == (
        running.gate.mode,
        running.gate.allowlist,
    )
    assert decision is not None
    assert ("skip", world.topic) == (decision.how, decision.topic)
    assert 3 < sum(decision.until.values())


def test_what_cannot_be_read_changes_nothing(
    world: ConnectionsWorld, caplog: pytest.LogCaptureFixture
) -> None:
    """A record of another version is told of in the log; the last decision holds."""

    async def story(handler: Handler) -> None:
        await asyncio.to_thread(world.write, NAME, b"{...")
        await until(lambda: "what was decided last still holds" in caplog.text)
        assert ["pause: by kim"] == handler.told
        await asyncio.to_thread(world.write, NAME, None)
        await until(lambda: handler.told == ["pause: by kim", "resume"])

    world.control.change(NAME, lambda state: replace(state, pause=Pause("kim", 1)))
    steer(world, story)


def test_a_topic_that_cannot_be_read_is_waited_for(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that starts without its broker says what it waits for."""
    monkeypatch.setattr(following, "_SAY_SECONDS", 0.02)
    (port,) = free_ports(1)
    follower = Follower(KafkaSettings(bootstrap=f"127.0.0.1:{port}"), "og.control", CONNECTIONS)
    starting = threading.Thread(target=follower.start)
    starting.start()
    until_soon(lambda: "waits for the control topic og.control" in caplog.text, "it says so")
    waits = starting.is_alive()
    follower.close()
    starting.join()

    assert waits


def test_a_missing_topic_is_said(world: ConnectionsWorld) -> None:
    """It is no reason to wait: nobody will make it."""
    follower = Follower(world.kafka, "og.nowhere", CONNECTIONS)
    with closing(follower), pytest.raises(ConfigurationError, match="streams topics create"):
        follower.start()


def test_resuming_asks_what_becomes_of_what_waits(world: ConnectionsWorld) -> None:
    """It shows it and changes nothing; records are counted, not the markers of transactions."""
    world.deliver_begins()
    world.run("pause", NAME)
    world.deliver("c1", "c2", times=3)
    code, said = world.run("resume", NAME)

    assert 2 == code
    assert said.startswith("6 deliveries wait, the oldest since 20")
    assert "order.success  6" in said
    assert "Choose --deliver, --data-only" in said
    assert (True, 6) == (world.state.pause is not None, world.standing()["lag"])


@pytest.mark.parametrize(
    ("option", "how"), [("--deliver", "deliver"), ("--data-only", "data_only"), ("--skip", "skip")]
)
def test_a_decision_ends_where_it_was_made(world: ConnectionsWorld, option: str, how: str) -> None:
    """It covers what waited, and nothing that comes later."""
    world.deliver("c1", "c2", "c3")
    world.deliver_begins()
    starts = Watermarks(world.kafka, world.topic).stable(range(PARTITIONS))
    world.run("pause", NAME)
    world.deliver("c1", "c2", "c3", "c4")
    ends = Watermarks(world.kafka, world.topic).stable(range(PARTITIONS))
    code, _ = world.run("resume", NAME, option)
    decision = world.state.decision
    world.deliver("c1")

    assert (0, None) == (code, world.state.pause)
    assert decision is not None
    assert how == decision.how
    assert (starts, ends) == (decision.since, decision.until)
    assert world.state.decision == decision


def test_nothing_waits_for_a_group_that_has_not_begun(world: ConnectionsWorld) -> None:
    """Its first start will say where it begins; there is nothing to decide."""
    world.deliver("c1")

    assert (0, "nothing waits\nklaviyo: goes on\n") == world.run("resume", NAME)
    assert (None, None) == (world.state.decision, world.standing()["lag"])


def test_a_promotion_shows_what_it_would_do(world: ConnectionsWorld) -> None:
    """Of the last day, each part by its newest outcome; only --execute changes anything."""
    world.derive_begins()
    world.outcome("c1", 1)
    world.outcome("c1", 1)  # told twice
    world.outcome("c1", 2, type="order.reminder")
    world.outcome("c2", 3)
    world.outcome("c2", 3, part="profile")
    world.outcome("c3", 4, outcome="rejected", reason="no_identifier")
    world.outcome("c4", 5)
    world.outcome("c4", 5, outcome="delivered", reason=None, attempts=1)
    world.outcome("c5", 6, connection="eu")
    dry = world.run("promote", NAME)
    before = world.state
    narrow = world.run("promote", NAME, "--allowlist", f"{MERCHANT}:c2")
    done = world.run("promote", NAME, "--execute", "--by", "kim")
    promoted = world.state.promotion

    assert 0 == dry[0]
    assert [
        "klaviyo: shadow → live",
        "in the last 24 hours it would have sent, of what it only recorded:",
        "  event type      events  customers",
        "  order.reminder  1       1",
        "  order.success   2       2",
        "  profiles alone  1       1",
        "  all             4       2",
        "  not to be sent whatever the mode, or sent already: 1 rejected, 1 delivered",
        "nothing is changed; --execute does it",
    ] == dry[1].splitlines()
    assert ConnectionState() == before
    assert "klaviyo: shadow → allowlist of 1\n" in narrow[1]
    assert "kept back still: 2 (allowlist)" in narrow[1]
    assert done[1].endswith("klaviyo: live from now on\n")
    assert promoted is not None
    assert ("live", "kim") == (promoted.mode, promoted.by)


def test_a_promotion_shows_what_its_low_lane_would_send(world: ConnectionsWorld) -> None:
    """A replay that nobody was let in for waits there: its customers are counted once more."""
    world.derive_begins()
    world.low("trigger", "c1", "c9")
    world.low_passes()
    world.low("trigger", "c1", "c1", "c2", "c3")
    world.low("fill", "c2", "c4")
    told = "klaviyo: its low lane holds 6 deliveries; "
    everybody = world.run("promote", NAME)
    somebody = world.run("promote", NAME, "--allowlist", f"{MERCHANT}:c1", "--execute")
    others = world.run("promote", NAME)
    world.low_passes()
    nothing = world.run("promote", NAME)

    assert f"{told}this lets 4 of them go as if new, to 3 customers\n" in everybody[1]
    assert f"{told}this lets 2 of them go as if new, to 1 customer\n" in somebody[1]
    assert f"{told}this lets 2 of them go as if new, to 2 customers\n" in others[1]
    assert (0, False) == (nothing[0], "low lane" in nothing[1])


def test_who_was_let_in_stays_in(world: ConnectionsWorld) -> None:
    """Customers who were named are served at any percentage, and with those named later."""
    world.derive_begins()
    for arguments in (("--allowlist", "m1:c1"), ("--allowlist", "m1:c2"), ("--percentage", "0")):
        assert world.run("promote", NAME, *arguments, "--execute")[0] == 0
    gate = steer(world, nothing).gate

    assert [None, None, "percentage"] == [gate.keeps(f"m1:c{n}") for n in (1, 2, 3)]


def test_a_promotion_waits_for_derive(
    world: ConnectionsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is older than a minute and not derived is counted; what is under way is not."""
    not_begun = world.run("promote", NAME, "--execute")
    world.derive_begins()
    now = int(time.time() * 1_000)
    world.source_record(now)
    fresh = world.run("promote", NAME)
    monkeypatch.setattr(promotion, "TARDY_MS", -60_000)
    old = world.run("promote", NAME, "--execute")

    assert [1, 0, 1] == [code for code, _ in (not_begun, fresh, old)]
    assert "derive has not begun" in not_begun[1]
    assert f"group {world.names.derive_group} has 1 records of" in old[1]
    assert ConnectionState() == world.state


def test_a_promotion_needs_credentials(
    world: ConnectionsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shadow has none, perhaps."""
    world.derive_begins()
    monkeypatch.delenv("STREAMS_CONNECTIONS__KLAVIYO__CREDENTIALS")
    code, said = world.run("promote", NAME, "--execute")

    assert 2 == code
    assert "connections.klaviyo.credentials: a live connection needs them" in said
    assert ConnectionState() == world.state


def test_the_list_says_how_each_stands(world: ConnectionsWorld) -> None:
    """For people and for programs; unsettled dead letters are counted, settled ones are not."""
    world.deliver_begins()
    world.derive_begins()
    fresh = world.standing()
    world.deliver("c1", "c2")
    world.outcome(
        "c1", 1, outcome="delivered", reason=None, attempts=1, recorded_at=1_790_000_000_000
    )
    world.dead_letter("a", b"1")
    world.dead_letter("b", b"1")
    world.dead_letter("a", None)
    world.run("promote", NAME, "--percentage", "2.5", "--execute")
    world.run("pause", NAME, "--by", "kim", "--reason", "fire drill")
    world.run("pause", NAME, "--by", "lee")
    code, table = world.run("list")
    head, row = table.splitlines()
    paused = world.standing()

    assert ("shadow", None, 0, None, 0, None) == tuple(
        fresh[each]
        for each in ("mode", "paused", "lag", "last_success", "dead_letters", "promoted_by")
    )
    assert 0 == code
    assert head.split() == [
        "NAME",
        "DESTINATION",
        "MODE",
        "STATE",
        "LAG",
        "LAST",
        "SUCCESS",
        "DEAD",
        "LETTERS",
    ]
    assert row.startswith("klaviyo  klaviyo      live 2.5 % (settings: shadow)  paused since 20")
    assert "by kim: fire drill  2    2026-09-21" in row
    assert ("kim", "fire drill", 1_790_000_000_000, 1) == (
        paused["paused"]["by"],
        paused["paused"]["reason"],
        paused["last_success"],
        paused["dead_letters"],
    )


def test_refused_credentials_show_for_days(world: ConnectionsWorld) -> None:
    """A worker that is refused tells nothing more, while what comes waits."""
    world.deliver_begins()
    world.derive_begins()
    days = [int(time.time() * 1_000) - n * 86_400_000 - 60_000 for n in range(5)]
    refused = {"outcome": "unauthorized", "attempts": 1, "final": False}
    world.outcome("c1", 1, at=days[4], recorded_at=days[4], outcome="delivered", attempts=1)
    world.outcome("c1", 2, at=days[3], recorded_at=days[3], **refused)
    world.outcome("c1", 3, at=days[1], recorded_at=days[1], connection="other")
    world.run("promote", NAME, "--execute")
    quiet = world.standing()
    world.deliver("c2")
    waits, table = world.standing(), world.run("list")[1]
    world.outcome("c1", 2, at=days[2], recorded_at=days[2], outcome="filtered")
    went_on = world.standing()

    assert ("live", None) == (quiet["mode"], quiet["refused_since"])
    assert (days[3], 1) == (waits["refused_since"], waits["lag"])
    assert "credentials refused since 20" in table
    assert None is went_on["refused_since"]


def test_refused_credentials_show_until_something_arrives(world: ConnectionsWorld) -> None:
    """A worker that the vendor refuses says so by its outcomes; so does the next success."""
    now = int(time.time() * 1_000)
    world.outcome("c1", 1, outcome="unauthorized", reason="HTTP 401", final=False, recorded_at=now)
    refused = world.standing()["refused_since"]
    table = world.run("list")[1]
    world.outcome("c1", 1, outcome="delivered", reason=None, attempts=2, recorded_at=now + 1)

    assert now == refused
    assert "credentials refused since 20" in table
    assert None is world.standing()["refused_since"]
