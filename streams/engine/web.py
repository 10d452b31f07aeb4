"""Faust's web server with what one process of many on a machine needs: any port, a quick stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp.web import AppRunner, TCPSite
from faust.web.drivers.aiohttp import Web
from typing_extensions import override

if TYPE_CHECKING:
    from aiohttp.web import BaseSite

__all__ = ["EngineWeb"]

_STOP_SECONDS = 1.0


class EngineWeb(Web):
    """Listens on `port` (0: a free one, see `address`), which Faust's own setting forbids."""

    def __init__(self, app: Any, *, host: str, port: int) -> None:
        super().__init__(app)
        self._host = host
        self._port = port
        self._runner = AppRunner(self.web_app, access_log=None, shutdown_timeout=_STOP_SECONDS)

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port that are listened on, None while they are not."""
        addresses = self._runner.addresses
        return tuple(addresses[0][:2]) if addresses else None

    @override
    def _new_transport_tcp(self) -> BaseSite:
        return TCPSite(self._runner, self._host, self._port)
