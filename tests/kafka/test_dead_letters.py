"""Dead letters on a real broker: listed, shown, redriven, purged, counted; by the real commands."""

from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from streams.avro import codec
from streams.avro_structs import struct_writer
from streams.delivery.dead_letters import of_part
from streams.delivery.pending import Conclusion, Delivery
from streams.demo.broker import Broker
from streams.engine.admin import TopicSpec, create_topics
from streams.model.dead_letter import redriven_letter
from streams.model.delivery import Outcome
from streams.model.ids import customer_key
from streams.names import LARGEST, LARGEST_DEAD_LETTER
from streams.pipeline import enriched_of
from streams.replay.depth import Depths, Standing
from streams.replay.transaction import Appended, TakenOver, Transactions
from tests.support.delivery_world import identity, shop_event
from tests.support.engine_world import until as wait
from tests.support.letter_commands import LETTER, PATIENCE, Letters

if TYPE_CHECKING:
    from pathlib import Path

    from streams.model.enriched import EnrichedEvent

KLAVIYO = "klaviyo"
ENRICHED = codec("events/enriched")
PARTITIONS = 3
HOUR = 3_600_000
NOON = 1_790_866_800_000
"""2026-10-01, 15:00 in Greenwich."""
EXECUTED = ("dead-letters", "redrive", "--execute", "--yes")
CONNECTED = {"STREAMS_CONNECTIONS__KLAVIYO__MODE": "shadow"}


@pytest.fixture
def letters(broker: str, prefix: str) -> Letters:
    """Return the dead letters of topics that nobody works on."""
    made = Letters(broker, prefix, CONNECTED)
    create(made)
    return made


def create(letters: Letters) -> None:
    """Create every topic."""
    specs = [
        TopicSpec(name=each.name, partitions=PARTITIONS, replication=1, config=each.config)
        for each in letters.names.topics([KLAVIYO])
    ]
    create_topics(letters.kafka, specs)


def given_up(event: EnrichedEvent, offset: int, **more: Any) -> dict[str, Any]:
    """The letter of an event that a vendor refused."""
    delivery = Delivery(
        sequence=1,
        topic="elsewhere",
        partition=0,
        epoch=1,
        offset=offset,
        timestamp=NOON,
        key=customer_key(event.merchant, event.customer_id),
        value=struct_writer(ENRICHED)(event),
        headers={"trace": b"7"},
        event=event,
        id=identity(event),
    )
    conclusion = Conclusion(Outcome.REJECTED, "invalid", "email")
    return of_part(KLAVIYO, delivery, "event", None, conclusion, NOON) | more


def write(letters: Letters, *told: dict[str, Any], of: str = KLAVIYO, at: int = 0) -> list[str]:
    """Append letters as a worker does, now or at some time; their ids."""
    producer = Producer(letters.kafka.producer())
    for each in told:
        value = LETTER.encode(each)
        producer.produce(letters.names.dead_letters(of), value, each["id"], timestamp=at)
    assert producer.flush(PATIENCE) == 0
    return [each["id"] for each in told]


def redriven(letters: Letters) -> list[tuple[str, str | None, bytes | None]]:
    """Event, letter and key of what was appended to the delivery topic, partition by partition."""
    found = []
    for message in letters.topics.records(letters.names.deliveries(KLAVIYO)):
        event = enriched_of(ENRICHED, message.value())
        headers = message.headers()
        assert dict(headers or ())["trace"] == b"7"
        found.append((event.event_id, redriven_letter(headers), message.key()))
    return found


def test_a_redrive_appends_a_customers_letters_in_their_order(letters: Letters) -> None:
    """Key, value and headers as they were, and whose letter it is; the letters stay, marked."""
    events = [shop_event("c1", number) for number in range(40)]
    told = [given_up(each, offset) for offset, each in enumerate(events)]
    ids = write(letters, *reversed(told))
    said = letters.redrive()
    keys = {customer_key(events[0].merchant, "c1")}

    assert "40 dead letters appended again" in said
    assert [(e.event_id, i, *keys) for e, i in zip(events, ids[::-1], strict=True)] == redriven(
        letters
    )
    assert {True} == {each["marked"] for each in letters.standing(KLAVIYO).values()}
    assert set(ids) == letters.standing(KLAVIYO).keys()


