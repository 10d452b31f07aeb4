"""How long the topics that a process reads keep their records: known for alerts, before it matters.

What waits longer than that is gone unread. The time is the broker's to say, and may be changed
while a process runs, so it is asked for again now and then.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.engine.shell import EngineApp

__all__ = ["watch_retention"]

_EVERY_SECONDS: Final = 300.0
_REQUEST_SECONDS: Final = 10.0

log = logging.getLogger(__name__)


def watch_retention(app: EngineApp, *, every: float = _EVERY_SECONDS) -> Mapping[str, float]:
    """Ask the broker, while the app runs, how long it keeps what each lane reads.

    Args:
        app: not yet running.
        every: seconds between two questions.

    Returns:
        Lane → seconds, filled once the broker has answered; without lanes whose records it keeps
        for good.
    """
    topics = {name: poller.lane.topic for name, poller in app.pollers.items()}
    found: dict[str, float] = {}

    async def watch() -> None:
        """Ask now and then."""
        admin = AdminClient(app.kafka.client())
        while True:
            kept = await _kept(admin, set(topics.values()))
            found.update({n: kept[topic] for n, topic in topics.items() if kept.get(topic, -1) > 0})
            for name in [n for n, topic in topics.items() if kept.get(topic, 1) <= 0]:
                found.pop(name, None)
            await asyncio.sleep(every)

    app.task(watch)
    return found


async def _kept(admin: AdminClient, topics: set[str]) -> dict[str, float]:
    """Seconds by topic about which the broker answers; negative: for good."""
    found = {}
    resources = [ConfigResource(ConfigResource.Type.TOPIC, topic) for topic in topics]
    asked = admin.describe_configs(resources, request_timeout=_REQUEST_SECONDS)
    for resource, answer in asked.items():
        try:
            entries = await asyncio.wrap_future(answer)
            found[resource.name] = float(entries["retention.ms"].value) / 1_000
        except KafkaException as error:
            log.info("how long %s is kept could not be asked: %s", resource.name, error)
    return found
