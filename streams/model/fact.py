"""Facts: the events that a record becomes, the source's own and those that we conclude."""

from __future__ import annotations

import msgspec

from .enriched import Because

CREATE = "subscriber.create"
CANCEL = "subscriber.cancel"
REACTIVATE = "subscription.reactivate"
PROFILE_CHANGED = "profile.changed"


class Fact(msgspec.Struct, frozen=True, gc=False):
    """One event that a record becomes.

    `withheld` says why it is not delivered, `late` that it may start no flow, `because` why it was
    concluded (None for the source's own). `listed`: ids of the subscriptions that it lists.
    """

    type: str
    event_id: str
    occurred_at: int
    late: bool = False
    withheld: str | None = None
    because: Because | None = None
    listed: tuple[str, ...] | None = None
