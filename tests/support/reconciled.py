"""A shop whose rows are in the changelog and whose people are at a simulated vendor.

The rows are written as derive writes them; the vendor is filled by the product itself (a backfill),
and changed behind its back. Commands and workers are the real ones, on a real broker.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from confluent_kafka import Producer

from streams.control.audit import decode_action
from streams.engine.stretch import look_through, whole
from streams.model.events import Subscription
from streams.model.row_bytes import encode_row
from streams.model.subscriber import OrderKey, Profile, Stamp, Subscriber, SubscriptionState
from streams.simulators.changes import Change
from tests.support.delivery_world import PATIENCE, DeliveryWorld
from tests.support.webhooks import MERCHANT, START

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from streams.control.audit import Action

AT = START * 1_000
STATUS = "Ordergroove Subscriber Status"
STATUSES = ("active", "inactive", "active", None)
"""By a customer's number, again and again."""

Field = tuple[str, str]
"""A customer's key, and a field that differs."""


class Answer(NamedTuple):
    """What a command came to."""

    code: int
    out: str
    err: str


class Injected(NamedTuple):
    """What somebody changes at the vendor, and what is to be found of it."""

    change: Change
    fields: frozenset[str]


def key(number: int) -> str:
    """A customer's key."""
    return f"{MERCHANT}:{number:07}"


def email(number: int) -> str:
    """A customer's address."""
    return f"c{number}@shop-demo.io"


def phone(number: int) -> str:
    """A customer's phone number."""
    return f"+1312{5_550_000 + number:07}"


def status(number: int) -> str | None:
    """How a customer stands."""
    return STATUSES[number % len(STATUSES)]


def row(number: int) -> Subscriber:
    """A customer's row: known by name, with as many subscriptions as the status asks for."""
    standing = status(number)
    stamp = Stamp(AT + number, AT + number, f"e{number}")
    person = (email(number), phone(number), f"Noor{number}", f"Hale{number}")
    subscriptions = {}
    if standing is not None:
        id_ = f"s{number}"
        content = Subscription(id_, live=standing == "active", updated=AT + number)
        subscriptions[id_] = SubscriptionState(content, OrderKey(AT + number, AT, 1, f"e{number}"))
    return Subscriber(
        version=3,
        profile=Profile(*person, (stamp,), (0, 0, 0, 0)),
        subscriptions=subscriptions,
        ever_subscribed=standing is not None,
        complete=True,
    )


def differences(vendor: str, count: int, offset: int = 0) -> dict[int, Injected]:
    """So many customers who are changed at a vendor, in every way that can be read back.

    Customers without a status are left alone: some vendors are told nothing of them.
    """
    ways = _KLAVIYO if vendor == "klaviyo" else _ATTENTIVE
    chosen = [n for n in range(offset, offset + 2 * count + 8) if status(n) is not None][:count]
    return {number: ways[place % len(ways)](number) for place, number in enumerate(chosen)}


def _who(number: int) -> dict[str, str]:
    return {"email": email(number)}


def _other(number: int) -> str:
    return "inactive" if status(number) == "active" else "active"


def _flipped(number: int) -> Injected:
    return Injected(Change(_who(number), properties={STATUS: _other(number)}), frozenset({STATUS}))


def _gone(number: int) -> Injected:
    return Injected(Change(_who(number), gone=True), frozenset({"person"}))


def _renamed(number: int) -> Injected:
    told = {"first_name": "Somebody", "last_name": None}
    return Injected(Change(_who(number), set=told), frozenset({"first_name", "last_name"}))


def _unstated(number: int) -> Injected:
    return Injected(Change(_who(number), properties={STATUS: None}), frozenset({STATUS}))


def _moved(number: int) -> Injected:
    told: dict[str, str | None] = {"email": f"new{number}@shop-demo.io"}
    return Injected(Change(_who(number), set=told), frozenset({"email"}))


