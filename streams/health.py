"""The pages by which a process is watched: `/metrics`, `/livez`, `/readyz`.

Alive is a process whose event loop answers this request, whose poll threads take turns and of which
nothing stands still (`streams.engine.watchdog`); that never depends on a broker or a vendor. Ready
is one whose lanes are members of their groups and have restored what they own, while the broker
answers; owning nothing is ready.
"""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client import CollectorRegistry

__all__ = ["SILENT_SECONDS", "WatchedLane", "serve_health", "starting_pages"]

SILENT_SECONDS = 30.0
"""A poll thread without a turn for so long hangs; a rebalance holds it for a few seconds."""


_STARTING: Mapping[str, tuple[int, dict[str, object]]] = {
    "/livez": (200, {"alive": True}),
    "/readyz": (
        503,
        {"ready": False, "reasons": {"start": "waits for the schema registry or the broker"}},
    ),
}
_NO_PAGE: tuple[int, dict[str, object]] = (404, {})
_LOOK_SECONDS = 0.05
_LONGEST_BODY = 10 << 20
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class WatchedLane(Protocol):
    """What is asked of a lane (`streams.engine.poller.Poller`)."""

    @property
    def ticked(self) -> float:
        """`time.monotonic()` of the poll thread's last turn; 0 before the first."""

    @property
    def stalled(self) -> str | None:
        """What of it stands still, or None."""

    @property
    def not_ready(self) -> str | None:
        """Why the lane is not ready, or None."""


def serve_health(app: Any, lanes: Mapping[str, WatchedLane], registry: CollectorRegistry) -> None:
    """Add the three pages to a Faust app.

    Args:
        app: with a web server.
        lanes: by name; none for a process that consumes nothing.
        registry: what `/metrics` shows.
    """
    began = time.monotonic()

    async def metrics(view: Any, _request: Any) -> Any:
        body = generate_latest(registry)
        return view.bytes(body, content_type=None, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def livez(view: Any, _request: Any) -> Any:
        silent = {name: time.monotonic() - (lane.ticked or began) for name, lane in lanes.items()}
        hanging = {name: round(age) for name, age in silent.items() if age > SILENT_SECONDS}
        stalled = {name: what for name, lane in lanes.items() if (what := lane.stalled) is not None}
        problems = hanging | stalled
        return view.json(
            {"alive": not problems, "silent_seconds": hanging, "stalled": stalled},
            status=_status(problems),
        )

    async def readyz(view: Any, _request: Any) -> Any:
        reasons = {name: why for name, lane in lanes.items() if (why := lane.not_ready) is not None}
        return view.json({"ready": not reasons, "reasons": reasons}, status=_status(reasons))

    app.page("/metrics")(metrics)
    app.page("/livez")(livez)
    app.page("/readyz")(readyz)


@contextmanager
def starting_pages(host: str, port: int) -> Iterator[None]:
    """Answer `/livez` and `/readyz` while a process waits for what it needs before it starts.

    Without a fixed port nobody could ask: then, and where the port is taken, there are no pages.
    """
    try:
        server = ThreadingHTTPServer((host, port), _Starting) if port else None
    except OSError:  # the process itself will say so, when it takes the port
        server = None
    if server is None:
        yield
        return
    turns = threading.Thread(target=server.serve_forever, args=(_LOOK_SECONDS,), daemon=True)
    turns.start()
    try:
        yield
    finally:
        server.shutdown()
        turns.join()
        server.server_close()


class _Starting(BaseHTTPRequestHandler):
    """The pages of a process that has not started."""

    def do_GET(self) -> None:
        """Answer."""
        self._say(*_STARTING.get(self.path, _NO_PAGE))

    def do_POST(self) -> None:
        """Have whoever brings something come again, as while the broker is away."""
        length = self.headers.get("Content-Length", "")
        self.rfile.read(min(int(length), _LONGEST_BODY) if length.isdecimal() else 0)
        self._say(503, {"status": "starting"}, {"Retry-After": "30"})

    def _say(
        self, status: int, said: Mapping[str, object], headers: Mapping[str, str] = _NO_HEADERS
    ) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, *_: object) -> None:
        """Say nothing: probes come every few seconds."""


def _status(problems: Mapping[str, object]) -> int:
    return 503 if problems else 200
