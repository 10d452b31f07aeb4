"""Before records are read: schema ids that were not met before are asked for, and waited for.

An id that the registry does not know is asked for again until patience ends, since who wrote the
record may be about to register it; then the records that have it are dead letters. A registry that
is away is waited for without end: nothing is given up for a fault that is not the record's.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from streams.avro import HEADER, MAGIC

from .client import RegistryAway

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

    from streams.engine.batch import Part
    from streams.engine.poller import Poller

    from .served import ServedRegistry

log = logging.getLogger(__name__)

_FIRST_SECONDS: Final = 0.2
_LONGEST_SECONDS: Final = 5.0
_TURN_SECONDS: Final = 0.1
"""How soon a partition that is taken away is noticed."""
_LOG_SECONDS: Final = 30.0

CAUSES: Final = ("away", "unknown")

Missing = dict[tuple[int, int], set[int]]
"""(partition, epoch) → the ids in its records that are not settled."""


class _Obstacle(NamedTuple):
    cause: Literal["away", "unknown"]
    reason: str


class Waiting:
    """Resolves the ids of a batch (`streams.engine.preparation`); lanes may share one.

    Attributes:
        lanes: how many lanes wait now, by cause: `away`, `unknown`.
    """

    def __init__(
        self,
        registry: ServedRegistry,
        patience: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Prepare.

        Args:
            registry: is asked.
            patience: seconds from the first time that it did not know an id; as long as that it is
                then taken for unknown, before it is asked for once more.
            clock: seconds.
            sleep: a coroutine.
        """
        self.lanes: Counter[str] = Counter(dict.fromkeys(CAUSES, 0))
        self._registry = registry
        self._patience = patience
        self._clock = clock
        self._sleep = sleep
        self._since: dict[int, float] = {}
        self._unknown_until: dict[int, float] = {}

    async def __call__(self, parts: Sequence[Part], poller: Poller) -> None:
        """Return when every id of the parts that are still ours is settled, or given up on."""
        settled, missing = self._registry.settled, Missing()
        for part in parts:
            heads = {value[:HEADER] for each in part.messages if (value := each.value())}
            if not heads <= settled:
                missing[part.partition, part.epoch] = {
                    int.from_bytes(head[1:], "big")
                    for head in heads - settled
                    if head[0] == MAGIC and len(head) == HEADER
                }
        if self._open(missing, poller):
            await self._resolve(missing, poller)

    async def _resolve(self, missing: Missing, poller: Poller) -> None:
        pause, logged, shown = _FIRST_SECONDS, float("-inf"), None
        try:
            while numbers := self._open(missing, poller):
                asked = _in_thread(partial(self._ask, numbers))
                while not asked.done() and self._open(missing, poller):
                    await asyncio.wait([asked], timeout=_TURN_SECONDS)
                if not self._open(missing, poller):
                    return
                obstacle = asked.result()
                self._show(shown, obstacle, poller)
                shown = obstacle
                if self._clock() - logged >= _LOG_SECONDS:
                    log.warning("%s: waits: %s", poller.lane.name, obstacle.reason)
                    logged = self._clock()
                await self._pause(pause, missing, poller)
                pause = min(2 * pause, _LONGEST_SECONDS)
        finally:
            if shown is not None:
                self._show(shown, None, poller)
                log.info("%s: waits no longer for the schema registry", poller.lane.name)

    def _open(self, missing: Mapping[tuple[int, int], set[int]], poller: Poller) -> set[int]:
        """The ids that are neither settled nor given up on, of the parts that are still ours."""
        numbers = {n for share, each in missing.items() if poller.accepts(*share) for n in each}
        now = self._clock()
        return {
            number
            for number in numbers
            if bytes([MAGIC]) + number.to_bytes(HEADER - 1, "big") not in self._registry.settled
            and self._unknown_until.get(number, now) <= now
        }

    def _ask(self, numbers: Collection[int]) -> _Obstacle:
        """Ask for each; what stands in the way of those that are left (a thread of its own)."""
        for number in sorted(numbers):
            try:
                known = self._registry.learn(number)
            except RegistryAway as away:
                return _Obstacle("away", f"the schema registry is away: {away}")
            if known:
                self._since.pop(number, None)
                self._unknown_until.pop(number, None)
            elif self._clock() - self._since.setdefault(number, self._clock()) >= self._patience:
                self._unknown_until[number] = self._clock() + self._patience
        left = sorted(number for number in numbers if number in self._since)
        return _Obstacle("unknown", f"the schema registry does not know {_few(left)} yet")

    async def _pause(self, seconds: float, missing: Missing, poller: Poller) -> None:
        end = self._clock() + seconds
        while (left := end - self._clock()) > 0 and self._open(missing, poller):
            await self._sleep(min(left, _TURN_SECONDS))

    def _show(self, before: _Obstacle | None, now: _Obstacle | None, poller: Poller) -> None:
        if before is not None:
            self.lanes[before.cause] -= 1
        if now is not None:
            self.lanes[now.cause] += 1
        poller.unready(None if now is None else now.reason, about="registry")


def _few(numbers: Sequence[int]) -> str:
    told = ", ".join(map(str, numbers[:5]))
    more = len(numbers) - 5
    return f"{told} and {more} more" if more > 0 else told


def _in_thread(ask: Callable[[], _Obstacle]) -> asyncio.Future[_Obstacle]:
    """Run in a thread that nobody waits for at the end: a request may hang for seconds."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[_Obstacle] = loop.create_future()

    def tell(result: _Obstacle | BaseException) -> None:
        if future.cancelled():
            return
        if isinstance(result, BaseException):
            future.set_exception(result)
        else:
            future.set_result(result)

    def run() -> None:
        result: _Obstacle | BaseException
        try:
            result = ask()
        except BaseException as error:  # noqa: BLE001 - a thread's exception would vanish
            result = error
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(tell, result)

    threading.Thread(target=run, name="schema-registry", daemon=True).start()
    return future
