"""What the page Connections is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from streams.console.sight import Tone


class LimitSight(NamedTuple):
    """How much of a vendor's limit is wanted, in requests a second.

    Attributes:
        endpoint: that the limit is of.
        wanted: by all live workers together.
        allowed: by the vendor and the settings, of its tightest window.
        held: whether the limit holds something back now.
    """

    endpoint: str
    wanted: float
    allowed: float
    held: bool


class ConnectionStanding(NamedTuple):
    """One connection; times are epoch milliseconds.

    Attributes:
        name: of the connection.
        destination: the vendor.
        mode: that holds, in words, with its measure.
        setting: the mode of the settings.
        promoted_by: who put another mode in its place; None: nobody.
        percentage: of the customers, where it is live …
        allowlist: … customers that are let in by name.
        off: whether the settings have it off: nothing can be decided then.
        paused: whether it rests by decision.
        state: in words.
        tone: how it does.
        lag: records in its topic that nobody has finished; None: nobody has begun.
        lag_exact: whether they were counted.
        workers: that serve it.
        last_success: epoch milliseconds; None: none that is kept.
        dead_letters: that stand; None: not counted yet.
        limits: of its account; None: `limits = "off"`, or the account is not known here.
        limits_unknown: why there are none.
    """

    name: str
    destination: str
    mode: str
    setting: str
    promoted_by: str | None
    percentage: float | None
    allowlist: int
    off: bool
    paused: bool
    state: str
    tone: Tone
    lag: int | None
    lag_exact: bool
    workers: int
    last_success: int | None
    dead_letters: int | None
    limits: list[LimitSight] | None
    limits_unknown: str = ""


class WaitsSight(NamedTuple):
    """What waits in a connection's topic.

    Attributes:
        number: deliveries …
        oldest: … the oldest since then.
        by_type: event type and how many, the most frequent first.
        found: it as the desk knows it: a decision is about exactly this.
    """

    number: int
    oldest: int | None
    by_type: list[tuple[str, int]]
    found: Any


class PromotionSight(NamedTuple):
    """What a promotion would come to.

    Attributes:
        before: mode now, in words …
        after: … and then.
        rows: event type, events and customers of the last day that it would have sent.
        deliveries: of them together …
        customers: … and whose they are.
        kept: reason and how many it would keep back still.
        other: outcome and how many no mode changes.
        low: what waits in its low lane and goes then, in words; None: nothing.
        paused: whether the connection rests, and so sends nothing until it is resumed.
        obstacle: why it is refused now; None: it is not.
        found: it as the desk knows it.
    """

    before: str
    after: str
    rows: list[tuple[str, int, int]]
    deliveries: int
    customers: int
    kept: list[tuple[str, int]]
    other: list[tuple[str, int]]
    low: str | None
    paused: bool
    obstacle: str | None
    found: Any


class ProbeSight(NamedTuple):
    """What came of a test of the credentials."""

    well: bool
    said: str
    url: str
