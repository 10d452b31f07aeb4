"""The page Replay in Chromium, on a real broker, with a real worker and a simulated vendor."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, NamedTuple

import pytest
from playwright.sync_api import expect

from streams.cli.console.replay import FRESH_MS, ReplayOperated
from streams.console.access import NotAllowed, User
from streams.console.replay_sight import ReplayAsked
from streams.demo.broker import free_ports
from streams.demo.children import Child, stop
from streams.demo.observation import Topics
from streams.errors import ConfigurationError
from streams.model.dead_letter import header_bytes
from streams.model.replayed import replayed_of
from streams.settings import load_settings
from tests.support.connections_world import NAME, ConnectionsWorld
from tests.support.console_operated import Console, Simulated, actions, visiting
from tests.support.engine_world import until
from tests.support.health_pages import until_ready

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from streams.console.working import Work

MANY = 1_300
"""Of three partitions at least one has more than a transaction's 500."""


class Replayed(NamedTuple):
    """Deliveries, the vendor, and where consoles run."""

    world: ConnectionsWorld
    vendor: Simulated
    directory: Path

    def low(self) -> list[tuple[bytes | None, bytes | None]]:
        """Key and value of what is on the low topic."""
        found = Topics(self.world.kafka.bootstrap).records(self.world.names.low(NAME))
        return [(each.key(), each.value()) for each in found]

    def meant(self) -> list[tuple[bytes | None, bytes | None]]:
        """Key and value of all deliveries."""
        found = Topics(self.world.kafka.bootstrap).records(self.world.topic)
        return [(each.key(), each.value()) for each in found]


@pytest.fixture
def replayed(
    broker: str, prefix: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Replayed]:
    """A live connection whose worker does not run yet."""
    world = ConnectionsWorld(broker, prefix, monkeypatch)
    with Simulated(NAME) as vendor:
        for name, value in {
            "MODE": "live",
            "START": "beginning",
            "LIMITS": "off",
            "URL": vendor.simulator.url,
        }.items():
            monkeypatch.setenv(f"STREAMS_CONNECTIONS__KLAVIYO__{name}", value)
        monkeypatch.setenv("STREAMS_HASH_KEY", "k1")
        yield Replayed(world, vendor, tmp_path)


def plan(page: Page) -> None:
    """Have the form's plan made."""
    page.get_by_role("button", name="Make the plan").click()
    expect(page.get_by_role("region", name="Plan")).to_be_visible()


def confirm(page: Page, number: str) -> None:
    """Type a number into the dialog that asks for one."""
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("to go on").fill(number)
    dialog.get_by_role("button", name="Run", exact=True).click()


def test_a_plan_is_read_run_and_reported(replayed: Replayed, browser: Browser) -> None:
    """It outlives its tab; a wrong number does nothing; the vendor gets what was planned."""
    world, vendor, directory = replayed
    world.deliver("c1", "c2", "c3", "c4", times=3)
    console = Console("console", directory, {})
    try:
        with visiting(browser, console, "/replay") as page:
            plan(page)
        with visiting(browser, console, "/replay") as page:
            shown = page.get_by_role("region", name="Plan")
            expect(shown.get_by_text("12 deliveries will go again, as data")).to_be_visible()
            expect(shown.get_by_text("0 customers will be messaged")).to_be_visible()
            shown.get_by_role("button", name="Run").click()
            confirm(page, "7")
            expect(page.get_by_text("Nothing was done: that is another number.")).to_be_visible()
            assert [] == replayed.low()
            confirm(page, "12")
            expect(page.get_by_text("12 deliveries appended")).to_be_visible()
            assert sorted(replayed.meant()) == sorted(replayed.low())
            _reported(page, directory)
    finally:
        console.close()

    began, done = actions(world.kafka.bootstrap, world.names, "replay.run")
    assert ("kim", 12, "done", 12) == (
        began.by, began.what["deliveries"], done.state, done.result["appended"],
    )  # fmt: skip
    headers = [
        replayed_of(header_bytes(each.headers()))
        for each in Topics(world.kafka.bootstrap).records(world.names.low(NAME))
    ]
    assert {(began.id, "fill")} == {(each.run, each.mode) for each in headers if each is not None}
    bodies = str([each.body for each in vendor.simulator.received])
    assert all(f"{customer}@shop-demo.io" in bodies for customer in ("c1", "c2", "c3", "c4"))


