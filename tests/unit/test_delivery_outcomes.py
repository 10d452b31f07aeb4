"""What is written down: outcomes and dead letters as their Avro schemas want them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import fastavro
import msgspec
import pytest

from streams.avro import codec, releases
from streams.delivery.clock import Clock
from streams.delivery.connection import Connection
from streams.delivery.dead_letters import of_record
from streams.delivery.excerpt import Answer
from streams.delivery.fingerprints import Fingerprints
from streams.delivery.lately import LatelySent, Told
from streams.delivery.outcomes import MENTION_SECONDS, Desk, Outcomes
from streams.delivery.pending import Conclusion, Delivery, Step
from streams.delivery.statistics import Statistics
from streams.errors import BadRecord
from streams.model.delivery import LateError, Outcome, Request
from streams.model.ids import dead_letter_id
from tests.support.delivery import SECRET, identity
from tests.support.delivery_vendor import event

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.delivery.publisher import Outgoing

NOW = 1_790_000_123_456
BODY = {"data": {"email": "kim@shop-demo.io"}}
REJECTED = Conclusion(Outcome.REJECTED, "invalid", "data.email")


class Desktop:
    """A desk with a clock that stands still and a publisher that only takes note."""

    def __init__(self, record_of: Callable[[Request], str | None] | None = None) -> None:
        self.published: list[Outgoing] = []
        self.monotonic = 5.0
        self.statistics = Statistics()
        self.progressed: list[Delivery] = []
        desk = Desk(
            outcomes_topic="outcomes",
            dead_letters_topic="dead-letters",
            encode_outcome=codec("outcome").encode,
            encode_dead_letter=codec("dead_letter").encode,
            publisher=self,  # type: ignore[arg-type]
            fingerprints=Fingerprints(b"key"),
            clock=Clock(now=lambda: NOW, monotonic=lambda: self.monotonic),
        )
        connection = Connection(name="conn", destination="vendor", credentials=SECRET)
        told = self.progressed.append
        self.outcomes = Outcomes(connection, desk, self.statistics, told, record_of=record_of)
        self._acknowledged: list[Any] = []

    def publish(self, record: Outgoing, acknowledged: Any) -> None:
        """Take a record."""
        self.published.append(record)
        self._acknowledged.append(acknowledged)

    def bury(self) -> None:
        """Let the broker have the dead letters: outcomes follow them."""
        for record, each in zip(tuple(self.published), tuple(self._acknowledged), strict=True):
            if record.topic == "dead-letters":
                each(0)

    def acknowledge(self, *offsets: int) -> None:
        """Let the broker have the records."""
        for each, offset in zip(self._acknowledged, offsets, strict=True):
            each(offset)

    def decoded(self, topic: str) -> list[dict[str, Any]]:
        """The records of a topic, decoded."""
        name = {"outcomes": "outcome", "dead-letters": "dead_letter"}[topic]
        return [codec(name).decode(each.value) for each in self.published if each.topic == topic]


def delivery() -> Delivery:
    """A delivery record, rendered."""
    known = event()
    headers = {"redrive_of": b"7"}
    record = Delivery(1, "deliveries", 3, 9, 42, 1_790_000_000_000, b"m1:c1", b"bytes", headers)
    record.event, record.id, record.rendered = known, identity("c1-1"), True
    return record


def step() -> Step:
    """A part that was tried twice."""
    request = Request("POST", "/events", {}, BODY, "events")
    tried = Step("event", request, msgspec.json.encode(BODY), Outcome.DELIVERED)
    tried.attempts, tried.status, tried.latency = 2, 400, 0.2034
    return tried


def test_an_outcome_says_everything() -> None:
    """Who, what, how often, with which answer, over which record; the body only as hashes."""
    desk = Desktop()
    desk.outcomes.conclude(delivery(), "event", Conclusion(Outcome.DELIVERED, "note"), step())
    [outcome] = desk.decoded("outcomes")
    prints = Fingerprints(b"key")

    assert {
        "delivery_id": identity("c1-1"),
        "part": "event",
        "connection": "conn",
        "destination": "vendor",
        "event_id": "c1-1",
        "type": "order.success",
        "merchant": "m1",
        "customer_id": "c1",
        "outcome": "delivered",
        "reason": "note",
        "field": None,
        "final": True,
        "attempts": 2,
        "status": 400,
        "latency_ms": 203,
        "request_digest": prints.digest(step().body),
        "field_hashes": prints.fields(BODY),
        "topic": "deliveries",
        "partition": 3,
        "offset": 42,
        "occurred_at": 1_790_000_000_001,
        "recorded_at": NOW,
        "excerpt": None,
        "corrects": None,
    } == outcome


def test_an_outcome_lies_beside_its_delivery() -> None:
    """Same key, same partition number, and a header that names the connection."""
    desk = Desktop()
    desk.outcomes.conclude(delivery(), "event", Conclusion(Outcome.DELIVERED), step())
    [record] = desk.published

    assert ("outcomes", b"m1:c1", 3, [("connection", b"conn")]) == (
        record.topic,
        record.key,
        record.partition,
        record.headers,
    )


def test_nothing_was_sent() -> None:
    """A part that we refused has no request, no attempts, no answer."""
    desk = Desktop()
    desk.outcomes.conclude(delivery(), "event", Conclusion(Outcome.FILTERED, "late"))
    [outcome] = desk.decoded("outcomes")
    fields = "attempts", "status", "latency_ms", "request_digest", "field_hashes"

    assert [0, None, None, None, {}] == [outcome[each] for each in fields]


@pytest.mark.parametrize("outcome", list(Outcome))
def test_what_is_given_up_has_a_dead_letter(outcome: Outcome) -> None:
    """`rejected` and `expired` leave a dead letter, nothing else does."""
    desk = Desktop()
    desk.outcomes.conclude(delivery(), "event", Conclusion(outcome), step())
    wanted = [outcome.value] if outcome in {Outcome.REJECTED, Outcome.EXPIRED} else []

    assert wanted == [each["reason"] for each in desk.decoded("dead-letters")]
    assert dict.fromkeys(wanted, 1) == dict(desk.statistics.dead_letters)


def test_a_dead_letter_can_be_redriven() -> None:
    """It has the record's bytes, key and headers, where it stood, and why it was given up."""
    desk = Desktop()
    desk.outcomes.conclude(delivery(), "event", REJECTED, step())
    [letter] = desk.decoded("dead-letters")
    [record] = desk.published

    assert {
        "id": f"{identity('c1-1')}:event",
        "reason": "rejected",
        "field": "data.email",
        "detail": "rejected: invalid",
        "topic": "deliveries",
        "partition": 3,
        "offset": 42,
        "timestamp": 1_790_000_000_000,
        "key": b"m1:c1",
        "value": b"bytes",
        "headers": {"redrive_of": b"7"},
        "connection": "conn",
        "delivery_id": identity("c1-1"),
        "part": "event",
        "event_type": "order.success",
        "status": 400,
        "attempts": 2,
        "written_at": NOW,
    } == letter
    assert (f"{identity('c1-1')}:event".encode(), None) == (record.key, record.partition)


