"""What the demo sees from outside: topics, offsets and the simulators' own records."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import httpx2
from confluent_kafka import Consumer, Message, TopicPartition

from streams.avro import codec
from streams.demo import loyalty_fields
from streams.demo.attentive_bodies import STATUS
from streams.demo.compare import Received
from streams.demo.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.demo.parts import Vendor

SECONDS = 10.0
FINAL = "final"
REFUSED = ("refused", "dropped")
"""How the fates begin of records that a simulator did not keep, whatever the request got."""


class Topics:
    """Reads topics from their beginning, and how far groups are; joins no group."""

    def __init__(self, bootstrap: str) -> None:
        self._settings = {
            "bootstrap.servers": bootstrap,
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }

    def records(self, topic: str) -> Iterator[Message]:
        """Every committed record of a topic, partition by partition as they come."""
        consumer = Consumer(self._settings | {"group.id": "demo-reader"})
        try:
            known = consumer.list_topics(topic, SECONDS).topics[topic].partitions
            wanted = [TopicPartition(topic, number, 0) for number in known]
            ends = self._ends(wanted)
            consumer.assign(wanted)
            while ends:
                for message in consumer.consume(10_000, 1):
                    number = message.partition() or 0
                    if message.error() is None:
                        yield message
                    elif (message.offset() or 0) >= ends.get(number, 0):
                        # an end before the high watermark is that of an open transaction
                        ends.pop(number, None)
        finally:
            consumer.close()

    def _ends(self, wanted: list[TopicPartition]) -> dict[int, int]:
        """High watermarks: asked without isolation, or open transactions would hide the rest."""
        consumer = Consumer(
            self._settings | {"group.id": "demo-reader", "isolation.level": "read_uncommitted"}
        )
        try:
            return {w.partition: consumer.get_watermark_offsets(w, SECONDS)[1] for w in wanted}
        finally:
            consumer.close()

    def size(self, topic: str) -> int:
        """How many records a topic without transactions has."""
        consumer = Consumer(self._settings | {"group.id": "demo-reader"})
        try:
            numbers = consumer.list_topics(topic, SECONDS).topics[topic].partitions
        finally:
            consumer.close()
        return sum(self._ends([TopicPartition(topic, number) for number in numbers]).values())

    def behind(self, group: str, topic: str) -> int:
        """How many records of a topic without transactions a group has not committed yet."""
        # without isolation: else the answer waits for every transaction that holds an offset
        consumer = Consumer(
            self._settings | {"group.id": group, "isolation.level": "read_uncommitted"}
        )
        try:
            numbers = consumer.list_topics(topic, SECONDS).topics[topic].partitions
            committed = consumer.committed([TopicPartition(topic, n) for n in numbers], SECONDS)
            return sum(
                consumer.get_watermark_offsets(each, SECONDS)[1] - max(each.offset, 0)
                for each in committed
            )
        finally:
            consumer.close()


Verdicts = dict[tuple[str, str], Verdict]
"""(delivery id, part) → the last final outcome."""


def verdicts(topics: Topics, topic: str) -> defaultdict[str, Verdicts]:
    """Final outcomes by connection."""
    decode = codec("outcome").decode
    found: defaultdict[str, Verdicts] = defaultdict(dict)
    for message in topics.records(topic):
        record = decode(message.value())
        if record[FINAL]:
            verdict = Verdict(record["outcome"], record["reason"], record["recorded_at"])
            found[record["connection"]][record["delivery_id"], record["part"]] = verdict
    return found


def dead_letters(topics: Topics, topic: str) -> Counter[str]:
    """Dead letters by reason, each time that one was written; not those that say it is settled."""
    decode = codec("dead_letter").decode
    values = (message.value() for message in topics.records(topic))
    return Counter(decode(value)["reason"] for value in values if value is not None)


def derived(topics: Topics, topic: str) -> Counter[str]:
    """Events on a delivery topic by type."""
    decode = codec("events/enriched").decode
    return Counter(decode(message.value())["type"] for message in topics.records(topic))


class Metrics:
    """Sums of one process's metrics."""

    def __init__(self, url: str) -> None:
        self._client = httpx2.Client(base_url=url, timeout=10)

    def read(self) -> dict[str, float]:
        """Metric name → sum over its labels; empty while the process does not answer yet."""
        try:
            text = self._client.get("/metrics").text
        except httpx2.TransportError:
            return {}
        sums: defaultdict[str, float] = defaultdict(float)
        for line in text.splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                sums[name.split("{")[0]] += float(value)
        return dict(sums)

    def ready(self) -> bool:
        """Whether the process is a stable member with its state restored."""
        try:
            return self._client.get("/readyz").status_code == 200
        except httpx2.TransportError:
            return False

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()


def held_with(event_type: str, attributes: dict[str, str]) -> str | None:
    """The status that goes with an event: the subscriber's, or the member's."""
    loyalty = loyalty_fields.MARK in event_type
    return attributes.get(loyalty_fields.STATUS if loyalty else STATUS)


class Simulator:
    """A simulator's control routes.

    Args:
        url: where it listens.
        vendor: whose requests it takes.

    Attributes:
        requests: how many came so far, whatever became of them.
    """

    def __init__(self, url: str, vendor: Vendor) -> None:
        self._client = httpx2.Client(base_url=url, timeout=60)
        self._vendor = vendor
        self._seen = 0
        self._accepted: list[tuple[int, Received]] = []
        self.requests = 0

    def switch(self, **switches: Any) -> None:
        """Let the vendor behave otherwise."""
        self._client.put("/_control/switches", json={"switches": switches}).raise_for_status()

    def count(self) -> int:
        """How many records it took so far: of posts with a 2xx, those that it did not refuse."""
        while True:
            page: list[dict[str, Any]] = self._client.get(
                "/_control/requests", params={"since": self._seen, "limit": 5000}
            ).json()["requests"]
            if not page:
                return len(self._accepted)
            self._seen = page[-1]["sequence"]
            self.requests += len(page)
            for each in page:
                if each["method"] == "POST" and 200 <= (each["status"] or 0) < 300:
                    self._take(each)

    def _take(self, request: dict[str, Any]) -> None:
        at = datetime.fromisoformat(request["received_at"]).timestamp()
        records = self._vendor.records(request["body"])
        fates = request["fates"] or [request["fate"]] * len(records)
        self._accepted += [
            (request["sequence"], Received(request["path"], body, at))
            for body, fate in zip(records, fates, strict=True)
            if not fate.startswith(REFUSED)
        ]

    def accepted(self) -> list[Received]:
        """Those records, in order of arrival; with the status then held, if it keeps one."""
        self.count()
        keeps = self._vendor.keeps_status
        events = self._client.get("/_control/state").json()["events"] if keeps else []
        held = {each["sequence"]: held_with(each["type"], each["attributes"]) for each in events}
        return [one._replace(held=held.get(number)) for number, one in self._accepted]

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()
