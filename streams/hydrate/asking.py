"""The questions of a batch, asked at once: each merchant's API, for as long as patience lasts."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from streams.errors import BadRecord, ConfigurationError
from streams.ingest.ordergroove_api import ApiAway, ApiUnexpected

from .answers import Answer
from .reach import Reach
from .reading import LIST_OF, read

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from streams.delivery.clock import Clock
    from streams.ingest.ordergroove_api import OrdergrooveApi
    from streams.sources.ordergroove import WebhookOptions

    from .answers import Answers
    from .counts import HydrateCounts, Said
    from .entities import Entity
    from .reach import Cause
    from .wants import Want

log = logging.getLogger(__name__)

TRY_SECONDS: Final = 5.0
"""How long the one question waits that tries an API which was away."""
_TURN_SECONDS: Final = 0.1
_PAGES: Final = 10
"""Pages of an order's items at most: a thousand lines."""


class Asking:
    """Asks the APIs of one process. For its event loop.

    Attributes:
        answers: where answers are kept.
    """

    def __init__(
        self,
        apis: Mapping[str, OrdergrooveApi],
        answers: Answers,
        options: WebhookOptions,
        counts: HydrateCounts,
        clock: Clock,
    ) -> None:
        """Prepare.

        Args:
            apis: by merchant; of a merchant that is not among them nothing is asked.
            answers: where answers are kept.
            options: how Ordergroove's values are read.
            counts: are kept.
            clock: time and chance.
        """
        self._apis = apis
        self.answers = answers
        self._options = options
        self._counts = counts
        self._clock = clock
        self._refusals: dict[str, str] = {}
        self._reach = {merchant: Reach(clock.monotonic, clock.random) for merchant in apis}

    async def ask(
        self, wanted: Collection[tuple[str, Want]], patience: float, goes_on: Callable[[], bool]
    ) -> None:
        """Ask for what is wanted, and keep the answers.

        Args:
            wanted: (merchant, what).
            patience: seconds after which what has no answer has none.
            goes_on: asked at each turn whether it still matters.
        """
        said: dict[str, list[Said]] = {
            merchant: []
            for merchant in sorted({merchant for merchant, _ in wanted})
            if merchant in self._apis and self._reach[merchant].may_try
        }
        pending = {
            asyncio.ensure_future(
                self._ask_one(merchant, [want for of, want in wanted if of == merchant], words)
            )
            for merchant, words in said.items()
        }
        ends, done = self._clock.monotonic() + patience, set[asyncio.Future[None]]()
        try:
            while pending and goes_on() and (left := ends - self._clock.monotonic()) > 0:
                ended, pending = await asyncio.wait(pending, timeout=min(_TURN_SECONDS, left))
                done |= ended
        finally:
            await _ended(pending)
        for task in done:
            task.result()  # what it raised is a fault of ours
        for merchant, words in said.items():
            if words or goes_on():
                self._conclude(merchant, words)

    async def _ask_one(self, merchant: str, wanted: list[Want], said: list[Said]) -> None:
        """Ask one merchant's API; where it was away, first by one question alone."""
        if self._reach[merchant].cause is not None:
            first, *wanted = wanted
            with suppress(TimeoutError):
                async with asyncio.timeout(TRY_SECONDS):
                    await self._all(merchant, [first], said)
            if not _answers(said):
                return
        await self._all(merchant, wanted, said)

    def _conclude(self, merchant: str, said: list[Said]) -> None:
        reach, refusal = self._reach[merchant], self._refusals.pop(merchant, None)
        if refusal is not None:
            log.error("%s", refusal)
        if _answers(said):
            reach.answered()
            self._counts.away.pop(merchant, None)
            return
        cause: Cause = "refused" if "refused" in said else "away"
        reach.failed(cause)
        self._counts.away[merchant] = cause
        log.warning("Ordergroove's API of merchant %s: %s; records go on without", merchant, cause)

    async def _all(self, merchant: str, wanted: Iterable[Want], said: list[Said]) -> None:
        """Ask for all at once; what each came to is added to `said` as it comes."""

        async def one(want: Want) -> None:
            try:
                word = await self._question(merchant, want)
            except asyncio.CancelledError:
                self._counts.answered(want.what, "away")
                raise
            self._counts.answered(want.what, word)
            said.append(word)

        tasks = [asyncio.ensure_future(one(want)) for want in wanted]
        try:
            await asyncio.gather(*tasks)
        finally:
            await _ended(tasks)

    async def _question(self, merchant: str, want: Want) -> Said:
        """Ask one question, and keep its answer; what failed for good is answered by nothing."""
        entities: tuple[Entity, ...] | None = None
        said: Said = "unexpected"
        try:
            bodies = await _bodies(self._apis[merchant], want)
            at, said = self._clock.now(), "nothing"
            if bodies is not None:
                said = "unreadable"
                entities = tuple(read(want.what, each, at, self._options) for each in bodies)
                said = "found"
        except ApiAway:
            return "away"
        except ConfigurationError as error:  # the key: refused, or not to be read
            self._refusals[merchant] = str(error)
            return "refused"
        except (ApiUnexpected, BadRecord) as error:
            log.warning("Ordergroove's API of merchant %s: %s", merchant, error)
        except Exception as error:  # noqa: BLE001 - a fault of ours holds up nobody
            log.error("asking merchant %s: %s", merchant, type(error).__name__)  # noqa: TRY400
        self.answers.note(merchant, want, Answer(entities, self._clock.now()))
        return said


async def _bodies(api: OrdergrooveApi, want: Want) -> list[dict[str, Any]] | None:
    """What the API tells; None: there is nothing under the id."""
    if want.what != "items":
        found = await api.retrieve(LIST_OF[want.what], want.id)
        return None if found is None else [found]
    bodies: list[dict[str, Any]] = []
    pages = 0
    async for page in api.pages("items", {"order": want.id}):
        bodies += page.results
        pages += 1
        if pages == _PAGES:
            break
    return bodies


async def _ended(tasks: Collection[asyncio.Future[None]]) -> None:
    """Cancel what has not ended, and wait until it has."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


def _answers(said: Iterable[Said]) -> bool:
    """Whether the API said anything: what it answers is another question."""
    return any(word not in {"away", "refused"} for word in said)
