"""The control routes under `/_control`: what a test or the demo asks of a running simulator.

| route | answer |
|---|---|
| GET /_control/requests?since=N&limit=M | the requests after sequence number N, as they arrived |
| GET /_control/summary | counts by path, status, fate and fault |
| GET /_control/state | what the vendor has kept: profiles, events, jobs |
| GET, PUT, DELETE /_control/faults | the faults in force; PUT takes `{"faults": [...]}` |
| POST /_control/reset | forget everything; the faults are again those of the start |

They are not recorded, not limited, and need no key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec
from aiohttp import web

from streams.simulators.faults import Fault, FaultPlan, read_faults

if TYPE_CHECKING:
    from collections.abc import Iterable

    from streams.simulators.recording import Recorder

__all__ = ["Control", "Controlled"]


class Controlled(Protocol):
    """What the control routes reach of a simulator."""

    recorder: Recorder
    plan: FaultPlan

    def set_faults(self, faults: Iterable[Fault]) -> None:
        """Replace the faults in force."""

    def state(self) -> object:
        """Everything the vendor has kept."""

    def reset(self) -> None:
        """Go back to the state of the start."""


class Control:
    """The handlers of the control routes of one simulator."""

    def __init__(self, simulator: Controlled) -> None:
        self._simulator = simulator

    def routes(self) -> list[web.RouteDef]:
        """The routes, to be added before the catch-all route of the vendor."""
        return [
            web.get("/_control/requests", self._requests),
            web.get("/_control/summary", self._summary),
            web.get("/_control/state", self._state),
            web.get("/_control/faults", self._faults),
            web.put("/_control/faults", self._put_faults),
            web.delete("/_control/faults", self._delete_faults),
            web.post("/_control/reset", self._reset),
            web.route("*", "/_control/{name:.*}", self._unknown),
        ]

    async def _requests(self, request: web.Request) -> web.Response:
        try:
            since, limit = _count(request, "since"), _count(request, "limit")
        except ValueError as error:
            return _json({"error": str(error)}, status=400)
        return _json({"requests": self._simulator.recorder.since(since or 0, limit)})

    async def _summary(self, _: web.Request) -> web.Response:
        return _json(self._simulator.recorder.summary())

    async def _state(self, _: web.Request) -> web.Response:
        return _json(self._simulator.state())

    async def _faults(self, _: web.Request) -> web.Response:
        return _json({"faults": self._simulator.plan.describe()})

    async def _put_faults(self, request: web.Request) -> web.Response:
        try:
            self._simulator.set_faults(_read_document(await request.read()))
        except ValueError as error:  # also msgspec's own errors
            return _json({"error": str(error)}, status=400)
        return await self._faults(request)

    async def _delete_faults(self, request: web.Request) -> web.Response:
        self._simulator.set_faults(())
        return await self._faults(request)

    async def _unknown(self, request: web.Request) -> web.Response:
        """A slip of ours must not pass for a request to the vendor."""
        return _json({"error": f"no such route: {request.method} {request.path}"}, status=404)

    async def _reset(self, _: web.Request) -> web.Response:
        self._simulator.reset()
        return web.Response(status=204)


def _read_document(raw: bytes) -> tuple[Fault, ...]:
    document = msgspec.json.decode(raw)
    if not isinstance(document, dict) or document.keys() != {"faults"}:
        raise ValueError('the body must be {"faults": [...]}')
    return read_faults(document["faults"])


def _count(request: web.Request, name: str) -> int | None:
    text = request.query.get(name)
    if text is None:
        return None
    if not text.isdecimal():
        raise ValueError(f"{name} must be a whole number, 0 or more: {text!r}")
    return int(text)


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(value), status=status, content_type="application/json"
    )
