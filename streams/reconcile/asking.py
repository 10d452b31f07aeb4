"""A vendor is asked what it has: at a share of its limits, patiently, and nothing is changed there.

Each person is asked for by their first identifier; who is not known by that one, by the next.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from streams.delivery.http import TransportFailure
from streams.errors import ConfigurationError, StreamsError
from streams.model.delivery import Retry, Unauthorized
from streams.reconcile.comparing import Question

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from streams.delivery.http import Http
    from streams.delivery.limits import Limiter
    from streams.delivery.retry import Schedules
    from streams.model.delivery import Destination, Request
    from streams.reconcile.comparing import Expected, Found, ReadBack

AT_ONCE: Final = 8
"""Questions under way: what is live has the vendor's attention."""

PATIENCE: Final = 300.0
"""Seconds of failures in a row after which a vendor is taken to be away."""

_BLINK: Final = 0.001
"""Seconds: a limit may say a wait too short for the loop's clock."""


class VendorAway(StreamsError):
    """No usable answer for as long as we are patient."""


class Manners(NamedTuple):
    """How politely a vendor is asked.

    Attributes:
        limiter: our share of the endpoint's limits.
        schedules: of retries.
        random: a number in [0, 1).
        patience: see `PATIENCE`.
    """

    limiter: Limiter
    schedules: Schedules
    random: Callable[[], float]
    patience: float = PATIENCE


class Asker:
    """Asks one vendor. For one event loop, within `async with`.

    Attributes:
        calls: made so far.
    """

    def __init__(
        self,
        connection: str,
        destination: Destination,
        readback: ReadBack,
        http: Http,
        manners: Manners,
    ) -> None:
        """Take what it works with.

        Args:
            connection: its name, for errors.
            destination: says what an answer means.
            readback: says how to ask.
            http: with the credentials.
            manners: see there.
        """
        self._connection = connection
        self._destination = destination
        self._readback = readback
        self._http = http
        self._manners = manners
        self.calls = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def who(self, people: Mapping[bytes, Expected]) -> dict[bytes, Found]:
        """What the vendor has of these people; who is not in it is nobody there.

        Raises:
            ConfigurationError: the credentials may not read.
            VendorAway: it does not answer.
        """
        found: dict[bytes, Found] = {}
        untried = {key: list(each.identifiers.items()) for key, each in people.items()}
        while untried:
            asked: defaultdict[str, defaultdict[str, list[bytes]]]
            asked = defaultdict(lambda: defaultdict(list))
            for key, identifiers in untried.items():
                by, value = identifiers.pop(0)
                asked[by][value].append(key)
            for by, whose in asked.items():
                for value, person in (await self.by(by, whose)).items():
                    found.update(dict.fromkeys(whose[value], person))
            untried = {k: left for k, left in untried.items() if left and k not in found}
        return found

    async def by(self, identifier: str, values: Iterable[str]) -> dict[str, Found]:
        """Who has these values of one identifier; errors as above."""
        found: dict[str, Found] = {}
        wanted, size = list(values), self._readback.batch
        waiting = iter(
            [Question(identifier, tuple(wanted[i : i + size])) for i in range(0, len(wanted), size)]
        )

        failures: list[StreamsError] = []

        async def work() -> None:
            for question in waiting:
                try:
                    found.update(await self._ask(question))
                except StreamsError as error:
                    failures.append(error)
                if failures:  # what the others have under way they end by themselves
                    return

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        if failures:
            raise failures[0]
        return found

    async def _ask(self, question: Question) -> Mapping[str, Found]:
        request, manners = self._readback.request(question), self._manners
        failures, failing_since = 0, 0.0
        while True:
            await self._until_it_may_go(request.endpoint)
            began = monotonic()
            answer = await self._try(question, request)
            if not isinstance(answer, Retry):
                return answer
            failures += 1
            failing_since = began if failures == 1 else failing_since
            if monotonic() - failing_since > manners.patience:
                raise VendorAway(f"{self._connection}: no answer ({answer.reason})")
            schedule = manners.schedules.of(answer.reason)
            wait = schedule.wait(failures, manners.random(), answer.after)
            if answer.throttled:
                manners.limiter.throttled(request.endpoint, wait, monotonic() - began)
            else:
                await asyncio.sleep(wait)

    async def _try(self, question: Question, request: Request) -> Mapping[str, Found] | Retry:
        """Ask once; raises what asking again would not mend."""
        self.calls += 1
        try:
            response = await self._http.send(request, b"")
        except TransportFailure as failure:
            return Retry(failure.reason)
        found = self._readback.read(question, response)
        if found is not None:
            return found
        [verdict] = self._destination.classify([request], response)
        if isinstance(verdict, Unauthorized):
            raise self._refused(verdict)
        if not isinstance(verdict, Retry):
            raise VendorAway(f"{self._connection}: not understood: HTTP {response.status}")
        return verdict

    async def _until_it_may_go(self, endpoint: str) -> None:
        wait = self._manners.limiter.take(endpoint)
        while wait > 0:
            await asyncio.sleep(max(wait, _BLINK))
            wait = self._manners.limiter.take(endpoint)

    def _refused(self, verdict: Unauthorized) -> ConfigurationError:
        return ConfigurationError(
            f"connections.{self._connection}.credentials",
            f"they may not read what the vendor has ({verdict.reason})",
            f"Give the key what reading asks for too: {self._readback.scope}",
        )