def test_a_record_that_cannot_be_read_has_the_id_of_its_place() -> None:
    """Nothing is known of its delivery; its id is the same whenever it is read again."""
    bad = BadRecord("malformed", None, "the bytes do not fit their schema")
    letter = of_record("conn", delivery(), bad, NOW)

    assert (dead_letter_id("deliveries", 3, 42), "malformed", "conn", b"bytes") == (
        letter["id"],
        letter["reason"],
        letter["connection"],
        letter["value"],
    )
    assert letter.keys() <= codec("dead_letter").decode(codec("dead_letter").encode(letter)).keys()


def test_a_delivery_is_settled_when_the_broker_has_everything() -> None:
    """First the dead letter, then the outcome: none that was given up is without its letter."""
    desk, record = Desktop(), delivery()
    desk.outcomes.conclude(record, "event", REJECTED, step())
    states = [(record.settled, record.unacknowledged)]
    [letter] = desk._acknowledged
    letter(4)
    states.append((record.settled, record.unacknowledged))
    [_, outcome] = desk._acknowledged
    outcome(70)
    states.append((record.settled, record.unacknowledged))

    assert ["dead-letters", "outcomes"] == [each.topic for each in desk.published]
    assert [(False, 2), (False, 1), (True, 0)] == states
    assert (70, 70, [record, record]) == (
        record.first_outcome,
        record.last_outcome,
        desk.progressed,
    )


