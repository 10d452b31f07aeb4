"""What local state says of itself, and whether it may be believed.

A checkpoint is written with the rows that belong to it, so both are of one moment. It is believed
only where all of it agrees with the changelog and the group as the broker has them now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.engine.state.changelog import Changelog

__all__ = ["REASONS", "Checkpoint", "Reason", "doubt"]

Reason = Literal[
    "other_topic", "past_the_end", "before_the_start", "ahead_of_group", "too_old", "format",
    "damaged",
]  # fmt: skip

REASONS: Mapping[Reason, str] = {
    "other_topic": "it is of another cluster, or of a topic that was made anew",
    "past_the_end": "the changelog ends before its position: it was truncated",
    "before_the_start": "the changelog does not hold its position any more",
    "ahead_of_group": "it holds records that the group has not committed",
    "too_old": "deletions since then may be gone from the changelog",
    "format": "another version of the program wrote it",
    "damaged": "its files are damaged",
}
"""Why local state is dropped and built anew, in words."""


class Checkpoint(msgspec.Struct, frozen=True, array_like=True):
    """How far the rows of one partition are.

    Attributes:
        cluster: of the changelog.
        topic: the changelog's topic id, which a topic that is made anew does not keep.
        offset: the source's next record to apply.
        position: the changelog's next offset to read.
        whole_at: epoch seconds at which the rows were all that the changelog then stood for.
    """

    cluster: str
    topic: str
    offset: int
    position: int
    whole_at: float


def doubt(
    checkpoint: Checkpoint, changelog: Changelog, partition: int, offset: int
) -> Reason | None:
    """Return why local state is not believed; None when it is.

    Args:
        checkpoint: what it says.
        changelog: as it is now.
        partition: of both.
        offset: the group's committed one.
    """
    position, end = checkpoint.position, changelog.ends[partition]
    age = changelog.seen_at - checkpoint.whole_at
    verdicts: dict[Reason, bool] = {
        "other_topic": (checkpoint.cluster, checkpoint.topic)
        != (changelog.cluster, changelog.topic_id),
        "past_the_end": position > end,
        "before_the_start": position < changelog.starts[partition],
        "ahead_of_group": checkpoint.offset > offset,
        # nothing was written since: then nothing was deleted either, however long ago it is
        "too_old": position < end and abs(age) > changelog.tombstone_seconds,
    }
    return next((reason for reason, applies in verdicts.items() if applies), None)
