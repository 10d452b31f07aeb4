"""HTTP: a request value becomes a response value. With `sockets`, all that knows the HTTP client.

Works on the connections of httpx2's own core: a client session above them would keep the vendor's
cookies, follow its redirects and read proxies from the environment; a pool looks at all its
connections twice a request. Without both, and on our own sockets, a request costs 40 % of the CPU.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Literal

import httpcore2
import msgspec

from streams.delivery.sockets import Sockets
from streams.errors import ConfigurationError
from streams.model.delivery import Response

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from streams.model.delivery import Request

FailureReason = Literal["unreachable", "timeout", "connection_broken", "protocol_error"]

_KEEP_IDLE_SECONDS: Final = 20.0
"""Below what load balancers allow (60 s): rarely is one used that the vendor is just closing."""

_LARGEST_ANSWER: Final = 1 << 20
"""Bytes; no vendor's API answers with more, but a wrong address may lead to anything."""

_FAILURES: Final = (
    httpcore2.TimeoutException,
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.UnsupportedProtocol,
    OSError,  # TimeoutError is one
)


class TransportFailure(Exception):
    """No answer came; whether the vendor took the request is unknown. Always worth a retry.

    Carries no address, header or body: the client's own messages may quote them.
    """

    def __init__(self, reason: FailureReason) -> None:
        super().__init__(reason)
        self.reason: FailureReason = reason


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds to connect (TCP, and TLS again), and for the whole request with its answer."""

    connect: float = 5.0
    total: float = 20.0


class Http:
    """The connections to one vendor, opened on demand and kept alive."""

    def __init__(
        self,
        url: str,
        authorization: Mapping[str, str],
        *,
        concurrency: int,
        timeouts: Timeouts | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """Describe them; nothing is opened yet.

        Args:
            url: scheme and host, perhaps a path; requests' paths are appended.
            authorization: headers with the credentials, added to each request.
            concurrency: how many requests there will be at a time; more wait in `send`.
            timeouts: see there.
            context: whom to trust; by default whom the system trusts. Always verified.

        Raises:
            ConfigurationError: credentials that no header can carry.
        """
        base = httpcore2.URL(url)
        self._origin = base.origin
        self._path = base.target.rstrip(b"/")
        self._context = context or httpcore2.default_ssl_context()
        self._timeouts = timeouts or Timeouts()
        self._extensions = {"timeout": {"connect": self._timeouts.connect}}
        self._host = _host(base)
        self.authorize(authorization)
        self._slots = asyncio.Semaphore(concurrency)
        self._idle: list[httpcore2.AsyncHTTPConnection] = []
        self._sockets = Sockets()

    def authorize(self, authorization: Mapping[str, str]) -> None:
        """Send these headers with the credentials from the next request on.

        Raises:
            ConfigurationError: credentials that no header can carry; the former ones stay.
        """
        for value in authorization.values():
            if not (value.isascii() and value.isprintable()):
                raise ConfigurationError(
                    "credentials",
                    "they hold a character that no HTTP header can carry",
                    "Look for a line break or a quote that was copied with them",
                )
        self._fixed = [
            (b"host", self._host),
            (b"user-agent", b"ordergroove-streams"),
            *_encoded(authorization),
        ]

    async def send(self, request: Request, body: bytes, trace: str | None = None) -> Response:
        """Send a request with this body, in this trace (W3C), and read the whole answer.

        Raises:
            TransportFailure: no whole answer came.
        """
        outgoing = self._outgoing(request, body, trace)
        async with self._slots:
            try:
                async with asyncio.timeout(self._timeouts.total):
                    connection = await self._connection()
                    answer = await connection.handle_async_request(outgoing)
                    content = await _content(answer)
            except _FAILURES as error:
                raise TransportFailure(_reason(error)) from None
            if not connection.is_closed():
                self._idle.append(connection)
        return Response(answer.status, _decoded(answer.headers), content)

    async def aclose(self) -> None:
        """Close the idle connections; requests under way go on, or are cancelled by their tasks."""
        while self._idle:
            await self._idle.pop().aclose()

    async def _connection(self) -> httpcore2.AsyncHTTPConnection:
        """The connection used last, whose end is least likely near, or a new one."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.has_expired():
                return connection
            await connection.aclose()
        return httpcore2.AsyncHTTPConnection(
            self._origin,
            ssl_context=self._context,
            keepalive_expiry=_KEEP_IDLE_SECONDS,
            network_backend=self._sockets,
        )

    def _outgoing(self, request: Request, body: bytes, trace: str | None) -> httpcore2.Request:
        headers = [
            *self._fixed,
            *_encoded(request.headers),
            (b"content-length", str(len(body)).encode()),
        ]
        if trace is not None:
            headers.append((b"traceparent", trace.encode("ascii")))
        origin = self._origin
        url = httpcore2.URL(
            scheme=origin.scheme,
            host=origin.host,
            port=origin.port,
            target=self._path + request.path.encode("ascii"),
        )
        return httpcore2.Request(
            request.method, url, headers=headers, content=body, extensions=self._extensions
        )


async def _content(answer: httpcore2.Response) -> bytes:
    content = bytearray()
    try:
        async for chunk in answer.aiter_stream():
            content += chunk
            if len(content) > _LARGEST_ANSWER:
                raise httpcore2.RemoteProtocolError
    finally:
        await answer.aclose()
    return bytes(content)


def _host(url: httpcore2.URL) -> bytes:
    usual = {b"http": 80, b"https": 443}.get(url.scheme)
    return url.host if url.port in (None, usual) else b"%b:%d" % (url.host, url.port)


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]


def _decoded(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}


def _reason(error: Exception) -> FailureReason:
    if isinstance(error, (httpcore2.ConnectError, httpcore2.ConnectTimeout)):
        return "unreachable"
    if isinstance(error, (httpcore2.TimeoutException, TimeoutError)):
        return "timeout"
    if isinstance(error, (httpcore2.NetworkError, OSError)):
        return "connection_broken"
    return "protocol_error"
