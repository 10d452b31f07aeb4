"""How the processes that share accounts hear of each other: heartbeats on the control topic.

Each process tells for each of its accounts what it wants; all compute the same shares from what
they hear (`shares`), their own heartbeat included. A newcomer tells first and listens then: of two
that start together one at least hears the other.

While its own heartbeats do not come back, a process keeps its portions for as long as the others
take it for alive and then wait before they grow. After that they may use all of it, so it goes on
with the least portion: too little can be made up for, what flooded the vendor cannot.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

import msgspec

from streams.delivery.reader import KafkaException
from streams.delivery.sharer import Heartbeat, Sharer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from streams.delivery.account import Account
    from streams.delivery.clock import Clock
    from streams.delivery.publisher import Producer

log = logging.getLogger(__name__)

_LOOK_SECONDS: Final = 0.5
_AGAIN_SECONDS: Final = 1.0
_LEAVE_SECONDS: Final = 1.0

_FORGET_SECONDS: Final = 3_600.0
"""An older heartbeat, of a process that died, is taken off the topic."""

_SKEW_SECONDS: Final = 5.0
"""Between two machines' clocks at most. Who is taken for dead though it lives would be flooded
over; who is taken for alive though it is dead is waited for a little longer."""

_KEY: Final = "share"
"""Of the keys `share:<account>:<instance>`; others are on the topic, too."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Heartbeat).decode


Taker: TypeAlias = "Callable[[Iterable[tuple[bytes, bytes | None, int]]], None]"
"""Takes records of the control topic."""


class Following(Protocol):
    """Reads a topic from its beginning, and on (`engine.following.Follower`)."""

    def start(self) -> None:
        """Begin; on the event loop."""

    async def caught_up(self) -> None:
        """Wait until everything was handed over that was there at the start."""

    def close(self) -> None:
        """End; nothing is handed over any more."""


class Heartbeats:
    """The heartbeats of one process's accounts. For one event loop."""

    def __init__(
        self, accounts: Iterable[Account], topic: str, producer: Producer, clock: Clock
    ) -> None:
        """Take the accounts; from now on nothing of them may be used until `join`.

        Args:
            accounts: all of the process; those without limits need no sharing.
            topic: the compacted control topic.
            producer: idempotent.
            clock: the time.
        """
        self._topic = topic
        self._producer = producer
        self._clock = clock
        self._instance = secrets.token_hex(6)
        now = clock.monotonic()
        limited = [each for each in accounts if each.limiter.windows]
        self._sharers = {each.name: Sharer(each, self._instance, now) for each in limited}
        self._joined = False
        self._refused = False

    async def serve(self, follow: Callable[[Taker], Following]) -> None:
        """Tell, hear and divide until it is cancelled; then tell that this process has stopped.

        `follow` makes what reads the topic; it is given what takes the records.
        """
        if not self._sharers:
            return
        following = follow(self.take)
        try:
            await self._told()
            following.start()
            await following.caught_up()
            self.join()
            while True:
                self.beat()
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            following.close()
            await self._leave()

    def take(self, records: Iterable[tuple[bytes, bytes | None, int]]) -> None:
        """Take records of the control topic: key, value, time in epoch milliseconds."""
        now = self._clock.monotonic()
        for key, value, at in records:
            kind, _, rest = key.decode(errors="replace").partition(":")
            name, _, instance = rest.rpartition(":")
            # later on the two clocks are not compared: what comes was sent just now
            passed = 0.0 if self._joined else (self._clock.now() - at) / 1_000
            age = max(0.0, passed - _SKEW_SECONDS)
            sharer = self._sharers.get(name)
            if kind != _KEY or sharer is None:
                continue
            if value is not None and age > _FORGET_SECONDS:
                self._send(key, None)
                continue
            sharer.heard(instance, None if value is None else _read(value), now, age)

    def join(self) -> None:
        """Begin to use the accounts: everything on the topic was taken."""
        self._joined = True
        for sharer in self._sharers.values():
            sharer.join(self._clock.monotonic())

    def beat(self) -> list[asyncio.Future[tuple[int, int]]]:
        """Send the heartbeats that are due, and divide the accounts anew."""
        now = self._clock.monotonic()
        sent = []
        for name, sharer in self._sharers.items():
            heartbeat = sharer.due(now)
            if heartbeat is not None:
                sent.append(self._send(self._key(name), _encode(heartbeat)))
            if self._joined:
                sharer.divide(now)
        return [each for each in sent if each is not None]

    async def _told(self) -> None:
        """Tell of this process, until the broker has it."""
        while True:
            sent = self.beat()
            if sent:
                results = await asyncio.gather(*sent, return_exceptions=True)
                if not any(isinstance(each, BaseException) for each in results):
                    return
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _leave(self) -> None:
        sent = [self._send(self._key(name), None) for name in self._sharers]
        going = [each for each in sent if each is not None]
        if going:
            await asyncio.wait(going, timeout=_LEAVE_SECONDS)

    def _key(self, account: str) -> bytes:
        return f"{_KEY}:{account}:{self._instance}".encode()

    def _send(self, key: bytes, value: bytes | None) -> asyncio.Future[tuple[int, int]] | None:
        try:
            future = self._producer.send(self._topic, key, value)
        except (KafkaException, BufferError) as error:
            self._note(error)
            return None
        future.add_done_callback(lambda done: self._note(_error_of(done)))
        return future

    def _note(self, error: BaseException | None) -> None:
        """Say once when heartbeats do not get through, and once when they do again."""
        if error is not None and not self._refused:
            log.warning(
                "%s takes no heartbeats, rates are shared as before: %s", self._topic, error
            )
        elif error is None and self._refused:
            log.info("%s takes heartbeats again", self._topic)
        self._refused = error is not None


def _error_of(done: asyncio.Future[tuple[int, int]]) -> BaseException | None:
    return None if done.cancelled() else done.exception()


def _read(value: bytes) -> Heartbeat | None:
    """A heartbeat; None for what is none: then that process is not counted."""
    try:
        return _decode(value)
    except msgspec.MsgspecError:
        log.warning("a heartbeat on the control topic cannot be read")
        return None
