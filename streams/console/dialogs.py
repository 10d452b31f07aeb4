"""Dialogs that ask before something is done: cancelled unless somebody says yes."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from nicegui import ui

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def asking(title: str) -> Iterator[ui.dialog]:
    """A dialog under a title; what is built within it is shown, once it is `answered`."""
    dialog = ui.dialog().props(f'persistent aria-label="{title}"')
    with dialog, ui.card().classes("q-pa-md").style("width: 640px; max-width: 94vw"):
        ui.label(title).classes("text-h6").props("role=heading aria-level=2")
        yield dialog


def buttons(
    dialog: ui.dialog, verb: str, done: Callable[[], object] | None = None, color: str = "primary"
) -> None:
    """Cancel, and the button that says yes; `done`: what it does instead of that."""

    def yes() -> None:
        dialog.submit(True)

    with ui.row().classes("w-full justify-end"):
        cancel = ui.button("Cancel", on_click=dialog.close, color=None)
        cancel.props("flat")
        ui.button(verb, on_click=done or yes, color=color).props("unelevated")


def warn(text: str) -> None:
    """Something to be known before yes is said."""
    with ui.row().classes("items-center no-wrap"):
        ui.icon("warning", color="warning", size="sm")
        ui.label(text)


async def answered(dialog: ui.dialog) -> bool:
    """Show it until it is answered; whether somebody said yes. Who has left did not."""
    found = await dialog
    if not dialog.is_deleted:  # with the page of somebody who left
        dialog.delete()
    return found is True
