"""A connection's settings, checked against its destination, and where its credentials come from.

All that is wrong raises `ConfigurationError` with the setting's name; no value is repeated.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from streams.delivery.gate import Gate
from streams.errors import ConfigurationError
from streams.settings.secret_files import secret_file, set_by_variable

if TYPE_CHECKING:
    from pathlib import Path

    from streams.model.delivery import Destination
    from streams.settings import Connection as ConnectionSettings


def gate_settings(configured: ConnectionSettings) -> Gate:
    """Who may go, by the settings; not by which event types, which the renderer looks at."""
    return Gate(
        mode=configured.mode,
        percentage=configured.percentage,
        allowlist=frozenset(configured.allowlist),
    )


def check_numbers(name: str, destination: Destination, configured: ConnectionSettings) -> None:
    """Raise `ConfigurationError` for a field without a number where fields have one."""
    for of, field in configured.contact_fields.items():
        if destination.rules.numbered_fields and field and not field.isdecimal():
            raise ConfigurationError(
                f"connections.{name}.contact_fields.{of}",
                f"{destination.name}'s fields go by number",
                'Give the number that its list of fields shows, like "51001"',
            )


def sync_every(destination: Destination, configured: ConnectionSettings) -> float:
    """Seconds between two syncs of profiles; 0: they go with their events."""
    told = configured.sync_profiles_every
    return destination.rules.sync_profiles_every if told is None else told.total_seconds()


def wanted_events(
    name: str, destination: Destination, configured: ConnectionSettings
) -> frozenset[str] | None:
    """The event types that a connection wants; None: all that its vendor takes."""
    only, but = configured.events, configured.except_events
    if only is not None and but:
        raise ConfigurationError(
            f"connections.{name}.except_events", "events says it already", "Keep one of the two"
        )
    setting = "except_events" if only is None else "events"
    for each in only or but:
        if each not in destination.takes:
            near = difflib.get_close_matches(each, destination.takes, 1)
            known = f"It takes {', '.join(sorted(destination.takes))}"
            raise ConfigurationError(
                f"connections.{name}.{setting}",
                f"{destination.name} takes no {each}",
                f"Did you mean {near[0]}?" if near else known,
            )
    if only is not None:
        return frozenset(only)
    return destination.takes - frozenset(but) if but else None


def address_of(name: str, configured: ConnectionSettings) -> str | None:
    """Where the API is, if not at the vendor's; without TLS only where this setting says so."""
    if configured.url is None:
        return None
    return checked_address(f"connections.{name}.url", configured.url, "credentials")


def checked_address(setting: str, url: str, secret: str) -> str:
    """The address of an API, as it is set.

    Args:
        setting: names it in errors.
        url: its value.
        secret: the setting that a key belongs into.

    Raises:
        ConfigurationError: it is none, or says more than where the API is.
    """
    fix = "Write it like https://api.shop-demo.io"
    try:
        parts = urlsplit(url)
        known = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise ConfigurationError(setting, "not an address", fix) from None
    if not known:
        raise ConfigurationError(setting, "not the address of an HTTP API", fix)
    if parts.username is not None or parts.query or parts.fragment:
        raise ConfigurationError(
            setting, "it says more than where the API is", f"{fix}; a key goes into {secret}"
        )
    return url


def credentials_of(name: str, configured: ConnectionSettings, *, needed: bool = False) -> str:
    """The credentials of a connection, "" where there are none and none are needed.

    Raises:
        ConfigurationError: they cannot be read, or are missing where it sends, or `needed`.
    """
    if configured.credentials is not None and configured.credentials.get_secret_value().strip():
        return configured.credentials.get_secret_value().strip()
    found = ""
    if configured.credentials_file is not None:
        found = _read_secret(name, configured.credentials_file)
    if not found and (needed or configured.mode in {"live", "allowlist"}):
        variable = f"STREAMS_CONNECTIONS__{name.upper()}__CREDENTIALS"
        raise ConfigurationError(
            f"connections.{name}.credentials",
            "a live connection needs them",
            f"Set {variable}, or connections.{name}.credentials_file",
        )
    return found


def credentials_file_of(name: str, configured: ConnectionSettings) -> Path | None:
    """The file that a connection's credentials came from; None: a variable, or there are none."""
    setting = ("connections", name, "credentials")
    if set_by_variable(*setting):
        return None
    return secret_file(*setting) or configured.credentials_file


def _read_secret(name: str, file: Path) -> str:
    try:
        return file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not a text"
        raise ConfigurationError(
            f"connections.{name}.credentials_file",
            f"not readable ({why})",
            "Set a file that is there and may be read",
        ) from None
