"""State on disk, without Kafka: what is written together, what is dropped, what is believed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest
from msgspec.structs import replace
from rocksdict import Rdict

from streams.cli.composition import state_store_of
from streams.engine.batch import Position
from streams.engine.compute import Work
from streams.engine.rows import Shard
from streams.engine.state.changelog import Changelog
from streams.engine.state.checkpoint import Checkpoint, Reason, doubt
from streams.engine.state.local_rows import LocalRows
from streams.engine.state.local_table import LocalTable
from streams.engine.state.opening import open_local_state
from streams.engine.state.options import rocks_options
from streams.engine.state.rocksdb import RocksStore
from streams.engine.state.write_batch import FORMAT_KEY, StateBatch
from streams.errors import ConfigurationError, EngineFailed
from streams.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from streams.engine.state.local_state import LocalState

CACHE_MIB = 8
CHECKPOINT = Checkpoint(cluster="c", topic="t", offset=40, position=70, whole_at=1_000.0)
CHANGELOG = Changelog(
    cluster="c", topic_id="t", starts={3: 10}, ends={3: 71}, tombstone_seconds=500.0, seen_at=1_400
)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[LocalState]:
    """Open state of one's own."""
    opened = open_local_state(tmp_path, CACHE_MIB)
    yield opened
    opened.close()


def due(row: bytes) -> int:
    """The timer of a row that is a number."""
    return int(row)


def write(state: LocalState, partition: int, rows: dict[bytes, bytes | None]) -> None:
    """Write rows, each with its timer, and a checkpoint."""
    batch = StateBatch()
    batch.rows(partition, rows.items())
    for key, row in rows.items():
        batch.timer(partition, key, 0 if row is None else due(row))
    batch.checkpoint(partition, CHECKPOINT)
    state.write(batch)


@pytest.mark.parametrize(
    ("checkpoint", "reason"),
    [
        pytest.param(CHECKPOINT, None, id="agrees"),
        pytest.param(replace(CHECKPOINT, cluster="d"), "other_topic", id="another cluster"),
        pytest.param(replace(CHECKPOINT, topic="u"), "other_topic", id="a topic made anew"),
        pytest.param(replace(CHECKPOINT, position=72), "past_the_end", id="truncated"),
        pytest.param(replace(CHECKPOINT, position=9), "before_the_start", id="records gone"),
        pytest.param(replace(CHECKPOINT, position=10), None, id="at the first record held"),
        pytest.param(replace(CHECKPOINT, offset=51), "ahead_of_group", id="uncommitted records"),
        pytest.param(replace(CHECKPOINT, offset=50), None, id="all committed records"),
        pytest.param(replace(CHECKPOINT, whole_at=899.0), "too_old", id="tombstones gone"),
        pytest.param(replace(CHECKPOINT, whole_at=900.0), None, id="just in time"),
        pytest.param(replace(CHECKPOINT, whole_at=1_901.0), "too_old", id="from the future"),
        pytest.param(
            replace(CHECKPOINT, whole_at=0.0, position=71), None, id="old, but nothing came since"
        ),
    ],
)
def test_what_is_believed(checkpoint: Checkpoint, reason: Reason | None) -> None:
    """Local state is believed only where all of it agrees with the broker."""
    assert reason == doubt(checkpoint, CHANGELOG, 3, 50)


def test_rows_are_seen_through_what_is_not_committed() -> None:
    """The batch under way, then the one being published, then the disk; deletions included."""
    disk = dict.fromkeys((b"a", b"b", b"c", b"d"), b"disk")
    rows = LocalRows(disk.get)
    rows[b"b"] = rows[b"c"] = b"first"
    rows.pop(b"d", None)
    rows.seal(first := {b"b": b"first", b"c": b"first", b"d": None})
    rows[b"c"] = b"second"
    before = [rows.get(key) for key in (b"a", b"b", b"c", b"d", b"e")]
    rows.written(first)
    after = [rows.get(key) for key in (b"a", b"b", b"c", b"d", b"e")]

    assert [b"disk", b"first", b"second", None, None] == before
    assert [b"disk", b"disk", b"second", b"disk", None] == after


