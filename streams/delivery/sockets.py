"""Sockets for the HTTP client, straight on the event loop: half the CPU of the client's own.

The client's stock backend enters several cancel scopes and makes several system calls a request.
Here the parts of a request gather until an answer is awaited and leave in one write; deadlines are
the caller's.
"""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final, cast

import httpcore2
from typing_extensions import override

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

_MOST_UNREAD: Final = 1 << 18
"""Bytes that may wait to be read before the vendor is made to wait."""


def _delay(host: str) -> float | None:
    """Seconds until a name's next address is tried beside the first; an address has no next one.

    Who gives up amid such a race leaves its winner to the garbage collector (Python's own `asyncio`
    forgets it): not where there is nothing to race.
    """
    try:
        ip_address(host)
    except ValueError:
        return 0.25
    return None


class Sockets(httpcore2.AsyncNetworkBackend):
    """Opens TCP connections."""

    @override
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect; `ConnectTimeout` or `ConnectError` when that fails."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                _, stream = await loop.create_connection(
                    Stream, host, port, happy_eyeballs_delay=_delay(host)
                )
        except TimeoutError:
            raise httpcore2.ConnectTimeout from None
        except OSError:
            raise httpcore2.ConnectError from None
        return stream


class Stream(httpcore2.AsyncNetworkStream, asyncio.Protocol):
    """One connection. Written parts are held back until something is to be read."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._unsent: list[bytes] = []
        self._unread = bytearray()
        self._answered = False
        self._full = False
        self._lost = False
        self._error: Exception | None = None
        self._arrival: asyncio.Future[None] | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport (event loop)."""
        self._transport = cast("asyncio.Transport", transport)

    @override
    def data_received(self, data: bytes) -> None:
        """Take what arrived (event loop)."""
        self._unread += data
        self._answered = True
        if len(self._unread) > _MOST_UNREAD and not self._full:
            self._full = True
            self._open().pause_reading()
        self._wake()

    @override
    def connection_lost(self, error: Exception | None) -> None:
        """Take note of the end (event loop)."""
        self._lost, self._error = True, error
        self._wake()

    @override
    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send these bytes before the next read."""
        self._unsent.append(buffer)

    @override
    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what has arrived, empty at the end; `ReadError` when the vendor broke it off."""
        transport = self._open()
        if self._unsent:
            self._answered = False
            if not self._lost:
                transport.write(b"".join(self._unsent))
            self._unsent.clear()
        while not self._unread and not self._lost:
            self._arrival = asyncio.get_running_loop().create_future()
            await self._arrival
        if not self._unread and (self._error is not None or not self._answered):
            raise httpcore2.ReadError
        data = bytes(self._unread[:max_bytes])
        del self._unread[:max_bytes]
        if self._full and not self._unread:
            self._full = False
            transport.resume_reading()
        return data

    @override
    async def aclose(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    @override
    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Encrypt from here on; `ConnectTimeout` or `ConnectError` when that fails."""
        loop, transport = asyncio.get_running_loop(), self._open()
        try:
            async with asyncio.timeout(timeout):
                secured = await loop.start_tls(
                    transport, self, ssl_context, server_hostname=server_hostname
                )
        except TimeoutError:
            transport.abort()
            raise httpcore2.ConnectTimeout from None
        except OSError:  # ssl's errors are among them
            transport.abort()
            raise httpcore2.ConnectError from None
        self._transport = secured
        return self

    @override
    def get_extra_info(self, info: str) -> Any:
        """What the client asks: whether an idle connection is over, and the TLS object."""
        if info == "is_readable":
            return self._lost or bool(self._unread)
        return self._open().get_extra_info(info)

    def _open(self) -> asyncio.Transport:
        if self._transport is None:
            raise httpcore2.ReadError
        return self._transport

    def _wake(self) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)
