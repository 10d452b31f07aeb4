"""What the page Replay asks for, and is told. Nobody's id is in either but what somebody typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from streams.model.replayed import Mode


class ReplayAsked(NamedTuple):
    """What is to be sent again, to whom, and how.

    Attributes:
        names: connections that it goes to.
        mode: how it goes.
        source: the connection whose deliveries are read; empty: each its own.
        since: written since: a time with its zone, or 24h ago …
        until: … and before.
        types: only of these event types.
        merchants: only of these.
        customers: only of these: `MERCHANT:ID`.
        new_ids: label of fresh ids; empty: the ids stay.
    """

    names: tuple[str, ...]
    mode: Mode
    source: str = ""
    since: str = ""
    until: str = ""
    types: tuple[str, ...] = ()
    merchants: tuple[str, ...] = ()
    customers: tuple[str, ...] = ()
    new_ids: str = ""


class ReplayPlan(NamedTuple):
    """A plan that was made.

    Attributes:
        asked: what it is of.
        made_at: epoch milliseconds.
        plans: one for each connection (`cli.replay.lines.plan_object`) …
        takes: … what is said of its pace, in lines.
        number: that has to be typed …
        what: … and of what it is the number.
        prepared: it as the desk knows it.
        id: of the work that made it: it is run once.
    """

    asked: ReplayAsked
    made_at: int
    plans: Sequence[Mapping[str, Any]]
    takes: Sequence[Sequence[str]]
    number: int
    what: str
    prepared: Any
    id: str


class RunSight(NamedTuple):
    """A run, as the control topic keeps it; times are epoch milliseconds.

    Attributes:
        id: of the run, and of its action on the audit topic.
        connection: that it goes to.
        source: whose deliveries were read.
        mode: how they go.
        new_ids: label of fresh ids.
        begun_at: when.
        deliveries: that were planned.
        customers: who were to be messaged.
        appended: deliveries so far.
        ended: whether all of it is appended.
        under_way: whether this console appends it now.
    """

    id: str
    connection: str
    source: str
    mode: str
    new_ids: str | None
    begun_at: int
    deliveries: int
    customers: int
    appended: int
    ended: bool
    under_way: bool
