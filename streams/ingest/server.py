"""The HTTP server that webhooks come to: aiohttp, one process, any number of them."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from streams.ingest.receiver import Answer, Receiver

__all__ = ["application", "run", "serve"]

Value = TypeVar("Value")


def application(
    receiver: Receiver, *, max_body: int, metrics: Callable[[], tuple[bytes, str]]
) -> web.Application:
    """An application that hands webhooks to a receiver.

    Args:
        receiver: takes them.
        max_body: bytes; a larger body is refused unread.
        metrics: what `/metrics` answers, and its content type.
    """

    async def webhook(request: web.Request) -> web.Response:
        if (request.content_length or 0) > max_body:
            return _response(receiver.too_large(request.path))
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return _response(receiver.too_large(request.path))
        headers = {name.lower(): value for name, value in request.headers.items()}
        return _response(await receiver.take(request.path, headers, body))

    async def show_metrics(_: web.Request) -> web.Response:
        body, content_type = metrics()
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def livez(_: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def readyz(_: web.Request) -> web.Response:
        away = receiver.away
        return web.json_response({"ready": not away}, status=503 if away else 200)

    app = web.Application(client_max_size=max_body)
    app.add_routes(
        [
            web.post("/webhooks/{tail:.*}", webhook),
            web.get("/metrics", show_metrics),
            web.get("/livez", livez),
            web.get("/readyz", readyz),
        ]
    )
    return app


@asynccontextmanager
async def serve(app: web.Application, host: str, port: int) -> AsyncIterator[str]:
    """Serve an application meanwhile, and answer what is under way before leaving; its address."""
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield f"http://{host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def run(main: Coroutine[Any, Any, Value]) -> Value:
    """Run a coroutine on the fastest loop that there is; what it returns."""
    if sys.platform == "win32":
        return asyncio.run(main)
    import uvloop  # noqa: PLC0415 - which Windows has not

    return uvloop.run(main)


def _response(answer: Answer) -> web.Response:
    headers: dict[str, Any] = {}
    if answer.retry_after is not None:
        headers["Retry-After"] = str(answer.retry_after)
    return web.json_response({"status": answer.word}, status=answer.status, headers=headers)
