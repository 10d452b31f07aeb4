"""Pictures of the console's pages for the README: `python -m tests.support.console_pictures`.

They show the demo's shop, whose people are invented, with more coming in while they are taken.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from playwright.sync_api import expect

from streams.demo.day import feed
from streams.demo.world import MERCHANT
from streams.names import OKENDO, ORDERGROOVE
from tests.support.console_browser import chromium, filled_console, found, opened, until_filled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.support.console_browser import ConsoleWorld

PICTURES: Final = Path(__file__).parents[2] / "deploy" / "pictures"
_TRICKLE_MS: Final = 250
_TURNS: Final = 60
_SETTLE_MS: Final = 8_000
_FEW: Final = range(4, 16)
"""Records of somebody whose story fits into a picture."""
_TALLEST: Final = 1_700
"""Pixels: a story goes on for long."""


def main() -> int:
    """Take them all."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="streams-pictures-") as directory,
        filled_console(Path(directory), events=600, once=False) as console,
        chromium() as browser,
        opened(browser, height=860) as page,
    ):
        lines = {
            ORDERGROOVE: console.day.books.trickle(), OKENDO: console.day.members.trickle(),
        }  # fmt: skip
        _flow(page, console, lines)
        _customer(page, console)
        for name in ("dead-letters", "connections", "replay"):
            page.goto(f"{console.url}/{name}")
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            if name == "replay":
                _plan(page)
            page.wait_for_timeout(_SETTLE_MS)
            _take(page, name, full=name == "replay")
    return 0


def _flow(page: Page, console: ConsoleWorld, lines: dict[str, Iterator[bytes]]) -> None:
    until_filled(page, console.url)
    for turn in range(_TURNS):
        source = OKENDO if turn % 8 == 0 else ORDERGROOVE
        feed(console.day.children[source], next(lines[source]))
        console.day.children[source].stdin.flush()
        page.wait_for_timeout(_TRICKLE_MS)
    _take(page, "flow", full=True)
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(1_000)
    _take(page, "flow-dark")
    page.emulate_media(color_scheme="light")


def _customer(page: Page, console: ConsoleWorld) -> None:
    chapter = page.locator(".chapter", has_text="concluded: subscriber.cancel").first
    few = [each for each in console.day.books.world.customers if console.records(each) in _FEW]
    for someone in few:
        found(page, console.url, f"{MERCHANT}:{someone.id}")
        if chapter.count():
            break
    page.get_by_role("button", name="Ask").click()
    chapter.locator(".q-item").first.click()
    chapter.get_by_role("button", name="Requests, side by side").last.click()
    expect(chapter.get_by_text("Rendered anew")).to_be_visible()
    page.wait_for_timeout(1_000)
    _take(page, "customer", full=True)


def _plan(page: Page) -> None:
    page.get_by_role("combobox", name="To", exact=True).focus()
    page.keyboard.press("Enter")
    page.get_by_role("option", name="klaviyo").click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Make the plan").click()


def _take(page: Page, name: str, *, full: bool = False) -> None:
    page.evaluate("window.scrollTo(0, 0)")
    file, width = PICTURES / f"{name}.png", 1280
    height = page.evaluate("document.documentElement.scrollHeight") if full else 860
    page.screenshot(
        path=file,
        full_page=full,
        animations="disabled",
        clip={"x": 0, "y": 0, "width": width, "height": min(height, _TALLEST)},
    )
    print(f"{file.relative_to(PICTURES.parents[1])}: {file.stat().st_size >> 10} KiB")


if __name__ == "__main__":
    sys.exit(main())
