"""Webhooks over a real socket: who is let in, what each is told, and where it goes."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx2
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.errors import BadRecord, ConfigurationError
from streams.ingest.keys import Keys
from streams.ingest.receiver import Receiver, Route
from streams.ingest.server import application, serve
from streams.ingest.signatures import (
    BadSignature,
    signed_by_okendo,
    signed_by_ordergroove,
    usable_secret,
)
from streams.model.trace import trace_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

KEY, OLD, NOW = "example-verification-key", "the-former-key", 1_760_000_000.0
VECTOR = b'{"id":"0d2c6b0f5a7e4b1c9a3f2e1d0c9b8a77","type":"subscription.create"}'
SIGNED = "676ff344a8e0bbaf7d5646afe375848971d48837ab43f5df5ead1cbb20a47f77"
"""contracts/ordergroove.md §1.4."""
OKENDO = b'{"resourceType":"loyalty_customer","topic":"update"}'
SECRET = "whsec_b2tlbmRvLWRlbW8tc2VjcmV0LTI0Ynl0"
SVIX = "v1,H3Js0KDZ/3w+vkuGNNz7yTU6pH+w/rPEUh3+/tQUGow="
"""contracts/okendo.md."""


def signature(body: bytes, key: str = KEY, at: float = NOW) -> str:
    """What Ordergroove would send."""
    told = f"{at:.0f}"
    digest = hmac.new(key.encode(), told.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"ts={told},sig={digest}"


def svix(name: str = "svix") -> dict[str, str]:
    """The headers of the contract's vector."""
    return {
        f"{name}-id": "msg_demo01",
        f"{name}-timestamp": f"{NOW:.0f}",
        f"{name}-signature": f"v1,AAAA {SVIX}",
    }


def refusal(verify: Callable[..., None], *told: Any) -> str | None:
    """Why a signature is refused, in all the words that there are; None where it is let in."""
    try:
        verify(*told)
    except BadSignature as refused:
        return str(refused)
    return None


@pytest.mark.parametrize(
    "header",
    [
        f"ts=1760000000,sig={SIGNED}",
        f"ts=1760000000, sig={'0' * 64}, sig={SIGNED}",
        f"sig={SIGNED},ts=1760000000",
    ],
)
def test_what_ordergroove_signed_is_let_in(header: str) -> None:
    """One of two signatures is enough, in any order."""
    assert refusal(signed_by_ordergroove, header, VECTOR, [OLD, KEY], NOW + 299, 300) is None


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, "no_signature"),
        ("", "no_signature"),
        ("ts=1760000000", "no_signature"),
        (f"sig={SIGNED}", "malformed_signature"),
        (f"ts=17600000x0,sig={SIGNED}", "malformed_signature"),
        (f"ts=١٧٦٠٠٠٠٠٠٠,sig={SIGNED}", "malformed_signature"),
        (f"ts=1760000000,ts=1760000000,sig={SIGNED}", "malformed_signature"),
        (f"ts=1759999000,sig={SIGNED}", "wrong_time"),
        (f"ts={'9' * 400},sig={SIGNED}", "wrong_time"),
        (f"ts=1760000000,sig={SIGNED.upper()}", "no_match"),
        (f"ts=1760000001,sig={SIGNED}", "no_match"),
        (f"ts=1760000000,sig={SIGNED[:-1]}", "no_match"),
        ("ts=1760000000,sig=é", "no_match"),
        (f"ts=1760000000{',sig=0' * 8},sig={SIGNED}", "no_match"),
    ],
)
def test_who_did_not_sign_is_not(header: str | None, reason: str) -> None:
    """With a word for metrics, and nothing of what was sent."""
    assert reason == refusal(signed_by_ordergroove, header, VECTOR, [KEY], NOW, 300)


@pytest.mark.parametrize("name", ["svix", "webhook"])
def test_what_okendo_signed_is_let_in(name: str) -> None:
    """By either name of the headers, by either secret."""
    told = svix(name), OKENDO, ["whsec_b3RoZXI=", SECRET], NOW - 299, 300

    assert refusal(signed_by_okendo, *told) is None


