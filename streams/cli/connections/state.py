"""How a connection does, told by what was decided, by who serves it, and by its outcomes lately.

A circuit is its worker's own; from outside it is seen in what a vendor that fails leaves: attempts
that are told as `retrying`, at most one a minute of a delivery, and nothing taken after them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from streams.control.forecast import ARRIVED, Contact
from streams.model.delivery import Outcome
from streams.model.wording import moment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from streams.console.index import Minute
    from streams.console.sight import Tone
    from streams.control.records import ConnectionState
    from streams.delivery.gate import Gate

LATELY_MS: Final = 3 * 60_000
"""Attempts that did not end well are told for so long."""
REFUSED: Final = "unauthorized: the vendor refuses our credentials; test them, then resume"


def contact_of(tried: Mapping[tuple[str, str], int], name: str) -> Contact:
    """When a connection last reached its vendor, of the index's `tried`."""
    return Contact(
        max(tried.get((name, each), 0) for each in ARRIVED),
        tried.get((name, Outcome.UNAUTHORIZED.value), 0),
    )


def state_of(
    gate: Gate,
    state: ConnectionState,
    contact: Contact,
    minutes: Sequence[Minute],
    workers: int,
    now: int,
) -> tuple[Tone, str]:
    """How it does, and that in words.

    Args:
        gate: that holds.
        state: what was decided.
        contact: with the vendor, however long ago: a worker that was refused tells nothing more.
        minutes: its outcomes a minute, lately.
        workers: that are in its group.
        now: epoch milliseconds.
    """
    decided = _decided(gate, state)
    if decided is not None:
        return "rests", decided
    if not workers:
        return "trouble", "no worker runs"
    if contact.refused > max(contact.arrived, state.resumed_at):
        return "trouble", REFUSED
    trouble, count = _vendor(contact, minutes, now)
    if trouble is not None:
        return "trouble", trouble
    if count:
        return "good", f"running; {count:,} deliveries were tried again lately"
    return "good", "running: sends nothing, records" if gate.mode == "shadow" else "running"


def _decided(gate: Gate, state: ConnectionState) -> str | None:
    """Why it is to rest; None: it is not."""
    if gate.mode == "off":
        return "off by the settings"
    if state.pause is None:
        return None
    why = f": {state.pause.reason}" if state.pause.reason else ""
    return f"paused since {moment(state.pause.since)} by {state.pause.by}{why}"


def _vendor(contact: Contact, minutes: Sequence[Minute], now: int) -> tuple[str | None, int]:
    """What is wrong with the vendor, if something is; and how much was tried again lately."""
    again = [each for each in minutes if each.outcome == "retrying" and each.at >= now - LATELY_MS]
    count = sum(each.count for each in again)
    if count and max(each.at for each in again) > contact.arrived:
        return f"the vendor takes nothing: {count:,} tries lately", count
    return None, count
