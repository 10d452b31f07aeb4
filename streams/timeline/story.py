"""The story of one customer: each record with the facts that it revealed, each fact with its ends.

Pure: records and outcomes in, chapters out. Times are epoch milliseconds.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from streams.errors import BadRecord
from streams.model.member import Member
from streams.model.subscriber import Subscriber

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from streams.model.fact import Fact
    from streams.pipeline import Pipeline, Processed


Row = Subscriber | Member


class Came(msgspec.Struct, frozen=True):
    """A record of a source topic.

    Attributes:
        place: `topic[partition] offset`.
        at: when it was recorded.
        recorded_at: when what it is a copy of was (`rekey.Past`).
        flows_from: when the role began that copied it, 0 for none.
        key: of the record.
        value: its bytes.
    """

    place: str
    at: int
    recorded_at: int
    flows_from: int
    key: bytes
    value: bytes | None


class End(msgspec.Struct, frozen=True):
    """What became of one part of one delivery: the newest that its outcomes say.

    Attributes:
        connection: whose it is.
        part: event or profile.
        outcome: of the closed set.
        reason: a word.
        field: that was refused.
        attempts: requests so far.
        status: of the last answer.
        latency_ms: of the last request.
        excerpt: of the answer, masked.
        at: when it was written.
        again: whether the low lane brought it: a replay, a repair, a backfill.
        event_id: of the event …
        type: … and its type.
    """

    connection: str
    part: str
    outcome: str
    reason: str | None
    field: str | None
    attempts: int
    status: int | None
    latency_ms: int | None
    excerpt: str | None
    at: int
    again: bool
    event_id: str
    type: str


class Line(msgspec.Struct, frozen=True):
    """A fact: why it was concluded, why nobody was told, and what became of it elsewhere."""

    type: str
    event_id: str
    occurred_at: int
    because: str | None
    late: bool
    withheld: str | None
    ends: list[End]


class Chapter(msgspec.Struct, frozen=True):
    """A record, or a moment at which something that waited was decided (`type` is None).

    Attributes:
        at: when it was recorded, or fired.
        place: of the record.
        type: of its event.
        event_id: likewise.
        created: when it happened, by the source.
        kind: event, state or erase.
        before: how the customer stood.
        after: how they stand.
        repeated: whether it was known already: nothing comes of it.
        problem: why it could not be read; it is a dead letter.
        lines: what it revealed.
        row_before: the customer's row, where rows are asked for …
        row_after: … and after it.
    """

    at: int
    place: str | None = None
    type: str | None = None
    event_id: str | None = None
    created: int | None = None
    kind: str = "event"
    before: str | None = None
    after: str | None = None
    repeated: bool = False
    problem: str | None = None
    lines: list[Line] = []
    row_before: Row | None = None
    row_after: Row | None = None


class Story(msgspec.Struct, frozen=True):
    """All chapters in order, and ends of events that no record here reveals."""

    chapters: list[Chapter]
    elsewhere: list[End]


Ends = dict[tuple[str, str], list[End]]
"""By the event's id and type."""


def ends_of(outcomes: Iterable[Mapping[str, Any]], low: Callable[[str], bool]) -> Ends:
    """The newest end of each part of each delivery.

    Args:
        outcomes: as they stand on their topic, in order.
        low: whether a topic is a low lane.
    """
    newest: dict[tuple[str, str], Mapping[str, Any]] = {}
    for each in outcomes:
        newest[each["delivery_id"], each["part"]] = each
    found: defaultdict[tuple[str, str], list[End]] = defaultdict(list)
    for each in newest.values():
        end = End(
            connection=each["connection"],
            part=each["part"],
            outcome=str(each["outcome"]),
            reason=each["reason"],
            field=each["field"],
            attempts=each["attempts"],
            status=each["status"],
            latency_ms=each["latency_ms"],
            excerpt=each["excerpt"],
            at=each["recorded_at"],
            again=low(each["topic"]),
            event_id=each["event_id"],
            type=each["type"],
        )
        found[end.event_id, end.type].append(end)
    for ends in found.values():
        ends.sort(key=lambda end: (end.connection, end.part, end.at))
    return dict(found)


