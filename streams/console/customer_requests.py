"""One event's requests at all its destinations: side by side, then each as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from nicegui import ui

from streams.console.side_by_side import side_by_side
from streams.model.wording import moment

if TYPE_CHECKING:
    from streams.console.customer_sight import Sent

_ANEW = (
    "Rendered anew from the delivery's record by today's renderer and settings: what was sent is"
    " kept nowhere but as keyed hashes."
)


def show_requests(sent: list[Sent], *, unmasked: bool) -> None:
    """Show them; what differs between destinations is marked."""
    if not sent:
        ui.label("No delivery record of it is known: nobody takes it, or none is kept any more.")
        return
    ui.label(_ANEW).classes("quiet")
    asked = [each for each in sent if each.call is not None]
    names = list(dict.fromkeys(each.connection for each in asked))
    if len(names) > 1:
        _table(asked, names, unmasked=unmasked)
    for each in sent:
        title = f"{each.connection}, {each.part}"
        if each.again:
            title += f" (replay: {each.again})"
        if each.call is None:
            ui.label(f"{title}: nothing is asked ({each.note})").classes("quiet")
            continue
        with ui.expansion(f"{title}: {each.call}", caption=moment(each.at), icon="http").classes(
            "w-full"
        ):
            if each.note:
                ui.label(f"left out or cut: {each.note}").classes("quiet")
            body = each.body if unmasked else each.masked
            text = msgspec.json.format(msgspec.json.encode(body), indent=2).decode()
            with ui.element("div").classes("scroll-box w-full"):
                ui.code(text, language="json").classes("w-full")


def _table(asked: list[Sent], names: list[str], *, unmasked: bool) -> None:
    shown: dict[str, list[Any]] = {name: [] for name in names}
    plain: dict[str, list[Any]] = {name: [] for name in names}
    for each in asked:
        shown[each.connection].append(each.body if unmasked else each.masked)
        plain[each.connection].append(each.body)
    rows = [
        {"field": f"≠ {row.name}" if row.differs else row.name}
        | {name: ", ".join(dict.fromkeys(row.values.get(name, []))) for name in names}
        for row in side_by_side(shown, plain)
    ]
    columns = [{"name": "field", "label": "Field", "field": "field", "align": "left"}]
    columns += [{"name": n, "label": n, "field": n, "align": "left"} for n in names]
    ui.label("≠ marks fields of which destinations are told different values.").classes("quiet")
    with ui.element("div").classes("scroll-box w-full"):
        table = ui.table(rows=rows, columns=columns, row_key="field", pagination=15)
        table.props("flat dense bordered wrap-cells").classes("w-full")
