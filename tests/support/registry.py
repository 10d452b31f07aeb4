"""Registries for tests: in memory, over HTTP; writer schemas beside our own; records under them."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import fastavro

from streams.avro import Codec, compiled, registry
from streams.registry import Address, RegistryClient, ServedRegistry

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.registry_server import RegistryServer

OURS = registry()


def client_of(server: RegistryServer) -> RegistryClient:
    """A client of a server that lets everybody in."""
    return RegistryClient(Address(url=server.url))


def in_memory() -> tuple[RegistryClient, ServedRegistry]:
    """Confluent's own registry in memory, and ours over it."""
    client = RegistryClient(Address(url="mock://registry"))
    return client, ServedRegistry(client, OURS)


def variant(name: str, change: Callable[[dict[str, Any]], None]) -> str:
    """One of our schemas, changed by somebody else: its text."""
    document = json.loads(OURS.texts[name])
    change(document)
    return json.dumps(document)


def field_of(document: dict[str, Any], name: str) -> dict[str, Any]:
    """A field of a record's schema."""
    found: dict[str, Any] = next(each for each in document["fields"] if each["name"] == name)
    return found


def framed(number: int, text: str, record: dict[str, Any]) -> bytes:
    """A record as its writer writes it: by that schema, under that id."""
    out = io.BytesIO()
    out.write(number.to_bytes(5, "big"))
    fastavro.schemaless_writer(out, compiled(json.loads(text)), record)
    return out.getvalue()


class Served:
    """A registry of given texts, for codecs alone (`streams.avro.Registry`)."""

    def __init__(self, texts: dict[int, str], ours: dict[str, str] | None = None) -> None:
        self.ids: dict[str, int] = {}
        self.ours = {
            name: compiled(json.loads(text)) for name, text in (ours or OURS.texts).items()
        }
        self._schemas = {number: compiled(json.loads(text)) for number, text in texts.items()}

    def schema(self, number: int) -> Any:
        """The schema of an id."""
        return self._schemas[number]


def read(name: str, text: str, record: dict[str, Any], ours: str | None = None) -> dict[str, Any]:
    """What our codec makes of a record that was written by another schema."""
    served = Served({77: text}, None if ours is None else {name: ours})
    return Codec(served, name).decode(framed(77, text, record))
