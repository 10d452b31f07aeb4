"""Why one schema cannot read what another wrote, by Avro's own library.

https://avro.apache.org/docs/1.12.0/specification/#schema-resolution
"""

from __future__ import annotations

import warnings

import avro.errors
import avro.schema
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType


def obstacles(reader: str, writer: str) -> list[str]:
    """What keeps a reader (a schema's text) from reading every record of a writer; [] if nothing.

    A writer that Avro's library cannot parse is one obstacle.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # logical types that it does not know: no obstacle
            written = avro.schema.parse(writer)
    except avro.errors.AvroException as error:
        return [f"not an Avro schema ({type(error).__name__})"]
    checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]
    found = checker.get_compatibility(avro.schema.parse(reader), written)
    if found.compatibility is SchemaCompatibilityType.compatible:
        return []
    return sorted(found.messages)