def test_retrying_is_mentioned_now_and_then() -> None:
    """A part that is tried again says so at once, and at most once a minute; it is not final."""
    desk, record, tried = Desktop(), delivery(), step()
    for seconds in (0.0, 30.0, 29.9, 0.2):
        desk.monotonic += seconds
        desk.outcomes.mention(record, tried, Conclusion(Outcome.RETRYING, "timeout"))
    mentioned = desk.decoded("outcomes")

    assert MENTION_SECONDS == 60.0
    assert [("retrying", False)] * 2 == [(each["outcome"], each["final"]) for each in mentioned]
    assert (0, None) == (record.unacknowledged, record.first_outcome)


def test_refused_credentials_are_always_mentioned() -> None:
    """However shortly after a retry."""
    desk, tried = Desktop(), step()
    for outcome in (Outcome.RETRYING, Outcome.UNAUTHORIZED):
        desk.outcomes.mention(delivery(), tried, Conclusion(outcome, "HTTP 401"))

    assert ["retrying", "unauthorized"] == [each["outcome"] for each in desk.decoded("outcomes")]


def test_outcomes_are_counted() -> None:
    """By event type, part and outcome."""
    desk = Desktop()
    for _ in range(2):
        desk.outcomes.conclude(delivery(), "event", Conclusion(Outcome.DELIVERED), step())
    desk.outcomes.conclude(delivery(), "profile", REJECTED, step())
    desk.bury()

    assert {
        ("order.success", "event", "delivered"): 2,
        ("order.success", "profile", "rejected"): 1,
    } == dict(desk.statistics.outcomes)


REFUSAL = b'{"errors":[{"detail":"kim@shop-demo.io is not usable"}]}'
EXCERPT = '{"errors":[{"detail":"*** is not usable"}]}'


def answered() -> Step:
    """A part that was tried, with the vendor's answer."""
    tried = step()
    tried.answer = Answer(REFUSAL, [BODY])
    return tried


@pytest.mark.parametrize(
    ("conclusion", "excerpt"),
    [
        pytest.param(Conclusion(Outcome.DELIVERED), None, id="delivered, nothing to say"),
        pytest.param(Conclusion(Outcome.DELIVERED_NO_TRIGGER), None, id="too old, as known before"),
        pytest.param(Conclusion(Outcome.DELIVERED, "phone_number"), EXCERPT, id="in part"),
        pytest.param(REJECTED, EXCERPT, id="rejected"),
        pytest.param(Conclusion(Outcome.EXPIRED, "server_error"), EXCERPT, id="expired"),
    ],
)
def test_what_is_not_plainly_delivered_shows_the_answer(
    conclusion: Conclusion, excerpt: str | None
) -> None:
    """Masked; what went well needs no words."""
    desk = Desktop()
    desk.outcomes.conclude(delivery(), "event", conclusion, answered())
    desk.bury()

    assert [excerpt] == [each["excerpt"] for each in desk.decoded("outcomes")]


def test_a_retry_shows_the_answer_too() -> None:
    """An outcome that is not final says why."""
    desk = Desktop()
    desk.outcomes.mention(delivery(), answered(), Conclusion(Outcome.RETRYING, "server_error"))

    assert [EXCERPT] == [each["excerpt"] for each in desk.decoded("outcomes")]


def test_the_key_is_masked_in_an_answer() -> None:
    """A vendor may quote the credentials."""
    desk, tried = Desktop(), step()
    tried.answer = Answer(f"no such key {SECRET[:-9]} {SECRET[-9:]}".encode(), [])
    desk.outcomes.mention(delivery(), tried, Conclusion(Outcome.UNAUTHORIZED, "HTTP 401"))

    assert ["no such key ***"] == [each["excerpt"] for each in desk.decoded("outcomes")]


