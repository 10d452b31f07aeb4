"""How an exception is told in logs and errors: what and where, never with the data it met."""

from __future__ import annotations

import traceback
from pathlib import PurePath

from confluent_kafka import KafkaException

from streams.errors import StreamsError

__all__ = ["describe"]


def describe(error: BaseException) -> str:
    """Return the exception's type and innermost place.

    Its text is left out, because it may quote a record (`KeyError: 'jane@…'`), unless it is one of
    our own errors or Kafka's, which never do.
    """
    name = type(error).__name__
    if isinstance(error, (KafkaException, StreamsError)):
        return f"{name}: {error}"
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return name
    place = PurePath(frames[-1].filename)
    return f"{name} at {'/'.join(place.parts[-2:])}:{frames[-1].lineno}"
