"""Settings → the list of the erased: as it is now, or followed for as long as a process runs."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from streams.cli.composition import names_of
from streams.control.erased import EVERYBODY, ErasedList
from streams.control.follower import Follower

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.engine.kafka import KafkaSettings
    from streams.settings import Settings


def hash_key_of(settings: Settings) -> bytes:
    """The key of the hashes that stand for customers."""
    return settings.hash_key.get_secret_value().encode()


def erased_now(settings: Settings, kafka: KafkaSettings) -> ErasedList:
    """The list as the topic has it; errors are those of `ErasedList.of_topic`."""
    return ErasedList.of_topic(kafka, names_of(settings).erased, hash_key_of(settings))


@contextmanager
def following_erased(settings: Settings, kafka: KafkaSettings) -> Iterator[ErasedList]:
    """The list, kept up meanwhile; raises `ConfigurationError` where there is no such topic."""
    follower = Follower(kafka, names_of(settings).erased, EVERYBODY)
    follower.start()
    try:
        yield ErasedList(hash_key_of(settings), follower.read)
    finally:
        follower.close()
