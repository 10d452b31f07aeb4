"""Two sources in one derive worker, on a real broker: each with its lane, its table and its group.

The real commands make the topics, write webhooks of both, and run the worker.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from streams.avro import codec
from streams.demo.broker import free_ports
from streams.demo.observation import Metrics, Topics
from streams.model.row_bytes import decode_row
from streams.names import OKENDO, SOURCES, Names
from tests.support.engine_world import until
from tests.support.okendo import EMAIL, KEY, MEMBER, STORE, member, transaction
from tests.support.webhooks import CUSTOMER, MERCHANT, START, person, subscription, webhook

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE = 60.0
CUSTOMERS_KEY = f"{MERCHANT}:{CUSTOMER}".encode()
STREAMS = [sys.executable, "-m", "streams"]
SUBSCRIPTIONS = [
    webhook("subscriber.create", person(email="nina@shop-demo.io", last_updated=START)),
    webhook("subscription.create", subscription("oats", START)),
]
LOYALTY = [
    b'{"headers": {"svix-id": "msg_1"}, "body": %s}' % member("pending", 9).body,
    member("enrolled", 10).body,
    member("enrolled", 10).body,
    b'{"resourceType": "review", "topic": "create", "sequenceNumber": "1", "resource": {}}',
    transaction(sequence=11).body,
]


class Both:
    """The topics of one test, and the command line on them."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.names = Names(prefix)
        self.topics = Topics(bootstrap)
        self.environment = dict(os.environ) | {
            "STREAMS_PREFIX": prefix,
            "STREAMS_KAFKA__BOOTSTRAP": bootstrap,
            "STREAMS_TOPICS__PARTITIONS": "3",
            "STREAMS_TOPICS__REPLICATION": "1",
            "STREAMS_DERIVE__HISTORY": "complete",
            "STREAMS_DERIVE__FLOWS_FROM": "beginning",
            "STREAMS_OKENDO__TIERS": '["Silver", "Gold"]',
            "STREAMS_CONNECTIONS__KLAVIYO__MODE": "shadow",
        }

    def run(self, *arguments: str) -> str:
        """Run a command to its good end; what it said on standard output."""
        done = subprocess.run(
            [*STREAMS, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=PATIENCE,
        )
        return done.stdout

    def behind(self) -> int:
        """Records that the worker has not committed yet, of both sources."""
        each = map(self.names.derived, SOURCES)
        return sum(self.topics.behind(it.group, it.topic) for it in each)

    def told(self) -> dict[bytes, list[str]]:
        """Key → the types of its deliveries that are committed, in order."""
        decode = codec("events/enriched").decode
        found: dict[bytes, list[str]] = {}
        for message in self.topics.records(self.names.deliveries("klaviyo")):
            event = decode(message.value())
            found.setdefault(message.key() or b"", []).append(event["type"])
        return found


@pytest.fixture
def both(broker: str, prefix: str) -> Both:
    """Return topics made by the command."""
    made = Both(broker, prefix)
    made.run("topics", "create")
    return made


def test_one_worker_delivers_from_both_sources(both: Both, tmp_path: Path) -> None:
    """Subscriptions and loyalty reach one connection, each from its own table, once."""
    for source, lines in (("ordergroove", SUBSCRIPTIONS), (OKENDO, LOYALTY)):
        file = tmp_path / f"{source}.jsonl"
        file.write_bytes(b"\n".join(lines))
        both.run("produce", source, str(file))
    (port,) = free_ports(1)
    worker = subprocess.Popen(
        [*STREAMS, "worker", "derive", "--port", str(port)], env=both.environment
    )
    try:
        with closing(Metrics(f"http://127.0.0.1:{port}")) as metrics:
            until(metrics.ready, "both lanes are ready")
        until(lambda: both.behind() == 0, "both are committed")
        until(
            lambda: "subscriber.subscriptions_created" in both.told().get(CUSTOMERS_KEY, []),
            "the checkout is told",
        )
        told = both.told()
        shown = both.run("table", "get", f"{STORE}:{MEMBER}", "--table", "members")
    finally:
        worker.terminate()
        worker.wait(PATIENCE)
    dead = list(both.topics.records(both.names.dead_letters(OKENDO)))
    rows = list(both.topics.records(both.names.subscribers_changelog))

    assert ["profile.changed", "loyalty.enrolled", "loyalty.points_awarded"] == told[KEY]
    assert "subscriber.create" in told[CUSTOMERS_KEY]
    assert {KEY, CUSTOMERS_KEY} == told.keys()
    assert ["unknown_type"] == [
        codec("dead_letter").decode(message.value())["reason"] for message in dead
    ]
    assert {CUSTOMERS_KEY} == {message.key() for message in rows}
    assert 1 == decode_row(rows[-1].value() or b"").active
    assert "enrolled, version 2" in shown
    assert EMAIL not in shown