def told(
    came: Sequence[Came],
    pipeline_of: Callable[[Came], Pipeline[Any] | None],
    ends: Ends,
    now: int,
    *,
    rows: bool = False,
) -> list[Chapter]:
    """The chapters of what came.

    Args:
        came: one customer's records, in order.
        pipeline_of: what handles a record; None: it is no customer's (a mark of a sync).
        ends: of deliveries; those that are told of are taken out of it.
        now: what waited until then was decided.
        rows: whether chapters hold the customer's row before and after.
    """
    chapters: list[Chapter] = []
    row: bytes | None = None
    last: tuple[bytes, Pipeline[Any]] | None = None

    def keep(pipeline: Pipeline[Any], chapter: Chapter | None, after: bytes | None) -> None:
        nonlocal row
        if chapter is not None and rows:
            old, new = (None if each is None else pipeline.decode(each) for each in (row, after))
            chapter = replace(chapter, row_before=old, row_after=new)
        if chapter is not None:
            chapters.append(chapter)
        row = after

    for each in came:
        pipeline = pipeline_of(each)
        if pipeline is None:
            continue
        while last is not None and row is not None and 0 < (due := pipeline.due(row)) <= each.at:
            keep(pipeline, *_fired(last[0], row, due, pipeline, ends))
        keep(pipeline, *_read(each, pipeline, row, ends))
        last = each.key, pipeline
    while last is not None and row is not None and 0 < (due := last[1].due(row)) <= now:
        keep(last[1], *_fired(last[0], row, due, last[1], ends))
    return chapters


def _read(
    each: Came, pipeline: Pipeline[Any], row: bytes | None, ends: Ends
) -> tuple[Chapter, bytes | None]:
    """A record's chapter, and the row after it."""
    before = row
    try:
        found = pipeline.process_all(
            each.value, lambda _: before, each.at, each.key, each.recorded_at, each.flows_from
        )
    except BadRecord as bad:
        problem = " ".join(filter(None, (bad.reason, bad.field)))
        return Chapter(each.at, each.place, problem=problem), row
    if not found:
        return Chapter(each.at, each.place, repeated=True), row
    for one in found:
        row = row if one.duplicate else one.value
    first = found[0].event
    chapter = Chapter(
        at=each.at,
        place=each.place,
        type=None if first is None else first.type,
        event_id=None if first is None else first.event_id,
        created=None if first is None else first.created,
        kind=getattr(first, "kind", "event"),
        before=_standing(pipeline, before),
        after=_standing(pipeline, row),
        repeated=all(one.duplicate for one in found),
        lines=[line for one in found for line in _lines(one, ends)],
    )
    return chapter, row


def _fired(
    key: bytes, row: bytes, due: int, pipeline: Pipeline[Any], ends: Ends
) -> tuple[Chapter | None, bytes | None]:
    """The chapter of what waited until then, if it came to something; and the row after it."""
    fired = pipeline.fire(key, row, due)
    lines = list(_lines(fired, ends))
    if not lines:
        return None, fired.value
    before, after = _standing(pipeline, row), _standing(pipeline, fired.value)
    return Chapter(due, before=before, after=after, lines=lines), fired.value


def _lines(processed: Processed[Any], ends: Ends) -> list[Line]:
    return [_line(each.fact, ends) for each in processed.told]


def _line(fact: Fact, ends: Ends) -> Line:
    return Line(
        type=fact.type,
        event_id=fact.event_id,
        occurred_at=fact.occurred_at,
        because=None if fact.because is None else fact.because.text,
        late=fact.late,
        withheld=fact.withheld,
        ends=ends.pop((fact.event_id, fact.type), []),
    )


def _standing(pipeline: Pipeline[Any], row: bytes | None) -> str | None:
    """How a customer stands, without saying who it is."""
    if row is None:
        return None
    known = pipeline.decode(row)
    if isinstance(known, Subscriber):
        return f"{known.status or 'never subscribed'}, {known.active} active of {known.total}"
    return f"version {known.version}" if isinstance(known, Member) else None