def _reached(number: int) -> Injected:
    told: dict[str, str | None] = {"phone_number": f"+1646{5_550_000 + number:07}"}
    return Injected(Change(_who(number), set=told), frozenset({"phone_number"}))


def _forgotten(number: int) -> Injected:
    """Its only attribute is taken away: then nothing tells somebody from nobody."""
    return Injected(Change(_who(number), properties={STATUS: None}), frozenset({"person"}))


_KLAVIYO = (_flipped, _gone, _renamed, _unstated, _moved, _reached)
_ATTENTIVE = (_flipped, _gone, _forgotten, _flipped)


class Shop(DeliveryWorld):
    """One test's rows, vendor, commands and workers."""

    def __init__(self, bootstrap: str, prefix: str, vendor: str) -> None:
        super().__init__(bootstrap, prefix, connection=vendor)
        self.vendor = vendor

    def write(self, rows: Mapping[str, Subscriber | None]) -> None:
        """Append rows to the table's changelog, as committed."""
        producer = Producer(self.kafka.producer())
        for name, each in rows.items():
            value = None if each is None else encode_row(each)
            producer.produce(self.names.subscribers_changelog, value, name)
            producer.poll(0)
        assert producer.flush(PATIENCE) == 0

    def produce(self, topic: str, name: str, value: bytes) -> None:
        """Append one record, to the partition of a customer."""
        producer = Producer(self.kafka.producer())
        producer.produce(topic, value, name)
        assert producer.flush(PATIENCE) == 0

    def actions(self) -> list[Action]:
        """What the audit topic says, in order."""
        found: list[Action] = []
        stretch = whole(self.kafka, self.names.audit)
        look_through(self.kafka, stretch, lambda each: found.append(decode_action(each.value())))
        return sorted(found, key=lambda each: each.at)

    async def run(self, *arguments: str, rehearse: str = "") -> Answer:
        """Run a command to its end, or to where it is to be killed."""
        wishes = {"STREAMS_REHEARSE": rehearse} if rehearse else {}
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, "-m", "streams", *arguments],
            env=dict(os.environ) | self._environment | wishes,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return Answer(process.returncode or 0, out.decode(), err.decode())

    async def reconcile(self, *arguments: str) -> Answer:
        """Compare all rows with the vendor."""
        return await self.run("reconcile", "--against", self.vendor, "--all", *arguments)

    async def found(self, report: Path, *options: str) -> tuple[int, list[dict[str, Any]]]:
        """The exit status of a comparison, and each field that it found."""
        answer = await self.reconcile("--unmasked", "--report", str(report), *options)
        assert answer.code in {0, 1}, answer
        lines = await asyncio.to_thread(report.read_text)
        return answer.code, [json.loads(line) for line in lines.splitlines()]

    @property
    def posted(self) -> set[str]:
        """The paths that anything was sent to."""
        return {each.path for each in self.simulator.received if each.method == "POST"}

    def inject(self, changes: Iterable[Change]) -> None:
        """Change people at the vendor."""
        self.simulator.change(list(changes))

    async def low(self) -> list[dict[str, Any]]:
        """The events that the low lane holds."""
        return await asyncio.to_thread(self._read, self.names.low(self.vendor), "events/enriched")

    async def until_low_is_empty(self) -> None:
        """Wait until deliver has concluded every profile of the low lane that a run appended."""
        async with asyncio.timeout(4 * PATIENCE):
            while True:
                low, wanted = self.names.low(self.vendor), len(await self.low())
                outcomes = [each for each in await self.outcomes() if each["final"]]
                places = {(e["partition"], e["offset"]) for e in outcomes if e["topic"] == low}
                if len(places) >= wanted:
                    return
                await asyncio.sleep(0.2)


def fields_of(found: Iterable[Mapping[str, Any]]) -> list[Field]:
    """What a report says differs, in order."""
    return sorted((each["customer"], each["field"]) for each in found)


def wanted(injected: Mapping[int, Injected]) -> list[Field]:
    """What should be found, in order."""
    return sorted((key(n), field) for n, each in injected.items() for field in each.fields)
