"""The page Connections in Chromium, on a real broker: decisions are read back from Kafka."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

import pytest
from playwright.sync_api import expect

from streams.cli.console.connections import ConnectionsOperated
from streams.console.access import NotAllowed, User
from streams.control.accounts import Wanted, wanted_of
from streams.control.records import ConnectionState
from streams.engine.producer import RecordProducer
from streams.replay.depth import Depths
from streams.settings import load_settings
from tests.support.connections_world import MERCHANT, NAME, ConnectionsWorld, EmptyIndex
from tests.support.console_operated import Console, Simulated, actions, visiting
from tests.support.engine_world import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page

    from streams.cli.console.flow import Letters


def desk_of(letters: Letters) -> ConnectionsOperated:
    """The desk by the settings that stand, with nothing in the index."""
    return ConnectionsOperated(load_settings(), EmptyIndex(), letters)


class Operated(NamedTuple):
    """A connection, its vendor, a console and a browser."""

    world: ConnectionsWorld
    vendor: Simulated
    console: Console
    browser: Browser


@pytest.fixture
def world(broker: str, prefix: str, monkeypatch: pytest.MonkeyPatch) -> ConnectionsWorld:
    """Topics of one's own."""
    monkeypatch.setenv("STREAMS_HASH_KEY", "k1")
    return ConnectionsWorld(broker, prefix, monkeypatch)


@pytest.fixture
def operated(
    world: ConnectionsWorld, browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Operated]:
    """A console beside them, and the vendor."""
    with Simulated(NAME) as vendor:
        monkeypatch.setenv("STREAMS_CONNECTIONS__KLAVIYO__URL", vendor.simulator.url)
        console = Console("console", tmp_path, {})
        yield Operated(world, vendor, console, browser)
        console.close()


def press(page: Page, verb: str) -> Locator:
    """Press a connection's button; the dialog that it opens."""
    page.get_by_role("button", name=f"{verb} {NAME}", exact=True).click()
    return page.get_by_role("dialog", name=f"{verb} {NAME}")


def test_decisions_reach_the_control_topic(operated: Operated) -> None:
    """A pause, what becomes of what waited, a promotion by its number, the way back; who did it."""
    world, _, console, browser = operated
    world.derive_begins()
    world.deliver_begins()
    with visiting(browser, console, "/connections") as page:
        _paused(page, world)
        _resumed(page, world)
        _promoted(page, world)
        press(page, "Reset").get_by_role("button", name="Reset", exact=True).click()
        expect(page.get_by_text("klaviyo is in the mode of the settings.")).to_be_visible()

    assert None is world.state.promotion
    bootstrap, names = world.kafka.bootstrap, world.names
    for verb in ("pause", "resume", "promote", "reset"):
        found = actions(bootstrap, names, f"connections.{verb}")
        assert [("kim", "began"), ("kim", "done")] == [(each.by, each.state) for each in found]
    [promoted, _] = actions(bootstrap, names, "connections.promote")
    assert 2 == promoted.what["customers_a_day"]


def _paused(page: Page, world: ConnectionsWorld) -> None:
    expect(page.get_by_text("no worker runs")).to_be_visible()
    dialog = press(page, "Pause")
    dialog.get_by_label("Why").fill("fire drill")
    dialog.get_by_role("button", name="Pause", exact=True).click()
    expect(page.get_by_text("klaviyo is paused.")).to_be_visible()
    expect(page.get_by_text("by kim: fire drill")).to_be_visible()
    pause = world.state.pause
    assert pause is not None
    assert ("kim", "fire drill") == (pause.by, pause.reason)


def _resumed(page: Page, world: ConnectionsWorld) -> None:
    world.deliver("c1", "c2", "c3")
    dialog = press(page, "Resume")
    expect(dialog.get_by_text("3 deliveries wait, the oldest since")).to_be_visible()
    dialog.get_by_role("button", name="Resume", exact=True).click()
    expect(dialog.get_by_text("Nothing was done: say what becomes of what waits.")).to_be_visible()
    assert world.state.pause is not None
    dialog.get_by_text("Skip: nothing of it is sent").click()
    dialog.get_by_role("button", name="Resume", exact=True).click()
    expect(page.get_by_text("klaviyo goes on.")).to_be_visible()
    decision = world.state.decision
    assert decision is not None
    assert world.state.pause is None
    assert "skip" == decision.how