def test_a_dry_run_changes_nothing(letters: Letters) -> None:
    """It counts by connection, reason and type, says how to do it, and appends not one record."""
    write(letters, given_up(shop_event("c1", 1), 0), given_up(shop_event("c2", 1), 1))
    topics = [letters.names.deliveries(KLAVIYO), letters.names.dead_letters(KLAVIYO)]
    before = [letters.size(each) for each in topics]
    redrive, purge = letters.do("redrive"), letters.do("purge")

    assert [letters.size(each) for each in topics] == before
    for said, verb in ((redrive, "redrive"), (purge, "purge")):
        assert "2 dead letters" in said
        assert "2  klaviyo" in said
        assert "rejected  order.success" in said
        assert f"`streams dead-letters {verb} … --execute`" in said
    assert f"→ {topics[0]}" in redrive


def test_what_is_under_way_is_not_redriven_twice(letters: Letters) -> None:
    """Until it is settled, or given up again; `--again` insists."""
    first, second = given_up(shop_event("c1", 1), 0), given_up(shop_event("c2", 1), 1)
    write(letters, first, second)
    letters.redrive("--id", first["id"])
    rest = letters.redrive()
    none = letters.redrive()
    write(letters, first | {"written_at": NOON + HOUR})  # it failed again: the mark is gone
    failed = letters.redrive()
    again = letters.redrive("--again")

    assert "1 dead letter appended again" in rest
    assert "redriven before and not settled yet: --again" in rest
    assert "Nothing to do." in none
    assert "1 dead letter appended again" in failed
    assert "2 dead letters appended again" in again
    assert {first["id"]: 3, second["id"]: 2} == {
        each: [letter for _, letter, _ in redriven(letters)].count(each)
        for each in (first["id"], second["id"])
    }


def test_a_redrive_is_confirmed_with_the_number_of_its_letters(letters: Letters) -> None:
    """Without, or with another number, nothing is written; the plan is shown before."""
    write(letters, *(given_up(shop_event(f"c{n}", 1), n) for n in range(3)))
    unasked, wrong = letters.run(*EXECUTED[:-1]), letters.run(*EXECUTED, "2")
    before = redriven(letters)
    said = letters.do("redrive", "--execute", "--yes", "3")
    late = letters.run(*EXECUTED, "3")

    assert [(2, []), (2, [])] == [(each.code, before) for each in (unasked, wrong)]
    for each in (unasked, wrong):
        assert "3 dead letters will be appended again" in each.err
        assert "would append 3 dead letters again" in each.out
    assert "up to 3 customers may be messaged" in said
    assert 3 == len(redriven(letters))
    assert (2, "0 dead letters") == (late.code, late.err[late.err.index("0 dead") :][:14])


@pytest.mark.parametrize("step", ["flushed", "committed"])
def test_a_redrive_that_is_killed_is_run_again(letters: Letters, step: str) -> None:
    """Each letter is appended once, whether the command died before its commit or behind it."""
    ids = write(letters, *(given_up(shop_event(f"c{n}", 1), n) for n in range(9)))
    killed = letters.run(*EXECUTED, "9", STREAMS_REHEARSE=f"kill@{step}#1")
    before = len(redriven(letters)) if step == "committed" else 0
    letters.redrive()

    assert -signal.SIGKILL == killed.code
    assert (9 if step == "committed" else 0) == before
    assert sorted(ids) == sorted(str(letter) for _, letter, _ in redriven(letters))


def test_one_command_at_a_time(letters: Letters) -> None:
    """Whoever begins later takes over; of the other's letters none is appended any more."""
    topic = letters.names.deliveries(KLAVIYO)
    record = Appended(topic, b"m:1", b"x", [])
    earlier = Transactions(letters.kafka, topic)
    earlier.append([record])
    later = Transactions(letters.kafka, topic)
    with pytest.raises(TakenOver):
        earlier.append([record])
    later.append([record, record])

    assert 3 == letters.size(topic)