@pytest.mark.parametrize(
    ("changed", "body", "reason"),
    [
        ({"svix-id": ""}, OKENDO, "no_signature"),
        ({"svix-timestamp": "soon"}, OKENDO, "malformed_signature"),
        ({"svix-timestamp": "1759999000"}, OKENDO, "wrong_time"),
        ({"svix-id": "msg_demo02"}, OKENDO, "no_match"),
        ({"svix-signature": "v1 v2, ,"}, OKENDO, "no_match"),
        ({"svix-signature": SVIX.replace("v1", "v2")}, OKENDO, "no_match"),
        ({}, OKENDO + b" ", "no_match"),
        ({}, b"\xff\xfe", "no_match"),
    ],
)
def test_what_okendo_did_not_sign_is_not(changed: dict[str, str], body: bytes, reason: str) -> None:
    """Likewise."""
    assert reason == refusal(signed_by_okendo, svix() | changed, body, [SECRET], NOW, 300)


def test_a_secret_has_a_form() -> None:
    """Base64, with or without its prefix; not nothing."""
    assert [True, True, False, False] == [
        usable_secret(each) for each in (SECRET, SECRET[6:], "", "whsec_")
    ]


class Kafka:
    """A producer that takes records, or does not."""

    def __init__(self) -> None:
        self.records: list[tuple[str, bytes | None, bytes | None]] = []
        self.traces: list[list[tuple[str, str | bytes | None]]] = []
        self.trouble: Exception | None = None
        self.silent = False
        self.unheard: list[asyncio.Future[tuple[int, int]]] = []

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: list[tuple[str, str | bytes | None]] | None = None,
    ) -> asyncio.Future[tuple[int, int]]:
        """Note a record."""
        future: asyncio.Future[tuple[int, int]] = asyncio.get_running_loop().create_future()
        if isinstance(self.trouble, BufferError):
            raise self.trouble
        if self.trouble is not None:
            future.set_exception(self.trouble)
        elif not self.silent:
            self.records.append((topic, key, value))
            self.traces.append(headers or [])
            future.set_result((0, 0))
        else:
            self.unheard.append(future)
        return future


def read(_: Mapping[str, str], body: bytes, at: int) -> dict[str, Any]:
    """What stands for a source's mapping: `bug` raises, what is no object is malformed."""
    try:
        told = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        told = None
    if not isinstance(told, dict) or not isinstance(told.get("customer"), str):
        raise BadRecord("malformed", None, "no object")
    if told["customer"] == "bug":
        raise KeyError("jane@shop-demo.io")
    merchant = str(told.get("merchant", "m1"))
    return {"merchant": merchant, "customer_id": told["customer"], "at": at, "created": at}


def verify(headers: Mapping[str, str], body: bytes, now: float) -> None:
    """Only what our key signed is let in."""
    signed_by_ordergroove(headers.get("ordergroove-signature"), body, [KEY], now, 300)


ROUTE = Route(
    source="ordergroove",
    accounts=frozenset({"m1"}),
    verify=verify,
    record_of=read,
    topic="events",
    dead_letters="letters",
    encode=msgspec.json.encode,
    encode_dead_letter=msgspec.json.encode,
    tests=frozenset({"probe"}),
)


def receiver_of(
    kafka: Kafka, now: Callable[[], float] = lambda: NOW, *, erased_at: int = 0
) -> Receiver:
    """What takes webhooks of a merchant."""
    return Receiver(
        {"/webhooks/ordergroove/m1": ROUTE},
        kafka,
        now,
        patience=0.05,
        refused=(ConnectionError, BufferError),
        hides=lambda merchant, customer, at: (
            (merchant, customer) == ("m1", "c1") and at < erased_at
        ),
    )


def answered(
    *requests: tuple[str, dict[str, str], bytes],
    kafka: Kafka | None = None,
    erased_at: int = 0,
) -> tuple[list[httpx2.Response], Kafka, Receiver]:
    """What requests are answered, one after the other, by a server on a socket."""
    kafka = kafka or Kafka()
    receiver = receiver_of(kafka, erased_at=erased_at)
    app = application(receiver, max_body=1_000, metrics=lambda: (b"metrics", "text/plain"))

    async def story() -> list[httpx2.Response]:
        async with serve(app, "127.0.0.1", 0) as url, httpx2.AsyncClient(base_url=url) as client:
            return [
                await client.request("POST" if path.startswith("/webhooks") else "GET", path,
                                     headers=headers, content=body)
                for path, headers, body in requests
            ]  # fmt: skip

    return asyncio.run(story()), kafka, receiver


