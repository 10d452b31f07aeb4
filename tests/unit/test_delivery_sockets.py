"""Sockets under the HTTP client: `streams.delivery.sockets`, also where no test server gets."""

from __future__ import annotations

import asyncio
import gc
import socket
import warnings
from typing import Any, cast

import httpcore2
import pytest

from streams.delivery.http import Http, Timeouts, TransportFailure
from streams.delivery.sockets import Sockets, Stream
from streams.model.delivery import Request


class Transport:
    """A transport that takes note."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def write(self, data: bytes) -> None:
        """Take bytes."""
        self.calls.append(data)

    def pause_reading(self) -> None:
        """Hold the other side back."""
        self.calls.append("pause")

    def resume_reading(self) -> None:
        """Let it go on."""
        self.calls.append("resume")


def connected() -> tuple[Stream, Transport]:
    """A stream on such a transport."""
    stream, transport = Stream(), Transport()
    stream.connection_made(cast("Any", transport))
    return stream, transport


def test_a_request_leaves_in_one_write() -> None:
    """What is written is held until something is to be read."""
    stream, transport = connected()

    async def story() -> bytes:
        await stream.write(b"head")
        await stream.write(b"body")
        before.append(list(transport.calls))
        asyncio.get_running_loop().call_soon(stream.data_received, b"answer")
        return await stream.read(100)

    before: list[list[Any]] = []

    assert b"answer" == asyncio.run(story())
    assert ([[]], [b"headbody"]) == (before, transport.calls)


def test_a_torrent_is_held_back() -> None:
    """Above 256 KiB unread the vendor must wait, until all of it is read."""
    stream, transport = connected()
    for _ in range(3):
        stream.data_received(b"x" * 200_000)

    async def read(size: int) -> list[Any]:
        await stream.read(size)
        return list(transport.calls)

    assert [["pause"], ["pause", "resume"]] == [
        asyncio.run(read(599_999)),
        asyncio.run(read(100)),
    ]


@pytest.mark.parametrize(
    ("answered", "error", "end"),
    [
        pytest.param(True, None, b"", id="an end after an answer"),
        pytest.param(False, None, httpcore2.ReadError, id="an end without an answer"),
        pytest.param(True, ConnectionResetError(), httpcore2.ReadError, id="a reset"),
    ],
)
def test_how_a_connection_ends(answered: bool, error: Exception | None, end: Any) -> None:
    """An orderly end is an end, anything else an error; what came before is read first."""
    stream, _ = connected()

    async def story() -> Any:
        await stream.write(b"request")
        if answered:
            asyncio.get_running_loop().call_soon(stream.data_received, b"answer")
            assert await stream.read(100) == b"answer"
        stream.connection_lost(error)
        try:
            return await stream.read(100)
        except httpcore2.ReadError as failure:
            return type(failure)

    assert end == asyncio.run(story())


def test_the_end_of_an_idle_connection_fails_the_next_request() -> None:
    """An answer to the request before is none to this one; nothing is written any more."""
    stream, transport = connected()

    async def story() -> None:
        await stream.write(b"first")
        asyncio.get_running_loop().call_soon(stream.data_received, b"answer")
        await stream.read(100)
        stream.connection_lost(None)
        await stream.write(b"second")
        with pytest.raises(httpcore2.ReadError):
            await stream.read(100)

    asyncio.run(story())

    assert [b"first"] == transport.calls


def test_connecting_takes_only_so_long() -> None:
    """A host that does not answer is given up after the timeout."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        place = listener.getsockname()
        waiting = [socket.socket() for _ in range(8)]
        for each in waiting:  # more than its queue holds: further ones get no answer at all
            each.setblocking(False)
            each.connect_ex(place)
        with pytest.raises(httpcore2.ConnectTimeout):
            asyncio.run(Sockets().connect_tcp(place[0], place[1], timeout=0.1))
        for each in waiting:
            each.close()


@pytest.mark.parametrize("steps", range(10))
def test_giving_up_leaves_no_socket_open(steps: int) -> None:
    """Whenever a connection is given up while it is made, its socket is closed."""

    async def story(place: tuple[str, int]) -> None:
        connecting = asyncio.create_task(Sockets().connect_tcp(*place, timeout=5.0))
        for _ in range(steps):
            await asyncio.sleep(0)
        connecting.cancel()
        (made,) = await asyncio.gather(connecting, return_exceptions=True)
        if isinstance(made, httpcore2.AsyncNetworkStream):
            await made.aclose()
        await asyncio.sleep(0)

    with socket.socket() as listener, warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        asyncio.run(story(listener.getsockname()))
        gc.collect()

    assert not [each.message for each in told if issubclass(each.category, ResourceWarning)]


def test_a_silent_tls_server_is_given_up() -> None:
    """A handshake that goes nowhere ends after the timeout, and closes the connection."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        url = f"https://localhost:{listener.getsockname()[1]}"
        http = Http(url, {}, concurrency=1, timeouts=Timeouts(connect=0.1))
        with pytest.raises(TransportFailure, match=r"^unreachable$"):
            asyncio.run(http.send(Request("POST", "/", {}, {}, "events"), b"{}"))
        served, _ = listener.accept()
        with served:
            while served.recv(10_000):
                pass
