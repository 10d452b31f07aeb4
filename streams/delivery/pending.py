"""A delivery on its way, from the record to its outcomes: the mutable value that all here share."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping

    from streams.delivery.excerpt import Answer
    from streams.model.delivery import Outcome, Part, PartName, Request
    from streams.model.enriched import EnrichedEvent
    from streams.model.replayed import Replayed

_json = msgspec.json.Encoder().encode

_OVERHEAD = 500
"""Bytes that a delivery costs beside its record, about."""


class Recalled(NamedTuple):
    """A final outcome that an earlier run wrote: the part must not be sent again.

    Attributes:
        delivery_id: must agree, or the topic is not the one that the outcome spoke of.
        part: `event` or `profile`.
        offset: of the outcome's record.
        outcome: the class.
    """

    delivery_id: str
    part: str
    offset: int
    outcome: Outcome


class Conclusion(NamedTuple):
    """What came of a part, and why.

    Attributes:
        outcome: the class.
        reason: a word of a closed set, or None.
        field: that was refused, or None.
        failed: our own code raised: the dead letter says `failed` instead of `rejected`.
    """

    outcome: Outcome
    reason: str | None = None
    field: str | None = None
    failed: bool = False


@dataclass(slots=True, eq=False)
class Step:
    """One part of a delivery, to be sent until it has a final outcome.

    Attributes:
        name: `event` or `profile`.
        request: what is sent; another one after a repair.
        body: its body, serialised once.
        accepted_as: what an accepted request amounts to.
        carries_profile: whether the vendor then has the event's profile.
        remark: what the request leaves out, as the outcome's reason, if nothing else is said.
        thing: what it sets as a whole at the vendor, and …
        substance: … a digest of what it sets that to.
        company: whom it travels with after a call was refused for one record's sake: those with the
            same number, and nobody else; 0: anybody.
        attempts: requests made.
        repaired: why the request is another than was rendered, if it is.
        status: HTTP status of the last answer; None when none came.
        latency: seconds of the last request.
        answer: what was answered last; None when nothing was.
        failures: consecutive failed attempts of its own, which the backoff grows by.
        under_attempt: seconds in which it could be tried (the retry budget).
        mentioned_at: monotonic seconds of its last `retrying` outcome.
    """

    name: PartName
    request: Request
    body: bytes
    accepted_as: Outcome
    carries_profile: bool = False
    remark: str | None = None
    thing: str | None = None
    substance: bytes = b""
    company: int = 0
    attempts: int = 0
    repaired: str | None = None
    status: int | None = None
    latency: float | None = None
    answer: Answer | None = field(default=None, repr=False)
    failures: int = 0
    under_attempt: float = 0.0
    mentioned_at: float | None = None

    def repair(self, request: Request, reason: str) -> None:
        """Send this instead from now on, and say why."""
        self.request, self.body, self.repaired = request, _json(request.body), reason


def step_of(part: Part, *, superseded: bool) -> Step:
    """A part as a step; `superseded`: its profile is not the newest."""
    brings = part.brings_profile
    remark = "profile_superseded" if brings and superseded else None
    return Step(
        name=part.name,
        request=part.request,
        body=_json(part.request.body),
        accepted_as=part.outcome,
        carries_profile=brings,
        remark=remark or part.remark,
        thing=part.thing,
        substance=part.substance,
    )


@dataclass(slots=True, eq=False)
class Delivery:
    """One delivery record of one partition under one ownership epoch.

    Attributes:
        sequence: the order in which records came in, over all partitions.
        topic: where the record is …
        partition: … and its partition …
        epoch: … and the ownership epoch under which it was read …
        offset: … and offset …
        timestamp: … and its record time, epoch milliseconds.
        key: `merchant:customer_id`, as it stands in the record.
        value: the enriched event's bytes.
        headers: the record's.
        recalled: outcomes of an earlier run.
        event: the decoded value, once rendered.
        replayed: how it goes again, if it does, once read.
        id: the delivery id, once rendered.
        steps: parts still to be sent, in order; the first is under way or next.
        rendered: whether `steps` says all; before, nothing is known.
        scheduled: whether it is for its profile alone, at a time of its own: the offset has passed.
        low: whether it came by the low lane: all that is live goes before it.
        concluded: the parts that have a final outcome, and which.
        parked: whether it goes on from the connection's table, and the offset may pass it …
        leaving: … and whether it is being taken out of there.
        resumed: failures and seconds under attempt of its first step, by an earlier run.
        unacknowledged: outcomes and dead letters on their way to the broker.
        first_outcome: the least offset of its final outcomes' records …
        last_outcome: … and the greatest.
        finished: whether the committed offset may pass it.
        dropped: whether its partition is no longer ours: nothing is begun for it any more.
        task: the request under way.
        timer: the wait for the next attempt.
    """

    sequence: int
    topic: str
    partition: int
    epoch: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes
    headers: Mapping[str, bytes]
    recalled: tuple[Recalled, ...] = ()
    event: EnrichedEvent | None = None
    replayed: Replayed | None = None
    id: str = ""
    steps: deque[Step] = field(default_factory=deque)
    rendered: bool = False
    scheduled: bool = False
    low: bool = False
    concluded: dict[str, Outcome] = field(default_factory=dict)
    parked: bool = False
    leaving: bool = False
    resumed: tuple[int, float] = (0, 0.0)
    unacknowledged: int = 0
    first_outcome: int | None = None
    last_outcome: int | None = None
    finished: bool = False
    dropped: bool = False
    task: asyncio.Task[None] | None = None
    timer: asyncio.TimerHandle | None = None

    @property
    def customer(self) -> tuple[int, bytes | None]:
        """Whose deliveries must stay in order; a key lives in one partition."""
        return self.partition, self.key

    @property
    def place(self) -> tuple[bool, int]:
        """Its lane and offset, which name it within its partition."""
        return self.low, self.offset

    @property
    def size(self) -> int:
        """Bytes that it holds while it waits, about."""
        return len(self.value) + len(self.key or b"") + _OVERHEAD

    @property
    def settled(self) -> bool:
        """Whether every part has a final outcome that the broker has acknowledged."""
        return self.rendered and not self.steps and self.unacknowledged == 0

    def awaiting(self, progressed: Callable[[Delivery], None]) -> Callable[[int], None]:
        """One more record of it is on its way: what is to be called when the broker has it.

        `progressed` is told then.
        """
        self.unacknowledged += 1

        def acknowledged(_: int) -> None:
            self.acknowledged()
            progressed(self)

        return acknowledged

    def acknowledged(self, outcome_offset: int | None = None) -> None:
        """Note that the broker has one of its records; its offset, if that is a final outcome."""
        self.unacknowledged -= 1
        if outcome_offset is not None:
            self.heard(outcome_offset)

    def heard(self, outcome_offset: int) -> None:
        """Note where a final outcome of it is."""
        first, last = self.first_outcome, self.last_outcome
        self.first_outcome = outcome_offset if first is None else min(first, outcome_offset)
        self.last_outcome = outcome_offset if last is None else max(last, outcome_offset)

    def forget(self) -> None:
        """Free what a finished delivery no longer needs; it may wait long for those before it."""
        self.value, self.headers, self.event, self.recalled = b"", {}, None, ()