def test_what_the_broker_refuses_takes_nothing_with_it(letters: Letters) -> None:
    """Nothing of its transaction becomes visible; the next command can go on."""
    topic = letters.names.deliveries(KLAVIYO)
    generous = replace(letters.kafka, extra={"message.max.bytes": str(LARGEST_DEAD_LETTER)})
    small = Appended(topic, b"m:1", b"x", [])
    with pytest.raises(KafkaException, match="MSG_SIZE_TOO_LARGE"):
        Transactions(generous, topic).append([small, small._replace(value=os.urandom(LARGEST + 1))])
    before = letters.size(topic)
    Transactions(generous, topic).append([small])

    assert (0, 1) == (before, letters.size(topic))


def test_a_purge_settles_what_is_meant(letters: Letters) -> None:
    """Those letters are gone, the others stay; all of them only if that is said."""
    kept, gone = given_up(shop_event("c1", 1), 0), given_up(shop_event("c2", 1), 1)
    write(letters, kept, gone)
    customer = f"{shop_event('c2', 1).merchant}:c2"
    careless = letters.run("dead-letters", "purge", "--execute")
    said = letters.do("purge", "--execute", "--customer", customer)
    left = letters.standing(KLAVIYO)
    letters.do("purge", "--execute", "--all")

    assert 2 == careless.code
    assert "this would be all of them" in careless.err
    assert "1 dead letter settled" in said
    assert {kept["id"]} == left.keys()
    assert {} == letters.standing(KLAVIYO)
    assert [] == redriven(letters)
    assert "no dead letters" in letters.do("list")


def test_filters(letters: Letters) -> None:
    """Options leave out what they do not name; a body that never was a record has a type too."""
    old = given_up(shop_event("c1", 1), 0, written_at=NOON - 48 * HOUR)
    failed = given_up(shop_event("c1", 2), 1, reason="failed")
    body = {
        **failed,
        "id": "0d6f6a5e-9d3b-5c51-8d52-1f6f3d1a7b10",
        "reason": "unknown_type",
        **dict.fromkeys(("topic", "key", "connection", "delivery_id", "part", "event_type")),
        "value": b'{"type": "gift.sent", "data": {"email": "nina@shop-demo.io"}}',
    }
    write(letters, old, failed)
    write(letters, body, of="ordergroove")
    key = f"{shop_event('c1', 1).merchant}:c1"

    def found(*arguments: str) -> list[str]:
        return [each["id"] for each in letters.listed(*arguments)]

    assert [old["id"], *sorted((failed["id"], body["id"]))] == found()
    assert [body["id"]] == found("--source", "ordergroove", "--type", "gift.sent")
    assert [failed["id"]] == found("--customer", key, "--since", "2026-09-30T15:00:00Z")
    assert [failed["id"]] == found("--connection", KLAVIYO, "--limit", "1")


def test_who_it_is_about_is_masked(letters: Letters) -> None:
    """In tables, in JSON and in one letter, unless that is asked for, or that very customer."""
    event = shop_event("0088123", 1)
    [id_] = write(letters, given_up(event, 0, headers={"x-api-key": b"sk_1f38", "trace": b"n7"}))
    masked = [letters.do("list"), letters.do("list", "--json"), letters.do("show", id_)]
    whole = letters.do("show", id_, "--unmasked")
    asked = letters.do("list", "--customer", f"{event.merchant}:0088123")
    shown, plain = json.loads(masked[2]), json.loads(whole)

    for each in masked:
        assert "0088123" not in each
        assert "***23" in each
    assert "shop-demo.io" not in masked[0]
    assert "0***@shop-demo.io" == shown["event"]["profile"]["email"]
    assert ("order.success", "order.success") == (shown["event_type"], shown["event"]["type"])
    assert "0088123@shop-demo.io" == plain["event"]["profile"]["email"]
    assert {"x-api-key": "***", "trace": "n7"} == plain["headers"]
    assert {"x-api-key": "***", "trace": "***"} == shown["headers"]
    assert "sk_1f38" not in whole
    assert f"{event.merchant}:0088123" in asked


