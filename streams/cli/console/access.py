"""Settings → who is let in at the console, and who must never be by mistake."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

from streams.cli.connections.deciding import operator
from streams.console.access import Access
from streams.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import SecretStr

    from streams.settings import Settings

SHORTEST: Final = 16
"""Characters of a token: what is shorter can be guessed."""


def access_of(settings: Settings, host: str) -> Access:
    """Who is let in at an address.

    Raises:
        ConfigurationError: others can reach it and nobody is asked who they are; a token is weak.
    """
    told = settings.console
    view = _token("view_token", told.view_token, told.view_token_file)
    operate = _token("operate_token", told.operate_token, told.operate_token_file)
    if view is not None and view == operate:
        raise ConfigurationError(
            "console.view_token", "it is the operate token, too", "Give them different ones"
        )
    if told.proxy_role_header is not None and told.proxy_user_header is None:
        raise ConfigurationError(
            "console.proxy_role_header", "nobody says who it is", "Set console.proxy_user_header"
        )
    access = Access(
        view_token=view,
        operate_token=operate,
        user_header=_lower(told.proxy_user_header),
        role_header=_lower(told.proxy_role_header),
    )
    if access.asks or access.user_header is not None:
        return access
    if not is_local(host):
        raise ConfigurationError(
            "console.host",
            f"{host} can be reached by others, and nobody would be asked who they are",
            "Set console.operate_token or console.view_token (STREAMS_CONSOLE__OPERATE_TOKEN), or"
            " console.proxy_user_header",
        )
    return Access(owner=operator())


def is_local(host: str) -> bool:
    """Whether only this machine reaches an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _lower(header: str | None) -> str | None:
    return None if header is None else header.lower()


def _token(name: str, told: SecretStr | None, file: Path | None) -> str | None:
    """A token, from wherever it is set."""
    found = None if told is None else told.get_secret_value().strip()
    if found is None and file is not None:
        try:
            found = file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "not a text"
            raise ConfigurationError(
                f"console.{name}_file", f"not readable ({why})", "Mend it"
            ) from None
    if found is not None and len(found) < SHORTEST:
        raise ConfigurationError(
            f"console.{name}", f"shorter than {SHORTEST} characters", "Make it by a generator"
        )
    return found
