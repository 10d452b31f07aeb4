"""Read a request's body: its compression, its size, its JSON.

Shared by the simulators; the shell calls it before anything is recorded. aiohttp could decompress
by itself, but would answer a broken or unknown compression in its own words, not the vendor's.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection

    from streams.simulators.vendor import BodyTrouble

__all__ = ["Body", "read_body"]

_LEVELS = 200
"""No sender means to nest deeper; what comes near Python's own limit could be read but not told."""

_ANY_HEADER = 32 + zlib.MAX_WBITS
"""zlib's value for: gzip or zlib, whichever the first bytes say."""


@dataclass(frozen=True, slots=True)
class Body:
    """A body: its document (None where unreadable or absent), its size, and what is wrong."""

    document: object
    size: int
    trouble: BodyTrouble | None = None


def read_body(raw: bytes, encoding: str, allowed: Collection[str], limit: int) -> Body:
    """Decompress and parse a body of at most `limit` bytes (counted after decompression).

    `encoding` is the value of `Content-Encoding` ("" for none), `allowed` what the vendor takes.
    """
    if encoding and encoding != "identity":
        if encoding not in allowed:
            return Body(None, len(raw), "encoding")
        unpacked = _decompress(raw, limit)
        if unpacked is None:
            return Body(None, len(raw), "encoding")
        raw = unpacked
    if len(raw) > limit:
        return Body(None, len(raw), "too_large")
    return _parse(raw) if raw else Body(None, 0)


def _parse(raw: bytes) -> Body:
    try:
        document = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Body(None, len(raw), "malformed")
    if raw.count(b"[") + raw.count(b"{") > _LEVELS and _is_deep(document):
        return Body(None, len(raw), "malformed")
    return Body(document, len(raw))


def _is_deep(document: object) -> bool:
    """Whether objects and arrays are nested over `_LEVELS` levels."""
    level = [document]
    for _ in range(_LEVELS):
        inner: list[object] = []
        for value in level:
            if isinstance(value, dict):
                inner += value.values()
            elif isinstance(value, list):
                inner += value
        level = inner
    return any(isinstance(value, dict | list) for value in level)


def _decompress(raw: bytes, limit: int) -> bytes | None:
    """The decompressed bytes, cut off after `limit` + 1; None where they are broken."""
    unpacker = zlib.decompressobj(_ANY_HEADER)
    try:
        unpacked = unpacker.decompress(raw, limit + 1)
    except zlib.error:
        return None
    return unpacked if unpacker.eof or len(unpacked) > limit else None
