"""The questions of a batch, asked at once: each merchant's API, for as long as patience lasts."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final, NamedTuple

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
    from .patience import Patience
    from .reach import Cause
    from .wants import Want

log = logging.getLogger(__name__)

TRY_SECONDS: Final = 5.0
"""How long the one question waits that tries an API which was away."""
_TURN_SECONDS: Final = 0.1
_PAGES: Final = 10
"""Pages of an order's items at most: a thousand lines."""


class _Wait(NamedTuple):
    """How long what has no answer is waited for, and whether it still matters."""

    patience: Patience
    goes_on: Callable[[], bool]


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
        self,
        wanted: Collection[tuple[str, Want]],
        patience: Mapping[str, Patience],
        goes_on: Callable[[], bool],
    ) -> None:
        """Ask for what is wanted, and keep the answers.

        Args:
            wanted: (merchant, what).
            patience: merchant → how long what has no answer is waited for.
            goes_on: asked at each turn whether it still matters.
        """
        of: dict[str, list[Want]] = {}
        for merchant, want in wanted:
            asked = merchant in self._apis and self._reach[merchant].may_try
            if asked and patience[merchant].left > 0:
                of.setdefault(merchant, []).append(want)
        tasks = [
            asyncio.ensure_future(
                self._ask_one(merchant, wants, _Wait(patience[merchant], goes_on))
            )
            for merchant, wants in of.items()
        ]
        try:
            await asyncio.gather(*tasks)  # what it raises is a fault of ours
        finally:
            await _ended(tasks)

    async def _ask_one(self, merchant: str, wanted: list[Want], wait: _Wait) -> None:
        """Ask one merchant's API; where it was away, first by one question alone."""
        said: list[Said] = []
        progress = self._apis[merchant].progress
        before = progress.heard
        if self._reach[merchant].cause is not None:
            await self._while(merchant, wanted[:1], said, wait, wait.patience.left - TRY_SECONDS)
            if said:
                wanted = wanted[1:]
        if self._reach[merchant].cause is None or _answers(said) or progress.heard > before:
            await self._while(merchant, wanted, said, wait)
        if said or wait.goes_on():
            self._conclude(merchant, said, wait.patience, spoke=progress.heard > before)

    async def _while(
        self, merchant: str, wanted: list[Want], said: list[Said], wait: _Wait, least: float = 0.0
    ) -> None:
        """Ask for all at once, for as long as more than `least` is left of patience."""
        (patience, goes_on), progress = wait, self._apis[merchant].progress
        asked = asyncio.ensure_future(self._all(merchant, wanted, said))
        patience.begin(progress)
        try:
            while not asked.done() and goes_on() and (left := patience.left) > max(0.0, least):
                await asyncio.wait([asked], timeout=min(_TURN_SECONDS, left))
                patience.passed(progress)
        finally:
            await _ended([asked])
        if not asked.cancelled():
            asked.result()

    def _conclude(
        self, merchant: str, said: list[Said], patience: Patience, *, spoke: bool
    ) -> None:
        """Note whether the API is there; it `spoke` also where it said to come again (423, 429).

        Without a word it is away only if it was silent for as long as patience lasts, or was away
        before: not where nothing was asked, since we were held back.
        """
        reach, refusal = self._reach[merchant], self._refusals.pop(merchant, None)
        if refusal is not None:
            log.error("%s", refusal)
        cause: Cause = "refused" if "refused" in said else "away"
        if _answers(said) or (spoke and cause != "refused"):
            reach.answered()
            self._counts.away.pop(merchant, None)
        elif cause == "refused" or patience.is_silent or reach.cause is not None:
            reach.failed(cause)
            self._counts.away[merchant] = cause
            log.warning(
                "Ordergroove's API of merchant %s: %s; records go on without", merchant, cause
            )
        if patience.is_held_up:
            log.warning("merchant %s: its API, or our limit, held us up for too long", merchant)

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
