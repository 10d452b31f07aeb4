"""Topics whose number of partitions changes while a process runs: noticed, and the process ends.

A key's partition follows from their number, so with another one the records of one customer lie in
two partitions: order and state are gone for whoever goes on as if nothing had happened. Nothing is
lost by the end: what is in the new partitions stays unread until somebody decides
(`first_offsets`).
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from streams.errors import EngineFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.engine.shell import EngineApp

__all__ = ["watch_partitions"]

_EVERY_SECONDS = 10.0
_REQUEST_SECONDS = 10.0

log = logging.getLogger(__name__)


def watch_partitions(
    app: EngineApp, counts: Mapping[str, int], *, every: float = _EVERY_SECONDS
) -> None:
    """End the app with `EngineFailed` once a topic has another number of partitions.

    Args:
        app: not yet running.
        counts: topic → its number of partitions when the process started.
        every: seconds between two looks.
    """

    async def watch() -> None:
        """Look now and then, until it differs."""
        admin = AdminClient(app.kafka.client())
        while True:
            await asyncio.sleep(every)
            for topic, now in (await _counts(admin, list(counts))).items():
                if now != counts[topic]:
                    text = (
                        f"topic {topic} had {counts[topic]} partitions when this process started"
                        f" and has {now} now: records of one customer may lie in two of them"
                    )
                    app.fail(EngineFailed(text))
                    return

    app.task(watch)


async def _counts(admin: AdminClient, topics: list[str]) -> dict[str, int]:
    """The number of partitions of each topic about which the broker answers."""
    found = {}
    asked = admin.describe_topics(TopicCollection(topics), request_timeout=_REQUEST_SECONDS)
    for topic, answer in asked.items():
        try:
            found[topic] = len((await asyncio.wrap_future(answer)).partitions)
        except KafkaException as error:
            log.info("the partitions of %s could not be counted: %s", topic, error)
    return found
