"""How much of what became of deliveries is still known, where a story is told from. Pure.

Records of sources are kept longer than outcomes, so a story reaches back to a time of which nobody
knows any more what was sent: that is another thing than nothing having been sent.
"""

from __future__ import annotations

from typing import NamedTuple

from streams.model.wording import moment


class Kept(NamedTuple):
    """What is there of outcomes.

    Attributes:
        since: all that were written from then on are there, epoch milliseconds. 0: all there were.
        unread: records of the topics that are still to be read here; 0: none to speak of.
    """

    since: int = 0
    unread: int = 0

    def had(self, at: int) -> bool:
        """Whether all that became of what was recorded then (epoch milliseconds) is there."""
        return at >= self.since


def nothing_known(at: int, kept: Kept) -> str:
    """What is told where no outcome is, of a fact of a record of that time (epoch ms)."""
    if not kept.had(at):
        return gone(kept)
    if kept.unread:
        return f"no outcome yet: {unread(kept)}"
    return "no outcome: nobody takes it, or it waits"


def gone(kept: Kept) -> str:
    """What is told of what is older than what is kept."""
    return f"what became of it before {moment(kept.since)} is not kept here"


def unread(kept: Kept) -> str:
    """What is told while something is missing."""
    what = "1 record is" if kept.unread == 1 else f"{kept.unread:,} records are"
    return f"{what} still to be read here"
