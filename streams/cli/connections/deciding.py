"""What the commands have in common by which an operator decides about a connection."""

from __future__ import annotations

import difflib
import getpass
from typing import TYPE_CHECKING, Final

from streams.cli.composition import kafka_of, names_of
from streams.control.topic import ControlTopic
from streams.errors import ConfigurationError

if TYPE_CHECKING:
    from streams.settings import Settings

CLIENT: Final = "streams-connections"
"""What Kafka's logs call these commands."""


def check_name(settings: Settings, name: str) -> None:
    """Raise `ConfigurationError` where there is no such connection."""
    known = list(settings.connections)
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(known) or 'none'}"
        raise ConfigurationError("NAME", f"no connection {name}", hint)


def control_of(settings: Settings) -> ControlTopic:
    """Where decisions are written."""
    return ControlTopic(kafka_of(settings, CLIENT), names_of(settings).control)


def operator() -> str:
    """Who runs this command, as the machine knows them."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have a number only
        return "operator"
