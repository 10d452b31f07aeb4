"""The console's web server: it listens, says where, and ends when it is told to."""

from __future__ import annotations

import logging
import signal
import socket
from typing import TYPE_CHECKING, Final

import uvicorn

from streams.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp

log = logging.getLogger(__name__)

_END_SECONDS: Final = 3
"""For what is under way when the process is to end."""


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens; raises `ConfigurationError` where that is not possible."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise ConfigurationError(
            "console.port", f"cannot listen on {host}:{port} ({error.strerror})", "Choose another"
        ) from None


def serve(app: ASGIApp, place: socket.socket, host: str, said: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        app: the application.
        place: that listens already.
        host: as it was set.
        said: told the address, once.
    """
    shown = f"[{host}]" if ":" in host else host
    said(f"http://{shown}:{place.getsockname()[1]}")
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,  # paths stand for customers
        timeout_graceful_shutdown=_END_SECONDS,
        server_header=False,
    )
    # the server raises the signal again once it has ended, which must not kill the process then
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _ended)
    uvicorn.Server(config).run(sockets=[place])


def _ended(*_: object) -> None:
    """The server has heard it already."""
