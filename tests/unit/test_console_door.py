"""The door in front of the console: what strangers, foreign pages and other names are answered."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import pytest

from streams.console.access import (
    SESSION_SECONDS,
    Access,
    NotAllowed,
    User,
    require_operate,
)
from streams.console.door import SESSION, USER, Door, path_of
from streams.console.stays import PROXIED_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Message, Receive, Scope, Send

VIEW, OPERATE = "view-" + "v" * 16, "operate-" + "o" * 16
TOKENS: Final = Access(view_token=VIEW, operate_token=OPERATE)
OWNER: Final = Access(owner="anna")
HOST: Final = "127.0.0.1:6080"
NOW: Final = 1_790_000_000.0


class Answer:
    """What came of one request: status, headers, and whose it was behind the door."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.user: User | None = None


def asked(
    door: Door,
    path: str = "/flow",
    *,
    method: str = "GET",
    kind: str = "http",
    form: dict[str, str] | None = None,
    **headers: str,
) -> Answer:
    """Send a request, or a socket's handshake."""
    told = {"host": HOST} | {name.replace("_", "-"): each for name, each in headers.items()}
    scope: dict[str, Any] = {
        "type": kind, "method": method, "path": path, "query_string": b"", "scheme": "http",
        "headers": [(name.encode(), each.encode()) for name, each in told.items()],
        "client": ("10.0.0.1", 1), "server": ("127.0.0.1", 6080),
    }  # fmt: skip
    answer = Answer()

    async def receive() -> Message:
        return {"type": "http.request", "body": urlencode(form or {}).encode()}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {k.decode(): v.decode() for k, v in message["headers"]}
        elif message["type"] == "websocket.close":
            answer.status = message["code"]

    asyncio.run(door(scope, receive, send))
    answer.user = scope.get(USER)
    return answer


async def inside(scope: Scope, receive: Receive, send: Send) -> None:
    """What is behind the door: it says 200."""
    del receive
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def door(access: Access = TOKENS, *, local: bool = False) -> Door:
    """A door."""
    return Door(inside, access, lambda: NOW, local=local)


def test_a_stranger_is_led_to_the_login_and_their_socket_is_closed() -> None:
    """Nothing behind the door is asked."""
    told = [
        asked(door()), asked(door(), kind="websocket"), asked(door(), method="POST"),
        asked(door(), "/_nicegui/x.js"),
    ]  # fmt: skip

    assert [303, 1008, 401, 303] == [each.status for each in told]
    assert "/login?next=/flow" == told[0].headers["location"]
    assert [None] * 4 == [each.user for each in told]


@pytest.mark.parametrize(("token", "role"), [(VIEW, "view"), (OPERATE, "operate")])
def test_a_token_lets_in_by_a_cookie_that_scripts_and_other_sites_do_not_get(
    token: str, role: str
) -> None:
    """It says who it is, with the role of the token."""
    form = {"name": "anna", "token": token, "next": "/connections"}
    answer = asked(door(), "/login", method="POST", form=form)
    cookie = answer.headers["set-cookie"]
    session = cookie.partition(";")[0]

    assert (303, "/connections") == (answer.status, answer.headers["location"])
    assert "httponly" in cookie.lower()
    assert "samesite=strict" in cookie.lower()
    assert User("anna", role) == asked(door(), cookie=session).user  # type: ignore[arg-type]
    assert SESSION in session


class Clock:
    """What the door is told; forward by hand."""

    now = NOW

    def __call__(self) -> float:
        """Epoch seconds."""
        return self.now


