"""The door in front of the pages: who is let in, from where, and the headers that guard answers.

Every request and every socket passes it, and whatever comes by a socket; only the login, and the
pages for probes and Prometheus, are answered to strangers. A foreign page cannot use a visitor's
browser against the console: whatever is not a plain look must come from a page of ours, and on a
loopback address it must be addressed by a name of this machine.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from streams.console.access import LONGEST_NAME, SESSION_SECONDS, Tries, User
from streams.console.gauges import LOGINS
from streams.console.login import login_page
from streams.console.stays import Stays

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from streams.console.access import Access
    from streams.console.gauges import Login

SESSION: Final = "streams-console"
"""The cookie."""
USER: Final = "streams.user"
"""Where a request's scope says who asks."""

OPEN: Final = frozenset({"/livez", "/metrics", "/readyz"})
"""Answered to everybody: they say nothing of anybody."""

_LOCAL_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_LONGEST_BODY: Final = 4_096
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self';"
    " script-src 'self' 'unsafe-inline' 'unsafe-eval';"  # Vue compiles its templates in the browser
    " style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:;"
    " connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_ASSETS: Final = "/_nicegui/"
"""Scripts and fonts, the same for all: these may be kept."""


class Door:
    """The application behind a door.

    Attributes:
        logins: by what became of them.
    """

    def __init__(
        self, app: ASGIApp, access: Access, clock: Callable[[], float], *, local: bool
    ) -> None:
        """Take what it guards.

        Args:
            app: behind the door.
            access: who is let in.
            clock: epoch seconds.
            local: whether it listens on a loopback address, so has that machine's names only.
        """
        self.app = app  # NiceGUI looks for its own application behind this name
        self._access = access
        self._clock = clock
        self._local = local
        self._tries = Tries()
        self._stays = Stays()
        self.logins: Counter[Login] = Counter(dict.fromkeys(LOGINS, 0))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let through."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        guarded = _guarded(scope, send)
        answer = await self._answered(scope, receive)
        if answer is None:
            still = self._while_inside(scope, receive, send)
            await self.app(scope, still, guarded)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await answer(scope, receive, guarded)

    async def _answered(self, scope: Scope, receive: Receive) -> Response | None:
        """What a stranger is told; None: they are none."""
        headers, path = Headers(scope=scope), scope["path"]
        if path in OPEN:
            return None
        if not self._ours(scope, headers):
            return PlainTextResponse("This address is not the console's own.", 403)
        if path == "/login" and self._access.asks and scope["type"] == "http":
            return await self._login(Request(scope, receive))
        session = HTTPConnection(scope).cookies.get(SESSION)
        user = self._inside(self._access.user_of(headers, session, self._clock()))
        if user is None:
            return self._refused(scope)
        scope[USER] = user
        if path == "/logout" and self._access.asks:
            user.stay.end()
            gone = RedirectResponse("/login", 303)
            gone.delete_cookie(SESSION, httponly=True, samesite="strict")
            return gone
        return None

    def _inside(self, user: User | None) -> User | None:
        """Whoever is let in, with the stay that their open pages have; None: they signed out."""
        stay = None if user is None else self._stays.kept(user.stay, self._clock())
        return None if user is None or stay is None else replace(user, stay=stay)

    def _while_inside(self, scope: Scope, receive: Receive, send: Send) -> Receive:
        """What comes by a socket, until its user is inside no more: then it is closed."""
        user: User | None = scope.get(USER)
        if scope["type"] != "websocket" or user is None:
            return receive

        async def still() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive" and user.stay.is_over(self._clock()):
                await send({"type": "websocket.close", "code": 1008})
                return {"type": "websocket.disconnect", "code": 1008}
            return message

        return still

    def _ours(self, scope: Scope, headers: Headers) -> bool:
        """Whether a request is addressed to us, and no foreign page's."""
        host = headers.get("host", "")
        if self._local and urlsplit(f"//{host}").hostname not in _LOCAL_NAMES:
            return False
        looks = scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}
        origin = headers.get("origin")
        if looks or origin is None:
            return True
        names = {host}
        if self._access.user_header is not None:
            names.add(headers.get("x-forwarded-host", host))
        return urlsplit(origin).netloc in names

    def _refused(self, scope: Scope) -> Response:
        if not self._access.asks:
            return PlainTextResponse("The proxy did not say who you are.", 401)
        if scope["type"] == "http" and scope["method"] == "GET":
            return RedirectResponse(f"/login?next={quote(scope['path'])}", 303)
        return PlainTextResponse("Sign in first.", 401)

    async def _login(self, request: Request) -> Response:
        if request.method != "POST":
            return HTMLResponse(login_page(path_of(request.query_params.get("next")), LONGEST_NAME))
        address, now = request.client.host if request.client else "", self._clock()
        form = await _form(request)
        name, next_ = form.get("name", "").strip()[:LONGEST_NAME], path_of(form.get("next"))
        wait = self._tries.must_wait(address, now)
        if wait:
            self.logins["must_wait"] += 1
            problem = "Too many wrong tokens. Wait a minute, then try again."
            page = login_page(next_, LONGEST_NAME, name, problem)
            return HTMLResponse(page, 429, {"Retry-After": str(int(wait) + 1)})
        role = self._access.role_of(form.get("token", ""))
        if role is None or not name:
            self._tries.failed(address, now)
            self.logins["refused"] += 1
            problem = "That token is not known here." if name else "Say who you are."
            return HTMLResponse(login_page(next_, LONGEST_NAME, name, problem), 401)
        self.logins["accepted"] += 1
        inside = RedirectResponse(next_, 303)
        session = self._access.session_of(User(name, role), now)
        secure = request.url.scheme == "https"
        inside.set_cookie(
            SESSION,
            session,
            max_age=SESSION_SECONDS,
            httponly=True,
            samesite="strict",
            secure=secure,
        )
        return inside


def _guarded(scope: Scope, send: Send) -> Send:
    """Send with the headers that guard an answer."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(_HEADERS)
            if scope["path"] == "/login":  # else a browser would not say that the form is ours
                headers["Referrer-Policy"] = "same-origin"
            if not scope["path"].startswith(_ASSETS):
                headers["Cache-Control"] = "no-store"
        await send(message)

    return sent


async def _form(request: Request) -> dict[str, str]:
    """What a small form says; nothing of a large one."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_BODY:
            return {}
    try:
        fields = parse_qs(body.decode(errors="replace"), max_num_fields=10)
    except ValueError:
        return {}
    return {name: values[0] for name, values in fields.items()}


def path_of(told: str | None) -> str:
    """A path of ours to go to: nothing that leads elsewhere."""
    ours = told is not None and told.startswith("/") and not told.startswith(("//", "/\\"))
    return told if ours and told is not None and told.isprintable() else "/flow"
