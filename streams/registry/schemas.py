"""What a process is given of schemas: its codecs, and what is awaited before records are read."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from streams.avro import HEADER, MAGIC, Codec, Record

from .client import RegistryAway, try_again_later
from .served import ServedRegistry

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.avro import Registry

    from .waiting import Waiting


class Schemas:
    """The codecs of one process, built once.

    Attributes:
        waiting: awaited before the records of a batch are read; None: the files know all ids.
    """

    def __init__(self, registry: Registry, waiting: Waiting | None = None) -> None:
        self.waiting = waiting
        self._registry = registry
        self.codec: Callable[[str], Codec] = cache(lambda name: Codec(registry, name))
        """The codec of one of our schemas, by its name."""

    def decode_in_thread(self, name: str) -> Callable[[bytes], Record]:
        """Reads records where nothing was awaited before: in the engine's loading thread.

        What it returns raises `BadRecord`, and `KafkaException` while the registry is away: that
        thread then tries again later.
        """
        decode, registry = self.codec(name).decode, self._registry
        if not isinstance(registry, ServedRegistry):
            return decode

        def learn_and_decode(value: bytes) -> Record:
            if value[:HEADER] not in registry.settled and value[:1] == bytes([MAGIC]):
                try:
                    registry.learn(int.from_bytes(value[1:HEADER], "big"))
                except RegistryAway as away:
                    raise try_again_later(away) from None
            return decode(value)

        return learn_and_decode