def _reported(page: Page, directory: Path) -> None:
    """Look at the report while a worker sends it all."""
    page.get_by_role("button", name="Report of run").click()
    report = page.get_by_role("region", name="Report")
    expect(report.get_by_text("12 appended, 0 concluded; the low lane is at it")).to_be_visible()
    (port,) = free_ports(1)
    worker = Child("deliver", ("worker", "deliver", NAME, "--port", str(port)), directory, {})
    try:
        until_ready(worker, port)
        said = "12 appended, 12 concluded; the low lane has passed all of it"
        expect(report.get_by_text(said)).to_be_visible()
        rows = report.get_by_label("Planned and happened").get_by_role("row")
        expect(rows.filter(has_text="order.success").first).to_be_visible()
    finally:
        stop([worker])


def test_a_run_goes_on_after_its_console_was_killed(replayed: Replayed, browser: Browser) -> None:
    """Each delivery is appended once, by the console that comes after it."""
    world, _, directory = replayed
    world.deliver(*(f"c{n:03}" for n in range(MANY // 2)), times=2)
    killed = Console("killed", directory, {"STREAMS_REHEARSE": "kill@committed#1"})
    try:
        with visiting(browser, killed, "/replay") as page:
            plan(page)
            page.get_by_role("button", name="Run …").click()
            confirm(page, str(MANY))
            assert -signal.SIGKILL == killed.child.process.wait(60)
    finally:
        killed.close()
    before = len(replayed.low())
    after = Console("after", directory, {})
    try:
        with visiting(browser, after, "/replay") as page:
            expect(page.get_by_label("Runs").get_by_text("not ended")).to_be_visible()
            page.get_by_role("button", name="Resume run").click()
            expect(page.get_by_text("1,300 deliveries appended")).to_be_visible()
            expect(page.get_by_label("Runs").get_by_text("appended", exact=True)).to_have_count(2)
    finally:
        after.close()

    assert 0 < before < MANY
    assert sorted(replayed.meant()) == sorted(replayed.low())
    resumed = actions(world.kafka.bootstrap, world.names, "replay.resume")
    assert [("kim", "began"), ("kim", "done")] == [(each.by, each.state) for each in resumed]


def ended(work: Work) -> Work:
    """A work, once it has ended."""
    until(lambda: not work.runs, "it has ended")
    return work


def test_who_may_only_look_runs_nothing(replayed: Replayed, browser: Browser) -> None:
    """They may plan; the button does nothing, and what it would call refuses."""
    replayed.world.deliver("c1")
    desk, lee = ReplayOperated(load_settings()), User("lee", "view")
    made = ended(desk.plan(lee, ReplayAsked((NAME,), "trigger")))
    console = Console("console", replayed.directory, {})
    try:
        with visiting(browser, console, "/replay", role="view") as page:
            page.get_by_label("New ids").fill("no label")
            page.get_by_role("button", name="Make the plan").click()
            expect(page.get_by_text("New ids: not a label.")).to_be_visible()
            page.get_by_label("New ids").fill("")
            page.get_by_label("Since").fill("1m")
            page.get_by_label("Merchants").fill("nobody")
            plan(page)
            expect(page.get_by_text("Nothing matches: no delivery is meant.")).to_be_visible()
            expect(page.get_by_role("button", name="Run …")).to_be_disabled()
    finally:
        console.close()
    assert 1 == made.result.number
    for refused in (
        lambda: desk.run(lee, made.result),
        lambda: desk.resume(lee, "f"),
        lambda: desk.stop(lee, made),
    ):
        with pytest.raises(NotAllowed):
            refused()

    assert [] == replayed.low()


def test_an_old_plan_is_not_run(replayed: Replayed) -> None:
    """Its number may be another one by now; nor is one a second time, nor is it offered again."""
    replayed.world.deliver("c1", "c2")
    desk, kim = ReplayOperated(load_settings()), User("kim", "operate")
    asked = ReplayAsked((NAME,), "profile-only")
    made = ended(desk.plan(kim, asked)).result
    with pytest.raises(ConfigurationError, match="too old to be run"):
        desk.run(kim, made._replace(made_at=made.made_at - FRESH_MS - 1_000))
    done = ended(desk.run(kim, made))
    [run] = desk.runs()
    with pytest.raises(ConfigurationError, match="run already"):
        desk.run(User("lou", "operate"), made)
    again = ended(desk.plan(kim, asked))

    assert ("done", 2) == (done.state, done.done), done.trouble
    assert (done.subject, True, 2, False) == (run.id, run.ended, run.appended, run.under_way)
    assert 2 == desk.report(run.id)["appended"]
    assert [again.result] == [each.result for each in desk.works() if each.result is not None]
    assert 2 == len(replayed.low())