def test_one_that_is_not_there(letters: Letters) -> None:
    """Exit 1, and nothing on standard output."""
    said = letters.run("dead-letters", "show", "0d6f6a5e-9d3b-5c51-8d52-1f6f3d1a7b10")

    assert (1, "") == (said.code, said.out)
    assert "no such dead letter" in said.err


def test_what_is_no_letter_is_said(letters: Letters) -> None:
    """Garbage on the topic hides nothing and stops nothing."""
    [id_] = write(letters, given_up(shop_event("c1", 1), 0))
    producer = Producer(letters.kafka.producer())
    producer.produce(letters.names.dead_letters(KLAVIYO), b"what", b"k")
    assert producer.flush(PATIENCE) == 0
    said = letters.run("dead-letters", "list")

    assert 0 == said.code
    assert id_ in said.out
    assert f"{letters.names.dead_letters(KLAVIYO)}: 1 records are no dead letters" in said.err


def test_depth_goes_up_and_down(letters: Letters) -> None:
    """Letters that stand, each once, and the age of the oldest by its record's time."""
    topic, now = letters.names.dead_letters(KLAVIYO), time.time_ns() // 1_000_000
    depths = Depths(letters.kafka, [topic], every=0.05, clock=lambda: (now + HOUR) / 1_000)
    depths.start()
    try:
        wait(lambda: depths() == {topic: Standing(0, 0.0)}, "nothing stands")
        first, second = given_up(shop_event("c1", 1), 0), given_up(shop_event("c2", 1), 1)
        write(letters, first, at=now)
        write(letters, second, at=now + HOUR // 2)
        wait(lambda: depths()[topic] == Standing(2, 3_600.0), "two stand")
        letters.redrive("--id", first["id"])
        wait(lambda: letters.standing(KLAVIYO)[first["id"]]["marked"], "one is marked")
        letters.do("purge", "--execute", "--id", second["id"])
        wait(lambda: depths()[topic] == Standing(1, 3_600.0), "a mark makes it no younger")
        letters.do("purge", "--execute", "--all")
        wait(lambda: depths()[topic] == Standing(0, 0.0), "all are settled")
    finally:
        depths.close()

    assert [] == letters.listed()


def test_letters_whose_time_is_over_do_not_count(letters: Letters) -> None:
    """Retention takes them away without a tombstone."""
    topic = letters.names.dead_letters(KLAVIYO)
    write(letters, *(given_up(shop_event(f"c{n}", 1), n) for n in range(9)))
    depths = Depths(letters.kafka, [topic], every=0.05)
    depths.start()
    try:
        wait(lambda: depths().get(topic, (0,))[0] == 9, "all stand")
        ends = [TopicPartition(topic, number, -1) for number in range(PARTITIONS)]
        admin = AdminClient(letters.kafka.client())
        for done in admin.delete_records(ends).values():
            done.result(PATIENCE)
        wait(lambda: depths()[topic] == Standing(0, 0.0), "none stands")
        [id_] = write(letters, given_up(shop_event("c1", 2), 10))
        wait(lambda: depths()[topic].letters == 1, "a new one stands")
    finally:
        depths.close()

    assert [id_] == [each["id"] for each in letters.listed()]


def test_depth_survives_a_broker_that_is_away(tmp_path: Path, prefix: str) -> None:
    """It begins without a topic or a broker, and goes on when they are back."""
    with Broker(tmp_path) as own:
        letters = Letters(own.bootstrap, prefix, CONNECTED)
        topic = letters.names.dead_letters(KLAVIYO)
        depths = Depths(letters.kafka, [topic], every=0.05)
        depths.start()
        try:
            wait(depths._thread.is_alive, "it looks")
            nothing = depths()
            create(letters)
            write(letters, given_up(shop_event("c1", 1), 0))
            wait(lambda: depths().get(topic, (0,))[0] == 1, "one stands")
            own.kill()
            still = depths()[topic].letters
            own.start()
            write(letters, given_up(shop_event("c2", 1), 1))
            wait(lambda: depths()[topic].letters == 2, "the other is seen too")
        finally:
            depths.close()

    assert {} == nothing
    assert 1 == still
