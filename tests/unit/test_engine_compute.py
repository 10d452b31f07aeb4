"""A part becomes work: records and timers in the order of stream time, poison told without data."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from streams.engine.batch import FIRST, Part, Position
from streams.engine.compute import Poisoned, Work, compute
from streams.engine.rows import Rows, Shard

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.engine.job import Outputs


class Record:
    """A record as far as a job looks."""

    def __init__(self, offset: int, timestamp: int, value: bytes) -> None:
        self._offset, self._timestamp, self._value = offset, timestamp, value

    def offset(self) -> int:
        """Return the offset."""
        return self._offset

    def timestamp(self) -> tuple[int, int]:
        """Return its kind (append time) and milliseconds."""
        return (2, self._timestamp)

    def value(self) -> bytes:
        """Return the value."""
        return self._value


class Diary:
    """Writes down what happens; `KEY@DUE` sets a timer, `poison` raises."""

    def __init__(self, fire: Callable[[bytes, Rows], None] | None = None) -> None:
        self._fire = fire

    def apply(self, message: Any, rows: Rows, outputs: Outputs) -> None:
        """Write down the record and the time."""
        value = message.value()
        if value == b"poison":
            raise KeyError(value)
        outputs.append(("diary", None, b"%s at %d" % (value, rows.now), None))
        key, _, due = value.partition(b"@")
        if due:
            rows.put(key, due, int(due))

    def fire(self, key: bytes, due: int, now: int, rows: Rows, outputs: Outputs) -> None:
        """Write down the timer and the time."""
        outputs.append(("diary", key, b"%s due %d at %d" % (key, due, now), None))
        if self._fire is None:
            rows.put(key, b"0")
        else:
            self._fire(key, rows)

    def due(self, row: bytes) -> int:
        """Return the row's timer."""
        return int(row)


def run(
    *records: tuple[int, bytes],
    rows: dict[bytes, bytes] | None = None,
    metadata: str = "",
    tick: int | None = None,
    job: Diary | None = None,
) -> tuple[Work | None, Shard]:
    """Compute one part from offset 40 on; records are (timestamp, value)."""
    job = job or Diary()
    shard = Shard(rows or {}, job.due, Position(40, metadata))
    messages: Any = [Record(40 + n, *record) for n, record in enumerate(records)]
    return asyncio.run(compute(job, shard, Part(0, 1, FIRST, messages, tick))), shard


def diary(work: Work | None) -> list[bytes | None]:
    """Return what was written down."""
    return [] if work is None else [value for _, _, value, _ in work.outputs]


def test_timers_come_before_the_record_that_reaches_them() -> None:
    """A timer fires at the stream time of the first record not earlier than it, before it."""
    work, _ = run((100, b"a@200"), (199, b"x"), (200, b"y"), (201, b"z"))

    assert [b"a@200 at 100", b"x at 199", b"a due 200 at 200", b"y at 200", b"z at 201"] == diary(
        work
    )


def test_stream_time_never_goes_back() -> None:
    """A late record is applied at the stream time reached before it."""
    work, shard = run((300, b"x"), (100, b"late"))

    assert [b"x at 300", b"late at 300"] == diary(work)
    assert 300 == shard.stream_time


def test_a_timer_in_the_past_fires_after_its_record() -> None:
    """Set for a time already reached, it need not wait for another record."""
    work, _ = run((300, b"a@250"), (300, b"x"))

    assert [b"a@250 at 300", b"a due 250 at 300", b"x at 300"] == diary(work)


def test_restored_timers_fire_at_restored_time() -> None:
    """Timers come back from the rows, stream time from the commit's metadata."""
    rows = {b"a": b"200", b"b": b"0", b"c": b"900"}
    work, shard = run((150, b"x"), rows=rows, metadata="250")

    assert [b"a due 200 at 250", b"x at 250"] == diary(work)
    assert 900 == shard.timers.earliest


def test_a_tick_fires_what_is_due_and_commits_no_new_offset() -> None:
    """An idle tick moves time only: the position's offset stays, its metadata tells the time."""
    work, shard = run(rows={b"a": b"200"}, tick=200)

    assert work is not None
    assert (Position(40, "200"), 0, 1) == (work.position, work.records, work.fired)
    assert {b"a": b"0"} == work.changes
    assert FIRST == shard.previous


def test_a_tick_without_a_due_timer_is_no_work() -> None:
    """Nothing is published for it."""
    work, _ = run(rows={b"a": b"201"}, tick=200)

    assert work is None


def test_work_holds_the_last_row_of_each_key() -> None:
    """Rows changed twice go to the changelog once; the position is behind the last record."""
    work, shard = run((1, b"a@500"), (2, b"b@600"), (3, b"a@700"))

    assert work is not None
    assert {b"a": b"700", b"b": b"600"} == work.changes == shard.rows
    assert (Position(43, "3"), 3) == (work.position, work.records)
    assert (42, 43) == (shard.previous, shard.offset)


def test_deleted_rows_are_tombstones() -> None:
    """Deleting a row clears its timer and leaves a tombstone for the changelog."""
    rows = Rows(shard := Shard({b"a": b"9"}, int, Position(0)))
    rows.put(b"a", None, 9)

    assert {b"a": None} == rows.changes
    assert (None, 0) == (shard.rows.get(b"a"), len(shard.timers))


def test_poison_is_told_by_its_offset() -> None:
    """The exception names offset, kind and place, not what the record held."""
    with pytest.raises(
        Poisoned, match=r"^offset 41: KeyError at unit/test_engine_compute\.py:\d+$"
    ):
        run((1, b"x"), (2, b"poison"), (3, b"y"))


@pytest.mark.parametrize(
    ("fire", "problem"),
    [
        pytest.param(lambda key, rows: None, "left its timer standing", id="forgotten"),  # noqa: ARG005
        pytest.param(lambda key, rows: rows.put(key, b"5", 5), "not later", id="same again"),
    ],
)
def test_a_timer_must_be_cleared_by_its_job(
    fire: Callable[[bytes, Rows], None], problem: str
) -> None:
    """A timer that its job leaves standing would fire again after each restart, or for ever."""
    with pytest.raises(Poisoned, match=problem):
        run(rows={b"a": b"5"}, tick=10, job=Diary(fire))


def test_long_parts_let_the_loop_turn() -> None:
    """Between chunks of records other tasks run: health pages answer under load."""
    turns = []

    async def scenario() -> None:
        async def other() -> None:
            while True:
                turns.append(1)
                await asyncio.sleep(0)

        job = Diary()
        shard = Shard({}, job.due, Position(0))
        messages: Any = [Record(n, 1, b"x") for n in range(1_000)]
        busy = asyncio.create_task(other())
        await compute(job, shard, Part(0, 1, FIRST, messages))
        busy.cancel()

    asyncio.run(scenario())

    assert len(turns) >= 4
