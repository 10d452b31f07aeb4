"""A connection's handler, kept to what was decided about it and to credentials that change."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from streams.control.records import ConnectionState, decode_state, key_of
from streams.errors import ConfigurationError

if TYPE_CHECKING:
    from streams.control.credentials import CredentialsFile
    from streams.control.follower import Follower
    from streams.delivery.connection import Connection
    from streams.delivery.gate import Gate

log = logging.getLogger(__name__)

NO_CREDENTIALS = "no credentials"
"""Why a connection rests that is to send and has nothing to be let in by."""


class Steered(Protocol):
    """What is asked of a connection's handler; on the event loop."""

    def govern(self, gate: Gate) -> None:
        """Let deliveries that are rendered from now on go by this gate."""

    def pause(self, reason: str) -> None:
        """Send nothing, read nothing; again with another reason: that one is shown."""

    def resume(self) -> None:
        """Send again, also if the vendor had refused the credentials."""

    def authorize(self, credentials: str) -> None:
        """Use other credentials from the next request on; raises `ConfigurationError`."""


class ConnectionControl:
    """Steers one connection's handler. For one event loop, not used before it runs.

    A connection that the vendor refuses is paused by its handler, until it is resumed here: by an
    operator, or because its credentials have changed.
    """

    def __init__(
        self,
        connection: Connection,
        handler: Steered,
        follower: Follower,
        credentials: CredentialsFile | None = None,
    ) -> None:
        """Take what it works with.

        Args:
            connection: its settings.
            handler: that is steered.
            follower: of the control topic, started.
            credentials: the file that they came from, if it was a file.
        """
        self._connection = connection
        self._handler = handler
        self._follower = follower
        self._credentials = credentials
        self._known = bool(connection.credentials)
        self._state: ConnectionState | None = None
        self._held: str | None = None

    def start(self) -> None:
        """Bring the handler to what holds now, before it returns, and keep it there."""
        self._follower.listen(key_of(self._connection.name), self._heard)
        if self._credentials is not None:
            self._credentials.watch(self._changed)

    def stop(self) -> None:
        """Look for other credentials no more."""
        if self._credentials is not None:
            self._credentials.stop()

    def _heard(self, value: bytes | None) -> None:
        name = self._connection.name
        try:
            state = decode_state(name, value)
        except ConfigurationError as error:
            log.error("%s: what was decided last still holds: %s", name, error)  # noqa: TRY400
            state = self._state or ConnectionState()
        before, self._state = self._state, state
        gate = gate_of(self._connection.gate, state)
        self._handler.govern(gate)
        if state.promotion is not None and (before is None or before.promotion != state.promotion):
            log.info("%s: %s by promotion (settings: %s)", name, gate.mode, self._connection.mode)
        resumed = before is not None and before.resumed_at != state.resumed_at
        self._hold(resumed=resumed)

    def _changed(self, credentials: str) -> None:
        try:
            self._handler.authorize(credentials)
        except ConfigurationError as error:
            log.error("%s: the former credentials stay: %s", self._connection.name, error)  # noqa: TRY400
            return
        log.info("%s: its credentials have changed", self._connection.name)
        self._known = True
        self._hold(resumed=True)

    def _hold(self, *, resumed: bool) -> None:
        """Pause the handler, or let it go if it was paused here or is to go whatever stopped it."""
        held = self._reason()
        if held is not None:
            if held != self._held:
                self._handler.pause(held)
        elif resumed or self._held is not None:
            self._handler.resume()
        self._held = held

    def _reason(self) -> str | None:
        """Why the connection is to rest; None: it is not."""
        state = self._state or ConnectionState()
        if state.pause is not None:
            why = f": {state.pause.reason}" if state.pause.reason else ""
            return f"by {state.pause.by}{why}"
        sends = gate_of(self._connection.gate, state).mode in {"allowlist", "live"}
        return NO_CREDENTIALS if sends and not self._known else None


def gate_of(own: Gate, state: ConnectionState) -> Gate:
    """Who may go: by the settings (`own`), or by a promotion in their place; `off` stays off."""
    gate, promoted = own, state.promotion
    if promoted is not None and own.mode != "off":
        gate = replace(
            own,
            mode=promoted.mode,
            percentage=promoted.percentage,
            allowlist=own.allowlist | promoted.allowlist,
        )
    return replace(gate, decision=state.decision)
