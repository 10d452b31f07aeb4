"""What is known beside a customer's story when it is asked why they did not get an event."""

from __future__ import annotations

import msgspec

from streams.delivery.gate import Mode
from streams.timeline.keeping import Kept


class Signs(msgspec.Struct, frozen=True, kw_only=True):
    """What is known beside the story.

    Attributes:
        connection: that was asked about.
        event_type: likewise.
        known: whether the settings have the connection.
        takes: whether its vendor takes such events.
        serves: whether it serves the customer's merchant.
        wants: whether it wants such events.
        mode: that holds.
        paused: since when, by whom and why it rests; None: it does not.
        begun: whether anybody has ever read its topic.
        waits: how many of the customer's deliveries wait in its topic.
        written: whether a delivery record of the event is known.
        derived: whether derive has read the record that the newest such fact comes of.
        source_waits: how many of the customer's records derive has not read yet.
        kept: how much of what became of deliveries is known.
    """

    connection: str
    event_type: str
    known: bool = True
    takes: bool = True
    serves: bool = True
    wants: bool = True
    mode: Mode = "live"
    paused: str | None = None
    begun: bool = True
    waits: int = 0
    written: bool = True
    derived: bool = True
    source_waits: int = 0
    kept: Kept = Kept()
