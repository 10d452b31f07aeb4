"""The schemas of a registry, compiled: what stands behind a codec where a registry is configured.

Codecs never ask the network: ids are learnt before (`waiting`), outside the event loop.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from streams.avro import HEADER, MAGIC, FileRegistry, compiled, layout
from streams.errors import BadRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .client import RegistryClient, Written


class ServedRegistry:
    """A registry's schemas as far as they were met (`streams.avro.Registry`).

    Attributes:
        ours: our own schemas, compiled, by name.
        ids: those that our own ones are registered under, as far as `find` looked.
        settled: the first bytes of records whose schema will never be asked for again.
    """

    def __init__(self, client: RegistryClient, files: FileRegistry) -> None:
        self.ours = files.ours
        self.ids: dict[str, int] = {}
        self.settled: set[bytes] = set()
        self._client = client
        self._texts = files.texts
        self._layouts = {layout(schema): schema for schema in self.ours.values()}
        self._schemas: dict[int, Any] = {}
        self._unreadable: dict[int, str] = {}

    def schema(self, number: int) -> Any:
        """The compiled schema of an id; raises `BadRecord` (unknown_schema)."""
        schema = self._schemas.get(number)
        if schema is None:
            why = self._unreadable.get(number, f"the registry has no schema {number}")
            raise BadRecord("unknown_schema", None, why)
        return schema

    def find(self, subjects: Mapping[str, str]) -> list[str]:
        """Look up the ids that ours are registered under; blocks.

        Where one stands under several subjects with several ids, the first is written.

        Args:
            subjects: subject → the name of the schema that must stand under it.

        Returns:
            The subjects under which it does not.

        Raises:
            RegistryAway: it cannot be asked now.
        """
        missing = []
        for subject, name in subjects.items():
            found = self._client.find(subject, self._texts[name])
            if found is None:
                missing.append(subject)
            else:
                self.ids.setdefault(name, found.id)
                self._settle(found.id, self.ours[name])
        return missing

    def learn(self, number: int) -> bool:
        """Ask for an id; whether the registry knows it. Blocks; raises `RegistryAway`."""
        written = self._client.schema(number)
        if written is None:
            return False
        schema, why = _compiled(number, written)
        if schema is None:
            self._unreadable[number] = why
        self._settle(number, None if schema is None else self._layouts.get(layout(schema), schema))
        return True

    def _settle(self, number: int, schema: Any) -> None:
        if schema is not None:
            self._schemas[number] = schema
        self.settled.add(bytes([MAGIC]) + number.to_bytes(HEADER - 1, "big"))


def _compiled(number: int, written: Written) -> tuple[Any, str]:
    """The schema, or None and why it cannot be read."""
    if written.kind != "AVRO":
        return None, f"schema {number} is not Avro but {written.kind}"
    schema, named = None, dict[str, Any]()
    try:
        for text in written.texts:
            schema = compiled(json.loads(text), named)
    except Exception as error:  # noqa: BLE001 - whatever a text leads its parsers to
        return None, f"schema {number} is not an Avro schema ({type(error).__name__})"
    return schema, ""
