"""Pausing, resuming, resetting and testing a connection: what is asked before, and done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nicegui import ui

from streams.console.asking import Trouble, ask
from streams.console.dialogs import answered, asking, buttons
from streams.console.wording import moment, several

if TYPE_CHECKING:
    from streams.console.access import User
    from streams.console.connections_sight import WaitsSight
    from streams.console.desks import Desks

_HOWS: Final = {
    "deliver": "Deliver: all that waits is sent",
    "data_only": "Data only: it is sent as data that starts no flow; profiles become right",
    "skip": "Skip: nothing of it is sent; so it is recorded",
}


async def pause(desks: Desks, user: User, name: str) -> Trouble | str | None:
    """Ask why, then let a connection rest."""
    with asking(f"Pause {name}") as dialog:
        ui.label("It sends nothing and reads nothing; its events wait in its topic.")
        reason = ui.input("Why").classes("w-full").props("autofocus autocomplete=off")
        buttons(dialog, "Pause")
    if not await answered(dialog):
        return None
    told = (reason.value or "").strip() or None
    found = await ask(desks.connections.pause, user, name, told)
    return found if isinstance(found, Trouble) else f"{name} is paused."


async def resume(desks: Desks, user: User, name: str) -> Trouble | str | None:
    """Show what waits, ask what becomes of it, then let a connection go on."""
    waits = await ask(desks.connections.waits, name)
    if isinstance(waits, Trouble):
        return waits
    with asking(f"Resume {name}") as dialog:
        how = _waiting(waits)
        wrong = ui.label().classes("text-negative").props("role=alert")

        def go() -> None:
            if how is not None and how.value is None:
                wrong.set_text("Nothing was done: say what becomes of what waits.")
            else:
                dialog.submit(True)

        buttons(dialog, "Resume", go)
    if not await answered(dialog):
        return None
    chosen = None if how is None else how.value
    found = await ask(desks.connections.resume, user, name, chosen, waits)
    return found if isinstance(found, Trouble) else f"{name} goes on."


async def reset(desks: Desks, user: User, name: str) -> Trouble | str | None:
    """Ask, then forget a promotion."""
    with asking(f"Reset {name}") as dialog:
        ui.label("What it was promoted to is forgotten: the mode of the settings holds, at once.")
        buttons(dialog, "Reset")
    if not await answered(dialog):
        return None
    found = await ask(desks.connections.reset, user, name)
    return found if isinstance(found, Trouble) else f"{name} is in the mode of the settings."


async def probe(desks: Desks, user: User, name: str) -> Trouble | str | None:
    """Ask the vendor whether the credentials work: one request that changes nothing."""
    found = await ask(desks.connections.test, user, name)
    if isinstance(found, Trouble):
        return found
    if found.well:
        return f"{name} at {found.url}: {found.said}."
    advice = "These are the credentials that the console finds; a worker's may be others."
    return Trouble(f"{name} at {found.url}: {found.said}.", advice)


def _waiting(waits: WaitsSight) -> ui.radio | None:
    """What waits, and the choice; None: nothing waits, so there is none."""
    if not waits.number:
        ui.label("Nothing waits.")
        return None
    one, more = "delivery waits", "deliveries wait"
    ui.label(f"{several(waits.number, one, more)}, the oldest since {moment(waits.oldest)}:")
    for kind, count in waits.by_type:
        ui.label(f"{count:,} {kind}").classes("mono")
    ui.label("What becomes of it? Nothing newer is touched.").classes("text-bold")
    return ui.radio(_HOWS).props('aria-label="What becomes of what waits"')
