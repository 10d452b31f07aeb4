"""The page Dead letters in Chromium, on a real broker: what it does is read back from Kafka."""

from __future__ import annotations

import os
import re
import signal
from typing import TYPE_CHECKING, NamedTuple

import pytest
from playwright.sync_api import expect

from streams.cli.console.letters import LettersOperated
from streams.console.access import NotAllowed, User
from streams.console.letters_words import WORDS, words_of
from streams.errors import RecordReason
from streams.settings import load_settings
from tests.kafka.test_dead_letters import CONNECTED, KLAVIYO, create, given_up, redriven, write
from tests.support.console_operated import Console, actions, visiting
from tests.support.delivery_world import shop_event
from tests.support.engine_world import until
from tests.support.letter_commands import Letters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

NOW = 1_790_866_800_000


class World(NamedTuple):
    """Dead letters, a console, a browser."""

    letters: Letters
    console: Console
    browser: Browser


@pytest.fixture
def letters(broker: str, prefix: str) -> Letters:
    """Topics of one's own."""
    made = Letters(broker, prefix, {**CONNECTED, "STREAMS_HASH_KEY": "k1"})
    create(made)
    return made


@pytest.fixture
def world(
    letters: Letters, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A console beside them."""
    console = Console("console", tmp_path_factory.mktemp("console"), letters.environment)
    yield World(letters, console, browser)
    console.close()


def confirm(page: Page, number: str, verb: str) -> None:
    """Type a number into the dialog that asks for one."""
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("to go on").fill(number)
    dialog.get_by_role("button", name=verb, exact=True).click()


def test_letters_are_filtered_inspected_redriven_and_purged(world: World) -> None:
    """Counts, one letter in words, a wrong number, the record on its topic, who did it."""
    letters, console, browser = world
    mine, others = shop_event("0088123", 1), shop_event("c2", 1)
    refused = given_up(mine, 0, written_at=NOW)
    write(letters, refused, given_up(others, 1, reason="failed", written_at=NOW))
    with visiting(browser, console, "/dead-letters") as page:
        expect(page.get_by_text("2 dead letters, the oldest of 2026-10-01")).to_be_visible()
        expect(page.get_by_label("Counts").get_by_role("row")).to_have_count(3)
        page.get_by_label("Customer").fill(f"{mine.merchant}:0088123")
        page.get_by_role("button", name="Show").click()
        expect(page.get_by_text("all 1 letter of this filter")).to_be_visible()
        _inspected(page, refused["id"])
        _redriven(page, letters)
        _purged(page)

    [(event, letter, _)] = redriven(letters)
    assert (mine.event_id, refused["id"]) == (event, letter)
    assert {refused["id"]: True} == marks(letters)
    _audited(letters, refused["id"])


def _inspected(page: Page, id_: str) -> None:
    """One letter whole, masked, then not."""
    page.get_by_role("button", name=f"Look at letter {id_}").click()
    one = page.get_by_role("dialog")
    expect(one.get_by_text(WORDS["rejected"].why)).to_be_visible()
    expect(one.get_by_text("0***@shop-demo.io")).to_be_visible()
    assert "0088123@shop-demo.io" not in page.content()
    one.get_by_role("button", name="Show who it is about").click()
    expect(one.get_by_text("0088123@shop-demo.io").first).to_be_visible()
    one.get_by_role("button", name="Close").click()


def _redriven(page: Page, letters: Letters) -> None:
    """All of the filter: nothing by another number, and by the right one the record."""
    page.get_by_role("button", name="Redrive").click()
    to = letters.names.deliveries(KLAVIYO)
    expect(page.get_by_role("dialog").get_by_text(to)).to_be_visible()
    confirm(page, "2", "Redrive")
    expect(page.get_by_text("Nothing was done: that is another number.")).to_be_visible()
    assert [] == redriven(letters)
    confirm(page, "1", "Redrive")
    expect(page.get_by_text("1 dead letter appended again")).to_be_visible()


def _purged(page: Page) -> None:
    """The one that is ticked, of two."""
    page.get_by_label("Customer").fill("")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("all 2 letters of this filter")).to_be_visible()
    row = page.get_by_role("row").filter(has_text="failed").filter(has_text="Look")
    row.get_by_role("checkbox").click()
    expect(page.get_by_text("1 ticked")).to_be_visible()
    page.get_by_role("button", name="Purge").click()
    confirm(page, "1", "Purge")
    expect(page.get_by_text("1 dead letter settled")).to_be_visible()
    expect(page.get_by_text("all 1 letter of this filter")).to_be_visible()


def _audited(letters: Letters, id_: str) -> None:
    """Who did it, what came of it, and nobody's name."""
    bootstrap, names = letters.kafka.bootstrap, letters.names
    began, done = actions(bootstrap, names, "dead-letters.redrive")
    _, purged = actions(bootstrap, names, "dead-letters.purge")
    shown = actions(bootstrap, names, "console.show")
    assert ("kim", [id_], 1) == (began.by, began.what["ids"], done.result["appended"])
    assert ("kim", "done", 1) == (purged.by, purged.state, purged.result["settled"])
    assert ["kim", "kim"] == [each.by for each in shown]
    assert "0088123" not in str(shown)


def marks(letters: Letters) -> dict[str, bool]:
    """The letters that stand, and whether they were redriven."""
    return {each: told["marked"] for each, told in letters.standing(KLAVIYO).items()}


def test_what_matches_nothing_and_what_is_no_time_are_said(world: World) -> None:
    """And nobody may redrive what is not there."""
    with visiting(world.browser, world.console, "/dead-letters") as page:
        expect(page.get_by_text("No dead letters match.")).to_be_visible()
        expect(page.get_by_role("button", name="Redrive")).to_be_hidden()
        page.get_by_label("Since").fill("soon")
        page.get_by_role("button", name="Show").click()
        said = page.get_by_text("Since: neither a time with its zone nor a duration.")
        expect(said).to_be_visible()


def test_who_may_only_look_changes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by a button that was enabled in the browser, nor by calling what it would call."""
    letters = world.letters
    [id_] = write(letters, given_up(shop_event("c1", 1), 0, written_at=NOW))
    for name, value in letters.environment.items():
        monkeypatch.setenv(name, value)
    desk, lee = LettersOperated(load_settings()), User("lee", "view")
    with visiting(world.browser, world.console, "/dead-letters", role="view") as page:
        button = page.get_by_role("button", name="Redrive")
        expect(button).to_be_disabled()
        expect(page.get_by_text("redriving needs the role operate")).to_be_visible()
        button.evaluate("each => { each.disabled = false; each.click() }")
        page.get_by_role("button", name="Look at").click()  # what came before it was handled
        expect(page.get_by_role("dialog").get_by_text("What to do")).to_be_visible()
        expect(page.get_by_label("to go on")).to_have_count(0)
    with pytest.raises(NotAllowed):
        desk.redrive(lee, frozenset({id_}), again=False)
    with pytest.raises(NotAllowed):
        desk.purge(lee, frozenset({id_}))

    assert [] == redriven(letters)
    assert {id_: False} == marks(letters)
    assert [] == actions(letters.kafka.bootstrap, letters.names, "dead-letters.redrive")


def test_another_command_takes_over(
    letters: Letters, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A console that is slower is refused: each letter goes once, and the page says why."""
    [id_] = write(letters, given_up(shop_event("c1", 1), 0, written_at=NOW))
    rehearsed = letters.environment | {"STREAMS_REHEARSE": "stop@flushed#1"}
    console = Console("slow", tmp_path_factory.mktemp("console"), rehearsed)
    try:
        with visiting(browser, console, "/dead-letters") as page:
            page.get_by_role("button", name="Redrive").click()
            confirm(page, "1", "Redrive")
            until(lambda: _stopped(console.child.process.pid), "it has stopped itself")
            letters.redrive()
            os.kill(console.child.process.pid, signal.SIGCONT)
            expect(page.get_by_text("another redrive or purge has begun")).to_be_visible()
    finally:
        os.kill(console.child.process.pid, signal.SIGCONT)
        console.close()

    assert [id_] == [letter for _, letter, _ in redriven(letters)]
    by = actions(letters.kafka.bootstrap, letters.names, "dead-letters.redrive")
    assert ("kim", "failed", "TakenOver") == next(
        (each.by, each.state, each.error) for each in by if each.state == "failed"
    )


def _stopped(pid: int) -> bool:
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:  # noqa: PTH123 - no file of ours
        return stat.read().rpartition(")")[2].split()[0] == "T"


def test_every_reason_has_words() -> None:
    """Also those that stand in the way of a redrive."""
    reasons = {*RecordReason.__args__, "rejected", "expired"}  # type: ignore[attr-defined]

    assert reasons == WORDS.keys()
    assert all(each.why and each.advice for each in WORDS.values())
    assert re.search("now: too large", words_of("too_large", "too large").advice)
