"""A rebuilt table takes the place of the one that derive keeps, while nobody keeps either.

Order matters. First it is said that a switch is under way: from then on no worker loads a table.
Whoever had loaded before is a member of the group, and is found now. Only then, if the group still
stands where both tables were compared, the new one is named.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec import structs

from streams.control.tables import Generation
from streams.engine.group_members import group_members
from streams.engine.group_offsets import committed_positions
from streams.engine.patience import patiently
from streams.engine.watermarks import Watermarks
from streams.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.control.tables import Generations
    from streams.engine.kafka import KafkaSettings

_SECONDS: Final = 30.0


class Successor(NamedTuple):
    """What is switched in.

    Attributes:
        generation: its number.
        changelog: its topic.
        reached: partition → the source's offset that it stands at.
    """

    generation: int
    changelog: str
    reached: Mapping[int, int]


def check_no_members(kafka: KafkaSettings, group: str) -> None:
    """Raise `ConfigurationError` where somebody is in the group."""
    members = group_members(kafka, group)
    if members:
        raise ConfigurationError(
            f"group {group}",
            f"it has members, so the table may not be switched: {', '.join(members)}",
            "Stop every `streams worker derive`; one that was killed leaves after its session",
        )


def switch(
    kafka: KafkaSettings,
    generations: Generations,
    group: str,
    topic: str,
    successor: Successor,
    by: str,
) -> None:
    """Have derive keep another generation from its next start on.

    Args:
        kafka: the connection.
        generations: of the source.
        group: that keeps the table.
        topic: the source's.
        successor: the generation.
        by: whose decision it is.

    Raises:
        ConfigurationError: the group has members, or has gone on: nothing was switched.
        KafkaException: the broker does not answer. If the switch was cut short, derive waits for
            another one.
    """
    before = structs.replace(generations.live(), switching=False)
    generations.keep(structs.replace(before, switching=True))
    try:
        check_no_members(kafka, group)
        positions = patiently(
            lambda: committed_positions(kafka, group, topic, successor.reached), _SECONDS
        )
        moved = [p for p, each in positions.items() if (each or (0,))[0] != successor.reached[p]]
        if moved:
            raise ConfigurationError(
                f"group {group}",
                f"it has gone on in partitions {moved} since the tables were compared",
                "Stop every `streams worker derive`, and run it again: it goes on from there",
            )
        ends = Watermarks(kafka, successor.changelog).stable(successor.reached)
    except Exception:
        generations.keep(before)
        raise
    generations.keep(
        Generation(
            generation=successor.generation,
            changelog=successor.changelog,
            at=int(time.time() * 1_000),
            by=by,
            ends=ends,
        )
    )
