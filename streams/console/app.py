"""The console as a web application: its pages, behind its door."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Final

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from nicegui import app as pages
from nicegui import ui

from streams.console.connections import connections_page
from streams.console.customer import customer_page
from streams.console.door import SESSION, USER, Door, path_of
from streams.console.flow import flow_page
from streams.console.gauges import login_metrics
from streams.console.layout import Visit, frame
from streams.console.letters import letters_page
from streams.console.polling import Poller
from streams.console.replay import replay_page
from streams.metrics import metrics_page, registry_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from prometheus_client import CollectorRegistry
    from starlette.types import ASGIApp

    from streams.console.access import Access, User
    from streams.console.desks import Desks
    from streams.metrics import Readers

    Builder = Callable[[Desks, User], Awaitable[None]]

THEME: Final = "streams-theme"
"""The cookie that remembers dark or light."""
_DARK: Final = {"dark": True, "light": False}
_YEAR: Final = 365 * 86_400


def build(
    desks: Desks,
    access: Access,
    *,
    local: bool,
    ready: Callable[[], Mapping[str, str]],
    metrics: Callable[[], Readers],
) -> ASGIApp:
    """The application; once a process, since NiceGUI keeps its pages for all.

    Args:
        desks: what pages ask.
        access: who is let in.
        local: whether it listens on a loopback address.
        ready: what stands in the way of answering, by what it is about; nothing: it is ready.
        metrics: what is told of the index at each scrape.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    poller = Poller(desks.flow)

    async def flow(_desks: Desks, _user: User) -> None:
        await flow_page(poller)

    for path, builder in {
        "/flow": flow,
        "/dead-letters": letters_page,
        "/connections": connections_page,
        "/replay": replay_page,
    }.items():
        _page(path, builder, desks)
    _customer_pages(desks)
    _own_routes(app, ready)
    door = Door(app, access, time.time, local=local)
    _metrics_route(app, registry_of(metrics, partial(login_metrics, door.logins)))
    pages.on_startup(poller.run)
    ui.run_with(app, title="streams", dark=None, show_welcome_message=False)
    return door


def _page(path: str, builder: Builder, desks: Desks) -> None:
    async def page(request: Request) -> None:
        visit = _visit(request, path)
        with frame(visit):
            await builder(desks, visit.user)

    ui.page(path)(page)


def _customer_pages(desks: Desks) -> None:
    async def search(request: Request) -> None:
        visit = _visit(request, "/customer")
        with frame(visit):
            await customer_page(desks, visit.user, None)

    async def customer(request: Request, token: str) -> None:
        visit = _visit(request, "/customer")
        with frame(visit):
            await customer_page(desks, visit.user, token)

    ui.page("/customer")(search)
    ui.page("/customer/{token}")(customer)


def _visit(request: Request, path: str) -> Visit:
    dark = _DARK.get(request.cookies.get(THEME, ""))
    return Visit(request.scope[USER], path, request.url.path, dark, SESSION in request.cookies)


def _own_routes(app: FastAPI, ready: Callable[[], Mapping[str, str]]) -> None:
    @app.get("/")
    async def start() -> RedirectResponse:
        return RedirectResponse("/flow", 303)

    @app.get("/theme/{name}")
    async def theme(name: str, back: str = "/flow") -> RedirectResponse:
        answer = RedirectResponse(path_of(back), 303)
        if name in _DARK:
            answer.set_cookie(THEME, name, max_age=_YEAR, httponly=True, samesite="strict")
        else:
            answer.delete_cookie(THEME)
        return answer

    @app.post("/here", status_code=204)
    async def here() -> None:
        """The door has looked whether they are."""

    @app.get("/livez")
    async def alive() -> JSONResponse:
        return JSONResponse({"alive": True})

    @app.get("/readyz")
    async def is_ready() -> JSONResponse:
        reasons = dict(ready())
        return JSONResponse({"ready": not reasons, "reasons": reasons}, 503 if reasons else 200)


def _metrics_route(app: FastAPI, registry: CollectorRegistry) -> None:
    @app.get("/metrics")
    def metrics() -> Response:  # in a thread: it asks the index
        body, content_type = metrics_page(registry)
        return Response(body, headers={"Content-Type": content_type})
