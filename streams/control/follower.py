"""The control topic, followed by a worker: read from its beginning, and on as long as it runs.

A thread of its own reads; whoever listens is told on the event loop. While the topic cannot be
read, what was decided last holds.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from confluent_kafka import KafkaException

from streams.engine.following import records
from streams.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka import Message

    from streams.engine.kafka import KafkaSettings

    Heard = Callable[[bytes | None], None]

log = logging.getLogger(__name__)

_SAY_SECONDS: Final = 10.0
"""Between two lines of the log while the topic cannot be read."""
_AGAIN_SECONDS: Final = 1.0
_END_SECONDS: Final = 1.0
"""For the thread, which may ask a broker that does not answer; the process can end without."""


class Follower:
    """Follows the records whose keys begin with a prefix. One for a process.

    `start`, `close`: by whoever builds the process. `read`: any thread, after `start`.
    """

    def __init__(self, kafka: KafkaSettings, topic: str, prefix: str) -> None:
        self._kafka = kafka
        self._topic = topic
        self._prefix = prefix.encode()
        self._table: dict[bytes, bytes] = {}
        self._listeners: dict[bytes, list[tuple[asyncio.AbstractEventLoop, Heard]]] = {}
        self._lock = threading.Lock()
        self._complete = threading.Event()
        self._closing = threading.Event()
        self._fault: ConfigurationError | None = None
        self._thread = threading.Thread(target=self._follow, name="control", daemon=True)

    def start(self) -> None:
        """Begin; returns when all that the topic holds now is known, and waits as long as it takes.

        Raises:
            ConfigurationError: there is no such topic.
        """
        self._thread.start()
        while not self._complete.wait(_SAY_SECONDS) and not self._closing.is_set():
            log.warning("waits for the control topic %s: it cannot be read", self._topic)
        if self._fault is not None:
            raise self._fault

    def close(self) -> None:
        """End the thread; nobody is told anything any more."""
        self._closing.set()
        if self._thread.ident is not None:
            self._thread.join(_END_SECONDS)

    def read(self, key: str) -> bytes | None:
        """The newest value of a key."""
        with self._lock:
            return self._table.get(key.encode())

    def listen(self, key: str, heard: Heard) -> None:
        """Call `heard` now with a key's value, then with each new one; on the running loop."""
        loop = asyncio.get_running_loop()
        with self._lock:
            self._listeners.setdefault(key.encode(), []).append((loop, heard))
            value = self._table.get(key.encode())
        heard(value)

    def _follow(self) -> None:
        while not self._closing.is_set():
            try:
                self._read_on()
            except ConfigurationError as error:
                if not self._complete.is_set():
                    self._fault = error
                    self._complete.set()
                    return
                log.warning("%s", error)
            except KafkaException as error:
                log.warning("the control topic %s is read again: %s", self._topic, error)
            self._closing.wait(_AGAIN_SECONDS)

    def _read_on(self) -> None:
        """Read the topic from its beginning until the end of the process, or of the client."""
        table: dict[bytes, bytes] = {}
        published = False
        for messages, complete in records(self._kafka, self._topic, self._closing):
            for message in messages:
                if (message.key() or b"").startswith(self._prefix):
                    _note(table, message)
            if complete and (messages or not published):
                published = True
                self._publish(table)

    def _publish(self, table: dict[bytes, bytes]) -> None:
        """Let this be what is known, and tell those who listen to what is new in it."""
        with self._lock:
            known = self._table
            changed = {key for key in known | table if known.get(key) != table.get(key)}
            self._table = dict(table)
            told = [
                (loop, heard, table.get(key))
                for key in changed
                for loop, heard in self._listeners.get(key, ())
            ]
        self._complete.set()
        for loop, heard, value in told:
            with suppress(RuntimeError):  # the loop is closed: the process ends
                loop.call_soon_threadsafe(heard, value)


def _note(table: dict[bytes, bytes], message: Message) -> None:
    key, value = message.key() or b"", message.value()
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value
