"""A customer's story as a list, the newest first; a chapter is built when it is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from nicegui import ui

from streams.console.asking import Trouble, ask
from streams.console.customer_requests import show_requests
from streams.console.layout import show_trouble
from streams.console.row_changes import changes, shown_row
from streams.model.fact import WITHHELD
from streams.model.wording import moment
from streams.timeline.keeping import gone, nothing_known, unread
from streams.timeline.words import WORDS

if TYPE_CHECKING:
    from streams.console.customer_sight import CustomerSight
    from streams.console.desks import Desks
    from streams.timeline.story import Chapter, End, Line

_AT_ONCE: Final = 20
_APART_MS: Final = 60_000
"""What happened longer before it was recorded says when."""
_TONES: Final = {
    "delivered": "positive", "delivered_no_trigger": "positive", "duplicate": "info",
    "rejected": "negative", "expired": "negative", "unauthorized": "warning",
    "retrying": "warning",
}  # fmt: skip


class StoryList:
    """The list."""

    def __init__(self, desks: Desks, sight: CustomerSight) -> None:
        self._desks, self._sight = desks, sight
        self._unmasked = False
        self._shown = 0
        self._chapters = list(reversed(sight.story.chapters))
        if sight.kept.unread:
            ui.label(_said(f"the index is being filled: {unread(sight.kept)}")).props("role=status")
        self._room = ui.column().classes("w-full gap-2")
        self._more = ui.button("Older", icon="expand_more", on_click=self._older)
        self._more.props("outline")
        self._older()
        if not self._chapters:
            ui.label("Nothing came, as far back as the console's index goes.").classes("quiet")
        if sight.story.elsewhere:
            _elsewhere(sight.story.elsewhere)

    def show(self, *, unmasked: bool) -> None:
        """Show it anew, personal data included or masked."""
        self._unmasked = unmasked
        count, self._shown = self._shown, 0
        self._room.clear()
        while self._shown < count:
            self._older()

    def _older(self) -> None:
        some = self._chapters[self._shown : self._shown + _AT_ONCE]
        with self._room:
            for each in some:
                self._chapter(each)
        self._shown += len(some) or _AT_ONCE
        self._more.set_visibility(self._shown < len(self._chapters))

    def _chapter(self, chapter: Chapter) -> None:
        box = ui.expansion(_title(chapter), caption=_caption(chapter), icon=_icon(chapter))
        box.classes("chapter w-full").props("bordered switch-toggle-side=false").style(
            "border: 1px solid #8884; border-radius: .4rem"
        )
        built = False

        def opened(event: Any) -> None:
            nonlocal built
            if event.value and not built:
                built = True
                with box:
                    self._inside(chapter)

        box.on_value_change(opened)

    def _inside(self, chapter: Chapter) -> None:
        if chapter.place:
            ui.label(f"record {chapter.place}").classes("mono quiet")
        for line in chapter.lines:
            self._line(line, chapter.at)
        if not chapter.lines and chapter.problem is None:
            ui.label("Nothing was concluded of it.").classes("quiet")
        if chapter.row_before is not None or chapter.row_after is not None:
            _rows(chapter, unmasked=self._unmasked)

    def _line(self, line: Line, at: int) -> None:
        with ui.card().classes("w-full gap-1").props("flat bordered"):
            with ui.row().classes("w-full items-center"):
                ui.label(line.type).classes("text-bold")
                if line.late:
                    ui.badge("late: data only", color="warning")
                if line.withheld is not None:
                    ui.badge("withheld", color="warning")
            if line.because:
                ui.label(f"because: {line.because}")
            if line.withheld is not None:
                why = WITHHELD.get(line.withheld, line.withheld)
                ui.label(f"Told to nobody: {why}.")
            _ends(line.ends)
            if line.withheld is None:
                kept = self._sight.kept
                if not line.ends:
                    ui.label(_said(nothing_known(at, kept))).classes("quiet")
                elif not kept.had(at):
                    ui.label(_said(gone(kept))).classes("quiet")
                self._requests(line)

    def _requests(self, line: Line) -> None:
        """The button that shows what each destination is sent, side by side."""
        room = ui.column().classes("w-full")

        async def asked() -> None:
            button.props("loading")
            found = await ask(
                self._desks.customers.sent, self._sight.token, line.event_id, line.type
            )
            button.set_visibility(False)
            with room:
                if isinstance(found, Trouble):
                    show_trouble(found)
                else:
                    show_requests(found, unmasked=self._unmasked)

        button = ui.button("Requests, side by side", icon="view_column", on_click=asked)
        button.props("flat dense no-caps")


def _said(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


def _title(chapter: Chapter) -> str:
    if chapter.problem is not None:
        return f"a record that could not be read: {chapter.problem}"
    if chapter.type is None:
        return "nothing new" if chapter.repeated else "what waited was decided"
    kind = "" if chapter.kind == "event" else f" ({chapter.kind})"
    again = ", known already: nothing comes of it" if chapter.repeated else ""
    return f"{chapter.type}{kind}{again}"


def _caption(chapter: Chapter) -> str:
    told = moment(chapter.at)
    created = chapter.created
    if created is not None and abs(chapter.at - created) > _APART_MS:
        told += f", happened {moment(created)}"
    if chapter.before != chapter.after:
        told += f" · {chapter.before or 'unknown'} → {chapter.after or 'unknown'}"
    concluded = [line.type for line in chapter.lines if line.type != chapter.type]
    return f"{told} · concluded: {', '.join(concluded)}" if concluded else told


def _icon(chapter: Chapter) -> str:
    if chapter.problem is not None:
        return "report"
    ends = {end.outcome for line in chapter.lines for end in line.ends}
    if ends & {"rejected", "expired", "unauthorized"}:
        return "error_outline"
    return "mail_outline" if ends else "notes"


def _ends(ends: list[End]) -> None:
    """Each delivery: what came of it, in words."""
    for end in ends:
        with ui.row().classes("items-center gap-2"):
            ui.icon("circle", size="10px", color=_TONES.get(end.outcome, "grey"))
            ui.label(_end_text(end))
        if end.excerpt:
            ui.label(f"they said: {end.excerpt}").classes("mono quiet q-pl-lg")


def _end_text(end: End) -> str:
    what = WORDS.get(end.outcome, end.outcome)
    if end.reason:
        what += f" ({end.reason})"
    if end.field:
        what += f", {end.field}"
    parts = [f"{end.connection}, {end.part}: {what}"]
    if end.attempts:
        tries = "1 attempt" if end.attempts == 1 else f"{end.attempts} attempts"
        answer = f", HTTP {end.status}" if end.status is not None else ""
        took = f", {end.latency_ms} ms" if end.latency_ms is not None else ""
        parts.append(f"{tries}{answer}{took}")
    parts.append(moment(end.at))
    if end.again:
        parts.append("sent again on purpose")
    return "; ".join(parts)


def _rows(chapter: Chapter, *, unmasked: bool) -> None:
    """The row before and after: what changed, then all of it."""
    found = changes(chapter.row_before, chapter.row_after, unmasked=unmasked)
    ui.label("The customer's row").classes("text-bold")
    if not found:
        ui.label("Nothing changed in it.").classes("quiet")
    else:
        columns = [
            {"name": name, "label": label, "field": name, "align": "left"}
            for name, label in (("path", "Field"), ("before", "Before"), ("after", "After"))
        ]
        with ui.element("div").classes("scroll-box w-full"):
            table = ui.table(
                rows=[each._asdict() for each in found], columns=columns, row_key="path"
            )
            table.props("flat dense bordered wrap-cells").classes("w-full")
    whole = ui.expansion("All of it", icon="data_object").classes("w-full")
    with whole, ui.row().classes("w-full"):
        for title, row in (("before", chapter.row_before), ("after", chapter.row_after)):
            text = msgspec.json.format(
                msgspec.json.encode(shown_row(row, unmasked=unmasked)), indent=2
            ).decode()
            with ui.column().classes("col-grow scroll-box"):
                ui.label(title).classes("quiet")
                ui.code(text, language="json").classes("w-full")


def _elsewhere(ends: list[End]) -> None:
    ui.label(
        "Of events that the source topic has no more, or that today's rules do not conclude"
    ).classes("text-subtitle1 q-mt-md")
    for end in ends:
        ui.label(f"{end.type}: {_end_text(end)}")
