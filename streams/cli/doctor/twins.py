"""Topics of which a worker reads one and writes another, partition by partition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.cli.composition import hydrated_topic, names_of, sources_of
from streams.control.tables import table_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.engine.kafka import KafkaSettings
    from streams.settings import Settings


def twins(settings: Settings, kafka: KafkaSettings) -> Iterator[tuple[str, str]]:
    """(topic that a worker reads, one that must have as many partitions), as workers check it.

    Raises:
        KafkaException: the broker does not answer.
    """
    names = names_of(settings)
    hydrated = hydrated_topic(settings)
    if hydrated is not None:
        yield hydrated, names.events(sources_of(settings)[0])
        yield hydrated, names.entities_changelog
    for source in sources_of(settings):
        yield names.events(source), table_of(kafka, names, source).changelog
    for name in settings.connections:
        for twin in (names.outcomes, names.low(name), names.profiles_changelog(name)):
            yield names.deliveries(name), twin
