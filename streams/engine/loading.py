"""State for gained partitions: in a side thread, so that the others go on meanwhile.

Order matters: first what former owners left open is settled, then the committed positions are read,
then the handler loads. So state and position belong to one commit.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaException

from streams.engine.group_offsets import committed_positions
from streams.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from streams.engine.batch import Position
    from streams.engine.lane_state import LaneState
    from streams.engine.ownership import Share

__all__ = ["Loaded", "Loader"]

_RETRY_SECONDS = 0.2

log = logging.getLogger(__name__)

Loaded = tuple["Sequence[Share]", "Mapping[int, Position]", "Mapping[int, Any]"]
"""The shares asked for, and positions and state of those that were still owned at the end."""


class Loader:
    """Loads partitions for one lane and reports them, or the reason why it cannot."""

    def __init__(
        self,
        state: LaneState,
        *,
        loaded: Callable[[Loaded], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._kafka = state.kafka
        self._lane = state.lane
        self._ownership = state.ownership
        self._stopping = state.stopping
        self._setbacks = state.setbacks
        self._loaded = loaded
        self._failed = failed

    def start(self, shares: Sequence[Share], delay: float = 0.0) -> None:
        """Load these after a delay in seconds."""
        name = f"load-{self._lane.name}"
        threading.Thread(target=self._run, args=(shares, delay), name=name, daemon=True).start()

    def _run(self, shares: Sequence[Share], delay: float) -> None:
        def alive() -> AbstractSet[int]:
            return {share.partition for share in shares if self._ownership.owns(*share)}

        try:
            while not self._stopping.wait(delay) and alive():
                try:
                    self._loaded((shares, *self._load(alive)))
                except KafkaException as error:
                    log.warning("%s: loading is tried again: %s", self._lane.name, error)
                    delay = _RETRY_SECONDS
                else:
                    return
        except BaseException as error:  # noqa: BLE001 - a thread's exception would vanish
            if not self._stopping.is_set():  # then the handler may be closed already
                self._failed(error)

    def _load(
        self, alive: Callable[[], AbstractSet[int]]
    ) -> tuple[Mapping[int, Position], Mapping[int, Any]]:
        handler = self._lane.handler
        handler.settle(alive(), alive)
        positions = self._positions(alive())
        for partition, position in positions.items():
            self._setbacks.check(partition, position.offset)
        return positions, handler.load(positions, alive)

    def _positions(self, partitions: AbstractSet[int]) -> dict[int, Position]:
        group, topic = self._lane.group, self._lane.topic
        positions = {}
        for partition, position in committed_positions(
            self._kafka, group, topic, partitions
        ).items():
            if position is None:
                raise ConfigurationError(
                    f"group {group}",
                    f"it has no offset for {topic}[{partition}]",
                    "Where to go on cannot be guessed: set its offsets with"
                    " `kafka-consumer-groups --reset-offsets` while no worker runs",
                )
            positions[partition] = position
        return positions
