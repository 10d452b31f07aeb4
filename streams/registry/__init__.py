"""Schemas of records: our own, and those that others wrote with, from a registry or from our files.

client         Confluent's client: what the registry answers, and when it does not
served         its schemas, compiled, behind `streams.avro.Codec`
waiting        before records are read: asks for ids not met before, waits while it must
compatibility  why one schema cannot read what another wrote
schemas        what a process is given: its codecs
"""

from __future__ import annotations

from .client import Address, RegistryAway, RegistryClient, SchemaRefused
from .compatibility import obstacles
from .schemas import Schemas
from .served import ServedRegistry
from .waiting import Waiting

__all__ = [
    "Address",
    "RegistryAway",
    "RegistryClient",
    "SchemaRefused",
    "Schemas",
    "ServedRegistry",
    "Waiting",
    "obstacles",
]