def name_of(request: Request) -> str | None:
    """How the vendor's list of late errors would name what a request sends."""
    name: str = request.body["data"]["email"]
    return name


def test_a_late_error_corrects_the_outcome_of_the_record_that_it_names() -> None:
    """Same delivery, part, key and partition; it refers to the outcome that turned out wrong."""
    desk = Desktop(name_of)
    desk.outcomes.conclude(delivery(), "event", Conclusion(Outcome.DELIVERED), step())
    desk.acknowledge(70)
    desk.outcomes.note_late_error(LateError("data.email", "kim@shop-demo.io"))
    first, second = desk.decoded("outcomes")
    changed = {name: (first[name], second[name]) for name in first if first[name] != second[name]}

    assert {
        "outcome": ("delivered", "rejected"),
        "reason": (None, "late_error"),
        "field": (None, "data.email"),
        "field_hashes": (first["field_hashes"], {}),
        "corrects": (None, 70),
    } == changed
    assert len({(each.topic, each.key, each.partition) for each in desk.published}) == 1
    assert desk.statistics.outcomes["order.success", "event", "rejected"] == 1


@pytest.mark.parametrize(
    ("conclusion", "record"),
    [
        pytest.param(Conclusion(Outcome.DELIVERED), None, id="it names nobody"),
        pytest.param(Conclusion(Outcome.DELIVERED), "noor@shop-demo.io", id="somebody else"),
        pytest.param(REJECTED, "kim@shop-demo.io", id="what was never taken"),
    ],
)
def test_another_late_error_belongs_to_no_delivery(
    conclusion: Conclusion, record: str | None
) -> None:
    """It is seen and counted, and no outcome is made wrong by it."""
    desk = Desktop(name_of)
    desk.outcomes.conclude(delivery(), "event", conclusion, step())
    for acknowledged in list(desk._acknowledged):
        acknowledged(70)
    desk.outcomes.note_late_error(LateError("data.email", record))
    *_, late = desk.decoded("outcomes")

    assert ("", "", "rejected", "late_error", "data.email", None) == tuple(
        late[name] for name in ("delivery_id", "part", "outcome", "reason", "field", "corrects")
    )
    assert desk.statistics.outcomes["", "late_error", "rejected"] == 1


def test_an_outcome_that_the_broker_has_not_yet_is_not_corrected() -> None:
    """There is no offset to refer to."""
    desk = Desktop(name_of)
    desk.outcomes.conclude(delivery(), "event", Conclusion(Outcome.DELIVERED), step())
    desk.outcomes.note_late_error(LateError("data.email", "kim@shop-demo.io"))

    assert [None, None] == [each["corrects"] for each in desk.decoded("outcomes")]


def test_the_oldest_is_forgotten() -> None:
    """What was sent lately is bounded, and of one id the last counts."""
    lately = LatelySent(2)
    for offset, record in enumerate(["a", "b", "a", "c"]):
        lately.note(record, Told({}, None, 0, offset))
    found = [lately.named(each) for each in ("a", "b", "c", "d", None)]

    assert [2, None, 3, None, None] == [each and each.offset for each in found]


def test_outcomes_are_read_by_the_last_release_and_the_other_way_round() -> None:
    """What an older reader does not know it passes over; what an older writer lacks is null."""
    desk = Desktop()
    desk.outcomes.conclude(delivery(), "event", REJECTED, answered())
    desk.bury()
    [written] = [each.value or b"" for each in desk.published if each.topic == "outcomes"]
    ours: Any = codec("outcome").schema
    then: Any = fastavro.parse_schema(releases()[0].schemas["outcome"])
    known: Any = fastavro.schemaless_reader(io.BytesIO(written[5:]), ours, then)
    old = io.BytesIO()
    fastavro.schemaless_writer(old, then, known)
    back = codec("outcome").decode(releases()[0].ids["outcome"].to_bytes(5, "big") + old.getvalue())
    new = codec("outcome").decode(written)

    assert known.keys() == new.keys() - {"excerpt", "corrects"}
    assert {**new, "excerpt": None, "corrects": None} == back
    assert EXCERPT == new["excerpt"]
