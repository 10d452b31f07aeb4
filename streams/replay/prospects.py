"""What a replay would do, in counts: by mode, event type and outcome. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from streams.replay.differences import Differences

if TYPE_CHECKING:
    from streams.model.replayed import Mode

ACCEPTED = frozenset({"delivered", "delivered_no_trigger", "duplicate"})
"""Outcomes after which the vendor has the part."""


class Expected(NamedTuple):
    """What comes of a part; `outcome` and `reason` are an outcome's."""

    type: str
    part: str
    outcome: str
    reason: str | None


class Told(msgspec.Struct, gc=False):
    """What the outcomes tell of one delivery id.

    Attributes:
        event: the last final outcome of its event part …
        profile: … and of its profile part.
        accepted: whether the vendor ever had the event.
        sent: part → packed hashes of what it took last of the live topic (`differences.Paths`).
    """

    event: str | None = None
    profile: str | None = None
    accepted: bool = False
    sent: dict[str, bytes] | None = None


@dataclass(slots=True)
class Prospect:
    """What one mode would do.

    Attributes:
        deliveries: that would be appended.
        left_out: the same profile of the same customer once more.
        parts: what would come of them.
        starts: events that would start flows, by type.
        customers: whose those are: who would be messaged.
        ignored: events that the vendor would drop, since it has their id.
        again: events that it has and would be sent again, and not drop.
        records: by endpoint and batch.
    """

    deliveries: int = 0
    left_out: int = 0
    parts: Counter[Expected] = field(default_factory=Counter)
    starts: Counter[str] = field(default_factory=Counter)
    customers: int = 0
    ignored: int = 0
    again: int = 0
    records: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(slots=True)
class Plan:
    """What was found; `selected` and `concluded` are by event type, `standing` by outcome.

    `concluded` are deliveries that have a final outcome, and `standing` which they have. `erased`
    were left out, `unreadable` can be nobody's, and `copies` are deliveries once more.
    """

    prospects: dict[Mode, Prospect]
    selected: Counter[str] = field(default_factory=Counter)
    concluded: Counter[str] = field(default_factory=Counter)
    standing: Counter[str] = field(default_factory=Counter)
    differences: Differences = field(default_factory=Differences)
    erased: int = 0
    unreadable: int = 0
    copies: int = 0