def told(body: bytes, path: str = "m1", **headers: str) -> tuple[str, dict[str, str], bytes]:
    """A request that is signed."""
    signed = {"OrderGroove-Signature": signature(body)} | headers
    return f"/webhooks/ordergroove/{path}", signed, body


def signed(body: bytes) -> tuple[str, dict[str, str], bytes]:
    """The same, as a receiver takes it."""
    path, headers, _ = told(body)
    return path, {name.lower(): value for name, value in headers.items()}, body


GOOD = b'{"customer":"c1"}'


def test_a_trace_goes_on_with_the_record() -> None:
    """The one that the request told, or one of its own (W3C trace context)."""
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    _, kafka, _ = answered(told(GOOD, traceparent=trace), told(GOOD), told(GOOD, traceparent="?"))
    kept = [value for [(name, value)] in kafka.traces if name == "traceparent"]

    assert trace.encode() == kept[0]
    assert 3 == len(set(kept))
    assert all(isinstance(each, bytes) and trace_of({"traceparent": each}) for each in kept)


def test_what_is_signed_is_200_once_kafka_has_it() -> None:
    """A record under its customer's key."""
    [response], kafka, receiver = answered(told(GOOD))

    assert (200, {"status": "accepted"}) == (response.status_code, response.json())
    assert [("events", b"m1:c1")] == [each[:2] for each in kafka.records]
    assert {("ordergroove", "accepted"): 1} == +receiver.answers


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"[1]", "malformed"), (b"\xff", "malformed"), (b'{"customer":"bug"}', "failed")],
)
def test_what_cannot_be_read_is_200_and_a_dead_letter(body: bytes, reason: str) -> None:
    """With its bytes; a bug of ours loses nothing, and quotes nobody."""
    [response], kafka, _ = answered(told(body))
    [(topic, _, value)] = kafka.records
    letter = msgspec.json.decode(value or b"")

    assert (200, {"status": "dead_letter"}) == (response.status_code, response.json())
    assert ("letters", reason) == (topic, letter["reason"])
    assert body == base64.b64decode(letter["value"])
    assert "jane" not in letter["detail"]


def test_who_cannot_show_a_signature_is_401() -> None:
    """And nothing of it goes anywhere."""
    path, _, body = told(GOOD)
    responses, kafka, receiver = answered(
        (path, {}, body), (path, {"Ordergroove-Signature": signature(b"other")}, body)
    )

    assert [401, 401] == [each.status_code for each in responses]
    assert [] == kafka.records
    assert {"no_signature", "no_match"} == {word for _, word in +receiver.answers}


def test_unknown_addresses_and_bodies_that_are_too_large() -> None:
    """404 and 413, whoever sends them."""
    large = b'{"customer":"' + b"c" * 2_000 + b'"}'
    responses, kafka, receiver = answered(told(GOOD, "m2"), told(large))

    assert [404, 413] == [each.status_code for each in responses]
    assert [] == kafka.records
    assert {("", "unknown_address"): 1, ("ordergroove", "too_large"): 1} == +receiver.answers


def test_tests_and_others_are_200_and_not_kept() -> None:
    """By what is set for the address."""
    responses, kafka, receiver = answered(
        told(b'{"customer":"probe"}'), told(b'{"customer":"c1","merchant":"m2"}')
    )

    assert ["test", "foreign"] == [each.json()["status"] for each in responses]
    assert ([], 2) == (kafka.records, sum(receiver.answers.values()))


@pytest.mark.parametrize(("later", "word"), [(1, "erased"), (0, "accepted")])
def test_what_is_from_before_an_erase_is_200_and_not_kept(later: int, word: str) -> None:
    """A retry of days later must not bring somebody back; what is younger is kept."""
    responses, kafka, receiver = answered(
        told(GOOD), told(b'{"customer":"c2"}'), erased_at=int(NOW * 1_000) + later
    )

    assert [word, "accepted"] == [each.json()["status"] for each in responses]
    assert 2 - (word == "erased") == len(kafka.records)
    assert 1 <= receiver.answers["ordergroove", word]