def test_the_batch_under_way_is_not_let_go() -> None:
    """Batches without changes leave no layer, and end none."""
    rows = LocalRows(lambda _key: None)
    rows.seal({})
    rows[b"a"] = b"1"
    rows.written({})
    rows.seal({b"a": b"1"})
    rows.written({b"a": b"1"})  # alike, but another batch's

    assert b"1" == rows.get(b"a")


@pytest.mark.parametrize("neighbour", [6, 8, 7 + (1 << 8), 0])
def test_partitions_do_not_touch_each_other(state: LocalState, neighbour: int) -> None:
    """A partition that is cleared takes nothing of its neighbours along."""
    write(state, 7, {b"a": b"1", b"\xff\xff": b"0"})
    write(state, neighbour, {b"a": b"2", b"": b"0", b"\xff": b"3"})
    batch = StateBatch()
    batch.clear(7)
    state.write(batch)

    assert ([], [], None) == (
        list(state.items(7)),
        list(state.items(7, timers=True)),
        state.checkpoint(7),
    )
    assert [(b"", b"0"), (b"a", b"2"), (b"\xff", b"3")] == list(state.items(neighbour))
    assert CHECKPOINT == state.checkpoint(neighbour)


def test_what_is_written_is_there_after_a_restart(tmp_path: Path) -> None:
    """Rows, timers and checkpoint; only rows with a timer are looked at for them."""
    state = open_local_state(tmp_path, CACHE_MIB)
    write(state, 1, {b"a": b"0", b"b": b"500", b"c": b"7"})
    write(state, 1, {b"c": None})
    state.close()
    again = open_local_state(tmp_path, CACHE_MIB)
    table = LocalTable(again, 1, CHECKPOINT, due, again.write)

    assert [(500, b"b")] == list(table.timers)
    assert [b"0", b"500", None] == [table.get(key) for key in (b"a", b"b", b"c")]
    assert (CHECKPOINT, None) == (again.checkpoint(1), again.checkpoint(2))
    again.close()


def test_one_process_at_a_time(state: LocalState, tmp_path: Path) -> None:
    """A second process is told which setting to change; the files stay as they are."""
    write(state, 1, {b"a": b"1"})
    program = (
        "import sys, pathlib; from streams.engine.state.opening import open_local_state;"
        f"open_local_state(pathlib.Path(sys.argv[1]), {CACHE_MIB})"
    )
    second = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, check=False, text=True
    )
    with pytest.raises(ConfigurationError, match=r"derive\.state_directory.*another process"):
        open_local_state(tmp_path, CACHE_MIB)

    assert "ConfigurationError: derive.state_directory: another process works in" in second.stderr
    assert "kafka.instance_id" in second.stderr
    assert [(b"a", b"1")] == list(state.items(1))


def test_a_place_that_cannot_be_written_is_a_setting_to_mend(tmp_path: Path) -> None:
    """A file where the directory should be."""
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigurationError, match=r"derive\.state_directory"):
        open_local_state(tmp_path / "file", CACHE_MIB)


def outdated(place: Path) -> None:
    """Have another version's format."""
    database = Rdict(str(place / "rocksdb"), rocks_options(CACHE_MIB))
    database.put(FORMAT_KEY, b"0")
    database.close()


def nameless(place: Path) -> None:
    """Have rows without a format."""
    database = Rdict(str(place / "rocksdb"), rocks_options(CACHE_MIB))
    database.delete(FORMAT_KEY)
    database.close()


def broken(place: Path) -> None:
    """Have a list of files that cannot be read."""
    for file in (place / "rocksdb").glob("MANIFEST-*"):
        file.write_bytes(b"\x00" * 100)


def holey(place: Path) -> None:
    """Lack a file."""
    for file in (place / "rocksdb").glob("*.sst"):
        file.unlink()


