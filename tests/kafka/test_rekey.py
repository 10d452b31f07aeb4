"""The role rekey on a real broker, and what derive says of topics that are keyed otherwise."""

from __future__ import annotations

import signal
import time
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from streams.avro import codec
from streams.engine.admin import partition_count
from streams.engine.first_offsets import Start, ensure_first_offsets
from streams.engine.group_offsets import committed_positions
from streams.engine.partitioning import check_keys, partition_of
from streams.errors import BadRecord, ConfigurationError
from streams.rekey import RECORDED_AT
from streams.sources.ordergroove import owner_reader
from tests.support.engine_world import until
from tests.support.rekey_world import (
    FOREIGN_PARTITIONS,
    PARTITIONS,
    PATIENCE,
    SOURCE,
    Appended,
    Bridge,
    event,
    key_of,
    life,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from confluent_kafka import Message

SECOND = 1_790_866_800
BEGINNING = {"STREAMS_DERIVE__FLOWS_FROM": "beginning"}
CUSTOMERS = [f"{number:05}" for number in range(24)]
SOMEBODYS = SOURCE.decode(event(CUSTOMERS[0], "a", "create", SECOND), branches=True)
NOBODYS = Appended(b"x-a", SOURCE.encode(SOMEBODYS | {"customer_id": ""}))
Way = dict[tuple[int, bytes], list[bytes]]
"""(partition of the other topic, customer) → values in order."""


@pytest.fixture
def bridge(broker: str, prefix: str, tmp_path: Path) -> Iterator[Bridge]:
    """Yield a bridge with its topics."""
    with Bridge(broker, prefix, tmp_path) as world:
        yield world


def ways(messages: Iterable[Message]) -> Way:
    """By the partition that the subscription's key has in the other topic."""
    read, found = owner_reader(SOURCE), defaultdict(list)
    for message in messages:
        value = message.value() or b""
        subscription = SOURCE.decode(value)["object"]["public_id"].encode()
        found[partition_of(subscription, FOREIGN_PARTITIONS), read(value)].append(value)
    return dict(found)


def test_every_record_once_under_its_customers_key(bridge: Bridge) -> None:
    """Kill -9 with the offsets in the open transaction; its successor writes each record once.

    Each lies where its customer's key belongs, and those of one partition of the other topic are in
    their order. What has no owner is a dead letter, once too.
    """
    bridge.append(bridge.foreign, [*life(CUSTOMERS, SECOND), NOBODYS], at=7_000)
    code = bridge.worker("rekey", rehearse="kill@offsets#1").process.wait(PATIENCE)
    cut_short = [*bridge.topics.records(bridge.source)]
    bridge.append(bridge.foreign, life(CUSTOMERS, SECOND + 10), at=7_000)
    bridge.ready_worker("rekey")
    bridge.rekeyed()
    fed = [*bridge.topics.records(bridge.foreign)]
    owned = [m for m in fed if m.value() != NOBODYS.value]
    written = [*bridge.topics.records(bridge.source)]
    letters = [*bridge.topics.records(bridge.names.dead_letters("ordergroove"))]
    right = {(key_of(each), partition_of(key_of(each), PARTITIONS)) for each in CUSTOMERS}

    assert -signal.SIGKILL == code
    assert [] == cut_short
    assert 2 * 12 * len(CUSTOMERS) == len(owned) == len(written)
    assert ways(owned) == ways(written)
    assert right == {(m.key(), m.partition()) for m in written}
    assert {b"7000"} == {dict(m.headers() or ())[RECORDED_AT] for m in written}
    assert [origin(m) for m in fed if m.value() == NOBODYS.value] == [letter(m) for m in letters]


def test_derive_makes_of_it_what_it_makes_of_a_topic_keyed_so(
    bridge: Bridge, broker: str, prefix: str, tmp_path: Path
) -> None:
    """Fed in the same order per customer: the same rows, and the same is told in the same order."""
    second = int(time.time()) - 60
    bridge.append(bridge.foreign, life(CUSTOMERS, second))
    for role in ("rekey", "derive"):
        bridge.ready_worker(role, **BEGINNING)
    bridge.rekeyed()
    with Bridge(broker, f"{prefix}-right", tmp_path) as right:
        customer = owner_reader(SOURCE)
        values = [m.value() or b"" for m in bridge.topics.records(bridge.source)]
        right.append(right.source, [Appended(customer(value), value) for value in values])
        right.ready_worker("derive", **BEGINNING)
        until(lambda: len(right.rows()) == len(CUSTOMERS), "derive has seen everybody")
        until(lambda: right.rows() == bridge.rows(), "the rows are the same")
        rows, there, here = right.rows(), right.told(), bridge.told()

    assert {(key_of(each), 0, 3) for each in CUSTOMERS} == {
        (key, row.active, row.total) for key, row in rows.items()
    }
    assert there == here
    assert {15} <= {len(told) for told in here.values()}


def origin(message: Message) -> tuple[str, str | None, int | None, int | None, int]:
    """Where a record stands, as its dead letter must say it."""
    place = message.topic(), message.partition(), message.offset()
    return "no_customer", *place, message.timestamp()[1]


def letter(message: Message) -> tuple[str, str | None, int | None, int | None, int]:
    """Where a dead letter says that its record stood."""
    told = codec("dead_letter").decode(message.value())
    return told["reason"], told["topic"], told["partition"], told["offset"], told["timestamp"]


def test_an_old_topic_starts_no_flows(bridge: Bridge) -> None:
    """Derive has been running; what happened before rekey began goes out as data only."""
    old, new = CUSTOMERS[:2]
    bridge.ready_worker("derive")
    created = int(time.time()) + 1  # after derive's first start, to the second
    bridge.append(bridge.foreign, [Appended(b"a", event(old, "a", "create", created))])
    until(lambda: time.time() > created + 1, "it is in the past")
    bridge.ready_worker("rekey")
    later = int(time.time()) + 1
    bridge.append(bridge.foreign, [Appended(b"b", event(new, "a", "create", later))])
    until(lambda: len(bridge.told()) == 2, "derive told of both")
    told = bridge.told()

    assert [True, True] == [each.endswith(" late") for each in told[key_of(old)]]
    assert [False, False] == [each.endswith(" late") for each in told[key_of(new)]]


@pytest.mark.parametrize(
    ("records", "problem"),
    [
        pytest.param(
            life(CUSTOMERS, SECOND)[:30],
            r"30 of 30 .* at \[\d\] offset \d+: its key is not merchant:customer",
            id="by subscription",
        ),
        pytest.param(
            [Appended(None, each.value) for each in life(CUSTOMERS, SECOND)[:30]],
            r"(\d+) of \1 .* it has no key",  # some of each partition: they lie where they may
            id="no key",
        ),
        pytest.param(
            [Appended(b"a", b"no Avro"), Appended(None, b"nor this")], None, id="unreadable"
        ),
    ],
)
def test_topics_keyed_otherwise_are_refused(
    bridge: Bridge, records: list[Appended], problem: str | None
) -> None:
    """Whose record it is says its value; what cannot be read is not judged."""
    bridge.append(bridge.source, records)

    if problem is None:
        check_keys(bridge.kafka, bridge.source, owner_of)
    else:
        with pytest.raises(ConfigurationError, match=problem):
            check_keys(bridge.kafka, bridge.source, owner_of)


def owner_of(value: bytes | None) -> bytes | None:
    """The key that a record must have, if it can be read."""
    try:
        return owner_reader(SOURCE)(value)
    except BadRecord:
        return None


def rightly(customers: Iterable[str]) -> list[Appended]:
    """A record of each of them under its customer's key."""
    return [Appended(key_of(c), event(c, "a", "create", SECOND)) for c in customers]


def test_strays_alone_are_no_topic_keyed_otherwise(bridge: Bridge) -> None:
    """Up to a fifth of the sample may have another key: those become dead letters."""
    strays = life(CUSTOMERS, SECOND)
    bridge.append(bridge.source, [*rightly(CUSTOMERS[:16]), *strays[:4]])
    check_keys(bridge.kafka, bridge.source, owner_of)
    bridge.append(bridge.source, strays[4:5])

    with pytest.raises(ConfigurationError, match="5 of 21"):
        check_keys(bridge.kafka, bridge.source, owner_of)


def test_keys_alone_are_judged_while_owners_cannot_be_known(bridge: Bridge) -> None:
    """While the registry is away the start is not held up, and it is asked only once."""
    asked = []

    def away(value: bytes | None) -> bytes | None:
        asked.append(value)
        raise KafkaException(KafkaError(KafkaError._TRANSPORT))

    bridge.append(bridge.source, life(CUSTOMERS, SECOND)[:30])
    check_keys(bridge.kafka, bridge.source, away)
    bridge.grow(bridge.source, PARTITIONS + 1)

    assert 1 == len(asked)
    with pytest.raises(ConfigurationError, match="not in the partition of its key"):
        check_keys(bridge.kafka, bridge.source, away)


def test_one_record_in_the_wrong_partition_is_too_many(bridge: Bridge) -> None:
    """With the right key in another partition a customer's state would be in two places."""
    records = rightly(CUSTOMERS)
    bridge.append(bridge.source, records)
    elsewhere = (partition_of(key_of(CUSTOMERS[0]), PARTITIONS) + 1) % PARTITIONS
    bridge.append(bridge.source, records[:1], partition=elsewhere)

    with pytest.raises(ConfigurationError, match=r"1 of 25 .* not in the partition of its key"):
        check_keys(bridge.kafka, bridge.source, owner_of)


def test_derive_names_the_remedy(bridge: Bridge) -> None:
    """It exits 2 before it reads anything, says what to set, and names no customer."""
    bridge.append(bridge.source, life(CUSTOMERS, SECOND))
    derive = bridge.worker("derive")
    code, said = derive.process.wait(PATIENCE), derive.tail()

    assert 2 == code
    assert f'`rekey.topic = "{bridge.source}"`' in said
    assert "`streams worker rekey`" in said
    assert not [each for each in CUSTOMERS if each in said]
    assert {None} == set(positions(bridge, bridge.names.derive_group, bridge.source).values())


@pytest.mark.parametrize(
    ("missing", "problem"),
    [
        pytest.param("bridge", "rekey.topic: there is no topic", id="the topic that is read"),
        pytest.param("ours", "does not exist.*`streams topics create`", id="those of the prefix"),
    ],
)
def test_rekey_needs_its_topics(bridge: Bridge, missing: str, problem: str) -> None:
    """It exits 2 and says what is missing, and its first start is not recorded."""
    wrong = {
        "bridge": {"STREAMS_REKEY__TOPIC": "nowhere"},
        "ours": {"STREAMS_PREFIX": f"{bridge.prefix}-other"},
    }
    rekey = bridge.worker("rekey", **wrong[missing])
    code, said = rekey.process.wait(PATIENCE), rekey.tail()

    assert 2 == code
    assert_matches(problem, said)
    assert [] == [*bridge.topics.records(bridge.names.control)]


def assert_matches(pattern: str, text: str) -> None:
    """Say what does not match."""
    with pytest.raises(ConfigurationError, match=pattern):
        raise ConfigurationError(text, "", "")


def positions(bridge: Bridge, group: str, topic: str) -> dict[int, int | None]:
    """A group's offsets."""
    partitions = range(partition_count(bridge.kafka, topic))
    found = committed_positions(bridge.kafka, group, topic, partitions)
    return {p: None if position is None else position.offset for p, position in found.items()}


@pytest.mark.parametrize(
    ("start", "first"),
    [
        pytest.param("beginning", [0, 0, 0], id="beginning"),
        pytest.param("end", [3, 2, 0], id="end"),
        pytest.param(2_000, [1, 1, 0], id="a time"),
        pytest.param(2_001, [2, 2, 0], id="between two records"),
        pytest.param(9_000, [3, 2, 0], id="a time to come"),
    ],
)
def test_where_the_first_start_begins(bridge: Bridge, start: Start, first: list[int]) -> None:
    """At an end of the topic, or with the first record of a time or later in each partition."""
    for partition, times in enumerate([(1_000, 2_000, 3_000), (1_500, 2_000)]):
        for at in times:
            put(bridge, partition, at)
    begin(bridge, start)

    assert first == [*positions(bridge, bridge.prefix, bridge.foreign).values()]


def put(bridge: Bridge, partition: int, at: int) -> None:
    """Append a record of some time to a partition of the other topic."""
    bridge.append(bridge.foreign, [Appended(b"a", b"x")], at=at, partition=partition)


def begin(bridge: Bridge, start: Start = "beginning", *, may_grow: bool = False) -> int:
    """Let a group start with the other topic."""
    control = bridge.names.control
    return ensure_first_offsets(
        bridge.kafka, bridge.prefix, bridge.foreign, start=start, control=control, may_grow=may_grow
    )


def test_partitions_added_since_are_noticed(bridge: Bridge) -> None:
    """Also where the group has offsets in them: somebody did what was not enough."""
    begin(bridge)
    bridge.grow(bridge.foreign, FOREIGN_PARTITIONS + 1)
    observer = Consumer(bridge.kafka.observer(bridge.prefix))
    place = TopicPartition(bridge.foreign, FOREIGN_PARTITIONS, 0)
    observer.commit(offsets=[place], asynchronous=False)
    observer.close()

    with pytest.raises(ConfigurationError, match=r"had 3 partitions .* has 4 now.*`rekey.topic`"):
        begin(bridge)


def test_partitions_added_since_are_read_from_their_beginning(bridge: Bridge) -> None:
    """Where no key's place counts: nothing in them was read, wherever the first start began."""
    put(bridge, 0, 1_000)
    at = begin(bridge, "end", may_grow=True)
    bridge.grow(bridge.foreign, FOREIGN_PARTITIONS + 1)
    put(bridge, FOREIGN_PARTITIONS, 2_000)
    again = begin(bridge, "end", may_grow=True), begin(bridge, "end", may_grow=True)
    found = positions(bridge, bridge.prefix, bridge.foreign)

    assert (at, at) == again
    assert {0: 1, 1: 0, 2: 0, 3: 0} == found


@pytest.mark.long
def test_rekey_goes_on_with_partitions_added_to_its_topic(bridge: Bridge) -> None:
    """It ends with 70 when it notices; after a restart it reads them from their beginning."""
    rekey = bridge.ready_worker("rekey")
    bridge.grow(bridge.foreign, FOREIGN_PARTITIONS + 1)
    ended, said = rekey.process.wait(PATIENCE), rekey.tail()
    records = life(CUSTOMERS, SECOND)
    bridge.append(bridge.foreign, records)
    bridge.ready_worker("rekey")
    bridge.rekeyed()
    written = {message.value() for message in bridge.topics.records(bridge.source)}

    assert 70 == ended
    assert f"topic {bridge.foreign} had 3 partitions when this process started and has 4" in said
    assert {each.value for each in records} == written


def test_nobody_goes_on_with_partitions_added_to_the_source_topic(bridge: Bridge) -> None:
    """Who writes it and who reads it end with 70, and exit 2 when they are started again."""
    roles = ("rekey", "derive")
    workers = [bridge.ready_worker(each) for each in roles]
    bridge.grow(bridge.source, PARTITIONS + 1)
    ended = [(each.process.wait(PATIENCE), each.tail()) for each in workers]
    again = [bridge.worker(each) for each in roles]
    refused = [(each.process.wait(PATIENCE), each.tail()) for each in again]

    for code, said in ended:
        assert 70 == code
        assert f"topic {bridge.source} had 6 partitions when this process started" in said
    for code, said in refused:
        assert 2 == code
        assert f"it has 6 partitions, its source {bridge.source} has 7" in said
