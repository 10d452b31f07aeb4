"""Profiles that are sent at intervals: of each customer the newest that changed since the last.

Ometria's page promises its contacts hourly. A profile part is not sent with its delivery then: it
waits, in memory and in the connection's changelog, until the next full interval of the clock. One
that comes meanwhile takes its place, and the older one is `superseded`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from streams.delivery.known import Waiting, encode_kept, waiting_key
from streams.delivery.pending import Conclusion, Delivery
from streams.delivery.profiles import version_of
from streams.delivery.publisher import Outgoing
from streams.model.delivery import Outcome
from streams.model.ids import customer_key, delivery_id

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from streams.delivery.clock import Clock
    from streams.delivery.known import Known
    from streams.delivery.outcomes import Outcomes
    from streams.delivery.publisher import Publisher
    from streams.model.enriched import EnrichedEvent

_AT_ONCE: Final = 400
"""Profiles of a sync on their way at a time: live events go between them."""

_EARLY_MS: Final = 100
"""A timer may fire a little before the clock has come so far."""

_SUPERSEDED: Final = Conclusion(Outcome.SUPERSEDED)
_ERASED: Final = Conclusion(Outcome.ERASED)
_UNCHANGED: Final = Conclusion(Outcome.DUPLICATE, "unchanged")

_Place = tuple[int, bytes]
"""Partition and customer's key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When profiles go, and what is needed for it.

    Attributes:
        every: seconds between two syncs; 0: profiles go with their deliveries.
        connection: its name.
        deliveries: the delivery topic.
        changelog: the connection's own topic.
        decode: an enriched event from its bytes.
    """

    every: float
    connection: str
    deliveries: str
    changelog: str
    decode: Callable[[bytes], EnrichedEvent]


class ProfileSync:
    """One connection's profiles that wait. For one event loop, not used before it runs."""

    def __init__(
        self, schedule: Schedule, publisher: Publisher, outcomes: Outcomes, clock: Clock
    ) -> None:
        """Take what it works with."""
        self._schedule = schedule
        self._every = int(schedule.every * 1_000)
        self._publisher = publisher
        self._outcomes = outcomes
        self._clock = clock
        self._offer: Callable[[Delivery], None] = _nobody
        self._number: Callable[[], int] = int
        self._progressed: Callable[[Delivery], None] = _nobody
        self._waiting: dict[int, dict[bytes, Waiting]] = {}
        self._epochs: dict[int, int] = {}
        self._due: deque[_Place] = deque()
        self._going: dict[_Place, Delivery] = {}
        self._timer: asyncio.TimerHandle | None = None

    @property
    def on(self) -> bool:
        """Whether profiles wait at all."""
        return self._every > 0

    def attach(
        self,
        offer: Callable[[Delivery], None],
        number: Callable[[], int],
        progressed: Callable[[Delivery], None],
    ) -> None:
        """Take what sends a delivery, what numbers it, and who is told of an acknowledgement."""
        self._offer, self._number, self._progressed = offer, number, progressed

    def install(self, partition: int, epoch: int, known: Known) -> None:
        """Take what was restored."""
        self._waiting[partition] = known.waiting
        self._epochs[partition] = epoch
        if any(self._is_due(each) for each in known.waiting.values()):
            self._disarm()
            self._arm(0.0)
        elif known.waiting:
            self._arm()

    def drop(self, partitions: Collection[int]) -> list[Delivery]:
        """Forget these partitions; their deliveries on the way, which are to be dropped too."""
        for partition in partitions:
            self._waiting.pop(partition, None)
            self._epochs.pop(partition, None)
        self._due = deque(each for each in self._due if each[0] not in partitions)
        if not self._waiting:
            self._disarm()
        gone = [place for place in self._going if place[0] in partitions]
        return [self._going.pop(place) for place in gone]

    def going(self, partitions: Collection[int]) -> list[Delivery]:
        """Deliveries of these partitions on their way."""
        return [each for place, each in self._going.items() if place[0] in partitions]

    def schedule(self, delivery: Delivery, event: EnrichedEvent) -> Conclusion | None:
        """Let the delivery's profile wait; or what comes of it, where a newer one waits already.

        The delivery is finished when the broker has acknowledged that it waits.
        """
        key = customer_key(event.merchant, event.customer_id)
        version = version_of(event.profile)
        known = self._waiting[delivery.partition].get(key)
        due = self._next()
        if known is not None:
            if known.offset == delivery.offset:
                return None  # by an earlier run, that ended before the offset was committed
            if known.version >= version:
                return _SUPERSEDED if known.version > version else _UNCHANGED
            due = known.due
            older = self._delivery(delivery.partition, key, known)
            self._outcomes.conclude(older, "profile", _SUPERSEDED)
        waiting = Waiting(due, version, delivery.offset, delivery.timestamp, delivery.value)
        self._waiting[delivery.partition][key] = waiting
        self._keep(delivery, key, encode_kept(waiting))
        self._arm()
        return None

    def concluded(self, delivery: Delivery) -> None:
        """A scheduled delivery has its outcome, in Kafka too: if it still waits, no more."""
        key = delivery.key or b""
        self._going.pop((delivery.partition, key), None)
        there = self._waiting.get(delivery.partition, {})
        if key in there and there[key].offset == delivery.offset:
            del there[key]
            self._keep(delivery, key, None)
        self._next_ones()

    def erase(self, delivery: Delivery, key: bytes) -> None:
        """Let the profile wait no more whose customer an erase is of, unless it is on its way."""
        waiting = self._waiting.get(delivery.partition, {})
        if key in waiting and (delivery.partition, key) not in self._going:
            older = self._delivery(delivery.partition, key, waiting.pop(key))
            self._outcomes.conclude(older, "profile", _ERASED)
            self._keep(delivery, key, None)

    def _next(self) -> int:
        """The end of the interval that it is now, epoch milliseconds."""
        return (self._clock.now() // self._every + 1) * self._every

    def _keep(self, delivery: Delivery, key: bytes, value: bytes | None) -> None:
        topic = self._schedule.changelog
        record = Outgoing(topic, waiting_key(key), value, [], delivery.partition)
        self._publisher.publish(record, delivery.awaiting(self._progressed))

    def _is_due(self, waiting: Waiting) -> bool:
        return waiting.due <= self._clock.now() + _EARLY_MS

    def _arm(self, seconds: float | None = None) -> None:
        """Have a timer for the end of the interval, or in so many seconds, where there is none."""
        if self._timer is None:
            if seconds is None:
                seconds = max(0.0, (self._next() - self._clock.now()) / 1_000)
            self._timer = asyncio.get_running_loop().call_later(seconds, self._sync)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _sync(self) -> None:
        self._timer = None
        known = {*self._due, *self._going}
        self._due.extend(
            (partition, key)
            for partition, there in self._waiting.items()
            for key, each in there.items()
            if self._is_due(each) and (partition, key) not in known
        )
        self._next_ones()
        if any(self._waiting.values()):
            self._arm()

    def _next_ones(self) -> None:
        while self._due and len(self._going) < _AT_ONCE:
            partition, key = place = self._due.popleft()
            waiting = self._waiting.get(partition, {}).get(key)
            if waiting is not None and place not in self._going:
                self._going[place] = delivery = self._delivery(partition, key, waiting)
                self._offer(delivery)

    def _delivery(self, partition: int, key: bytes, waiting: Waiting) -> Delivery:
        """The delivery that brought a profile, once more, for its profile alone."""
        event = self._schedule.decode(waiting.value)
        return Delivery(
            sequence=self._number(),
            topic=self._schedule.deliveries,
            partition=partition,
            epoch=self._epochs[partition],
            offset=waiting.offset,
            timestamp=waiting.timestamp,
            key=key,
            value=waiting.value,
            headers={},
            event=event,
            id=delivery_id(event.event_id, event.type, self._schedule.connection),
            scheduled=True,
        )


def _nobody(_: Delivery) -> None:
    """Nobody is told yet."""
