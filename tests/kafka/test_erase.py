"""Erased for good, on a real broker with all processes: killed, and told again of the past."""

from __future__ import annotations

import json
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from streams.avro import codec
from streams.model.ids import customer_hash, customer_key
from streams.sources.ordergroove import record_of
from tests.support import okendo
from tests.support.engine_world import until
from tests.support.erase_world import DELETING, HASH_KEY, NINA, NOOR, VENDORS, EraseWorld, Somebody
from tests.support.letter_commands import LETTER
from tests.support.webhooks import MERCHANT, START

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SOURCE = codec("sources/ordergroove")
BROKEN = {
    "kind": "status",
    "status": 500,
    "endpoint": "/api/events",
    "match": {"email": NOOR.email},
}


@pytest.fixture
def world(broker: str, prefix: str, tmp_path: Path) -> Iterator[EraseWorld]:
    """Return the program, with everything that it knows of two people."""
    with EraseWorld(broker, prefix, tmp_path) as made:
        yield made


def members(who: Somebody, sequence: int) -> bytes:
    """A webhook of their membership."""
    body = json.loads(okendo.member(sequence=sequence, vipTierName="Bronze").body)
    about = {"loyaltyCustomerId": who.member, "customer": {"email": who.email, "customerId": "0"}}
    body["resource"] |= about
    return json.dumps(body).encode()


def letter(who: Somebody, of: str) -> tuple[bytes, bytes]:
    """A dead letter of theirs."""
    id_ = f"5d1b7c1e-3a55-4c0c-9b0a-{who.customer:0>12}"
    told: dict[str, Any] = {
        "id": id_, "reason": "failed", "field": None, "detail": "", "topic": of, "partition": 0,
        "offset": 1, "timestamp": 1, "key": who.key, "value": who.email.encode(), "headers": {},
        "connection": None, "delivery_id": None, "part": None, "event_type": "order.success",
        "status": None, "attempts": 0, "written_at": 1,
    }  # fmt: skip
    return id_.encode(), LETTER.encode(told)


def ordered(world: EraseWorld, who: Somebody) -> bool:
    """Whether the vendors have somebody's order."""
    return set(DELETING) <= world.concluded("order.success", who).keys()


def known(world: EraseWorld) -> None:
    """Both are known to everybody, and something of both is stuck and given up."""
    world.tell(*NOOR.events(START), *NINA.events(START))
    world.tell_loyalty(members(NOOR, 7), members(NINA, 8))
    for who in (NOOR, NINA):
        until(partial(ordered, world, who), "orders are delivered")
        for of in ("ordergroove", "klaviyo"):
            world.append(world.names.dead_letters(of), [letter(who, of)])
    world.faults("klaviyo", BROKEN)
    world.tell(*NOOR.events(START + 60)[2:])
    profiles = world.names.profiles_changelog("klaviyo")
    until(lambda: any(key.startswith(b"\0parked") for key in world.live(profiles)), "it is parked")


def told_again(world: EraseWorld) -> None:
    """The past comes again by every way: a retry, a sync, and a replay."""
    names = world.names
    world.tell(*NOOR.events(START), *NINA.events(START))
    world.tell_loyalty(members(NOOR, 7), members(NINA, 8))
    state = record_of(NOOR.events(START)[1]) | {"kind": "state", "event_id": "synced-again"}
    world.append(names.events("ordergroove"), [(NOOR.key, SOURCE.encode(state))])
    for vendor in VENDORS:
        old = [
            (each.key() or b"", each.value() or b"")
            for each in world.topics.records(names.deliveries(vendor))
            if each.key() == NOOR.key and b"customer.erased" not in (each.value() or b"")
        ]
        world.append(names.low(vendor), old)
    wanted = sum(world.topics.size(names.low(vendor)) for vendor in VENDORS)
    until(
        lambda: len({(o["connection"], o["offset"], o["partition"]) for o in world.outcomes()
                     if o["topic"].endswith(".low")}) >= wanted,
        "the low lanes are done",
    )  # fmt: skip
    world.passed()


def erased(world: EraseWorld, file: Path) -> dict[str, Any]:
    """Erase her by e-mail, kill the workers at once, and have it done; the certificate."""
    plan = world.run("erase", "--email", NOOR.email.upper())
    assert (2, True) == (plan.code, "--yes 2" in plan.err)
    erase = world.run("erase", "--email", NOOR.email.upper(), "--yes", "2", "--wait", "0")
    world.kill()
    assert erase.code == 0, erase
    world.work()
    run = next(line.split()[1] for line in erase.out.splitlines() if line.startswith("erase "))
    done = world.run("erase", "--status", run[:8], "--wait", "100", "--certificate", str(file))
    assert done.out.endswith("\ncomplete\n"), done
    for said in (plan, erase):
        assert not [each for each in NOOR.traces if each in said.out + said.err]
    told: dict[str, Any] = json.loads(file.read_text())
    return told


def check(world: EraseWorld, told: dict[str, Any]) -> None:
    """What a certificate must say."""
    assert told["complete"]
    assert not [each for each in NOOR.traces if each in json.dumps(told)]
    name = customer_hash(HASH_KEY.encode(), NOOR.key)
    asked = {each["connection"]: each for each in told["vendors"] if each["customer"] == name}
    assert {"klaviyo": "erased", "attentive": "erased", "ometria": "filtered"} == {
        vendor: each["outcome"] for vendor, each in asked.items()
    }
    assert ("no_deletion", None) == (asked["ometria"]["reason"], asked["ometria"]["call"])
    assert asked["attentive"]["reason"].startswith("request_")
    assert {0} == set(told["dead_letters_standing"].values())
    kept = {each["topic"]: each["until"] for each in told["remains"]}
    assert kept[world.names.events("ordergroove")] > kept[world.names.deliveries("klaviyo")]


def test_nobody_finds_who_was_erased(world: EraseWorld, tmp_path: Path) -> None:
    """Whatever dies meanwhile and whatever comes again; the neighbour is found everywhere."""
    known(world)
    before = world.found(NOOR)
    assert {"klaviyo", "attentive", world.names.subscribers_changelog} <= {w for w, _ in before}
    told = erased(world, tmp_path / "certificate.json")
    assert set() == world.found(NOOR)
    check(world, told)
    told_again(world)
    rebuilt = world.run("rebuild")
    assert rebuilt.code == 0, rebuilt

    assert set() == world.found(NOOR)
    assert {trace for _, trace in world.found(NINA)} >= set(NINA.traces)
    assert "erased" in {
        each["outcome"]
        for each in world.outcomes()
        if (each["type"], each["customer_id"]) == ("order.success", NOOR.customer)
    }

    back = int(time.time()) + 5
    world.tell(*NOOR.events(back, "b1"))
    until(lambda: NOOR.email in world.state("klaviyo"), "who comes back is known again")
    assert customer_key(MERCHANT, NOOR.customer) in world.live(world.names.subscribers_changelog)
