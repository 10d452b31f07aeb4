"""A handler kept to what was decided, and to a credentials file: `streams.control`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from typing_extensions import override

from streams.control.connections import ConnectionControl
from streams.control.credentials import CredentialsFile
from streams.control.records import ConnectionState, Pause, Promotion, encode_state
from streams.delivery.connection import Connection
from streams.delivery.http import Http
from streams.errors import ConfigurationError
from streams.model.delivery import Request
from tests.support.delivery import until
from tests.support.delivery_vendor import Server
from tests.support.steered import Handler

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

LIVE = Connection(name="conn", destination="vendor", mode="live", credentials="pk_1")
KIM = Pause("kim", 1)


class Topic:
    """A follower whose topic is this: what is decided is heard at once."""

    def __init__(self) -> None:
        self.state = ConnectionState()
        self.heard: Callable[[bytes | None], None] = lambda _: None

    def listen(self, key: str, heard: Callable[[bytes | None], None]) -> None:
        """Tell what holds, and what comes."""
        assert key == "connection:conn"
        self.heard = heard
        heard(encode_state(self.state))

    def decide(self, **changes: Any) -> None:
        """Another decision."""
        self.state = replace(self.state, **changes)
        self.heard(encode_state(self.state))


def tell(
    story: Callable[[Handler, Topic], Awaitable[None]],
    connection: Connection = LIVE,
    file: Path | None = None,
) -> list[str]:
    """Let a story happen with a handler that is steered; what it was asked."""

    async def play() -> list[str]:
        handler, topic = Handler(), Topic()
        watched = (
            None if file is None else CredentialsFile(file, connection.credentials, every=0.005)
        )
        follower: Any = topic
        control = ConnectionControl(connection, handler, follower, watched)
        control.start()
        await story(handler, topic)
        control.stop()
        return handler.told

    return asyncio.run(play())


def test_a_pause_is_told_once() -> None:
    """Whatever else is decided meanwhile; another reason is another pause."""

    async def story(_: Handler, topic: Topic) -> None:
        topic.decide(pause=KIM)
        topic.decide(promotion=Promotion("live", "lee", 2, 5.0))
        topic.decide(pause=replace(KIM, reason="why"))
        topic.decide(pause=None, resumed_at=3)

    assert ["pause: by kim", "pause: by kim: why", "resume"] == tell(story)


def test_an_operator_resumes_what_nobody_paused() -> None:
    """A connection that the vendor refused is paused by its handler alone; once, not at a start."""

    async def story(_: Handler, topic: Topic) -> None:
        topic.decide(resumed_at=7)
        topic.decide(promotion=Promotion("live", "lee", 8))

    async def later(_: Handler, topic: Topic) -> None:
        topic.decide(resumed_at=7)

    assert ["resume"] == tell(story)
    assert ["resume"] == tell(later)


def test_a_promotion_without_credentials_sends_nothing() -> None:
    """A shadow may have none; live, it rests until it has."""
    shadow = replace(LIVE, mode="shadow", credentials="")

    async def story(_: Handler, topic: Topic) -> None:
        topic.decide(promotion=Promotion("live", "lee", 2))
        topic.decide(resumed_at=3)
        topic.decide(promotion=None)

    assert ["pause: no credentials", "resume"] == tell(story, shadow)


def test_off_is_not_promoted() -> None:
    """The settings' off is stronger than any promotion."""

    async def story(handler: Handler, topic: Topic) -> None:
        topic.decide(promotion=Promotion("live", "lee", 2))
        assert "off" == handler.gate.mode

    assert [] == tell(story, replace(LIVE, mode="off", credentials=""))


def test_new_credentials_are_used(tmp_path: Path) -> None:
    """They are given to the handler, which then tries again; the same ones are no news."""
    file = tmp_path / "key"
    file.write_text("pk_1")

    async def story(handler: Handler, _: Topic) -> None:
        file.write_text("pk_1\n")
        file.write_text("pk_2\n")
        await until(lambda: len(handler.told) == 2)
        other = tmp_path / "other"
        other.write_text("pk_3")
        other.replace(file)  # as Kubernetes does it
        await until(lambda: len(handler.told) == 4)

    assert ["authorize: pk_2", "resume", "authorize: pk_3", "resume"] == tell(story, file=file)


def test_new_credentials_end_no_pause_of_an_operator(tmp_path: Path) -> None:
    """They are known when the connection is resumed."""
    file = tmp_path / "key"
    file.write_text("pk_1")

    async def story(handler: Handler, topic: Topic) -> None:
        topic.decide(pause=KIM)
        file.write_text("pk_2")
        await until(lambda: "authorize: pk_2" in handler.told)
        topic.decide(pause=None)

    assert ["pause: by kim", "authorize: pk_2", "resume"] == tell(story, file=file)


def test_a_file_that_is_gone_or_wrong_takes_nothing_away(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The former credentials stay, and the log says so without repeating them."""
    file = tmp_path / "key"

    async def story(handler: Handler, _: Topic) -> None:
        await until(lambda: "cannot be read" in caplog.text)
        file.write_text("")
        file.write_text("pk wrong")
        await until(lambda: "the former credentials stay" in caplog.text)
        assert [] == handler.told
        file.write_text("pk_2")
        await until(lambda: len(handler.told) == 2)

    assert ["authorize: pk_2", "resume"] == tell(story, file=file)
    assert 1 == caplog.text.count("cannot be read")
    assert "pk wrong" not in caplog.text


class Watched(CredentialsFile):
    """One that counts its looks."""

    looks = 0

    @override
    def _read(self) -> str:
        self.looks += 1
        return super()._read()


def test_an_empty_file_has_no_credentials(tmp_path: Path) -> None:
    """However often it is looked at; whoever empties it is about to write."""
    file = tmp_path / "key"
    file.write_text(" \n")

    async def story() -> list[str]:
        told: list[str] = []
        watched = Watched(file, "pk_1", every=0.001)
        watched.watch(told.append)
        await until(lambda: watched.looks > 5)
        watched.stop()
        return told

    assert [] == asyncio.run(story())


def test_a_request_goes_out_with_the_newest_credentials() -> None:
    """Over the same connection; what no header can carry is refused, and changes nothing."""
    request = Request("POST", "/events", {}, {}, "events")

    async def story() -> tuple[list[str | None], int]:
        async with Server() as server:
            http = Http(server.url, {"authorization": "pk_1"}, concurrency=1)
            await http.send(request, b"{}")
            http.authorize({"authorization": "pk_2"})
            await http.send(request, b"{}")
            with pytest.raises(ConfigurationError):
                http.authorize({"authorization": "pk_\n3"})
            await http.send(request, b"{}")
            await http.aclose()
            return [each.headers.get("Authorization") for each in server.seen], len(
                server.connections
            )

    assert (["pk_1", "pk_2", "pk_2"], 1) == asyncio.run(story())
