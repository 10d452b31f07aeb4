"""Which deliveries a replay means. Pure: customers are known by their keyed hash alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.model.enriched import EnrichedEvent


class Selection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What all of must hold of a delivery; what is empty or None holds of every one.

    Attributes:
        since: epoch milliseconds: written to the delivery topic then or later …
        until: … and before then.
        offsets: partition → from and to (exclusive); with any, other partitions are left out.
        types: event types.
        merchants: whose.
        customers: keyed hashes (`ids.customer_hash`).
    """

    since: int | None = None
    until: int | None = None
    offsets: Mapping[int, tuple[int, int]] = {}
    types: frozenset[str] = frozenset()
    merchants: frozenset[str] = frozenset()
    customers: frozenset[str] = frozenset()

    def takes(self, event: EnrichedEvent, hash_of: Callable[[EnrichedEvent], str]) -> bool:
        """Whether a delivery is meant that stands within the times and offsets.

        `hash_of` gives the keyed hash of an event's customer; called where customers are chosen.
        """
        if self.types and event.type not in self.types:
            return False
        if self.merchants and event.merchant not in self.merchants:
            return False
        return not self.customers or hash_of(event) in self.customers

    def bounded(self, partition: int, start: int, end: int) -> tuple[int, int]:
        """What is read of a partition that holds these offsets (by its times)."""
        if not self.offsets:
            return start, end
        if partition not in self.offsets:
            return end, end
        begin, stop = self.offsets[partition]
        return min(max(start, begin), end), min(end, stop)


class Profiles:
    """Which profiles a run has told already: the same once more is left out.

    Of one partition, whose deliveries come in order: so whoever reads it again leaves out the same.
    """

    def __init__(self) -> None:
        self._told: dict[bytes, int] = {}

    def is_new(self, customer: bytes, version: int) -> bool:
        """Whether this version is another one than the customer's last; it is told now."""
        if self._told.get(customer) == version:
            return False
        self._told[customer] = version
        return True
