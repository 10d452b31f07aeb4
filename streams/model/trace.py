"""W3C trace context: one id from the webhook over every topic to the vendor's request.

https://www.w3.org/TR/trace-context/ : `traceparent` is version, trace id, parent id and flags. This
program measures no spans of its own and hands on what it got unchanged, as the standard lets it; a
webhook that brought none gets a trace of its own, not sampled.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

TRACEPARENT: Final = "traceparent"
"""The header's name, in HTTP and in Kafka."""

_FORM: Final = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)


def traceparent(told: str | None, chance: bytes) -> str:
    """The trace of a request: the one that it told, if that is well formed, or a new one.

    Args:
        told: the request's header.
        chance: 24 random bytes.
    """
    if told is not None and _FORM.fullmatch(told):
        return told
    return f"00-{chance[:16].hex()}-{chance[16:24].hex()}-00"


def trace_of(headers: Mapping[str, bytes]) -> str | None:
    """The trace that a record's headers tell, None where they tell none or none that is one."""
    told = headers.get(TRACEPARENT)
    if told is None:
        return None
    text = told.decode("ascii", errors="replace")
    return text if _FORM.fullmatch(text) else None


def trace_id(trace: str) -> str:
    """The id that all of a trace's parts share."""
    return trace[3:35]
