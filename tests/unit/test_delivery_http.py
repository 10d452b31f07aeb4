"""Requests over real sockets: `streams.delivery.http` and `.sockets`."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import pytest

from streams.delivery.http import Http, Timeouts, TransportFailure
from streams.errors import ConfigurationError
from streams.model.delivery import Request
from tests.support.delivery import SECRET, until
from tests.support.delivery_tls import server_context, trusting_context
from tests.support.delivery_vendor import Answer, Seen, Server

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable

REQUEST = Request("POST", "/events", {"revision": "2026-07-15"}, {"event": "e1"}, "events")
BODY = b'{"event":"e1"}'
AUTHORIZATION = {"authorization": SECRET}

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def tell(
    story: Callable[[Http, Server], Awaitable[Any]],
    answer: Callable[[Seen], Any] = lambda _: Answer(),
    server_tls: ssl.SSLContext | None = None,
    **options: Any,
) -> tuple[Any, Server]:
    """Let a story happen between a client and a server; return what it returns, and the server."""

    async def play() -> tuple[Any, Server]:
        async with Server(server_tls) as server:
            server.answer = answer
            http = Http(server.url, AUTHORIZATION, **{"concurrency": 4} | options)
            try:
                return await story(http, server), server
            finally:
                await http.aclose()

    return asyncio.run(play())


def test_a_request_is_part_of_its_trace() -> None:
    """As the record's headers told it (W3C trace context)."""
    _, server = tell(lambda http, _: http.send(REQUEST, BODY, TRACE), lambda _: Answer(202))
    [seen] = server.seen

    assert TRACE == seen.headers["traceparent"]


def test_a_request_arrives_as_it_is() -> None:
    """Method, path, headers, credentials and body go out; status, headers and body come back."""
    answer = Answer(429, {"Retry-After": "7"}, b"wait")
    response, server = tell(lambda http, _: http.send(REQUEST, BODY), lambda _: answer)
    [seen] = server.seen

    assert ("events", {"event": "e1"}) == (seen.endpoint, seen.body)
    assert ("2026-07-15", SECRET) == (seen.headers["revision"], seen.headers["Authorization"])
    assert server.url.removeprefix("http://") == seen.headers["Host"]
    assert "traceparent" not in seen.headers
    assert (429, "7", b"wait") == (response.status, response.headers["retry-after"], response.body)


def test_connections_are_kept() -> None:
    """Requests one after the other use one connection."""

    async def story(http: Http, _: Server) -> None:
        for _turn in range(20):
            await http.send(REQUEST, BODY)

    _, server = tell(story)

    assert (20, 1) == (len(server.seen), len(server.connections))


def test_there_are_no_more_connections_than_allowed() -> None:
    """Forty requests at once go over four connections, four at a time."""

    async def slowly(_: Seen) -> Answer:
        await asyncio.sleep(0.01)
        return Answer()

    async def story(http: Http, _: Server) -> list[int]:
        answers = await asyncio.gather(*(http.send(REQUEST, BODY) for _ in range(40)))
        return [each.status for each in answers]

    statuses, server = tell(story, slowly)

    assert ([202] * 40, 4, 4) == (statuses, server.most_at_once, len(server.connections))


def test_the_vendors_cookies_and_redirects_are_not_followed() -> None:
    """A redirect is an answer like any other, and nothing of one answer goes into the next call."""
    answer = Answer(302, {"Location": "/elsewhere", "Set-Cookie": "a=b"})

    async def story(http: Http, _: Server) -> list[int]:
        return [(await http.send(REQUEST, BODY)).status for _ in range(2)]

    statuses, server = tell(story, lambda _: answer)

    assert [302, 302] == statuses
    assert [("events", None)] * 2 == [(s.endpoint, s.headers.get("Cookie")) for s in server.seen]


async def _never(_: Seen) -> Answer:
    await asyncio.sleep(30)
    return Answer()


@pytest.mark.parametrize(
    ("answer", "timeouts", "reason"),
    [
        pytest.param(lambda _: Answer(cut=True), Timeouts(), "connection_broken", id="cut off"),
        pytest.param(_never, Timeouts(total=0.05), "timeout", id="no answer in time"),
        pytest.param(
            lambda _: Answer(body=b"x" * 1_100_000), Timeouts(), "protocol_error", id="too much"
        ),
    ],
)
def test_no_answer_has_a_reason(answer: Any, timeouts: Timeouts, reason: str) -> None:
    """Without a whole answer there is an error with a reason; the next request is fine."""

    async def story(http: Http, server: Server) -> tuple[str, int]:
        with pytest.raises(TransportFailure) as failure:
            await http.send(REQUEST, BODY)
        server.answer = lambda _: Answer()
        return str(failure.value), (await http.send(REQUEST, BODY)).status

    told, _ = tell(story, answer, timeouts=timeouts, concurrency=1)

    assert (reason, 202) == told


