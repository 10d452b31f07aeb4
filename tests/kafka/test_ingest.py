"""The ingest role as it runs: real command line, child process, broker, sockets."""

from __future__ import annotations

import hashlib
import hmac
import re
import signal
import time
from collections import Counter
from random import Random
from typing import TYPE_CHECKING

import httpx2
import pytest

from streams.avro import codec
from streams.demo.broker import Broker, free_ports
from streams.demo.children import Child, stop
from streams.demo.observation import Topics
from streams.demo.shop import Shop
from streams.names import Names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "route-key-1"
PATIENCE = 60.0
SETTINGS = """\
prefix = "{prefix}"
[kafka]
bootstrap = "{bootstrap}"
[topics]
partitions = 3
replication = 1
[ingest.ordergroove.{merchant}]
keys_file = "route.keys"
"""


def signed(body: bytes, key: str = KEY) -> dict[str, str]:
    """The header that Ordergroove would send now."""
    at = f"{time.time():.0f}"
    digest = hmac.new(key.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Ordergroove-Signature": f"ts={at},sig={digest}"}


class Role:
    """The role on a broker, for the merchant of the demo's shop."""

    def __init__(self, directory: Path, bootstrap: str, prefix: str) -> None:
        self.names, self.topics = Names(prefix), Topics(bootstrap)
        self.bodies = [*Shop(7, events=150), b"{broken", b'{"type": "gift.sent"}']
        found = re.search(rb'"merchant": ?"([0-9a-f]+)"', b"".join(self.bodies))
        assert found is not None
        self.merchant = found[1].decode()
        text = SETTINGS.format(prefix=prefix, bootstrap=bootstrap, merchant=self.merchant)
        (directory / "streams.toml").write_text(text)
        (directory / "route.keys").write_text(f"{KEY}\n")
        Child("topics", ("topics", "create"), directory, {}).wait(PATIENCE)
        [port] = free_ports(1)
        self.child = Child("ingest", ("ingest", "--port", str(port)), directory, {})
        self.client = httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE)
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            self.child.check()
            assert time.monotonic() < deadline, self.child.tail()
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            return self.client.get("/readyz").status_code == 200
        except httpx2.TransportError:
            return False

    def post(self, body: bytes) -> httpx2.Response:
        """Send a webhook as Ordergroove does."""
        path = f"/webhooks/ordergroove/{self.merchant}"
        return self.client.post(path, content=body, headers=signed(body))


@pytest.fixture
def role(broker: str, prefix: str, tmp_path: Path) -> Iterator[Role]:
    """The role on the tests' broker."""
    found = Role(tmp_path, broker, prefix)
    yield found
    found.client.close()
    stop([found.child])


def test_every_webhook_is_a_record_or_a_dead_letter(role: Role) -> None:
    """What is answered 200 is in Kafka by then; SIGTERM ends the role in order."""
    words = [role.post(body).json()["status"] for body in role.bodies]
    decode = codec("sources/ordergroove").decode
    events = [decode(m.value()) for m in role.topics.records(role.names.events("ordergroove"))]
    letters = list(role.topics.records(role.names.dead_letters("ordergroove")))
    metrics = role.client.get("/metrics").text
    role.child.process.send_signal(signal.SIGTERM)

    assert {"accepted", "dead_letter"} == set(words)
    assert words.count("accepted") == len(events) > 100
    assert words.count("dead_letter") == len(letters)
    assert {role.merchant} == {each["merchant"] for each in events}
    assert (
        f'streams_webhooks_total{{answer="accepted",source="ordergroove"}} {len(events)}.0'
        in metrics
    )
    assert role.child.process.wait(PATIENCE) == 0


def test_while_kafka_is_away_webhooks_are_503(tmp_path: Path, prefix: str) -> None:
    """The vendor comes again, and is told 200 when the broker has come back."""
    place = tmp_path / "role"
    place.mkdir()
    with Broker(tmp_path / "kafka", heap="256m") as local:
        role = Role(place, local.bootstrap, prefix)
        good = next(each for each in role.bodies if role.post(each).json()["status"] == "accepted")
        local.kill()
        away = role.post(good)
        unready = role.client.get("/readyz").status_code
        local.start()
        deadline = time.monotonic() + PATIENCE
        while role.post(good).status_code != 200:
            assert time.monotonic() < deadline
        ready = role.client.get("/readyz").status_code
        role.client.close()
        stop([role.child])

    assert (503, "30") == (away.status_code, away.headers["retry-after"])
    assert (503, 200) == (unready, ready)


def mutated(bodies: list[bytes], chance: Random) -> tuple[bytes, dict[bytes, bytes], bool]:
    """A body with something wrong, its headers, and whether they are a signature over it."""
    body = bytearray(chance.choice(bodies))
    for _ in range(chance.choice((0, 1, 1, 3, 40))):
        at = chance.randrange(len(body) or 1)
        match chance.randrange(4):
            case 0:
                body[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del body[at : at + chance.choice((1, 5, 500))]
            case 2:
                body[at:at] = chance.choice((b"null", b"[[[[", b"\x00", b"1e999", b'"', b"{}" * 50))
            case _:
                body[at:at] = body[: chance.choice((3, 60))]
    told = bytes(body)
    header = signed(told)["Ordergroove-Signature"]
    if chance.random() < 0.7:
        return told, {b"Ordergroove-Signature": header.encode()}, True
    place = chance.randrange(len(header))
    broken = header[:place] + chance.choice("g,=zé") + header[place + 1 :]
    return told, {b"Ordergroove-Signature": broken.encode()}, broken == header


@pytest.mark.parametrize("count", [2_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_of_mutated_requests_none_is_a_500_and_none_vanishes(role: Role, count: int) -> None:
    """Whatever is signed and 200 is in Kafka; whoever signs nothing is 401; the role lives on."""
    chance = Random(7)
    words: Counter[str] = Counter()
    path = f"/webhooks/ordergroove/{role.merchant}"
    for _ in range(count):
        body, headers, good = mutated(role.bodies, chance)
        response = role.client.post(path, content=body, headers=headers)
        assert response.status_code == (200 if good else 401), response.text
        words[response.json()["status"]] += 1
    events = list(role.topics.records(role.names.events("ordergroove")))
    letters = list(role.topics.records(role.names.dead_letters("ordergroove")))

    assert (words["accepted"], words["dead_letter"]) == (len(events), len(letters))
    assert min(len(events), len(letters)) > count / 20
    assert role.child.process.poll() is None
