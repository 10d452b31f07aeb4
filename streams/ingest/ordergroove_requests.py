"""Requests to Ordergroove's REST API: each is tried until it has an answer.

What passes is waited for here: our own limit, a lock (423), theirs (429), a server's trouble (5xx),
no answer (contracts/ordergroove.md §2: judged by status alone, its messages change).

    StreamsError
    ├── ConfigurationError
    │   └── ApiRefused   401, 403: the key is wrong, or may not do this
    ├── ApiAway          no usable answer within the caller's patience
    └── ApiUnexpected    an answer that the contract does not have: asking again would not help

Neither errors nor logs hold keys, ids or filters.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import nullcontext
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import httpx2
import msgspec

from streams.errors import ConfigurationError, StreamsError

from .ordergroove_progress import Progress

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

log = logging.getLogger(__name__)

ENDPOINT: Final = "api"
"""What a `Pace` counts all requests as: the limit is on an IP address, whatever is asked (§2)."""

_AT_ONCE: Final = 5
"""Requests at a time: as many threads as the pagination page allows (§2)."""

_LONG: Final = 3_600.0
"""Seconds of patience of a caller that does not say: a sync outlasts a maintenance."""

_LONGEST_TIMEOUT: Final = 10
"""An answer that is slow is given longer each time, up to so many timeouts."""

_LOCKED: Final = 423
_THROTTLED: Final = 429
_PASSING: Final = frozenset({408, _LOCKED, _THROTTLED})

_LARGEST_ANSWER: Final = 64 << 20
"""Bytes; a page of a hundred has some 100,000, but a wrong address may lead to anything."""


class Pace(Protocol):
    """The limit on requests that all clients of a process keep (`delivery.limits.Limiter`)."""

    def take(self, endpoint: str) -> float:
        """Count a request that starts now and return 0, or the seconds to wait instead."""

    def throttled(self, endpoint: str, seconds: float, latency: float = 0.0) -> bool:
        """Take a 429: pause for so long, and go on more slowly."""


class Manners(NamedTuple):
    """How politely it asks.

    Attributes:
        pace: the limit that it keeps.
        wait: seconds before the next attempt, of the number of failed ones, a random number in
            [0, 1) and what the vendor said (`delivery.retry.Schedule.wait`).
        retry_after: what the vendor said, of an answer's headers in lower case.
        random: a number in [0, 1).
        clock: monotonic seconds.
        sleep: waits so many seconds.
    """

    pace: Pace
    wait: Callable[[int, float, float | None], float]
    retry_after: Callable[[Mapping[str, str]], float | None]
    random: Callable[[], float]
    clock: Callable[[], float] = monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class ApiRefused(ConfigurationError):
    """The API does not let us in, or not do this. Names the setting of the key."""


class ApiAway(StreamsError):
    """No usable answer came for as long as the caller was patient."""


class ApiUnexpected(StreamsError):
    """An answer that the contract does not have."""


class _Passing(Exception):
    """What kept us from an answer may be over the next time.

    `after` is what the vendor asked to wait for; `slow`: the answer took too long; `status`: of the
    answer, 0 where it was none of the API's.
    """

    def __init__(
        self, why: str, after: float | None = None, *, slow: bool = False, status: int = 0
    ) -> None:
        super().__init__(why)
        self.why = why
        self.after = after
        self.slow = slow
        self.status = status


class _Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    content: bytes


class Requests:
    """What is asked of one merchant's account. For one event loop.

    Attributes:
        progress: of all that is asked.
    """

    def __init__(
        self,
        url: str,
        key: str | Callable[[], str],
        merchant: str,
        manners: Manners,
        timeout: float,
    ) -> None:
        """Take what `OrdergrooveApi` is made of."""
        self._url = url.rstrip("/")
        self._key = key
        self._merchant = merchant
        self._setting = f"ordergroove.api.{merchant}.key"
        self._manners = manners
        self._timeout = timeout
        self.progress = Progress()
        self._slots = asyncio.Semaphore(_AT_ONCE)
        # Neither a proxy nor a .netrc of the environment; never after a redirect, with the key.
        self._client = httpx2.AsyncClient(timeout=None, trust_env=False, follow_redirects=False)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def ask(
        self, entity: str, path: str, decoder: msgspec.json.Decoder[Any], patience: float | None
    ) -> Any:
        """Ask until there is an answer: what it tells, None for 404.

        Args:
            entity: what is asked about; for errors.
            path: below the API's address, with its query.
            decoder: of the body.
            patience: seconds that it may take with all attempts; None: an hour.

        Raises:
            ApiRefused, ApiAway, ApiUnexpected: see the module.
        """
        seconds = _LONG if patience is None else patience
        ends = self._manners.clock() + seconds
        try:
            with self.progress.trying():
                async with asyncio.timeout(seconds):
                    return await self._persist(entity, path, decoder, ends)
        except TimeoutError:
            raise self._away(entity, "no answer") from None

    async def _persist(
        self, entity: str, path: str, decoder: msgspec.json.Decoder[Any], ends: float
    ) -> Any:
        """Ask again and again, until the clock shows `ends`."""
        manners, why, timeouts = self._manners, "our own limit", 1
        for attempt in count(1):
            while (held := manners.pace.take(ENDPOINT)) > 0:
                await self._sleep(held, ends, entity, why, held=True)
            try:
                answer = await self._attempt(entity, path, self._timeout * timeouts)
                found = _read(entity, answer, decoder)
                self.progress.heard += 1
                return found
            except _Passing as passing:
                why, after, status = passing.why, passing.after, passing.status
                self.progress.heard += status in {_LOCKED, _THROTTLED}
                timeouts = min(2 * timeouts, _LONGEST_TIMEOUT) if passing.slow else timeouts
            wait = manners.wait(attempt, manners.random(), after)
            log.info("%s of %s: %s, again in %.1f s", entity, self._merchant, why, wait)
            await self._sleep(wait, ends, entity, why, held=status == _THROTTLED)
        raise AssertionError

    async def _attempt(self, entity: str, path: str, within: float) -> _Answer:
        """One request and its answer, if it is one that tells something.

        Raises:
            _Passing: it does not, or there is none.
            ApiRefused, ApiUnexpected: see the module.
        """
        began = self._manners.clock()
        try:
            async with self._slots, asyncio.timeout(within):
                answer = await self._send(entity, path)
        except TimeoutError:
            raise _Passing("no answer in time", slow=True) from None
        except (httpx2.TransportError, httpx2.DecodingError, OSError):
            raise _Passing("no connection, or a broken one") from None
        status, after = answer.status, self._manners.retry_after(answer.headers)
        if status == _THROTTLED:
            pause = self._manners.wait(1, self._manners.random(), after)
            self._manners.pace.throttled(ENDPOINT, pause, self._manners.clock() - began)
        if status in _PASSING or status >= 500:
            raise _Passing(f"status {status}", after, status=status)
        if status in {401, 403}:
            raise self._refused(entity, status)
        return answer

    async def _send(self, entity: str, path: str) -> _Answer:
        url, content = f"{self._url}/{path}", bytearray()
        async with self._client.stream("GET", url, headers=self._headers()) as answer:
            async for chunk in answer.aiter_bytes():
                content += chunk
                if len(content) > _LARGEST_ANSWER:
                    raise unexpected(entity, "an endless body")
            return _Answer(answer.status_code, answer.headers, bytes(content))

    def _headers(self) -> dict[str, str]:
        key = self._key if isinstance(self._key, str) else self._key()
        if not (key and key.isascii() and key.isprintable()):
            raise ConfigurationError(
                self._setting, "empty, or with a character that no header can carry", "Mend it"
            )
        return {"x-api-key": key, "X-OG-API-VERSION": "2", "Accept": "application/json"}

    async def _sleep(
        self, seconds: float, ends: float, entity: str, why: str, *, held: bool
    ) -> None:
        """Wait, if patience lasts as long; `held`: since nothing may be asked meanwhile."""
        if self._manners.clock() + seconds > ends:
            raise self._away(entity, why)
        with self.progress.holding() if held else nullcontext():
            await self._manners.sleep(seconds)

    def _away(self, entity: str, why: str) -> ApiAway:
        return ApiAway(f"Ordergroove's {entity} of merchant {self._merchant}: {why}, for too long")

    def _refused(self, entity: str, status: int) -> ApiRefused:
        if status == 401:
            problem, fix = "Ordergroove does not know this key (401)", "Make one in its Admin"
        else:
            problem = f"with this key Ordergroove shows no such {entity} (403)"
            fix = "Give the key Bulk Operations in its Admin, or take one that has it"
        return ApiRefused(self._setting, problem, fix)


def _read(entity: str, answer: _Answer, decoder: msgspec.json.Decoder[Any]) -> Any:
    """What an answer tells; None: 404. Raises `_Passing` where a proxy's page stands in for it."""
    if answer.status == 404:
        return None
    if answer.status != 200:
        raise unexpected(entity, str(answer.status))
    try:
        return decoder.decode(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _Passing("a body that is not as in the contract") from None


def unexpected(entity: str, what: str) -> ApiUnexpected:
    """The error for an answer that the contract does not have."""
    return ApiUnexpected(
        f"Ordergroove's {entity}: the answer is {what}, which asking again would not change"
    )
