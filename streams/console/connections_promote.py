"""Promoting a connection: who is let in, what that comes to, and the number to be typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nicegui import ui

from streams.console.asking import Trouble, ask
from streams.console.confirmation import Confirmation
from streams.console.dialogs import answered, asking, buttons, warn

if TYPE_CHECKING:
    from streams.console.access import User
    from streams.console.connections_sight import PromotionSight
    from streams.console.desks import Desks

_STAGES: Final = {
    "allowlist": "These customers only",
    "percentage": "A share of the customers",
    "live": "All customers",
}


async def promote(desks: Desks, user: User, name: str) -> Trouble | str | None:
    """Ask for the stage, show its forecast, have its number typed, then let it send."""
    asked = await _asked(name)
    if asked is None:
        return None
    percentage, customers = asked
    seen = await ask(desks.connections.foresee, user, name, percentage, customers)
    if isinstance(seen, Trouble):
        return seen
    if seen.obstacle is not None:
        return Trouble(f"{name} is not promoted: {seen.obstacle}", "Nothing was changed.")
    confirmation = Confirmation(
        f"Promote {name}",
        seen.customers,
        f"{'customer' if seen.customers == 1 else 'customers'} would have been contacted in the"
        f" last 24 hours, by {seen.deliveries:,} deliveries: so many a day are to be expected",
        "Promote",
    )
    with confirmation.details():
        _show(seen)
    if not await confirmation.given():
        return None
    found = await ask(desks.connections.promote, user, name, seen)
    return found if isinstance(found, Trouble) else f"{name} is {seen.after} from now on."


async def _asked(name: str) -> tuple[float | None, list[str]] | None:
    """A percentage and customers; None: somebody has thought better of it."""
    with asking(f"Promote {name}") as dialog:
        ui.label("Who is let in? Those who were let in before stay in.")
        stage = ui.radio(_STAGES, value="allowlist").props('aria-label="Stage"')
        people = ui.textarea("Customers", placeholder="MERCHANT:CUSTOMER, one a line")
        people.classes("w-full").bind_visibility_from(stage, "value", value="allowlist")
        share = ui.number("Percentage", value=10, min=0, max=100, step=1)
        share.bind_visibility_from(stage, "value", value="percentage")
        wrong = ui.label().classes("text-negative").props("role=alert")

        def go() -> None:
            if stage.value == "allowlist" and not (people.value or "").split():
                wrong.set_text("Name at least one customer.")
            elif stage.value == "percentage" and share.value is None:
                wrong.set_text("Say which percentage.")
            else:
                dialog.submit(True)

        buttons(dialog, "What would that do?", go)
    yes = await answered(dialog)
    told = stage.value, share.value, (people.value or "").split()
    if not yes:
        return None
    if told[0] == "allowlist":
        return None, told[2]
    return (float(told[1]) if told[0] == "percentage" else None), []


def _show(seen: PromotionSight) -> None:
    ui.label(f"{seen.before} → {seen.after}").classes("text-bold")
    ui.label("In the last 24 hours it would have sent, of what it only recorded:")
    with ui.element("div").classes("scroll-box w-full"):
        ui.table(
            columns=[
                {"name": each, "label": each, "field": each, "align": "left"}
                for each in ("event type", "events", "customers")
            ],
            rows=[
                {"event type": kind, "events": f"{n:,}", "customers": f"{people:,}"}
                for kind, n, people in [*seen.rows, ("all", seen.deliveries, seen.customers)]
            ],
        ).props('flat dense aria-label="Forecast"')
    if seen.kept:
        ui.label("kept back still: " + ", ".join(f"{n:,} ({why})" for why, n in seen.kept))
    if seen.other:
        told = ", ".join(f"{n:,} {outcome}" for outcome, n in seen.other)
        ui.label(f"not to be sent whatever the mode, or sent already: {told}")
    if seen.low is not None:
        warn(f"{seen.low[0].upper()}{seen.low[1:]}.")
    if seen.paused:
        warn("It is paused: it sends nothing until it is resumed.")
