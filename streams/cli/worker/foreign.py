"""A merchant's own schema at derive's start: the mapping, held against what is known of writers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from streams.avro import compiled as compiled_schema
from streams.cli.codecs import client_of, subject_of
from streams.cli.composition import names_of, webhook_options_of
from streams.cli.mapping import mapping_of, writer_of
from streams.errors import ConfigurationError
from streams.names import ORDERGROOVE
from streams.registry import RegistryAway
from streams.sources.ordergroove.mapping import SETTING, compiled, is_ours

if TYPE_CHECKING:
    from streams.settings import Settings
    from streams.sources.ordergroove.mapping import Mapping


def checked_mapping(settings: Settings) -> Mapping | None:
    """The configured mapping for a worker, held against what is known of its writers.

    That is the schema of `writer`, or else the newest foreign one under the source topic's subject.
    While the registry is away it is not asked: a writer's schema is met again with its records.

    Raises:
        ConfigurationError: an entry fits neither our fields nor the schema; there is no registry.
    """
    told = settings.ordergroove.mapping
    if told is None:
        return None
    mapping = mapping_of(told)
    if settings.registry.url is None:
        raise ConfigurationError(
            SETTING, "a merchant's own schemas are read from a registry", "Set registry.url"
        )
    schema, options = writer_of(told) or _registered(settings), webhook_options_of(settings)
    compiled(mapping, schema, options, strict=True)
    return mapping


def _registered(settings: Settings) -> Any:
    """The newest schema of somebody else's record under the source topic's subject, or None."""
    subject = subject_of(names_of(settings).events(ORDERGROOVE))
    client = client_of(settings.registry)
    try:
        versions = client.versions(subject)
    except RegistryAway:
        return None
    finally:
        client.close()
    for text in reversed(versions.values()):
        try:
            schema = compiled_schema(json.loads(text))
        except Exception:  # noqa: BLE001, S112 - no Avro, or it refers to others: its records tell
            continue
        if isinstance(schema, dict) and schema["type"] == "record" and not is_ours(schema):
            return schema
    return None
