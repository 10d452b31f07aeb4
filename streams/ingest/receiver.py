"""What becomes of a request: the answer that its vendor gets, and the record that Kafka gets.

A vendor that is answered 4xx tries again and in the end switches the address off. So whatever is
signed is 200 once the broker has it: as a record of the source, or with its bytes in the source's
dead letters. Only who cannot show a signature (401), an unknown address (404), and what no topic
would take (413) are refused; while the broker is away it is 503, and the vendor comes again.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass, field
from itertools import product
from random import randbytes
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, get_args

from streams.errors import BadRecord
from streams.ingest.signatures import BadSignature, Reason
from streams.model.dead_letter import body_dead_letter
from streams.model.ids import customer_key
from streams.model.trace import TRACEPARENT, traceparent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

log = logging.getLogger(__name__)

_TRACE_BYTES: Final = 24
RETRY_SECONDS: Final = 30
"""What `Retry-After` asks for while the broker is away; Ordergroove's first retry is a minute."""


NOBODYS_WORDS: Final = ("unknown_address", "too_large")
"""What becomes of what is at no address of ours."""
WORDS: Final = (
    "accepted",
    "dead_letter",
    "erased",
    "foreign",
    "test",
    "too_large",
    "kafka_away",
    *get_args(Reason),
)
"""What becomes of what is at one of ours."""


class Answer(NamedTuple):
    """What a vendor is told; `word` is all that the body says, and what is counted."""

    status: int
    word: str
    retry_after: int | None = None


def _nobody(merchant: str, customer_id: str, created: int) -> bool:
    """Nobody was erased."""
    del merchant, customer_id, created
    return False


class Sink(Protocol):
    """Where records go (`engine.producer.RecordProducer`)."""

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: list[tuple[str, str | bytes | None]] | None = None,
    ) -> asyncio.Future[tuple[int, int]]:
        """A future of the receipt, once the broker has the record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One address: a merchant's, or a store's.

    Attributes:
        source: whose webhooks come here.
        accounts: the merchants or stores that they may be about.
        verify: raises `BadSignature`, given headers (lower case), body, and the time in seconds.
        record_of: the source's record, given headers, body, and epoch milliseconds; `BadRecord`.
        topic: of the source's records.
        dead_letters: of the source.
        encode: a record into bytes.
        encode_dead_letter: likewise.
        tests: ids of customers that are only the vendor's tests, which are not kept.
    """

    source: str
    accounts: frozenset[str]
    verify: Callable[[Mapping[str, str], bytes, float], None] = field(repr=False)
    record_of: Callable[[Mapping[str, str], bytes, int], dict[str, Any]]
    topic: str
    dead_letters: str
    encode: Callable[[Mapping[str, Any]], bytes]
    encode_dead_letter: Callable[[Mapping[str, Any]], bytes]
    tests: frozenset[str] = frozenset()


class Receiver:
    """Takes requests, for one event loop.

    Attributes:
        answers: by (source, word), for metrics.
    """

    def __init__(
        self,
        routes: Mapping[str, Route],
        sink: Sink,
        now: Callable[[], float],
        *,
        patience: float,
        refused: tuple[type[Exception], ...],
        hides: Callable[[str, str, int], bool] = _nobody,
    ) -> None:
        """Take what it works with.

        Args:
            routes: by path.
            sink: an idempotent producer, `acks=all`.
            now: epoch seconds.
            patience: seconds for the broker's acknowledgement; Ordergroove waits five in all.
            refused: what the sink's futures raise where the broker does not take a record.
            hides: whether something is from before its customer was erased, by merchant, customer
                and when it was created (epoch milliseconds).
        """
        self._routes = routes
        self._sink = sink
        self._now = now
        self._patience = patience
        self._hides = hides
        self._refused: tuple[type[Exception], ...] = (*refused, TimeoutError)
        sources = {route.source for route in routes.values()}
        self.answers: Counter[tuple[str, str]] = Counter(
            # each begins with 0: an alert sees the first that comes
            dict.fromkeys([*product(sources, WORDS), *product([""], NOBODYS_WORDS)], 0)
        )
        self._away_until = 0.0

    @property
    def away(self) -> bool:
        """Whether Kafka did not take a record lately.

        After the time that vendors are told to wait nobody knows: whoever sends nothing here
        meanwhile, since this is not ready, must not keep it so.
        """
        return self._now() < self._away_until

    async def take(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Take a webhook; names of headers are in lower case."""
        route = self._routes.get(path)
        if route is None:
            return self._counted("", Answer(404, "unknown_address"))
        now = self._now()
        try:
            route.verify(headers, body, now)
        except BadSignature as bad:
            return self._counted(route.source, Answer(401, bad.reason))
        return self._counted(route.source, await self._keep(route, headers, body, now))

    def too_large(self, path: str) -> Answer:
        """What somebody is told whose body is larger than any topic takes; it was not read."""
        route = self._routes.get(path)
        return self._counted("" if route is None else route.source, Answer(413, "too_large"))

    async def _keep(
        self, route: Route, headers: Mapping[str, str], body: bytes, now: float
    ) -> Answer:
        received_at = int(now * 1_000)
        trace = traceparent(headers.get(TRACEPARENT), randbytes(_TRACE_BYTES))
        record, value = _record(route, headers, body, received_at)
        if isinstance(record, BadRecord):
            letter = body_dead_letter(record, body, received_at)
            value = route.encode_dead_letter(letter)
            answer = Answer(200, "dead_letter")
            return await self._sent(answer, route.dead_letters, letter["id"].encode(), value, trace)
        if record["customer_id"] in route.tests:
            return Answer(200, "test")
        if record["merchant"] not in route.accounts:
            return Answer(200, "foreign")
        if self._hides(record["merchant"], record["customer_id"], record["created"]):
            return Answer(200, "erased")
        key = customer_key(record["merchant"], record["customer_id"])
        return await self._sent(Answer(200, "accepted"), route.topic, key, value, trace)

    async def _sent(
        self, answer: Answer, topic: str, key: bytes, value: bytes, trace: str
    ) -> Answer:
        """The answer, once the broker has the record; what it may have got is told of again."""
        try:
            sent = self._sink.send(topic, key, value, [(TRACEPARENT, trace.encode())])
            sent.add_done_callback(self._heard)
            async with asyncio.timeout(self._patience):
                await asyncio.shield(sent)
        except self._refused:
            self._away_until = self._now() + RETRY_SECONDS
            return Answer(503, "kafka_away", RETRY_SECONDS)
        self._away_until = 0.0
        return answer

    def _heard(self, sent: asyncio.Future[tuple[int, int]]) -> None:
        """Look at what came of a record, also of one that nobody waits for any more."""
        if not sent.cancelled() and sent.exception() is None:
            self._away_until = 0.0

    def _counted(self, source: str, answer: Answer) -> Answer:
        self.answers[source, answer.word] += 1
        return answer


def _record(
    route: Route, headers: Mapping[str, str], body: bytes, at: int
) -> tuple[dict[str, Any] | BadRecord, bytes]:
    """The record of a body, and its bytes; or why there is none."""
    try:
        record = route.record_of(headers, body, at)
        return record, route.encode(record)
    except BadRecord as bad:
        return bad, b""
    except Exception as error:  # noqa: BLE001 - one body's bug must not lose it, nor stop others
        name = type(error).__name__
        log.error("%s: a webhook raised %s", route.source, name)  # noqa: TRY400 - may quote it
        return BadRecord("failed", None, f"{name} in ingest"), b""
