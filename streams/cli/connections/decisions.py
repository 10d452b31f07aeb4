"""What an operator decides about a connection, done and said on the audit topic.

The same whether the command line asks or a page. What somebody wrote in their own words (why a
connection is paused) stands on the control topic, and not on the audit topic.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from streams.cli.auditing import audit_of
from streams.cli.codecs import schemas_of
from streams.cli.composition import kafka_of, names_of
from streams.cli.connections.deciding import CLIENT, check_name, control_of, operator
from streams.control.records import Pause
from streams.control.standing import Waits, beyond, what_waits
from streams.delivery.gate import Decision
from streams.errors import ConfigurationError

if TYPE_CHECKING:
    from streams.control.records import ConnectionState
    from streams.delivery.gate import How
    from streams.engine.stretch import Stretch
    from streams.settings import Settings


class Waiting(NamedTuple):
    """What waits in a connection's topic: where, and what it is."""

    stretch: Stretch | None
    waits: Waits


def pause(settings: Settings, name: str, reason: str | None, by: str | None = None) -> Pause:
    """Let a connection rest; a pause that holds already stays, with the new reason if there is one.

    Raises:
        ConfigurationError: there is no such connection.
        KafkaException: the broker does not answer; nothing was decided.
    """
    check_name(settings, name)
    who, now = by or operator(), int(time.time() * 1_000)
    asked = Pause(who, now, reason)

    def rest(state: ConnectionState) -> ConnectionState:
        known = state.pause or asked
        return replace(state, pause=known if reason is None else replace(known, reason=reason))

    what = {"connection": name, "said_why": reason is not None}
    with audit_of(settings, who).action("connections.pause", what) as entry:
        found = control_of(settings).change(name, rest).pause or asked
        entry.result["paused_since"] = found.since
    return found


def waiting(settings: Settings, name: str) -> Waiting:
    """What waits now: a decision about it covers these offsets, and nothing that comes later."""
    check_name(settings, name)
    names, kafka = names_of(settings), kafka_of(settings, CLIENT)
    stretch = beyond(kafka, names.deliver_group(name), names.deliveries(name))
    decode = schemas_of(settings, [], wait=False).decode_in_thread("events/enriched")
    return Waiting(stretch, what_waits(kafka, stretch, decode))


def resume(
    settings: Settings, name: str, how: How | None, found: Waiting, by: str | None = None
) -> None:
    """Let a connection go on, and decide what becomes of what was found waiting.

    Raises:
        ConfigurationError: there is no such connection, or something waits and nothing is decided.
        KafkaException: the broker does not answer; nothing was decided.
    """
    check_name(settings, name)
    stretch, waits = found
    if waits.count and how is None:
        raise ConfigurationError(
            f"connection {name}",
            "what becomes of what waits is not said",
            "Choose --deliver, --data-only (it starts no flow) or --skip",
        )
    decision = None
    if stretch is not None and waits.count and how is not None:
        decision = Decision(how, stretch.topic, dict(stretch.starts), dict(stretch.ends))
    what = {"connection": name, "how": how, "waited": waits.count}
    with audit_of(settings, by).action("connections.resume", what):
        now = int(time.time() * 1_000)
        control_of(settings).change(
            name, lambda state: replace(state, pause=None, decision=decision, resumed_at=now)
        )


def reset(settings: Settings, name: str, by: str | None = None) -> None:
    """Forget a promotion: the settings' mode holds again; errors as above."""
    check_name(settings, name)
    with audit_of(settings, by).action("connections.reset", {"connection": name}):
        control_of(settings).change(name, lambda state: replace(state, promotion=None))