def _promoted(page: Page, world: ConnectionsWorld) -> None:
    for number, customer in enumerate(("c1", "c1", "c2")):
        world.outcome(customer, number)
    dialog = press(page, "Promote")
    dialog.get_by_text("All customers").click()
    dialog.get_by_role("button", name="What would that do?").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("shadow → live")).to_be_visible()
    expect(dialog.get_by_text("2 customers would have been contacted")).to_be_visible()
    dialog.get_by_label("to go on").fill("3")
    dialog.get_by_role("button", name="Promote", exact=True).click()
    expect(dialog.get_by_text("Nothing was done: that is another number.")).to_be_visible()
    assert None is world.state.promotion
    dialog.get_by_label("to go on").fill("2")
    dialog.get_by_role("button", name="Promote", exact=True).click()
    expect(page.get_by_text("klaviyo is live from now on.")).to_be_visible()
    promotion = world.state.promotion
    assert promotion is not None
    assert ("live", "kim") == (promotion.mode, promotion.by)


def test_a_test_asks_the_vendor_and_a_promotion_waits_for_derive(operated: Operated) -> None:
    """One request arrives there; what is not ready is refused, with the reason."""
    world, vendor, console, browser = operated
    with visiting(browser, console, "/connections") as page:
        page.get_by_role("button", name=f"Test {NAME}").click()
        expect(page.get_by_text(f"{vendor.simulator.url}: ok.")).to_be_visible()
        dialog = press(page, "Promote")
        dialog.get_by_role("textbox", name="Customers").fill(f"{MERCHANT}:c1")
        dialog.get_by_role("button", name="What would that do?").click()
        expect(page.get_by_text("derive has not begun")).to_be_visible()

    assert 1 == len(vendor.simulator.received)
    assert ConnectionState() == world.state
    _, tested = actions(world.kafka.bootstrap, world.names, "connections.test")
    assert ("kim", {"well": True}) == (tested.by, tested.result)


def test_who_may_only_look_decides_nothing(
    operated: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No button works, and what buttons would call refuses."""
    world, vendor, console, browser = operated
    desk, lee = desk_of(dict), User("lee", "view")
    waits, seen = desk.waits(NAME), desk.foresee(lee, NAME, 10.0, [])
    with visiting(browser, console, "/connections", role="view") as page:
        for verb in ("Pause", "Resume", "Promote", "Reset", "Test"):
            button = page.get_by_role("button", name=f"{verb} {NAME}")
            expect(button).to_be_disabled()
            button.evaluate("each => { each.disabled = false; each.click() }")
        expect(page.get_by_role("dialog")).to_have_count(0)
    for refused in (
        lambda: desk.pause(lee, NAME, None),
        lambda: desk.resume(lee, NAME, "skip", waits),
        lambda: desk.promote(lee, NAME, seen),
        lambda: desk.reset(lee, NAME),
        lambda: desk.test(lee, NAME),
    ):
        with pytest.raises(NotAllowed):
            refused()

    assert ConnectionState() == world.state
    assert [] == vendor.simulator.received


def test_limits_are_those_of_live_workers(world: ConnectionsWorld) -> None:
    """Heartbeats are summed by account and endpoint; who is silent for too long does not count."""
    producer = RecordProducer(world.kafka)
    for instance, value in {
        "a": b'{"wants": {"events": [2.5, false]}, "next": 10.0}',
        "b": b'{"wants": {"events": [1.5, true]}, "next": 1.5}',
        "c": b"{",
        "d": None,
    }.items():
        producer.produce(world.names.control, f"share:klaviyo-1f:{instance}".encode(), value)
    producer.flush()
    producer.close()
    now = int(time.time() * 1_000)
    told = wanted_of(world.kafka, world.names.control, now)
    later = wanted_of(world.kafka, world.names.control, now + 20_000)

    assert {"klaviyo-1f": {"events": Wanted(4.0, held=True)}} == told
    assert {"klaviyo-1f": {"events": Wanted(2.5, held=False)}} == later


def test_dead_letters_are_counted(world: ConnectionsWorld) -> None:
    """And a mode of the settings is said beside the one that holds."""
    world.deliver_begins()
    world.dead_letter("a", b"1")
    letters = Depths(world.kafka, [world.names.dead_letters(NAME)])
    desk = desk_of(letters)
    letters.start()
    try:
        until(lambda: desk.look()[0].dead_letters == 1, "it is counted")
        [standing] = desk.look()
    finally:
        letters.close()

    assert ("shadow", 0, 0, None) == (
        standing.mode,
        standing.lag,
        standing.workers,
        standing.last_success,
    )
    assert [("events", 3_500 / 60)] == [
        (each.endpoint, each.allowed) for each in standing.limits or () if each.endpoint == "events"
    ]
