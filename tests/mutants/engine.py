"""Faults of the engine: exactly once, whatever dies and whenever (DESIGN §5)."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

PURE = "tests/unit/test_engine_pure.py"
COMPUTE = "tests/unit/test_engine_compute.py"
LANE = "tests/kafka/test_engine_lane.py"
EXACTLY_ONCE = "tests/kafka/test_engine_exactly_once.py"
START = "tests/kafka/test_engine_start.py"
STORE = "tests/unit/test_engine_store.py"
STORED = "tests/kafka/test_engine_store.py"

TIME = (
    Mutant(
        "timer-after-the-record",
        "A record that comes after a pending cancel was due is taken for its rescue.",
        "streams/engine/compute.py",
        "            if stamp > rows.now:\n                self.advance(stamp)\n",
        "            rows.now = max(rows.now, stamp)\n",
        (f"{COMPUTE}::test_timers_come_before_the_record_that_reaches_them",),
    ),
    Mutant(
        "timers-on-the-wall-clock",
        "A replay of last week's records concludes other facts than last week.",
        "streams/engine/compute.py",
        "        self.rows.now = max(self.rows.now, stream_time)\n",
        '        self.rows.now = __import__("time").time_ns() // 1_000_000\n',
        (f"{COMPUTE}::test_timers_come_before_the_record_that_reaches_them",),
    ),
    Mutant(
        "stream-time-goes-back",
        "One record with an old timestamp turns the clock of all its neighbours back.",
        "streams/engine/compute.py",
        "            if stamp > rows.now:\n                self.advance(stamp)\n",
        "            rows.now = stamp\n            self.advance(stamp)\n",
        (f"{COMPUTE}::test_stream_time_never_goes_back",),
    ),
    Mutant(
        "timers-lost-in-a-restart",
        "A pending cancel that was waiting when the worker restarted is never told.",
        "streams/engine/rows.py",
        "((at, key) for key, row in rows.items() if (at := due(row)))",
        "iter(())",
        (f"{COMPUTE}::test_restored_timers_fire_at_restored_time",),
    ),
    Mutant(
        "stream-time-lost-in-a-restart",
        "After a restart stream time begins anew: what is due waits for the next record.",
        "streams/engine/rows.py",
        "int(position.metadata) if position.metadata.isdecimal() else 0",
        "0",
        (f"{COMPUTE}::test_restored_timers_fire_at_restored_time",),
    ),
    Mutant(
        "idle-time-past-hidden-records",
        "While a source's transaction is open, timers fire before the records it hides.",
        "streams/engine/idle.py",
        "            isolation_level=IsolationLevel.READ_UNCOMMITTED,\n",
        "            isolation_level=IsolationLevel.READ_COMMITTED,\n",
        (f"{LANE}::test_no_idle_time_while_an_open_transaction_hides_records",),
    ),
)
"""Time is the records', never the clock's."""

ONCE = (
    Mutant(
        "dummy-group-metadata",
        "A worker that was frozen wakes and commits what its successor has done already.",
        "streams/engine/transactional.py",
        "            metadata = self._poller.group_metadata\n",
        """\
            observer = self._kafka.observer(self._poller.lane.group)
            metadata = __import__("confluent_kafka").Consumer(observer).consumer_group_metadata()
""",
        (f"{EXACTLY_ONCE}::test_zombie_leaves_no_trace[began]",),
    ),
    Mutant(
        "unreal-metadata-taken",
        "After losing its membership a worker publishes without being fenced.",
        "streams/engine/membership.py",
        "    return generation > 0 and bool(member)\n",
        "    return True\n",
        (f"{PURE}::test_only_real_metadata_fences",),
    ),
    Mutant(
        "epoch-ignored",
        "Work that was begun before a partition was lost and came back takes effect twice.",
        "streams/engine/ownership.py",
        "return entry[1] if entry is not None and entry[0] == share.epoch else None",
        "return entry[1] if entry is not None else None",
        (f"{PURE}::test_reset_begins_a_new_epoch_to_load",),
    ),
    Mutant(
        "epoch-ignored-when-publishing",
        "After a failed batch the next one, computed on its state, is published all the same.",
        "streams/engine/transactional.py",
        "        return [work for work in works if self._poller.owns(work.partition, work.epoch)]",
        "        return list(works)",
        (f"{LANE}::test_goes_on_after_being_fenced",),
    ),
    Mutant(
        "position-read-while-publishing",
        "A reset loads the state from before its own batch that is just being committed.",
        "streams/engine/job_handler.py",
        "        if in_flight is not None:\n            wait([in_flight])\n",
        "",
        (f"{LANE}::test_reset_while_the_batch_before_is_being_published",),
    ),
    Mutant(
        "open-transactions-not-settled",
        "A successor waits for a dead worker's transaction until the broker gives it up.",
        "streams/engine/job_handler.py",
        "settle(self._kafka, self._changelog, partitions, still)",
        "pass",
        (f"{EXACTLY_ONCE}::test_successor_ends_the_open_transaction_of_the_dead",),
    ),
    Mutant(
        "restore-reads-uncommitted",
        "Rows of a transaction that was aborted become the state of the next worker.",
        "streams/engine/restore.py",
        'Consumer(kafka.reader(isolation="read_committed") | bulk)',
        'Consumer(kafka.reader(isolation="read_uncommitted") | bulk)',
        (f"{EXACTLY_ONCE}::test_killed_at_each_step_of_a_transaction",),
    ),
    Mutant(
        "tombstones-restored",
        "A customer who was erased is back after the next restart.",
        "streams/engine/restore.py",
        "                table.pop(message.key(), None)  # type: ignore[arg-type]\n",
        "                pass\n",
        (f"{START}::test_restore_fences_the_dead_owner",),
    ),
    Mutant(
        "offset-before-flush",
        "At least once: a crash loses records whose offsets are committed and whose outputs are "
        "not written.",
        "streams/engine/at_least_once.py",
        """\
        flush(producer, _FLUSH_SECONDS)
        if self._refused:
""",
        """\
        self._commit(works)
        flush(producer, _FLUSH_SECONDS)
        if self._refused:
""",
        (f"{LANE}::test_at_least_once_loses_nothing",),
    ),
    Mutant(
        "lost-batch-unnoticed",
        "A batch that was dropped on the way leaves a hole in every count after it.",
        "streams/engine/job_handler.py",
        "        if part.previous != shard.previous:\n",
        "        if part.previous < 0:\n",
        (f"{LANE}::test_resets_amid_batches",),
    ),
    Mutant(
        "lost-offsets-begin-at-the-end",
        "When retention overtook the group, everything unread is skipped without a word.",
        "streams/engine/kafka.py",
        """\
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "isolation.level": "read_committed",
""",
        """\
            "enable.partition.eof": True,
            "auto.offset.reset": "latest",
            "isolation.level": "read_committed",
""",
        (f"{LANE}::test_records_gone_before_they_were_read_stop_it",),
    ),
    Mutant(
        "wrong-partitioner",
        "Our producers put a customer's records in another partition than the Java clients'.",
        "streams/engine/kafka.py",
        '"partitioner": "murmur2_random"',
        '"partitioner": "consistent_random"',
        (f"{START}::test_keys_in_their_partitions_pass",),
    ),
    Mutant(
        "strange-keys-pass",
        "A topic that is keyed in another way splits customers over partitions, unnoticed.",
        "streams/engine/partitioning.py",
        '    return "" if message.partition() == partition_of(key, partitions) else _MISPLACED\n',
        '    return ""\n',
        (f"{START}::test_strangely_keyed_topics_are_refused",),
    ),
)
"""Exactly once, and at least once where that is chosen."""

DISK = (
    Mutant(
        "erased-rows-seen-on-disk",
        "A customer who was erased in the batch being published is back in the next one.",
        "streams/engine/state/local_rows.py",
        "            if key in layer:\n",
        "            if layer.get(key) is not None:\n",
        (f"{STORE}::test_rows_are_seen_through_what_is_not_committed",),
    ),
    Mutant(
        "position-ahead-of-its-rows",
        "A rebuild that was cut short is taken for whole: most customers are strangers.",
        "streams/engine/state/local_table.py",
        "        self._check_in(batch, position=position)\n        self._write(batch)\n",
        "        self._check_in(batch, position=1 << 40)\n        self._write(batch)\n",
        (f"{STORED}::test_a_rebuild_that_was_cut_short_goes_on",),
    ),
    Mutant(
        "rows-of-another-topic-believed",
        "After the topics were made anew, old customers are still known.",
        "streams/engine/state/checkpoint.py",
        "        != (changelog.cluster, changelog.topic_id),\n",
        "        != (changelog.cluster, checkpoint.topic),\n",
        (f"{STORE}::test_what_is_believed",),
    ),
    Mutant(
        "lost-tombstones-believed",
        "A worker that was off for a week brings customers back who were erased meanwhile.",
        "streams/engine/state/checkpoint.py",
        "abs(age) > changelog.tombstone_seconds",
        "abs(age) < 0",
        (f"{STORE}::test_what_is_believed",),
    ),
    Mutant(
        "rebuilt-over-the-old-rows",
        "Rows that were not believed stay where the changelog says nothing of their keys.",
        "streams/engine/state/rocksdb.py",
        "            batch.clear(partition)\n",
        "",
        (f"{STORED}::test_what_does_not_match_is_built_anew",),
    ),
    Mutant(
        "written-after-a-failed-write",
        "Room is made on a full disk, and the position moves on over rows that are missing.",
        "streams/engine/state/local_state.py",
        "        with self._writing:\n            self.check()\n",
        "        with self._writing:\n",
        (f"{STORE}::test_after_a_write_that_failed_nothing_is_written",),
    ),
    Mutant(
        "overtaken-load-writes",
        "A partition that was lost and came back gets its older rows over its newer ones.",
        "streams/engine/state/rocksdb.py",
        "                if self._turns[partition] == turn:\n",
        "                if turn:\n",
        (f"{STORE}::test_a_load_that_is_overtaken_writes_no_more",),
    ),
    Mutant(
        "published-though-rows-were-not-read",
        "A disk that cannot be read makes dead letters of good records.",
        "streams/engine/state/rocksdb.py",
        "        self._state.check()\n",
        "",
        (f"{STORE}::test_rows_that_cannot_be_read_end_the_process",),
    ),
)
"""Rows on disk are a copy that is not believed without reason."""
