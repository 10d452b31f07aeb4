"""The engine's pure parts: partitions, timers, epochs, cursors, limits of tries, what is told."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from streams.engine.batch import FIRST, Batch, Part
from streams.engine.cursors import Cursors
from streams.engine.failure import describe
from streams.engine.idle import IDLE_LAG_MS, IdleWatch
from streams.engine.kafka import KafkaSettings
from streams.engine.membership import is_real
from streams.engine.ownership import Ownership
from streams.engine.partitioning import murmur2, partition_of
from streams.engine.patience import patiently
from streams.engine.setbacks import Setbacks
from streams.engine.slots import Slots
from streams.engine.timers import Timers
from streams.errors import EngineFailed


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        pytest.param(b"21", -973932308, id="shorter than a word"),
        pytest.param(b"abc", 479470107, id="three bytes"),
        pytest.param(b"foobar", -790332482, id="a word and two bytes"),
        pytest.param(b"a-little-bit-long-string", -985981536, id="whole words"),
        pytest.param(b"a-little-bit-longer-string", -1486304829, id="words and two bytes"),
        pytest.param(
            b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971, id="twelve words"
        ),
        pytest.param(b"", 275646681, id="nothing"),
    ],
)
def test_murmur2_is_that_of_the_java_client(key: bytes, expected: int) -> None:
    """The vectors are those of Kafka's own `UtilsTest`; there the result is signed."""
    value = murmur2(key)

    assert expected == (value - (1 << 32) if value >= 1 << 31 else value)


def test_partitions_are_never_negative() -> None:
    """The sign bit is cut off, not the sign turned."""
    assert (-973932308 & 0x7FFFFFFF) % 12 == partition_of(b"21", 12)


def metadata(generation: int, member: bytes) -> bytes:
    """Return group metadata as librdkafka writes it."""
    return b"CGMDv2:" + struct.pack("=i", generation) + b"group\0" + member + b"\0\1"


@pytest.mark.parametrize(
    ("generation", "member", "expected"),
    [
        pytest.param(3, b"m-1", True, id="a member"),
        pytest.param(-1, b"", False, id="nobody"),
        pytest.param(-1, b"m-1", False, id="no generation"),
        pytest.param(0, b"m-1", False, id="not joined yet"),
        pytest.param(3, b"", False, id="no member"),
    ],
)
def test_only_real_metadata_fences(generation: int, member: bytes, *, expected: bool) -> None:
    """Metadata without generation or member would be taken unfenced by the broker."""
    assert expected == is_real(metadata(generation, member))


def test_metadata_of_another_form_is_not_guessed() -> None:
    """A new librdkafka may write another form: better stop than publish unfenced."""
    with pytest.raises(ValueError, match="unknown form"):
        is_real(b"CGMDv3:" + bytes(20))


def test_timers_fire_in_order_and_only_the_latest_of_a_key() -> None:
    """Earliest first, equal times by key; a moved or cleared timer does not fire."""
    timers = Timers([(50, b"restored")])
    for key, due in [(b"b", 10), (b"a", 10), (b"moved", 5), (b"cleared", 7), (b"late", 99)]:
        timers.set(key, due)
    timers.set(b"moved", 20)
    timers.set(b"cleared", 0)

    fired = []
    while (timer := timers.pop(60)) is not None:
        fired.append(timer)

    assert [(10, b"a"), (10, b"b"), (20, b"moved"), (50, b"restored")] == fired
    assert (99, 1, 99, 0) == (timers.earliest, len(timers), timers.of(b"late"), timers.of(b"a"))


def test_timers_that_move_often_do_not_pile_up() -> None:
    """Outdated entries are thrown out in time."""
    timers = Timers()
    for due in range(1, 10_000):
        timers.set(b"k", due)

    assert len(timers._heap) < 2_000
    assert (9_999, b"k") == timers.pop(10_000)
    assert 0 == timers.earliest


def test_epochs_end_work_at_once() -> None:
    """Gain, load, run, revoke, lose: what may be begun and what may still take effect."""
    ownership = Ownership()
    (share,) = ownership.gain([3])
    seen = [(ownership.owns(*share), ownership.accepts(*share))]
    ownership.run([share])
    seen.append((ownership.owns(*share), ownership.accepts(*share)))
    ownership.revoke([3])
    seen.append((ownership.owns(*share), ownership.accepts(*share)))
    ownership.lose([3])
    seen.append((ownership.owns(*share), ownership.accepts(*share)))

    assert [(True, False), (True, True), (True, False), (False, False)] == seen


def test_reset_begins_a_new_epoch_to_load() -> None:
    """The old epoch is over at once, also for a second failure of it; the new one is loading."""
    ownership = Ownership()
    (share,) = ownership.run(ownership.gain([3]))
    (again,) = ownership.reset([share])

    assert again.epoch > share.epoch
    assert [] == ownership.reset([share])
    assert (False, True) == (ownership.owns(*share), ownership.owns(*again))
    assert frozenset({3}) == ownership.loading()
    assert {} == ownership.running()
    assert [] == ownership.run([share])
    assert [again] == ownership.run([again])


