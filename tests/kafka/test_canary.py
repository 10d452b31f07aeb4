"""No secret and nobody's data comes out of a whole day of the program, whatever goes wrong in it.

The first test is the test of the second: it leaks on purpose, in each channel and each dress, and
what reads that channel on the real day must see every one.
"""

from __future__ import annotations

import traceback
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx2
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from streams.avro import codec
from streams.engine.kafka import KafkaSettings
from tests.support.canary import LEAKS, Leak, Scanner
from tests.support.canary_channels import blank, positions, raw, words
from tests.support.canary_day import LIVE, VENDORS, CanaryDay
from tests.support.canary_people import (
    CUSTOMERS,
    PERSONAL,
    SECRETS,
    key_of,
    loyalty_webhooks,
    webhooks,
)
from tests.support.engine_world import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PURPOSE = {name: f"leak-{number:02}+of/purpose=7q" for number, name in enumerate(LEAKS)}
"""For each dress a text of its own, so that none can be seen in another's place."""
LEAKED = " ".join(LEAKS[name](text) for name, text in PURPOSE.items())

EVERYTHING = Scanner({**SECRETS, **PERSONAL})
ONLY_SECRETS = Scanner(SECRETS)
"""For what may speak of people: records in Kafka, and what an operator asked to see of a file."""


@pytest.fixture
def day(broker: str, prefix: str, tmp_path: Path) -> Iterator[CanaryDay]:
    """Yield a day that has not begun."""
    with CanaryDay(broker, prefix, tmp_path) as made:
        yield made


def test_a_leak_in_any_channel_is_seen(day: CanaryDay, broker: str) -> None:
    """Each channel is leaked into by a real process, and each dress of each leak is found."""
    (day.directory / "leak").write_text(LEAKED, encoding="utf-8")
    said: dict[str, str | bytes] = {}
    for where in ("stdout", "stderr", "log"):
        day.start(where, "--version", **_leaking(day, where)).wait(60)
        said[where] = (day.directory / f"{where}.log").read_bytes()
    said |= _pages(day)
    said |= _from_kafka(day, broker)
    httpx2.get(f"{day.urls['klaviyo']}/api/{quote(LEAKED, safe='')}")
    said["a request's address"] = day.asked()["klaviyo"]
    said |= _from_commands(day)
    said["an exception"] = "".join(traceback.format_exception(ValueError(LEAKED)))
    seen = {
        channel: {leak.canary for leak in Scanner(PURPOSE).scan(channel, text)}
        for channel, text in said.items()
    }

    assert {channel: set(PURPOSE) for channel in said} == seen


def test_a_day_lets_nothing_out(day: CanaryDay, broker: str) -> None:
    """Of six connections, four vendors and all the trouble on the way."""
    found: list[Leak] = []

    def look() -> None:
        for name, said in day.pages().items():
            found.extend(EVERYTHING.scan(name, said))

    day.work()
    day.until_at_work()
    look()
    day.until_over()
    look()
    for name, said in day.asked().items():
        found += EVERYTHING.scan(f"requests to {name}", said)
    found += _commands(day)
    day.end()
    for name, line in day.command_lines.items():
        found += EVERYTHING.scan(f"command line of {name}", line)
    for log in sorted(day.directory.glob("*.log")):
        found += EVERYTHING.scan(log.name, log.read_bytes())
    found += _kafka(day, broker)

    raised = (day.directory / "deliver.log").read_bytes().count(b"ValueError at")

    assert raised, "deliver met no bug"
    assert {"derive", "deliver", *VENDORS} <= day.command_lines.keys()
    assert not found, "\n".join(f"{each.channel}: {each}" for each in found)


def _kafka(day: CanaryDay, broker: str) -> list[Leak]:
    """Outcomes and dead letters in words, all records as they are, and what offsets say."""
    names, found = day.names, list[Leak]()
    letters = [names.dead_letters(of) for of in ("ordergroove", "okendo", *LIVE)]
    for topic, schema in ((names.outcomes, "outcome"), *((t, "dead_letter") for t in letters)):
        found += EVERYTHING.scan(f"words of {topic}", words(day.topics, topic, schema))
    assert "failed" in words(day.topics, letters[0], "dead_letter"), "derive met no bug"
    assert "rejected" in words(day.topics, names.outcomes, "outcome"), "nothing was refused"
    listed = names.topics([*LIVE, "revoked"], ("ordergroove", "okendo"))
    for topic in (each.name for each in listed):
        found += ONLY_SECRETS.scan(topic, raw(day.topics, topic))
    groups = [(names.deliver_group(name), names.deliveries(name)) for name in LIVE]
    said = positions(KafkaSettings(bootstrap=broker), groups)
    assert "outcomes=" in said, "nothing was committed"
    return found + EVERYTHING.scan("committed offsets", said)


