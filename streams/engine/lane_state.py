"""What the parts of one lane's poller share: thread, rebalance, loading and public face."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from streams.engine.commits import Commits
from streams.engine.cursors import Cursors
from streams.engine.fetching import Fetching
from streams.engine.membership import Membership
from streams.engine.ownership import Ownership
from streams.engine.setbacks import Setbacks
from streams.engine.slots import Slots
from streams.engine.statistics import LaneStatistics

if TYPE_CHECKING:
    from streams.engine.kafka import KafkaSettings
    from streams.engine.lane import Lane

__all__ = ["LaneState"]


class LaneState:
    """The state of one lane's consumption; each part says which threads may change it.

    Attributes:
        stopping: set once, when the lane is asked to end.
    """

    def __init__(self, lane: Lane, kafka: KafkaSettings) -> None:
        self.lane = lane
        self.kafka = kafka
        self.ownership = Ownership()
        self.membership = Membership()
        self.cursors = Cursors()
        self.fetching = Fetching(lane.topic)
        self.slots = Slots(lane.options.slots)
        self.commits = Commits(lane.topic, self.ownership, self.cursors)
        self.setbacks = Setbacks(lane.options.poison_limit)
        self.statistics = LaneStatistics()
        self.stopping = threading.Event()