def heard(guarded: Door, cookie: str, between: Callable[[], object]) -> list[str]:
    """What is heard behind the door by a socket, and what is sent; `between` two messages."""
    told: list[str] = []

    async def talks(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, send
        told.append((await receive())["type"])
        told.append((await receive())["type"])
        await asyncio.to_thread(between)
        told.append((await receive())["type"])

    coming = [{"type": "websocket.connect"}, *[{"type": "websocket.receive"}] * 2]

    async def receive() -> Message:
        return coming.pop(0)

    async def send(message: Message) -> None:
        told.append(message["type"])

    scope = {
        "type": "websocket", "path": "/_nicegui_ws/", "query_string": b"", "scheme": "ws",
        "headers": [(b"host", HOST.encode()), (b"cookie", cookie.encode())],
        "client": ("10.0.0.1", 1), "server": ("127.0.0.1", 6080),
    }  # fmt: skip
    before, guarded.app = guarded.app, talks
    asyncio.run(guarded(scope, receive, send))
    guarded.app = before
    return [each.removeprefix("websocket.") for each in told]


def signed_in(guarded: Door) -> str:
    """The cookie of somebody who may decide."""
    form = {"name": "anna", "token": OPERATE}
    return (
        asked(guarded, "/login", method="POST", form=form).headers["set-cookie"].partition(";")[0]
    )


def test_whoever_signs_out_is_out_in_all_tabs() -> None:
    """Open pages may decide no more, their sockets are closed, and the cookie is none any more."""
    guarded = door()
    cookie = signed_in(guarded)
    page, tab = (asked(guarded, cookie=cookie).user for _ in range(2))
    assert page is not None
    assert tab is not None
    require_operate(tab, lambda: NOW)
    said = heard(guarded, cookie, lambda: asked(guarded, "/logout", cookie=cookie))

    for user in (page, tab):
        with pytest.raises(NotAllowed):
            require_operate(user, lambda: NOW)
    assert ["connect", "receive", "close", "disconnect"] == said
    assert [303, 401] == [
        asked(guarded, "/here", method=each, cookie=cookie).status for each in ("GET", "POST")
    ]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    same = cookie[:-1] + letters[letters.index(cookie[-1]) + 1]  # bits that stand for nothing
    assert asked(guarded, cookie=same).user is None
    assert asked(door(), cookie=same).user is not None


def test_a_socket_is_closed_when_its_session_ends() -> None:
    """Whether or not anybody asks for a page."""
    clock = Clock()
    guarded = Door(inside, TOKENS, clock, local=False)
    cookie = signed_in(guarded)

    def pass_by() -> None:
        clock.now += SESSION_SECONDS + 1

    assert ["connect", "receive", "receive"] == heard(guarded, cookie, lambda: None)
    assert ["connect", "receive", "close", "disconnect"] == heard(guarded, cookie, pass_by)


def test_what_a_proxy_takes_away_is_gone_from_open_pages() -> None:
    """By the next that it lets through, or because it lets nothing through."""
    clock = Clock()
    guarded = Door(inside, Access(user_header="x-user", role_header="x-role"), clock, local=False)
    told: dict[str, Any] = {"x_user": "bo", "x_role": "operate"}
    page = asked(guarded, **told).user
    assert page is not None
    clock.now += PROXIED_SECONDS - 1
    asked(guarded, "/here", method="POST", **told)
    clock.now += PROXIED_SECONDS - 1
    require_operate(page, clock)
    asked(guarded, "/here", method="POST", x_user="bo")
    with pytest.raises(NotAllowed):
        require_operate(page, clock)

    other = asked(guarded, **told).user
    assert other is not None
    clock.now += PROXIED_SECONDS + 1
    with pytest.raises(NotAllowed):
        require_operate(other, clock)


@pytest.mark.parametrize("form", [{"name": "anna", "token": "x"}, {"token": VIEW}, {}])
def test_a_login_that_is_none_lets_nobody_in(form: dict[str, str]) -> None:
    """A wrong token, no name, nothing at all."""
    answer = asked(door(), "/login", method="POST", form=form)

    assert 401 == answer.status
    assert "set-cookie" not in answer.headers


def test_logins_are_counted_by_what_became_of_them() -> None:
    """Whoever guesses is seen by the alert, and has to wait."""
    guarded, form = door(), {"name": "anna", "token": OPERATE}
    asked(guarded, "/login", method="POST", form=form)
    tries = [asked(guarded, "/login", method="POST", form={"name": "anna"}) for _ in range(40)]
    by_status = Counter(each.status for each in tries)

    assert by_status[429]
    assert {
        "accepted": 1,
        "refused": by_status[401],
        "must_wait": by_status[429],
    } == dict(guarded.logins)


def test_a_foreign_page_cannot_use_a_visitors_browser() -> None:
    """Whatever is not a plain look must come from a page of ours."""
    foreign: dict[str, Any] = {"origin": "https://elsewhere.shop-demo.io"}
    ours: dict[str, Any] = {"origin": f"http://{HOST}"}
    posted = [asked(door(OWNER), method="POST", **each).status for each in (foreign, ours)]

    assert [403, 200] == posted
    assert 1008 == asked(door(OWNER), kind="websocket", **foreign).status
    assert 0 == asked(door(OWNER), kind="websocket", **ours).status


def test_on_this_machine_only_its_own_names_are_answered() -> None:
    """A name of somebody's that leads to 127.0.0.1 would let their page look."""
    names = ("evil.shop-demo.io:6080", "127.0.0.1", "localhost:1", "[::1]:6080", "")

    assert [403, 200, 200, 200, 403] == [
        asked(door(OWNER, local=True), host=each).status for each in names
    ]


def test_a_proxy_that_does_not_say_who_it_is_lets_nobody_in() -> None:
    """And one that does may have another name than ours."""
    proxied = door(Access(user_header="x-user"))
    named = asked(
        proxied, method="POST", x_user="bo", origin="https://c.shop-demo.io",
        x_forwarded_host="c.shop-demo.io",
    )  # fmt: skip

    assert 401 == asked(proxied).status
    assert User("bo", "view") == named.user


def test_answers_are_guarded_and_pages_are_kept_nowhere() -> None:
    """Scripts and fonts may be: they are the same for all."""
    page, asset = asked(door(OWNER)).headers, asked(door(OWNER), "/_nicegui/x.js").headers

    assert ("no-store", "no-referrer", "nosniff", "DENY") == tuple(
        page[name]
        for name in (
            "cache-control",
            "referrer-policy",
            "x-content-type-options",
            "x-frame-options",
        )
    )
    assert "frame-ancestors 'none'" in page["content-security-policy"]
    assert "cache-control" not in asset
    # a form that is sent under `no-referrer` does not say where it comes from
    assert "same-origin" == asked(door(), "/login").headers["referrer-policy"]


@pytest.mark.parametrize(
    "path", ["//elsewhere.io", "/\\elsewhere.io", "https://x.io", "", "/\n", None]
)
def test_no_path_leads_elsewhere(path: str | None) -> None:
    """After a login, or a change of colours."""
    assert "/flow" == path_of(path)
    assert "/customer/1" == path_of("/customer/1")
