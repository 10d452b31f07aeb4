"""Dirt: repeated webhooks, unknown types, broken bodies, and broken Avro for the topic.

`Dirt` stands between the stories and the shop's queue of arrivals. What it puts in is labelled, so
that tests can hold the bookkeeping's findings beside it.
"""

from __future__ import annotations

import json
import struct
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from streams.demo.catalog import UNKNOWN_TYPES
from streams.demo.world import MERCHANT

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.demo.world import World

Json = dict[str, Any]

_HOUR = 3_600
LARGEST = 1_000_000
"""Bytes; a larger body is a dead letter."""


class Dirt:
    """Repeats some of what passes, and makes bodies that nobody can read.

    Args:
        world: the source of chance.
        post: takes a body, its time of arrival, and what it is labelled ("" for a proper one).
    """

    def __init__(self, world: World, post: Callable[[bytes, int, str], None]) -> None:
        self._world = world
        self._post = post
        self._sample: bytes | None = None

    def post(self, body: bytes, arrives: int) -> None:
        """Passes it on; a few come twice, at once, hours later or by a second route."""
        self._post(body, arrives, "")
        if b'"subscription.c' in body and b'"public_id"' in body:
            self._sample = body
        rng = self._world.rng
        draw = rng.random()
        if draw < 0.015:
            self._post(body, arrives + rng.randint(0, 3), "repeated_id")
        elif draw < 0.025:
            self._post(body, arrives + rng.randint(1, 9) * _HOUR, "repeated_id")
        elif draw < 0.035:
            self._post(self._second_route(body), arrives + rng.randint(0, 90), "repeated_fact")

    def _second_route(self, body: bytes) -> bytes:
        """The same fact under another event id: its keys in another order, perhaps less beside."""
        envelope: Json = json.loads(body)
        envelope["id"] = self._world.hex()
        fact = envelope["data"]["object"]
        if self._world.chance(0.5):
            envelope["data"]["object"] = dict(reversed(fact.items()))
        if self._world.chance(0.5):
            envelope["data"].pop("snapshot", None)
            envelope["snapshot"] = {}
        return json.dumps(envelope).encode()

    def _envelope(self) -> Json | None:
        """A proper body to spoil, under an id of its own."""
        if self._sample is None:
            return None
        envelope: Json = json.loads(self._sample)
        envelope["id"] = self._world.hex()
        return envelope

    def unknown(self, now: int) -> None:
        """A type that no document names."""
        envelope = self._envelope()
        if envelope:
            envelope["type"] = self._world.rng.choice(UNKNOWN_TYPES)
            self._post(json.dumps(envelope).encode(), now, "unknown_type")

    def too_large(self, now: int) -> None:
        """Over a million bytes."""
        envelope = self._envelope()
        if envelope:
            envelope["data"]["object"]["extra_data"] = {"note": "x" * LARGEST}
            self._post(json.dumps(envelope).encode(), now, "too_large")

    def malformed(self, now: int) -> None:
        """Not JSON, or JSON but no object."""
        envelope = self._envelope()
        if envelope:
            whole = json.dumps(envelope).encode()
            spoiled = self._world.rng.choice(
                (
                    b"<html><body>502 Bad Gateway</body></html>",
                    whole[: len(whole) // 2],
                    whole[:-1],
                    b'"order.success"',
                    b"\xff\xfe" + whole,
                )
            )
            self._post(spoiled, now, "malformed")

    def missing(self, now: int) -> None:
        """Something is missing that nobody can do without."""
        envelope = self._envelope()
        if envelope:
            fact = envelope["data"]["object"]
            place, name = self._world.rng.choice(
                (
                    (envelope, "id"),
                    (envelope, "created"),
                    (envelope["data"], "object"),
                    (fact, "public_id"),
                    (fact, "merchant"),
                )
            )
            del place[name]
            self._post(json.dumps(envelope).encode(), now, "missing_field")

    def nobody(self, now: int) -> None:
        """No customer is named."""
        envelope = self._envelope()
        if envelope:
            fact = envelope["data"]["object"]
            fact["customer"] = self._world.rng.choice(("", None))
            if self._world.chance(0.3):
                del fact["customer"]
            self._post(json.dumps(envelope).encode(), now, "no_customer")

    def mistyped(self, now: int) -> None:
        """A value of a type that cannot be read as what it should be."""
        envelope = self._envelope()
        if envelope:
            fact = envelope["data"]["object"]
            place, name, value = self._world.rng.choice(
                (
                    (envelope, "created", "yesterday"),
                    (envelope["data"], "object", ["subscription"]),
                    (fact, "quantity", {"units": 2}),
                    (fact, "live", "maybe"),
                    (fact, "updated", ["now"]),
                )
            )
            place[name] = value
            self._post(json.dumps(envelope).encode(), now, "wrong_type")


class BrokenRecord(NamedTuple):
    """A record for the source topic that cannot be read, and the dead letter it becomes."""

    key: bytes
    value: bytes
    reason: str


def broken_records(seed: int, count: int, *, schema_id: int = 1) -> list[BrokenRecord]:
    """Records of the Confluent wire format (0x00, schema id, Avro payload) that are none.

    Args:
        seed: same seed, same records.
        count: how many; the kinds take turns.
        schema_id: the id of the source's schema in `avro_schemas/ids.json`.
    """
    rng = Random(f"broken {seed}")
    made = []
    for number in range(count):
        key = f"{MERCHANT}:broken-{number}".encode()
        noise = bytes(rng.randrange(256) for _ in range(rng.randint(8, 40)))
        kinds = (
            BrokenRecord(key, b"{" + noise, "malformed"),
            BrokenRecord(key, struct.pack(">bI", 0, schema_id) + b"\x40half", "malformed"),
            BrokenRecord(key, struct.pack(">bI", 0, 999_999) + noise, "unknown_schema"),
            BrokenRecord(key, b"\x00\x00", "malformed"),
        )
        made.append(kinds[number % len(kinds)])
    return made