def marked(place: Path) -> None:
    """Have been found damaged by an earlier process."""
    (place / "damaged").touch()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        pytest.param(outdated, "format", id="another format"),
        pytest.param(nameless, "format", id="no format"),
        pytest.param(broken, "damaged", id="cannot be opened"),
        pytest.param(holey, "damaged", id="a file is missing"),
        pytest.param(marked, "damaged", id="marked"),
    ],
)
def test_files_of_no_use_are_dropped(tmp_path: Path, spoil: Any, reason: Reason) -> None:
    """Nothing of them is left, and the next start finds what this one wrote."""
    state = open_local_state(tmp_path, CACHE_MIB)
    write(state, 1, {b"a": b"1"})
    state._database.flush()
    state.close()
    spoil(tmp_path)
    anew = open_local_state(tmp_path, CACHE_MIB)
    found = list(anew.items(1))
    write(anew, 1, {b"b": b"2"})
    anew.close()
    again = open_local_state(tmp_path, CACHE_MIB)

    assert (reason, [], None) == (anew.dropped, found, again.dropped)
    assert [(b"b", b"2")] == list(again.items(1))
    again.close()


def test_rows_that_cannot_be_read_end_the_process(tmp_path: Path) -> None:
    """Flipped bits are found; nothing is published or written any more; the next start drops."""
    state = open_local_state(tmp_path, CACHE_MIB)
    write(state, 1, {b"%d" % n: b"%d" % n for n in range(2_000)})
    state._database.flush()
    state.close()
    for file in (tmp_path / "rocksdb").glob("*.sst"):
        content = bytearray(file.read_bytes())
        for place in range(64, len(content) // 2, 512):
            content[place] ^= 0xFF
        file.write_bytes(content)
    state = open_local_state(tmp_path, CACHE_MIB)
    table = LocalTable.__new__(LocalTable)
    LocalRows.__init__(table, state.reader(1))
    store = RocksStore(state)

    with pytest.raises(EngineFailed, match="cannot be read: Corruption"):
        [table.get(b"%d" % n) for n in range(2_000)]
    with pytest.raises(EngineFailed, match="cannot be read"):
        store.computed(Shard.of(table, (), Position(0)), work({}))
    with pytest.raises(EngineFailed, match="cannot be read"):
        write(state, 1, {b"1": b"1"})
    store.close()
    again = open_local_state(tmp_path, CACHE_MIB)
    again.close()
    assert ("damaged", False) == (again.dropped, (tmp_path / "damaged").exists())


def test_after_a_write_that_failed_nothing_is_written(state: LocalState) -> None:
    """What comes later would hide that it is missing."""

    def full(_batch: object, _options: object) -> None:
        raise OSError("IO error: No space left on device")

    write(state, 1, {b"a": b"1"})
    real = state._database
    state._database = Mock(write=full)
    with pytest.raises(EngineFailed, match=r"derive\.state_directory.*No space left"):
        write(state, 1, {b"b": b"2"})
    state._database = real

    with pytest.raises(EngineFailed, match="No space left"):
        write(state, 1, {b"c": b"3"})
    assert [(b"a", b"1")] == list(state.items(1))


def test_a_stall_is_waited_for(state: LocalState) -> None:
    """Where RocksDB is behind it says so, and the batch is written when it is not any more."""
    stalls = iter([True, True, False])
    real = state._database

    def written(batch: Any, options: Any) -> None:
        assert options.no_slowdown
        if next(stalls):
            raise OSError("Result incomplete: Write stall")
        real.write(batch, options)

    state._database = Mock(write=written)
    write(state, 1, {b"a": b"1"})
    state._database = real

    assert [(b"a", b"1")] == list(state.items(1))


def work(
    changes: dict[bytes, bytes | None], *, epoch: int = 5, offset: int = 41, end: int | None = 75
) -> Work:
    """Work of partition 1."""
    return Work(1, epoch, Position(offset), [], changes, 1, 0, Counter(), end)


def table_of(state: LocalState, rows: dict[bytes, bytes | None]) -> LocalTable:
    """A loaded table of partition 1."""
    write(state, 1, rows)
    return LocalTable(state, 1, CHECKPOINT, due, state.write)


def test_committed_work_is_written_as_a_whole(state: LocalState) -> None:
    """Rows, timers, source offset and changelog position are of one moment."""
    table = table_of(state, {b"a": b"5", b"b": b"6"})
    store = RocksStore(state)
    first = work({b"a": b"0", b"b": None, b"c": b"9"})
    second = work({b"c": b"8"}, offset=42, end=None)
    for each in (first, second):
        for key, row in each.changes.items():
            table[key] = row or b""
        store.computed(Shard.of(table, (), Position(0)), each)
    store.published([first], 1_300.0)

    assert {b"a": b"0", b"c": b"9"} == dict(state.items(1))
    assert {b"c": (9).to_bytes(8, "big")} == dict(state.items(1, timers=True))
    assert replace(CHECKPOINT, offset=41, position=75, whole_at=1_300.0) == state.checkpoint(1)
    assert (b"8", None) == (table.get(b"c"), table.get(b"b"))


def test_work_of_a_table_that_was_dropped_is_not_written(state: LocalState) -> None:
    """Whoever loads the partition next reads it from the changelog."""
    table = table_of(state, {b"a": b"5"})
    store = RocksStore(state)
    one, other = work({b"a": b"6"}), work({b"a": b"7"}, epoch=6)
    store.computed(Shard.of(table, (), Position(0)), one)
    store.published([other], 1_300.0)
    store.drop([1])
    store.published([one], 1_300.0)

    assert {b"a": b"5"} == dict(state.items(1))
    assert CHECKPOINT == state.checkpoint(1)


def test_a_job_that_cannot_tell_a_timer_stops_the_store(state: LocalState) -> None:
    """Work that could not be written is not followed by work that is."""
    table = table_of(state, {b"a": b"5"})
    store = RocksStore(state)
    for each in (bad := work({b"a": b"no number"}), good := work({b"b": b"1"}, offset=42, end=80)):
        store.computed(Shard.of(table, (), Position(0)), each)
    for each in (bad, good):
        with pytest.raises(EngineFailed, match="is behind: ValueError"):
            store.published([each], 1_300.0)

    assert {b"a": b"5"} == dict(state.items(1))


def test_a_load_that_is_overtaken_writes_no_more(state: LocalState) -> None:
    """An older load of the same partition has read older rows; a neighbour's goes on."""
    store = RocksStore(state)
    older, neighbour, newer = store._turn(1), store._turn(2), store._turn(1)
    for partition, turn, row in ((1, newer, b"2"), (1, older, b"1"), (2, neighbour, b"3")):
        batch = StateBatch()
        batch.rows(partition, [(b"a", row)])
        turn(batch)

    assert [b"2", b"3"] == [dict(state.items(partition))[b"a"] for partition in (1, 2)]


def test_nothing_is_written_once_it_is_closed(tmp_path: Path) -> None:
    """A publication that ends after the lane does no harm: the changelog has it."""
    state = open_local_state(tmp_path, CACHE_MIB)
    state.close()
    write(state, 1, {b"a": b"1"})
    again = open_local_state(tmp_path, CACHE_MIB)

    assert [] == list(again.items(1))
    again.close()


def test_each_worker_has_a_directory_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Named by its instance, which cannot lead out of the directory."""
    for name in os.environ:
        if name.startswith("STREAMS_"):
            monkeypatch.delenv(name)
    (file := tmp_path / "streams.toml").write_text(
        f'[derive]\nstate_store = "rocksdb"\nstate_directory = "{tmp_path}/state"\n'
    )
    for name in ("w1", "../w2"):
        monkeypatch.setenv("STREAMS_KAFKA__INSTANCE_ID", name)
        state_store_of(load_settings(file)).close()

    made = sorted(each.name for each in (tmp_path / "state").iterdir())
    assert ["og-derive-..%2Fw2", "og-derive-w1"] == made
