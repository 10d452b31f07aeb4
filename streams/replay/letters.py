"""Dead letters as they are listed: everything but their bytes, so that many fit in memory."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

UNKNOWN: Final = "-"
"""Stands for an event type that cannot be read."""


class Place(NamedTuple):
    """Where a record stands on a topic."""

    partition: int
    offset: int


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter that is not settled.

    Attributes:
        id: its key.
        of: the source or connection that gave it up.
        is_delivery: whether that is a connection.
        place: where it stands on its dead-letter topic.
        reason: a word of a closed set.
        field: that was wrong, if one was.
        type: the event's, or `UNKNOWN`.
        key: of the record; `merchant:customer`, mostly.
        origin: the topic that the record came from; None: it never was a record.
        order: where it stood there: a customer's letters are redriven in this order.
        part: of the delivery, if it was read.
        status: HTTP status of the last answer, for a delivery.
        attempts: requests made, for a delivery.
        size: bytes of the record's key, value and headers.
        written_at: when it was given up, epoch milliseconds.
        redriven_at: when it was appended again, epoch milliseconds; it is not settled since.
    """

    id: str
    of: str
    is_delivery: bool
    place: Place
    reason: str
    field: str | None
    type: str
    key: bytes | None
    origin: str | None
    order: Place
    part: str | None
    status: int | None
    attempts: int | None
    size: int
    written_at: int
    redriven_at: int | None = None


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which letters are meant; what is left empty leaves nothing out.

    Attributes:
        ids: of letters.
        reasons: words.
        types: event types.
        customer: `merchant:customer_id`.
        since: epoch milliseconds; given up then or later …
        until: … and before.
    """

    ids: frozenset[str] = frozenset()
    reasons: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    customer: bytes | None = None
    since: int | None = None
    until: int | None = None

    def takes(self, letter: Letter) -> bool:
        """Whether a letter is meant."""
        return (
            (not self.ids or letter.id in self.ids)
            and (not self.reasons or letter.reason in self.reasons)
            and (not self.types or letter.type in self.types)
            and (self.customer is None or letter.key == self.customer)
            and (self.since is None or letter.written_at >= self.since)
            and (self.until is None or letter.written_at < self.until)
        )


Kind = tuple[str, str, str]
"""Source or connection, reason, event type."""


def counted(letters: Iterable[Letter]) -> list[tuple[Kind, int]]:
    """How many there are of each kind, by source or connection, then the most frequent first."""
    counts = Counter((each.of, each.reason, each.type) for each in letters)
    return sorted(counts.items(), key=lambda each: (each[0][0], -each[1], each[0]))
