"""Before anything is done: what will happen, with its counts, and its number to be typed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from nicegui import ui

from streams.console.dialogs import answered, asking, buttons
from streams.console.typed import is_typed

if TYPE_CHECKING:
    from collections.abc import Iterator


class Confirmation:
    """A dialog that says what will happen and asks for its number; what is built in it is shown.

    `await confirmation.given()` shows it and tells whether the number was typed.
    """

    def __init__(self, title: str, number: int, what: str, verb: str) -> None:
        """Prepare.

        Args:
            title: what it is about: "Redrive dead letters".
            number: how many of what it is about.
            what: to be read as "`number` `what`": customers will be messaged.
            verb: what the button says that does it.
        """
        self._number = number
        with asking(title) as self._dialog:
            self._details = ui.column().classes("w-full gap-1")
            ui.label(f"{number:,} {what}.").classes("text-bold")
            self._typed = ui.input(f"Type {number} to go on").classes("w-full")
            self._typed.props("autofocus autocomplete=off inputmode=numeric")
            self._typed.on("keydown.enter", self._done)
            self._wrong = ui.label().classes("text-negative").props("role=alert")
            buttons(self._dialog, verb, self._done, "negative")

    @contextmanager
    def details(self) -> Iterator[None]:
        """Room for what will happen, in counts."""
        with self._details:
            yield

    async def given(self) -> bool:
        """Show it until it is confirmed or cancelled."""
        return await answered(self._dialog)

    def _done(self) -> None:
        if is_typed(self._number, self._typed.value or ""):
            self._dialog.submit(True)
        else:
            self._wrong.set_text("Nothing was done: that is another number.")
