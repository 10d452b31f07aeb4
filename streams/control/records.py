"""What the control topic holds of a connection: one record, the newest counts.

Other records of the topic have other keys (`first-offsets:…`) and are nobody's business here.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from streams.delivery.gate import Decision
from streams.errors import ConfigurationError

CONNECTIONS: Final = "connection:"
"""What the keys of these records begin with; the connection's name follows."""


class Pause(msgspec.Struct, frozen=True):
    """An operator let a connection rest.

    Attributes:
        by: whose decision it was.
        since: epoch milliseconds.
        reason: in their words.
    """

    by: str
    since: int
    reason: str | None = None


class Promotion(msgspec.Struct, frozen=True):
    """A mode in place of the settings' one.

    Attributes:
        mode: that holds.
        by: whose decision it was.
        at: epoch milliseconds.
        percentage: of the customers, where it is live.
        allowlist: customers in addition to those of the settings.
    """

    mode: Literal["allowlist", "live"]
    by: str
    at: int
    percentage: float = 100.0
    allowlist: frozenset[str] = frozenset()


class ConnectionState(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was decided about a connection beside its settings; all of it stays until changed.

    Attributes:
        pause: it rests.
        promotion: its mode.
        decision: about what waited when it was last resumed.
        resumed_at: when that was, epoch milliseconds; a new one is a new decision.
    """

    pause: Pause | None = None
    promotion: Promotion | None = None
    decision: Decision | None = None
    resumed_at: int = 0


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(ConnectionState).decode


def key_of(connection: str) -> str:
    """The key of a connection's record."""
    return f"{CONNECTIONS}{connection}"


def encode_state(state: ConnectionState) -> bytes | None:
    """The record of a state; None, which deletes it, where nothing was decided."""
    return None if state == ConnectionState() else _encode(state)


def decode_state(connection: str, value: bytes | None) -> ConnectionState:
    """The state of a record; without one, nothing was decided.

    Raises:
        ConfigurationError: it is none that this version reads.
    """
    if value is None:
        return ConnectionState()
    try:
        return _decode(value)
    except msgspec.DecodeError:
        raise ConfigurationError(
            f"control record {key_of(connection)}",
            "it is not one of this version's",
            "Use the version that wrote it, or decide anew by `streams connections`",
        ) from None
