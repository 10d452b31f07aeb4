"""What the page of a customer shows. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.timeline.keeping import Kept
    from streams.timeline.story import Story


class CustomerSight(NamedTuple):
    """A customer.

    Attributes:
        token: stands for them in addresses.
        key: `merchant:customer_id`.
        story: all that came, was concluded and became of it.
        connections: that there are, by the settings.
        types: event types that some connection takes.
        kept: how much of what became of deliveries the index has.
    """

    token: str
    key: bytes
    story: Story
    connections: list[str]
    types: list[str]
    kept: Kept


class Sent(NamedTuple):
    """A request as today's renderer makes it of a delivery's record, or why it makes none.

    Attributes:
        connection: whose.
        part: event or profile.
        again: the mode of the replay that it was; None: it came by itself.
        at: when the delivery was recorded, epoch milliseconds.
        call: method and path; None: nothing would be asked.
        body: of the request, plain …
        masked: … and with everything personal masked.
        note: why nothing would be asked.
    """

    connection: str
    part: str
    again: str | None
    at: int
    call: str | None
    body: Mapping[str, Any] | None
    masked: Mapping[str, Any] | None
    note: str | None