def _commands(day: CanaryDay) -> list[Leak]:
    """What commands say while the day's workers run."""
    file, loyal = day.directory / "webhooks.jsonl", day.directory / "loyalty.jsonl"
    file.write_bytes(b"\n".join(webhooks()))
    loyal.write_bytes(b"\n".join(loyalty_webhooks()))
    topic = day.names.deliveries("klaviyo")
    everything = [
        ("check", str(file)),
        ("check", str(loyal), "--source", "okendo"),
        ("check", "--topic", topic),
        ("schemas", "check"),
        ("topics", "create"),
        ("worker", "deliver", "nobody"),
        *_operating(day),
    ]
    found = []
    for arguments in everything:
        found += EVERYTHING.scan(f"streams {' '.join(arguments)}", day.run(*arguments))
    # What an operator asks to see of bodies that are at hand, or of one customer, is shown.
    for arguments in (("explain", str(file)), ("explain", str(loyal), "--source", "okendo")):
        found += ONLY_SECRETS.scan(f"streams {' '.join(arguments)}", day.run(*arguments))
    said = day.run("table", "get", key_of(2))
    return found + EVERYTHING.scan("streams table get", said, allowed={CUSTOMERS})


def _operating(day: CanaryDay) -> Iterator[tuple[str, ...]]:
    """What an operator asks of connections and dead letters."""
    yield "connections", "list", "--json"
    yield "connections", "test", "revoked"
    yield "connections", "test", "quoting"
    yield "connections", "promote", "klaviyo"
    yield "connections", "resume", "revoked"
    yield "dead-letters", "list"
    yield "dead-letters", "list", "--json"
    yield "dead-letters", "redrive"
    yield "dead-letters", "purge", "--reason", "failed"
    for of in ("ordergroove", "klaviyo", "quoting"):
        for message in islice(day.topics.records(day.names.dead_letters(of)), 1):
            yield "dead-letters", "show", (message.key() or b"").decode()


def _leaking(day: CanaryDay, bugs: str) -> dict[str, str]:
    return {"STREAMS_TEST_BUGS": bugs, "STREAMS_TEST_LEAK": str(day.directory / "leak")}


def _pages(day: CanaryDay) -> Mapping[str, str]:
    """What a worker's pages say: bodies and headers apart."""
    port = str(day.ports["derive"])
    day.start("leaking", "worker", "derive", "--port", port, **_leaking(day, "pages"))
    until(lambda: "x-said" in day.pages().get("derive /readyz", ""), "the pages leak")
    said = {}
    for name, page in day.pages().items():
        headers, _, body = page.partition("\n")
        said[f"headers of {name}"] = headers
        if name in {"derive /metrics", "derive /readyz"}:
            said[name] = body
    return said


def _from_commands(day: CanaryDay) -> Mapping[str, str | bytes]:
    """What a process's command line and a command's complaint say."""
    asks = "explain", "--destination", LEAKED, "-"
    child = day.start("asking", *asks)
    until(lambda: LEAKED.encode() in Path(f"/proc/{child.process.pid}/cmdline").read_bytes(), "so")
    day.end()
    return {"a command line": day.command_lines["asking"], "a command's output": day.run(*asks)}


def _from_kafka(day: CanaryDay, broker: str) -> Mapping[str, str | bytes]:
    """What records say in words, and as they are; and what is committed beside an offset."""
    kafka, names = KafkaSettings(bootstrap=broker), day.names
    producer = Producer(kafka.producer())
    reason = codec("outcome").encode(blank("outcome") | {"reason": LEAKED})
    detail = codec("dead_letter").encode(blank("dead_letter") | {"detail": LEAKED})
    producer.produce(names.outcomes, reason)
    producer.produce(names.dead_letters("yespo"), detail, b"id")
    producer.produce(names.deliveries("yespo"), b"value", LEAKED)
    producer.produce(names.deliveries("ometria"), LEAKED, b"key")
    producer.produce(names.deliveries("klaviyo"), b"value", b"key", headers={"said": LEAKED})
    assert producer.flush(60) == 0
    place = names.deliver_group("yespo"), names.deliveries("yespo")
    member = Consumer(kafka.observer(place[0]))
    told = TopicPartition(place[1], 0, 1, metadata=LEAKED)
    member.commit(offsets=[told], asynchronous=False)
    member.close()
    said: dict[str, str | bytes] = {
        "an outcome": words(day.topics, names.outcomes, "outcome"),
        "a dead letter": words(day.topics, names.dead_letters("yespo"), "dead_letter"),
        "an offset": positions(kafka, [place]),
    }
    for name, what in (("yespo", "key"), ("ometria", "value"), ("klaviyo", "header")):
        said[f"a record's {what}"] = raw(day.topics, names.deliveries(name))
    return said
