"""HTTP: a request value becomes a response value. The only importer of the HTTP client.

Works below the client's session layer, on its transports: a session would keep the vendor's
cookies, follow its redirects and read proxies from the environment, and costs a tenth of all CPU.
Each of the `concurrency` connections is a transport of its own, since a shared pool looks at all
its connections (and polls their sockets) twice a request.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Literal

import httpx2
import msgspec

from streams.errors import ConfigurationError
from streams.model.delivery import Response

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from streams.model.delivery import Request

FailureReason = Literal["unreachable", "timeout", "connection_broken", "protocol_error"]

_KEEP_IDLE_SECONDS: Final = 20.0
"""Below what load balancers allow (60 s): rarely is one used that the vendor is just closing."""


class TransportFailure(Exception):
    """No answer came; whether the vendor took the request is unknown. Always worth a retry.

    Carries no address, header or body: the client's own messages may quote them.
    """

    def __init__(self, reason: FailureReason) -> None:
        super().__init__(reason)
        self.reason: FailureReason = reason


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds to connect, between two reads or writes, and for the whole request."""

    connect: float = 5.0
    read: float = 15.0
    total: float = 30.0


class Http:
    """The connections to one vendor, opened on demand and kept alive."""

    def __init__(
        self,
        url: str,
        authorization: Mapping[str, str],
        *,
        concurrency: int,
        timeouts: Timeouts | None = None,
    ) -> None:
        """Describe them; nothing is opened yet.

        Args:
            url: scheme and host, perhaps a path; requests' paths are appended.
            authorization: headers with the credentials, added to each request.
            concurrency: how many requests there will be at a time; more wait in `send`.
            timeouts: see there.

        Raises:
            ConfigurationError: credentials that no header can carry.
        """
        timeouts = timeouts or Timeouts()
        for value in authorization.values():
            if not (value.isascii() and value.isprintable()):
                raise ConfigurationError(
                    "credentials",
                    "they hold a character that no HTTP header can carry",
                    "Look for a line break or a quote that was copied with them",
                )
        self._url = url.rstrip("/")
        self._urls: dict[str, httpx2.URL] = {}
        self._authorization = dict(authorization)
        self._total = timeouts.total
        self._timeout = {
            "timeout": {
                "connect": timeouts.connect,
                "read": timeouts.read,
                "write": timeouts.read,
                "pool": timeouts.total,
            }
        }
        self._slots = asyncio.Semaphore(concurrency)
        context = httpx2.create_ssl_context(trust_env=False)
        self._transports = [_transport(context) for _ in range(concurrency)]
        self._idle = list(self._transports)

    async def send(self, request: Request, body: bytes) -> Response:
        """Send a request with this body and read the whole answer.

        Raises:
            TransportFailure: no whole answer came.
        """
        headers = {**request.headers, **self._authorization}
        outgoing = httpx2.Request(
            request.method,
            self._address(request.path),
            headers=headers,
            content=body,
            extensions=self._timeout,
        )
        async with self._slots:
            transport = self._idle.pop()  # the one used last: its connection is the freshest
            try:
                async with asyncio.timeout(self._total):
                    answer = await transport.handle_async_request(outgoing)
                    try:
                        content = await answer.aread()
                    finally:
                        await answer.aclose()
            except (httpx2.RequestError, TimeoutError, OSError) as error:
                raise TransportFailure(_reason(error)) from None
            finally:
                self._idle.append(transport)
        return Response(answer.status_code, _headers(answer), content)

    async def aclose(self) -> None:
        """Close the connections; requests under way fail."""
        for transport in self._transports:
            with suppress(httpx2.RequestError, OSError):
                await transport.aclose()

    def _address(self, path: str) -> httpx2.URL:
        address = self._urls.get(path)
        if address is None:
            address = httpx2.URL(self._url + path)
            if len(self._urls) < 100:  # paths are few; should a vendor put ids in them, no leak
                self._urls[path] = address
        return address


def _transport(context: ssl.SSLContext) -> httpx2.AsyncHTTPTransport:
    limits = httpx2.Limits(
        max_connections=1, max_keepalive_connections=1, keepalive_expiry=_KEEP_IDLE_SECONDS
    )
    return httpx2.AsyncHTTPTransport(verify=context, trust_env=False, limits=limits)


def _headers(answer: httpx2.Response) -> dict[str, str]:
    return {
        name.decode("latin-1").lower(): value.decode("latin-1")
        for name, value in answer.headers.raw
    }


def _reason(error: Exception) -> FailureReason:
    if isinstance(error, (httpx2.ConnectError, httpx2.ConnectTimeout)):
        return "unreachable"
    if isinstance(error, (httpx2.TimeoutException, TimeoutError)):
        return "timeout"
    if isinstance(error, (httpx2.NetworkError, OSError)):
        return "connection_broken"
    return "protocol_error"
