"""`streams timeline` beside the whole program: what was sent to somebody, and why, or why not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from streams.engine.watermarks import Watermarks
from streams.model.fact import WITHHELD
from tests.support.engine_world import until
from tests.support.erase_world import DELETING, NINA, NOOR, PARTITIONS, PATIENCE, EraseWorld
from tests.support.webhooks import MERCHANT, START, subscription, webhook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CANCEL = "subscriber.cancel"


@pytest.fixture
def world(broker: str, prefix: str, tmp_path: Path) -> Iterator[EraseWorld]:
    """Return the program around two people, one of whom has cancelled."""
    with EraseWorld(broker, prefix, tmp_path) as made:
        ended = subscription(f"a1-{NOOR.customer}", START + 60, live=False) | {
            "customer": NOOR.customer
        }
        imported = subscription(f"a1-{NINA.customer}", START) | {"customer": NINA.customer}
        made.tell(
            *NOOR.events(START),
            webhook("subscription.cancel", ended, START + 60),
            webhook("subscription.create", imported, START, context={"source": "XML IMPORT"}),
        )
        until(
            lambda: set(DELETING) <= made.concluded(CANCEL, NOOR).keys(), "the cancel is delivered"
        )
        yield made


def story(world: EraseWorld, *arguments: str) -> Any:
    """What the command tells, as JSON."""
    said = world.run("timeline", *arguments, "--json")
    assert said.code == 0, said.err
    [line] = said.out.splitlines()
    return json.loads(line)["story"]


def all_but_the_newest_gone(world: EraseWorld, topic: str) -> None:
    """What retention does in time: each partition has its newest record left."""
    ends = Watermarks(world.kafka, topic).high(range(PARTITIONS))
    cut = [TopicPartition(topic, each, end - 1) for each, end in ends.items() if end > 1]
    admin = AdminClient(world.kafka.client())  # what it promises is kept only while it is there
    for each in admin.delete_records(cut).values():
        each.result(PATIENCE)


def test_what_was_sent_and_why_or_why_not(world: EraseWorld) -> None:
    """By the customer's key or by their address; in words, and as data."""
    told = story(world, f"{MERCHANT}:{NOOR.customer}")
    last = told["chapters"][-1]
    [cancel] = [line for line in last["lines"] if line["type"] == CANCEL]
    ends = {(end["connection"], end["part"]): end["outcome"] for end in cancel["ends"]}
    lines = world.run("timeline", f"{MERCHANT}:{NOOR.customer}", "--type", CANCEL).out

    assert ("subscription.cancel", "active, 1 active of 1", "inactive, 0 active of 1") == (
        last["type"],
        last["before"],
        last["after"],
    )
    assert "active 1 → 0" in cancel["because"]
    assert {("klaviyo", "event"), ("attentive", "event")} <= ends.keys()
    assert ends["klaviyo", "event"].startswith("delivered")
    assert [] == told["elsewhere"]
    assert told == story(world, "--email", NOOR.email)
    assert "subscriber.cancel: last subscription ended: active 1 → 0" in lines
    assert "klaviyo, event: sent" in lines
    assert "subscriber.create:" not in lines

    missed = world.run("timeline", f"{MERCHANT}:{NINA.customer}").out
    nobody = world.run("timeline", f"{MERCHANT}:nobody")
    whole = world.run("timeline", f"{MERCHANT}:{NOOR.customer}").out

    assert f"told to nobody: {WITHHELD['import']}" in missed
    assert (1, "") == (nobody.code, nobody.out)
    assert 2 == world.run("timeline").code

    all_but_the_newest_gone(world, world.names.outcomes)
    older = world.run("timeline", f"{MERCHANT}:{NOOR.customer}").out
    as_data = json.loads(world.run("timeline", f"{MERCHANT}:{NOOR.customer}", "--json").out)
    first = as_data["story"]["chapters"][0]["at"]

    assert "is not kept here" not in whole
    assert "is not kept here" in older
    assert first < as_data["outcomes_since"]
