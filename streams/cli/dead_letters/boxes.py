"""Settings → the dead-letter topics that are meant, how they are read, where letters go back to."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from streams.cli.codecs import schemas_of
from streams.cli.composition import names_of, sources_of
from streams.errors import BadRecord, ConfigurationError
from streams.replay.obstacles import Ways
from streams.replay.reading import Box, LetterTopic, Readers

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from streams.engine.kafka import KafkaSettings
    from streams.settings import Settings


class Boxes:
    """The dead-letter topics that a command looks at.

    Attributes:
        readers: of what is in them.
    """

    def __init__(self, kafka: KafkaSettings, boxes: Sequence[Box], readers: Readers) -> None:
        self.readers = readers
        self._kafka = kafka
        self._boxes = boxes

    @cached_property
    def topics(self) -> list[LetterTopic]:
        """Each as it is now; raises `ConfigurationError` and `KafkaException`."""
        return [LetterTopic(self._kafka, each) for each in self._boxes]


def boxes_of(
    settings: Settings, connections: Collection[str], sources: Collection[str]
) -> list[Box]:
    """The topics of these connections and sources; of all where none is named.

    Raises:
        ConfigurationError: one that is not in the settings.
    """
    names, known = names_of(settings), sources_of(settings)
    _check("--connection", connections, settings.connections)
    _check("--source", sources, known)
    everything = not connections and not sources
    chosen_sources = [each for each in known if everything or each in sources]
    chosen = [each for each in settings.connections if everything or each in connections]
    return [
        *(Box(each, names.dead_letters(each), is_delivery=False) for each in chosen_sources),
        *(Box(each, names.dead_letters(each), is_delivery=True) for each in chosen),
    ]


def _check(option: str, named: Collection[str], known: Collection[str]) -> None:
    for each in named:
        if each not in known:
            listed = ", ".join(known) or "none"
            raise ConfigurationError(option, f"there is no {each}", f"Known: {listed}")


def readers_of(settings: Settings) -> Readers:
    """How dead letters and what is in them are read.

    Raises:
        ConfigurationError: the registry's settings are wrong.
        Unavailable: the registry is away.
    """
    schemas = schemas_of(settings, [], wait=False)
    enriched = schemas.decode_in_thread("events/enriched")
    records = {each: schemas.decode_in_thread(f"sources/{each}") for each in sources_of(settings)}

    def event(box: Box, letter: Mapping[str, Any]) -> dict[str, Any]:
        value = letter["value"]
        if letter["topic"] is None:
            return _body(value)
        return enriched(value) if box.is_delivery else records[box.of](value)

    return Readers(schemas.decode_in_thread("dead_letter"), event)


def _body(value: bytes) -> dict[str, Any]:
    """A webhook's body, as far as it is an object."""
    try:
        told = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadRecord("malformed", None, "not JSON") from None
    if not isinstance(told, dict):
        raise BadRecord("malformed", None, "not an object")
    return told


def ways_of(settings: Settings) -> Ways:
    """Where letters go back to."""
    names = names_of(settings)
    return Ways(
        deliveries=names.deliveries,
        sources={each: names.events(each) for each in sources_of(settings)},
        rekey=settings.rekey.topic,
        mapped=settings.ordergroove.mapping is not None,
    )