def test_nobody_listens() -> None:
    """A refused connection is `unreachable`."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        http = Http(url, AUTHORIZATION, concurrency=1)
        with pytest.raises(TransportFailure, match=r"^unreachable$"):
            asyncio.run(http.send(REQUEST, BODY))


def test_errors_show_no_secrets() -> None:
    """Neither the error nor anything chained to it quotes credentials, address or body."""
    http = Http("http://127.0.0.1:1/secret-path", AUTHORIZATION, concurrency=1)
    with pytest.raises(TransportFailure) as failure:
        asyncio.run(http.send(REQUEST, BODY))

    assert ("unreachable", None, True) == (
        str(failure.value),
        failure.value.__cause__,
        failure.value.__suppress_context__,
    )


@pytest.mark.parametrize("credentials", [f"{SECRET}\n", f"{SECRET}\r\nhost: x", "pk_ключ"])
def test_unusable_credentials_are_refused_unseen(credentials: str) -> None:
    """What no header can carry is a wrong setting, and is not repeated in the message."""
    with pytest.raises(ConfigurationError) as error:
        Http("https://vendor.shop-demo.io", {"authorization": credentials}, concurrency=1)

    assert not any(part in str(error.value) for part in (SECRET, "pk_", "host"))


def test_a_large_answer_is_read_whole() -> None:
    """However it is cut up on its way, and with little of it held at a time."""
    body = bytes(range(256)) * 4_000
    response, _ = tell(lambda http, _: http.send(REQUEST, BODY), lambda _: Answer(body=body))

    assert body == response.body


def test_tls_works_and_is_verified() -> None:
    """A certificate that is trusted is fine, for many requests; one that is not ends everything."""

    async def story(http: Http, _: Server) -> list[int]:
        return [(await http.send(REQUEST, BODY)).status for _ in range(3)]

    statuses, server = tell(story, server_tls=server_context(), context=trusting_context())

    assert ([202] * 3, 1) == (statuses, len(server.connections))
    with pytest.raises(TransportFailure, match=r"^unreachable$"):
        tell(story, server_tls=server_context())


def test_a_host_name_is_verified() -> None:
    """A trusted certificate of another host is worth nothing."""

    async def story(_: Http, server: Server) -> int:
        url = server.url.replace("localhost", "127.1")  # the same address by another name
        other = Http(url, AUTHORIZATION, concurrency=1, context=trusting_context())
        try:
            return (await other.send(REQUEST, BODY)).status
        finally:
            await other.aclose()

    assert 202 == tell(story)[0]
    with pytest.raises(TransportFailure, match=r"^unreachable$"):
        tell(story, server_tls=server_context())


def test_a_connection_that_the_vendor_closed_is_not_used_again() -> None:
    """An idle connection that is over is noticed before a request goes out on it."""

    async def story(http: Http, server: Server) -> int:
        await http.send(REQUEST, BODY)
        for connection in server.connections:
            connection.close()
        [idle] = http._idle
        await until(idle.has_expired)
        return (await http.send(REQUEST, BODY)).status

    status, server = tell(story)

    assert (202, 2, 2) == (status, len(server.seen), len(server.connections))


def test_a_cancelled_request_is_broken_off() -> None:
    """Nothing of it is left: its connection is closed, its slot is free."""

    async def story(http: Http, server: Server) -> tuple[int, int]:
        sending = asyncio.create_task(http.send(REQUEST, BODY))
        await until(lambda: len(server.seen) == 1)
        sending.cancel()
        await asyncio.wait([sending])
        [connection] = server.connections
        await until(connection.is_closing)
        server.answer = lambda _: Answer()
        return (await http.send(REQUEST, BODY)).status, len(http._idle)

    told, _ = tell(story, _never, concurrency=1)

    assert (202, 1) == told


def test_the_path_is_appended_to_the_url() -> None:
    """A base address with a path keeps it."""

    async def story(http: Http, server: Server) -> None:
        other = Http(f"{server.url}/proxy/", AUTHORIZATION, concurrency=1)
        await other.send(REQUEST, BODY)
        await other.aclose()

    _, server = tell(story)

    assert ["proxy/events"] == [each.endpoint for each in server.seen]
