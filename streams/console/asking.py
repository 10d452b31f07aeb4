"""Asking a desk from a page: in a thread, and with words for what goes wrong.

A page never shows an exception: what may be quoted says what is wrong and what to do.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, NamedTuple, ParamSpec, TypeVar

from streams.engine.failure import describe
from streams.errors import ConfigurationError, StreamsError

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

Told = TypeVar("Told")
Asked = ParamSpec("Asked")

AWAY: Final = "Kafka does not answer."
RETRY: Final = "Is the broker up, and kafka.bootstrap right? The console itself goes on trying."


class Trouble(NamedTuple):
    """What went wrong, in words.

    Attributes:
        problem: what is wrong.
        advice: what to do about it.
    """

    problem: str
    advice: str


def trouble_of(error: Exception) -> Trouble:
    """An exception in words; nothing of it is quoted but our own errors."""
    if isinstance(error, ConfigurationError):
        return Trouble(f"{error.setting}: {error.problem}.", error.fix)
    if isinstance(error, StreamsError):
        return Trouble(str(error), "")
    if type(error).__name__ == "KafkaException":  # whose client is no business of this room
        return Trouble(AWAY, RETRY)
    log.error("a question of a page failed: %s", describe(error))  # its text may quote a record
    return Trouble("Something went wrong here.", "The log of the console says what; try again.")


async def ask(
    question: Callable[Asked, Told], *args: Asked.args, **named: Asked.kwargs
) -> Told | Trouble:
    """What a desk answers, or the trouble that it met."""
    try:
        return await asyncio.to_thread(question, *args, **named)
    except Exception as error:  # noqa: BLE001 - told in words
        return trouble_of(error)
