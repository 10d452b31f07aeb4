"""The pages of a sync that stays: `/metrics`, `/livez`, `/readyz`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.sync.gauges import SyncCounts

__all__ = ["application"]


def application(
    counts: SyncCounts, metrics: Callable[[], tuple[bytes, str]], oldest: float
) -> web.Application:
    """The pages.

    It is alive while its event loop answers, and ready while no merchant's last run failed and what
    was read is no older than it may be.

    Args:
        counts: what syncs did.
        metrics: what `/metrics` answers, and its content type.
        oldest: seconds that a merchant's last finished run may lie back.
    """

    async def show_metrics(_: web.Request) -> web.Response:
        body, content_type = metrics()
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def livez(_: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def readyz(_: web.Request) -> web.Response:
        now = time.time()
        ages = {name: round(now - at / 1_000) for name, at in counts.watermarks.items()}
        reasons: dict[str, Any] = dict(counts.failing)
        for name, age in ages.items():
            if age > oldest and name not in reasons:
                reasons[name] = f"its last run began {age} s ago"
        said = {"ready": not reasons, "reasons": reasons, "age_seconds": ages}
        return web.json_response(said, status=503 if reasons else 200)

    app = web.Application()
    app.add_routes(
        [
            web.get("/metrics", show_metrics),
            web.get("/livez", livez),
            web.get("/readyz", readyz),
        ]
    )
    return app
