"""The pages by which a process is watched: `/metrics`, `/livez`, `/readyz`.

Alive is a process whose event loop answers this request and whose poll threads take turns; that
never depends on a broker or a vendor. Ready is one whose lanes are members of their groups and have
restored what they own; owning nothing is ready.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prometheus_client import CollectorRegistry

__all__ = ["SILENT_SECONDS", "WatchedLane", "serve_health"]

SILENT_SECONDS = 30.0
"""A poll thread without a turn for so long hangs; a rebalance holds it for a few seconds."""


class WatchedLane(Protocol):
    """What is asked of a lane (`streams.engine.poller.Poller`)."""

    @property
    def ticked(self) -> float:
        """`time.monotonic()` of the poll thread's last turn; 0 before the first."""

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
        return view.json({"alive": not hanging, "silent_seconds": hanging}, status=_status(hanging))

    async def readyz(view: Any, _request: Any) -> Any:
        reasons = {name: why for name, lane in lanes.items() if (why := lane.not_ready) is not None}
        return view.json({"ready": not reasons, "reasons": reasons}, status=_status(reasons))

    app.page("/metrics")(metrics)
    app.page("/livez")(livez)
    app.page("/readyz")(readyz)


def _status(problems: Mapping[str, object]) -> int:
    return 503 if problems else 200
