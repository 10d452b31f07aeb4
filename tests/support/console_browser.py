"""The console as people meet it: a filled one on the demo's own stage, and Debian's Chromium.

The stage plays a small day once a run: a broker, the vendors' simulators, workers, a console.
"""

from __future__ import annotations

import io
import shutil
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import pytest
from playwright.sync_api import expect, sync_playwright
from rich.console import Console as Terminal

from streams.demo.children import Child, stop
from streams.demo.day import play
from streams.demo.stage import CREDENTIALS, Stage
from streams.demo.world import MERCHANT
from streams.names import ORDERGROOVE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from streams.demo.day import Day
    from streams.demo.entities import Customer

SEED: Final = 7
EVENTS: Final = 150
PATIENCE_MS: Final = 60_000
"""For what a page is waited for: the machine may be busy with other things."""
_START_SECONDS: Final = 90.0

ARGUMENTS: Final = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


class ConsoleWorld:
    """A filled console.

    Attributes:
        stage: with broker, simulators and workers; more may be started there.
        day: that was played.
        url: where the console is.
    """

    def __init__(self, stage: Stage, day: Day, url: str) -> None:
        self.stage = stage
        self.day = day
        self.url = url
        self._counted: Counter[str] = Counter(
            (message.key() or b"").decode()
            for message in stage.topics.records(stage.names.events(ORDERGROOVE))
        )

    @property
    def customer(self) -> Customer:
        """Somebody of whom much came."""
        return max(self.day.books.world.customers, key=self.records)

    @property
    def key(self) -> str:
        """The same, as topics are keyed."""
        return f"{MERCHANT}:{self.customer.id}"

    @property
    def email(self) -> str:
        """Their address."""
        return self.customer.email or ""

    def records(self, customer: Customer) -> int:
        """How many came of somebody."""
        return self._counted[f"{MERCHANT}:{customer.id}"]


@contextmanager
def filled_console(
    directory: Path, *, events: int = EVENTS, once: bool = True
) -> Iterator[ConsoleWorld]:
    """A stage with a day that has come through, and a console.

    Args:
        directory: for all files.
        events: webhooks of the day.
        once: nothing more comes after it.
    """
    with Stage(directory) as stage:
        quiet = Terminal(file=io.StringIO())
        day = play(stage, seed=SEED, events=events, once=once, console=quiet)
        console = stage.console()
        yield ConsoleWorld(stage, day, console.line("http", _START_SECONDS))


@contextmanager
def another_console(
    directory: Path, *arguments: str, settings: Path | None = None, **environment: str
) -> Iterator[str]:
    """A console of other settings; its address.

    Args:
        directory: of its log and its index.
        arguments: of the command.
        settings: the file; None: none.
        environment: variables, without their prefix `STREAMS_`.
    """
    directory.mkdir(parents=True, exist_ok=True)
    variables = {f"STREAMS_{name}": value for name, value in environment.items()}
    file = () if settings is None else ("--settings", str(settings))
    command = (*file, "console", "--port", "0", *arguments)
    child = Child("console", command, directory, CREDENTIALS | variables)
    try:
        yield child.line("http", _START_SECONDS)
    finally:
        stop([child])


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; without Debian's package the test is skipped, by name.

    Its driver has an event loop in this thread: it must end before other tests begin one.
    """
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=[*ARGUMENTS])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser: Browser, *, width: int = 1280, height: int = 900) -> Iterator[Page]:
    """A page of a visitor of their own, who has no cookies yet."""
    context = browser.new_context(viewport={"width": width, "height": height}, locale="en-US")
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    try:
        yield context.new_page()
    finally:
        context.close()


def until_filled(page: Page, url: str) -> None:
    """Wait until the console's index holds all that came."""
    page.goto(f"{url}/flow")
    expect(page.get_by_text("holds all that the topics do")).to_be_visible()


def found(page: Page, url: str, text: str) -> None:
    """Search for a customer by the keyboard alone, and wait for their story."""
    page.goto(f"{url}/customer")
    box = page.get_by_label("E-mail, phone, MERCHANT:CUSTOMER or customer id")
    expect(box).to_be_focused()
    page.keyboard.type(text)
    page.keyboard.press("Enter")
    page.wait_for_url("**/customer/*")
    expect(page.get_by_text("What came, and what became of it")).to_be_visible()
