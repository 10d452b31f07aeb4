# ruff: noqa: INP001, PLC0415 - Python looks for it by its name, and few processes want its parts
"""Bugs for one process: `STREAMS_TEST_BUGS`, what raises or leaks, with commas between.

Python imports a module of this name before anything else, from wherever `PYTHONPATH` says. So what
runs is the production process, whole, but for these: `renderer`, `answer` and `derive` raise errors
that quote what they were given. `stdout`, `stderr`, `log` and `pages` leak what stands in the file
`STREAMS_TEST_LEAK`, so that tests can show that such a leak is seen.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any

_EVENT = "order.skip_order"
_STATE = "subscription.change_quantity"
_ANSWER = 207


def _quoting(given: object) -> ValueError:
    return ValueError(f"cannot take {given!r}")


def renderer() -> None:
    """Rendering one event type raises, at two vendors."""
    from streams.destinations.attentive import Attentive
    from streams.destinations.klaviyo import Klaviyo

    for destination in (Attentive, Klaviyo):
        render = destination.render

        def broken(self: Any, event: Any, *args: Any, _render: Any = render, **named: Any) -> Any:
            if event.type == _EVENT:
                raise _quoting(event)
            return _render(self, event, *args, **named)

        destination.render = broken  # type: ignore[method-assign]


def answer() -> None:
    """Reading an answer of 207 raises."""
    from streams.destinations.klaviyo import Klaviyo

    classify = Klaviyo.classify

    def broken(self: Klaviyo, requests: Any, response: Any) -> Any:
        if response.status == _ANSWER:
            raise _quoting((requests, response))
        return classify(self, requests, response)

    Klaviyo.classify = broken  # type: ignore[method-assign]


def derive() -> None:
    """Deriving one event type raises."""
    from streams.pipeline import Pipeline

    processed = Pipeline._processed

    def broken(self: Any, owner: bytes, event: Any, *args: Any) -> Any:
        if event.type == _STATE:
            raise _quoting((owner, event, args))
        return processed(self, owner, event, *args)

    Pipeline._processed = broken  # type: ignore[assignment,method-assign]


def stdout() -> None:
    """It is printed."""
    print(_leak(), flush=True)


def stderr() -> None:
    """It is printed as an error."""
    print(_leak(), file=sys.stderr, flush=True)


def log() -> None:
    """It is logged."""
    logging.basicConfig()
    logging.getLogger("streams.leak").error("said: %s", _leak())


def pages() -> None:
    """It stands in the metrics, in why a worker is not ready, and in a header."""
    from aiohttp import web

    from streams import health as product

    health: Any = product  # also what it has imported is changed
    latest, prepare, leak = health.generate_latest, web.StreamResponse.prepare, _leak()
    health.generate_latest = lambda registry: latest(registry) + leak.encode()

    def status(problems: Any) -> int:
        if isinstance(problems, dict):
            problems["leak"] = leak
        return 200

    async def with_header(self: web.StreamResponse, request: Any) -> Any:
        self.headers["X-Said"] = leak
        return await prepare(self, request)

    health._status = status
    web.StreamResponse.prepare = with_header  # type: ignore[method-assign]


def _leak() -> str:
    return Path(os.environ["STREAMS_TEST_LEAK"]).read_text(encoding="utf-8")


for _each in filter(None, os.environ.get("STREAMS_TEST_BUGS", "").split(",")):
    globals()[_each]()
