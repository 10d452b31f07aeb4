"""One dead letter, whole: what it was, where it came from, why it was given up, what to do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from nicegui import ui

from streams.console.asking import Trouble, ask
from streams.console.layout import show_trouble
from streams.console.letters_words import words_of
from streams.console.wording import moment

if TYPE_CHECKING:
    from streams.console.access import User
    from streams.console.desks import Desks
    from streams.console.letters_sight import LetterRow, LetterSight


async def show_letter(desks: Desks, user: User, row: LetterRow) -> None:
    """Show one in a dialog, masked until somebody asks otherwise, which is recorded."""
    dialog = ui.dialog().props('aria-label="Dead letter"')
    dialog = dialog.on("hide", dialog.delete)
    with dialog, ui.card().style("width: 900px; max-width: 96vw"):
        with ui.row().classes("w-full items-center no-wrap"):
            ui.label("Dead letter").classes("text-h6").props("role=heading aria-level=2")
            ui.space()
            ui.button(icon="close", on_click=dialog.close, color=None).props(
                'flat dense aria-label="Close"'
            )
        room = ui.column().classes("w-full gap-2")
    dialog.value = True

    async def look(*, unmasked: bool) -> None:
        found = await ask(desks.letters.shown, row.id, row.of, unmasked=unmasked)
        if unmasked and not isinstance(found, Trouble) and found is not None:
            noted = await ask(desks.reveal.record, user, "dead letter", found.key)
            if isinstance(noted, Trouble):  # what cannot be recorded is not shown
                found = noted
        room.clear()
        with room:
            if isinstance(found, Trouble):
                show_trouble(found)
            elif found is None:
                ui.label("It is gone: somebody has settled it.").props("role=alert")
            else:
                _build(found)
                if not unmasked:
                    ui.button(
                        "Show who it is about",
                        icon="visibility",
                        color=None,
                        on_click=lambda: look(unmasked=True),
                    ).props("flat dense")
                    ui.label("That is recorded on the audit topic.").classes("quiet")

    await look(unmasked=False)


def _build(sight: LetterSight) -> None:
    row, shown = sight.row, sight.shown
    words = words_of(row.reason, sight.obstacle)
    ui.label("Why").classes("text-bold")
    ui.label(words.why)
    ui.label(str(shown["detail"])).classes("mono")
    if row.field:
        ui.label(f"Field: {row.field}").classes("mono")
    if words.advice:
        ui.label("What to do").classes("text-bold")
        ui.label(words.advice)
    ui.label("Where it came from").classes("text-bold")
    ui.label(_origin(sight))
    with ui.element("div").classes("scroll-box w-full"):
        ui.code(json.dumps(shown, indent=2, ensure_ascii=False, default=str), language="json")


def _origin(sight: LetterSight) -> str:
    row, origin = sight.row, sight.shown["from"]
    told = f"{row.of} gave it up at {moment(row.written_at)}"
    if row.status is not None:
        told += f", after the vendor's answer {row.status}"
    if origin["topic"] is None:
        return f"{told}. It never was a record: it came as a body."
    place = f"{origin['topic']}, partition {origin['partition']}, offset {origin['offset']}"
    again = (
        f" It was redriven at {moment(row.redriven_at)} and is not settled since."
        if (row.redriven_at is not None)
        else ""
    )
    return f"{told}. It came from {place}.{again}"
