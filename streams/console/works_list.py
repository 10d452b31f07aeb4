"""The works of a page as it shows them: what was begun, by whom, how far it is, what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nicegui import ui

from streams.console.wording import moment

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from streams.console.working import Work

_LOOK_SECONDS: Final = 0.5
_STATES: Final = {
    "runs": ("under way", "info"),
    "done": ("done", "positive"),
    "stopped": ("stopped", "warning"),
    "failed": ("failed", "negative"),
}


class WorksList:
    """A list of works that follows them while the page stands."""

    def __init__(
        self,
        title: str,
        works: Callable[[], Sequence[Work]],
        ended: Callable[[Work], Awaitable[None]],
        stop: Callable[[Work], object] | None = None,
    ) -> None:
        """Show them from now on.

        Args:
            title: above them, where there are any.
            works: all of them, the newest first.
            ended: told of each that ends while somebody looks.
            stop: has one end early; None: they cannot.
        """
        self._works, self._ended, self._stop = works, ended, stop
        self._shown: dict[str, _Row] = {}
        self._over = {each.id for each in works() if not each.runs}
        self._title = ui.label(title).classes("text-subtitle1 q-mt-sm")
        self._room = ui.column().classes("w-full").props('role=status aria-label="Work"')
        self._show()
        ui.timer(_LOOK_SECONDS, self.follow)

    async def follow(self) -> None:
        """Show how they stand now, and say which have ended."""
        for each in self._show():
            await self._ended(each)

    def _show(self) -> list[Work]:
        """Show them; those that have ended since the last time."""
        works = self._works()
        self._title.set_visibility(bool(works))
        for work in reversed(works):
            if work.id not in self._shown:
                with self._room:
                    self._shown[work.id] = _Row(work, self._stop)
                self._shown[work.id].to_top()
            self._shown[work.id].show(work)
        over = [each for each in works if not each.runs and each.id not in self._over]
        self._over |= {each.id for each in over}
        return over


class _Row:
    def __init__(self, work: Work, stop: Callable[[Work], object] | None) -> None:
        self._card = ui.card().classes("w-full q-pa-sm").props("flat bordered")
        with self._card:
            with ui.row().classes("items-center w-full"):
                self._state = ui.badge()
                ui.label(f"{work.what}, by {work.by}, {moment(work.since)}")
                ui.space()
                self._button = None
                if stop is not None:
                    self._button = ui.button("Stop", on_click=lambda: stop(work))
                    self._button.props("flat dense color=negative")
            self._bar = ui.linear_progress(0.0, show_value=False).props("aria-label=Progress")
            self._said = ui.label()

    def to_top(self) -> None:
        self._card.move(target_index=0)

    def show(self, work: Work) -> None:
        word, color = _STATES[work.state]
        self._state.set_text("stopping" if work.runs and work.stopping else word)
        self._state.props(f"color={color}")
        self._bar.set_visibility(work.runs)
        if work.total:
            self._bar.set_value(min(1.0, work.done / work.total))
        else:
            self._bar.props("indeterminate" if work.total is None and work.runs else "")
        if self._button is not None:
            self._button.set_visibility(work.runs and not work.stopping)
        self._said.set_text(_said(work))


def _said(work: Work) -> str:
    if work.trouble is not None:
        done = f"; {work.done:,} were done" if work.done else ""
        return f"{work.trouble.problem} {work.trouble.advice}{done}".strip()
    if work.said:
        return work.said
    return f"{work.done:,} of {work.total:,}" if work.total else ""