def test_reset_of_a_partition_on_its_way_out_loads_nothing() -> None:
    """A partition that is being revoked ends its epoch, and is not loaded again."""
    ownership = Ownership()
    (share,) = ownership.run(ownership.gain([3]))
    ownership.revoke([3])

    assert [] == ownership.reset([share])
    assert not ownership.owns(*share)
    assert frozenset() == ownership.loading()


class _Record:
    """A record or an event as the consumer returns it."""

    def __init__(self, partition: int, offset: int, error: KafkaError | None = None) -> None:
        self._fields = partition, offset, error

    def partition(self) -> int:
        """Return the partition."""
        return self._fields[0]

    def offset(self) -> int:
        """Return the offset."""
        return self._fields[1]

    def error(self) -> KafkaError | None:
        """Return the event's error."""
        return self._fields[2]

    def timestamp(self) -> tuple[int, int]:
        """Return the kind of its time, and the time: a second an offset."""
        return 1, 1_000 * self._fields[1]


def record(partition: int, offset: int, error: KafkaError | None = None) -> Any:
    """Return a record, or with an error an event."""
    return _Record(partition, offset, error)


def refuse(event: Any) -> None:
    """Be told of no event."""
    raise AssertionError(event)


def test_parts_chain_their_offsets() -> None:
    """Each part names the record before it; strays of partitions that do not run are left out."""
    cursors = Cursors()
    cursors.start(0, 10)
    cursors.start(1, 0)
    first = [record(0, 10), record(1, 0), record(0, 12), record(7, 1)]
    second = [record(0, 15)]

    parts = [cursors.parts(messages, {0: 5, 1: 6}, refuse) for messages in (first, second)]

    assert [Part(0, 5, FIRST, [first[0], first[2]]), Part(1, 6, FIRST, [first[1]])] == parts[0]
    assert [Part(0, 5, 12, second)] == parts[1]
    assert (16, 1) == (cursors.position(0), cursors.position(1))


def test_ends_move_positions_behind_markers() -> None:
    """The end of a partition may be behind a transaction's marker; the lag then is nothing."""
    cursors = Cursors()
    cursors.start(0, 0)
    end = KafkaError(KafkaError._PARTITION_EOF)
    cursors.parts([record(0, 0), record(0, 2, end)], {0: 1}, refuse)
    before = cursors.lag(0, 2)
    cursors.commit({0: 1})

    assert (2, 2, 0) == (cursors.position(0), before, cursors.lag(0, 2))


def test_the_oldest_record_under_way_is_known() -> None:
    """By its time, of the first of some hundred; a commit behind them all leaves none."""
    cursors = Cursors()
    for partition in (0, 1):
        cursors.start(partition, 10)
    cursors.parts([record(0, offset) for offset in range(10, 1_210)], {0: 5, 1: 6}, refuse)
    cursors.parts([record(0, 1_300)], {0: 5, 1: 6}, refuse)
    found = [cursors.oldest()]
    for committed in (509, 510, 1_209, 1_210, 1_301):
        cursors.commit({0: committed})
        found.append(cursors.oldest())

    assert [10_000, 10_000, 510_000, 1_010_000, 1_300_000] == [each[0] for each in found[:-1]]
    assert {} == found[-1]
    assert 4 == sum(cursors.waited.counts)


def test_other_events_are_told() -> None:
    """What is neither a record nor an end goes to whoever judges it."""
    cursors = Cursors()
    told: list[Any] = []
    event = record(0, 0, KafkaError(KafkaError._ALL_BROKERS_DOWN))

    parts = cursors.parts([event], {}, told.append)

    assert ([], [event]) == (parts, told)


def test_setbacks_grow_patient_and_end_at_the_limit() -> None:
    """Delays double up to 5 s; poison from one offset ends it; progress starts anew."""
    setbacks = Setbacks(poison_limit=3)
    delays = []
    for _ in range(2):
        delays.append(setbacks.note(0, "x", poison=True))
        setbacks.check(0, 7)
    setbacks.check(0, 7)
    delays.append(setbacks.note(0, "y", poison=True))
    setbacks.check(0, 8)  # it moved on
    delays += [setbacks.note(0, "outside", poison=False) for _ in range(7)]
    setbacks.check(0, 8)
    setbacks.note(0, "z", poison=True)
    setbacks.check(0, 8)
    setbacks.note(0, "offset 9: Poison", poison=True)

    assert [0.1, 0.2, 0.4, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0] == delays
    with pytest.raises(EngineFailed, match=r"partition 0 failed 3 times .* offset 8 .*: offset 9"):
        setbacks.check(0, 8)


def test_slots_are_given_back_once() -> None:
    """`done` twice frees one slot; a batch that is dropped frees its slot, too."""
    slots = Slots(1)
    taken = [slots.take(0)]
    batch = Batch([], slots.free)
    taken.append(slots.take(0))
    batch.done()
    batch.done()
    taken += [slots.take(0), slots.take(0)]
    dropped = Batch([], slots.free)
    del dropped
    taken.append(slots.take(0))

    assert [True, False, True, False, True] == taken


