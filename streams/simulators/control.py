"""The control routes under `/_control`: what a test or the demo asks of a running simulator.

| route | answer |
|---|---|
| GET /_control/requests?since=N&limit=M | the requests after sequence number N, as they arrived |
| GET /_control/summary | counts by path, status, fate and fault |
| GET /_control/state | what the vendor has kept, by its kind |
| GET /_control/state/KIND | the same of one kind: `events`, … |
| GET, PUT, DELETE /_control/faults | the faults in force; PUT takes `{"faults": [...]}` |
| PUT /_control/switches | `{"switches": {...}}`: the vendor behaves otherwise and keeps its state |
| PUT /_control/scenario | a file for `--faults`, as it is: its switches, and its faults alone |
| DELETE /_control/scenario | faults and switches are those of the start; what was kept stays |
| POST /_control/changes | `{"changes": [...]}`: people at the vendor changed by somebody else |
| POST /_control/reset | forget everything; faults and switches are again those of the start |

They are not recorded, not limited, and need no key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec
from aiohttp import web

from streams.simulators.changes import read_changes
from streams.simulators.faults import Fault, FaultPlan, read_faults, read_scenario

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from streams.simulators.changes import Change
    from streams.simulators.recording import Recorder

__all__ = ["Control", "Controlled"]


class Controlled(Protocol):
    """What the control routes reach of a simulator."""

    recorder: Recorder
    plan: FaultPlan

    def set_faults(self, faults: Iterable[Fault]) -> None:
        """Replace the faults in force."""

    def set_switches(self, switches: Mapping[str, object]) -> None:
        """Change these of the vendor's switches; raises ValueError that names a wrong one."""

    def restore(self) -> None:
        """Go back to the faults and switches of the start."""

    def state(self) -> Mapping[str, object]:
        """Everything the vendor has kept."""

    def change(self, changes: Sequence[Change]) -> None:
        """Change people as somebody else would; raises ValueError, and then changes nobody."""

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
            web.get("/_control/state/{kind}", self._state_of),
            web.get("/_control/faults", self._faults),
            web.put("/_control/faults", self._put_faults),
            web.delete("/_control/faults", self._delete_faults),
            web.put("/_control/switches", self._put_switches),
            web.put("/_control/scenario", self._put_scenario),
            web.delete("/_control/scenario", self._delete_scenario),
            web.post("/_control/changes", self._changes),
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

    async def _state_of(self, request: web.Request) -> web.Response:
        kind = request.match_info["kind"]
        state = self._simulator.state()
        if kind not in state:
            return _json({"error": f"kept are: {', '.join(state)}"}, status=404)
        return _json(state[kind])

    async def _faults(self, _: web.Request) -> web.Response:
        return _json({"faults": self._simulator.plan.describe()})

    async def _put_faults(self, request: web.Request) -> web.Response:
        try:
            self._simulator.set_faults(read_faults(await _read(request, "faults")))
        except ValueError as error:  # also msgspec's own errors
            return _json({"error": str(error)}, status=400)
        return await self._faults(request)

    async def _delete_faults(self, request: web.Request) -> web.Response:
        self._simulator.set_faults(())
        return await self._faults(request)

    async def _put_switches(self, request: web.Request) -> web.Response:
        """What they are now is not answered: keys and tokens are among them."""
        try:
            switches = await _read(request, "switches")
            self._simulator.set_switches(msgspec.convert(switches, dict[str, object]))
        except ValueError as error:  # also msgspec's own errors
            return _json({"error": str(error)}, status=400)
        return web.Response(status=204)

    async def _put_scenario(self, request: web.Request) -> web.Response:
        """All of it or, where something is wrong with it, nothing."""
        try:
            scenario = read_scenario((await request.read()).decode())
            self._simulator.set_switches(scenario.switches)
        except ValueError as error:  # also TOML's and msgspec's own errors, and what is not UTF-8
            return _json({"error": str(error)}, status=400)
        self._simulator.set_faults(scenario.faults)
        return await self._faults(request)

    async def _delete_scenario(self, request: web.Request) -> web.Response:
        self._simulator.restore()
        return await self._faults(request)

    async def _changes(self, request: web.Request) -> web.Response:
        try:
            self._simulator.change(read_changes(await _read(request, "changes")))
        except ValueError as error:  # also msgspec's own errors
            return _json({"error": str(error)}, status=400)
        return web.Response(status=204)

    async def _unknown(self, request: web.Request) -> web.Response:
        """A slip of ours must not pass for a request to the vendor."""
        return _json({"error": f"no such route: {request.method} {request.path}"}, status=404)

    async def _reset(self, _: web.Request) -> web.Response:
        self._simulator.reset()
        return web.Response(status=204)


async def _read(request: web.Request, name: str) -> object:
    """The one thing that the body has; raises ValueError."""
    document = msgspec.json.decode(await request.read())
    if not isinstance(document, dict) or document.keys() != {name}:
        raise ValueError(f'the body must be {{"{name}": …}}')
    return document[name]


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
