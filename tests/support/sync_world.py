"""A shop behind a simulated Ordergroove, and the real command that reads it onto a real broker."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx2

from streams.avro import codec
from streams.demo.children import Child, stop
from streams.demo.observation import Topics
from streams.model.ids import is_nobody
from streams.model.row_bytes import decode_row
from streams.names import Names
from streams.simulators.ordergroove_shop import Shop
from streams.simulators.ordergroove_switches import Switches

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from streams.model.subscriber import Subscriber

MERCHANT = "5b1e9c0a7d3f4e2b8a6c1d0e9f8b7a65"
KEY = "a-key-of-the-shop"
PATIENCE = 60.0
GENERATING = 300.0
"""Seconds for a simulator to think of a large shop."""
LISTS = ("customers", "subscriptions", "orders", "items", "payments", "addresses")
IDS = {"customers": "merchant_user_id"}
SETTINGS = """\
prefix = "{prefix}"
[kafka]
bootstrap = "{bootstrap}"
[topics]
partitions = 3
replication = 1
[ordergroove.api.{merchant}]
url = "{url}"
requests_per_minute = 1000000
{more}
"""

Entity = tuple[str, str]
"""(list, id)."""


class Record(NamedTuple):
    """A record of the topic: where it lies, and what it says."""

    partition: int
    offset: int
    key: bytes
    said: dict[str, Any]

    @property
    def entity(self) -> Entity:
        """Which entity it is about."""
        told = json.loads(self.said["raw"])
        return told["entity"], str(told["object"][IDS.get(told["entity"], "public_id")])


class SyncWorld:
    """Topics of their own on a broker, a simulator, and commands run beside them."""

    def __init__(
        self,
        directory: Path,
        bootstrap: str,
        prefix: str,
        *,
        more: str = "",
        **switches: object,
    ) -> None:
        """Start the simulator and make the topics; `more` are settings, `switches` its own."""
        self.directory, self.names = directory, Names(prefix)
        self.topics, self.topic = Topics(bootstrap), Names(prefix).events("ordergroove")
        options = [f"--switch={name}={json.dumps(value)}" for name, value in switches.items()]
        options += ["--port", "0", "--limits", "off"]
        self.simulator = Child("api", ("simulate", "ordergroove", *options), directory, {})
        self.url = self.simulator.line("http", GENERATING)
        self.control = httpx2.Client(base_url=self.url, timeout=PATIENCE)
        (directory / "streams.toml").write_text(
            SETTINGS.format(
                prefix=prefix, bootstrap=bootstrap, merchant=MERCHANT, url=self.url, more=more
            )
        )
        Child("topics", ("topics", "create"), directory, {}).wait(PATIENCE)
        self._started = 0

    def start(self, *options: str, rehearse: str = "") -> Child:
        """Start `streams sync ordergroove` with these options."""
        self._started += 1
        environment = {f"STREAMS_ORDERGROOVE__API__{MERCHANT.upper()}__KEY": KEY}
        if rehearse:
            environment["STREAMS_REHEARSE"] = rehearse
        arguments = ("sync", "ordergroove", *options)
        return Child(f"sync-{self._started}", arguments, self.directory, environment)

    def sync(self, *options: str, seconds: float = PATIENCE) -> str:
        """Run it to its end; what it said."""
        child = self.start(*options)
        child.wait(seconds)
        return child.tail(200)

    def confirmed(self, *options: str, seconds: float = PATIENCE) -> str:
        """Run it with the number that it asks for."""
        return self.sync(*options, "--yes", self.asked(*options), seconds=seconds)

    def asked(self, *options: str) -> str:
        """The number that it asks for where nobody gives one."""
        child = self.start(*options)
        assert child.process.wait(PATIENCE) == 2, child.tail()
        found = re.search(r"--yes (\d+)", child.tail())
        assert found is not None, child.tail()
        return found[1]

    def put(self, kind: str, *entities: Mapping[str, object]) -> None:
        """Add or change entities of the shop."""
        body = {"entities": entities}
        self.control.put(f"/_control/entities/{kind}", json=body).raise_for_status()

    def entities(self, kind: str) -> Iterator[dict[str, Any]]:
        """All entities of a kind, as they are in truth."""
        offset = 0
        while page := self._page(kind, offset):
            yield from page
            offset += len(page)

    def _page(self, kind: str, offset: int) -> list[dict[str, Any]]:
        answer = self.control.get(
            f"/_control/entities/{kind}", params={"offset": offset, "limit": 5_000}
        )
        found: list[dict[str, Any]] = answer.json()["entities"]
        return found

    def asked_paths(self) -> list[str]:
        """The paths that the API was asked for, without a slash at the end."""
        parameters = {"since": 0, "limit": 1_000_000}
        answer = self.control.get("/_control/requests", params=parameters).json()
        return [each["path"] for each in answer["requests"]]

    def records(self) -> Iterator[Record]:
        """The records of the source topic; each partition's in order."""
        decode = codec("sources/ordergroove").decode
        for each in self.topics.records(self.topic):
            value, key = each.value(), each.key()
            assert value is not None
            assert key is not None
            yield Record(each.partition() or 0, each.offset() or 0, key, decode(value))

    def derived(
        self, wanted: dict[bytes, tuple[int, int]], seconds: float = PATIENCE
    ) -> dict[bytes, Subscriber]:
        """The rows that a derive worker makes of the topic, once they are as wanted.

        Or as they are when it had so much time.
        """
        worker = Child("derive", ("worker", "derive", "--port", "0"), self.directory, {})
        deadline = time.monotonic() + seconds
        try:
            while True:
                worker.check()
                rows = self._rows()
                if standings_of(rows) == wanted or time.monotonic() > deadline:
                    return rows
                time.sleep(seconds / 120)
        finally:
            stop([worker])

    def _rows(self) -> dict[bytes, Subscriber]:
        values: dict[bytes, bytes] = {}
        for each in self.topics.records(self.names.subscribers_changelog):
            key, value = each.key() or b"", each.value()
            if value is not None and not is_nobody(key):
                values[key] = value
        return {key: decode_row(value) for key, value in values.items()}

    def close(self) -> None:
        """End the simulator."""
        self.control.close()
        stop([self.simulator])


def generated(customers: int) -> tuple[list[Entity], dict[bytes, tuple[int, int]]]:
    """Every entity of a generated shop, and each customer's live and all subscriptions.

    What the simulator would say of it, made here at once: it thinks long of a large shop.
    """
    known = Switches(customers=customers)
    shop = Shop(MERCHANT, customers, known.seed, known.as_of, known.zone)
    entities: list[Entity] = []
    standings = {}
    for household in shop.households():
        for kind, each in household.items():
            entities += [(kind, str(one[IDS.get(kind, "public_id")])) for one in each]
        live = sum(bool(one["live"]) for one in household["subscriptions"])
        customer = household["customers"][0]["merchant_user_id"]
        standings[f"{MERCHANT}:{customer}".encode()] = (live, len(household["subscriptions"]))
    return entities, standings


def standings_of(rows: Mapping[bytes, Subscriber]) -> dict[bytes, tuple[int, int]]:
    """Key → live and all subscriptions, as rows have them."""
    return {key: (row.active, row.total) for key, row in rows.items()}