def test_who_must_be_alone_waits_for_all_slots() -> None:
    """With a batch still on its way there is none for it; a request ends its wait as well."""
    slots = Slots(3)
    assert slots.take(0)
    refused = [slots.take(0, alone=True)]
    slots.free()
    refused.append(slots.take(0, alone=True))

    assert [False, True] == refused
    assert [True, True, False] == [slots.take(0) for _ in range(3)]


def test_requests_end_the_wait_for_a_slot() -> None:
    """A request is served although every slot is taken."""
    slots = Slots(0)
    served: list[int] = []
    slots.ask(lambda: served.append(1))

    assert not slots.take(60)
    slots.serve()
    assert [1] == served


class Asked:
    """An admin client that answers at once, with what is given."""

    def __init__(self, marks: dict[int, int | Exception]) -> None:
        self.marks = marks
        self.asked: list[set[int]] = []
        self.looked: list[str] = []

    def list_topics(self, topic: str, *, timeout: float) -> None:
        """Take note that somebody looks who leads."""
        assert timeout < 1, "the poll thread waits for it"
        self.looked.append(topic)

    def list_offsets(self, places: dict[Any, Any], **_: Any) -> dict[Any, Any]:
        """Return what looks like futures."""
        self.asked.append({place.partition for place in places})
        return {place: _Answer(self.marks[place.partition]) for place in places}


class _Answer:
    def __init__(self, answer: int | Exception) -> None:
        self._answer = answer
        self.offset = answer

    def done(self) -> bool:
        return True

    def result(self) -> _Answer:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self


def test_idle_time_is_that_of_the_question() -> None:
    """The stream time offered is that of asking, less the margin; the next question comes later."""
    now = 100.0
    admin = Asked({0: 7, 1: KafkaException(KafkaError(KafkaError._TRANSPORT))})
    watch = IdleWatch(
        admin,  # type: ignore[arg-type]
        "t",
        interval_seconds=0.5,
        clock=lambda: now,
        steady=lambda: now,
    )
    until = [watch.until()]
    watch.ask([0, 1])
    until.append(watch.until())
    now = 100.4
    answer = watch.answer()
    until.append(watch.until())
    now = 100.6
    until.append(watch.until())

    then = 100_000 - IDLE_LAG_MS
    assert (then, {0: 7}) == answer
    assert [then, None, None, then + 600] == until
    assert watch.answer() is None


def test_a_refused_question_looks_who_leads_now() -> None:
    """After a leader's restart the client would ask the leaders of before, and be refused for good.

    While it is answered, nothing is looked up.
    """
    fenced = KafkaException(KafkaError(KafkaError.FENCED_LEADER_EPOCH))
    admin = Asked({0: 7, 1: fenced})
    watch = IdleWatch(admin, "t", interval_seconds=0.5, clock=lambda: 1.0)  # type: ignore[arg-type]
    looked = []
    for mark in (fenced, 8, 8):
        admin.marks[1] = mark
        watch.ask([0, 1])
        watch.answer()
        looked.append(len(admin.looked))

    assert [0, 1, 1] == looked


def test_guarantees_are_not_the_users_to_change() -> None:
    """`extra` sets SASL and tuning; isolation, resets, idempotence and the partitioner stay."""
    extra = {
        "sasl.password": "s3cret",
        "linger.ms": "50",
        "isolation.level": "read_uncommitted",
        "auto.offset.reset": "earliest",
        "enable.auto.commit": "true",
        "partitioner": "random",
        "enable.idempotence": "false",
    }
    kafka = KafkaSettings(bootstrap="b:9092", extra=extra)
    member, producer = kafka.member("g", prefetch=1), kafka.producer()

    assert ("s3cret", "50") == (member["sasl.password"], producer["linger.ms"])
    assert ("read_committed", "error", False) == (
        member["isolation.level"],
        member["auto.offset.reset"],
        member["enable.auto.commit"],
    )
    assert ("murmur2_random", True) == (producer["partitioner"], producer["enable.idempotence"])
    assert "s3cret" not in repr(kafka)


def _raise_with_data() -> None:
    message = "jane@shop-demo.io"
    raise KeyError(message)


def test_foreign_errors_are_told_without_their_text() -> None:
    """The text may quote a record: only type and place are told."""
    with pytest.raises(KeyError) as raised:
        _raise_with_data()
    told = describe(raised.value)

    assert told.startswith("KeyError at unit/test_engine_pure.py:")
    assert "jane" not in told


def test_own_errors_are_told_in_full() -> None:
    """Our own errors hold no data."""
    assert "EngineFailed: why" == describe(EngineFailed("why"))


def test_patience_is_for_passing_errors_only() -> None:
    """A coordinator on its way is waited for; another error goes up at once."""
    passing = KafkaException(KafkaError(KafkaError.NOT_COORDINATOR))
    lasting = KafkaException(KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED))
    answers: list[object] = [passing, "answer", lasting]

    def call() -> object:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert "answer" == patiently(call, 30)
    with pytest.raises(KafkaException, match="authorization"):
        patiently(call, 30)