@pytest.mark.parametrize("trouble", [ConnectionError("away"), BufferError("full"), None])
def test_while_kafka_is_away_the_vendor_comes_again(trouble: Exception | None) -> None:
    """503 with Retry-After, and unready."""
    kafka = Kafka()
    kafka.trouble, kafka.silent = trouble, trouble is None
    [response, page], _, receiver = answered(told(GOOD), ("/readyz", {}, b""), kafka=kafka)

    assert (503, "30") == (response.status_code, response.headers["retry-after"])
    assert (503, True) == (page.status_code, receiver.away)


def test_ingest_is_ready_again_though_nobody_calls() -> None:
    """Who is unready gets no webhooks that could show that Kafka is back."""
    kafka, clock = Kafka(), [NOW]
    kafka.trouble = ConnectionError("away")
    receiver = receiver_of(kafka, lambda: clock[0])
    asyncio.run(receiver.take(*signed(GOOD)))
    seen = [receiver.away]
    for seconds in (29, 2):
        clock[0] += seconds
        seen.append(receiver.away)

    assert [True, True, False] == seen


@pytest.mark.parametrize("late", [False, True], ids=["the next record", "the same one, late"])
def test_ingest_is_ready_as_soon_as_kafka_has_taken_a_record(*, late: bool) -> None:
    """Whether a vendor still waits for the answer or not."""

    async def story() -> list[bool]:
        kafka = Kafka()
        kafka.silent = True
        receiver = receiver_of(kafka)
        await receiver.take(*signed(GOOD))
        seen = [receiver.away]
        if late:
            kafka.unheard[0].set_result((0, 0))
            await asyncio.sleep(0)
        else:
            kafka.silent = False
            await receiver.take(*signed(GOOD))
        return [*seen, receiver.away]

    assert [True, False] == asyncio.run(story())


def test_every_answer_is_counted_from_the_start() -> None:
    """An alert sees the first of its kind: nothing → 1 would be no increase to Prometheus."""
    counted = dict(receiver_of(Kafka()).answers)
    words = {word for source, word in counted if source == "ordergroove"}

    assert {0} == set(counted.values())
    assert {"accepted", "too_large", "kafka_away", "no_match", "dead_letter"} <= words
    assert {"unknown_address", "too_large"} == {word for source, word in counted if not source}


@settings(max_examples=300, deadline=None)
@given(
    body=st.binary(max_size=60) | st.just(GOOD),
    header=st.text(max_size=120) | st.just(signature(GOOD)),
    path=st.sampled_from(["/webhooks/ordergroove/m1", "/webhooks/ordergroove/", "/webhooks/x"]),
    signs=st.booleans(),
)
def test_no_request_is_a_500_and_none_vanishes(
    body: bytes, header: str, path: str, signs: bool
) -> None:
    """Each is answered by a word, and what is answered 200 is in Kafka."""
    kafka = Kafka()
    headers = {"ordergroove-signature": signature(body) if signs else header}

    routes = {"/webhooks/ordergroove/m1": replace(ROUTE, tests=frozenset())}
    receiver = Receiver(routes, kafka, lambda: NOW, patience=1.0, refused=(ConnectionError,))
    answer = asyncio.run(receiver.take(path, headers, body))

    assert answer.status in {200, 401, 404}
    assert (answer.status == 200) == bool(kafka.records)
    assert 1 == sum(receiver.answers.values())


def test_keys_are_read_again_when_their_file_changes(tmp_path: Path) -> None:
    """Once a second; the former ones stay while there is nothing better."""
    file, now = tmp_path / "keys", [0.0]
    file.write_text(f"{KEY}\n\n")
    keys = Keys("ingest.ordergroove.m1.keys_file", file, lambda: now[0])
    found = [keys()]
    for at, text in ((0.5, "soon"), (2.0, f"new-key\n{KEY}\n"), (4.0, ""), (6.0, "another one")):
        file.write_text(text)
        now[0] = at
        found.append(keys())
    file.unlink()
    now[0] = 8.0
    found.append(keys())

    assert [(KEY,), (KEY,), ("new-key", KEY), ("new-key", KEY), ("another one",)] == found[:5]
    assert ("another one",) == found[5]


@pytest.mark.parametrize("text", [None, "", "\n", "whsec_"])
def test_without_keys_nothing_begins(tmp_path: Path, text: str | None) -> None:
    """The error names the setting, and not what is in the file."""
    file = tmp_path / "keys"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigurationError, match=r"ingest\.okendo\.s1\.keys_file"):
        Keys("ingest.okendo.s1.keys_file", file, lambda: 0.0, usable_secret)
