"""What derivation may choose, and what it gives."""

from __future__ import annotations

import msgspec

from streams.model.fact import Fact
from streams.model.subscriber import Subscriber

DAY = 86_400_000
"""A day in milliseconds."""


class DeriveOptions(msgspec.Struct, frozen=True):
    """What a shop may choose about derivation. Durations are milliseconds of stream time."""

    late_after: int = 3_600_000
    """A stale event whose record is older than this is `late`."""
    remember: int = 7
    """Days for which event ids and guards are remembered."""
    out_of_stock_run: int = 30 * DAY
    """After this an item's out-of-stock run counts as a new one."""


class Derivation(msgspec.Struct, frozen=True, gc=False):
    """The changed row (None: forgotten) and the facts in the order in which they are told."""

    row: Subscriber | None
    facts: tuple[Fact, ...] = ()
    duplicate: bool = False
