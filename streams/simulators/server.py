"""The HTTP shell that every vendor's simulator shares: a real server on a real socket.

It reads a request, records it in order of arrival, lets the fault plan decide, asks the vendor for
the answer and sends it. Everything between arrival and answer happens in one step of the event
loop, so the order of arrival is the order of processing, and what was kept never depends on how
slow the answer is. Used by `streams simulate`, the demo and the tests.
"""

from __future__ import annotations

import asyncio
import email.utils
import gc
import signal
import socket
import struct
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

import msgspec
from aiohttp import web

from streams.simulators.body import Body, read_body
from streams.simulators.changes import Change, Changeable
from streams.simulators.control import Control
from streams.simulators.faults import Fault, FaultPlan, Firing, load_scenario
from streams.simulators.recording import Received, Recorder
from streams.simulators.vendor import Answer, Request, Vendor
from streams.simulators.windows import limits_factor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

__all__ = ["Options", "Simulator", "read_options", "run"]

_FOREVER = 366 * 86_400.0  # seconds
_FREEZE_SECONDS = 1.0

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER with no time left: closing sends RST instead of FIN."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a simulator is to behave.

    `limits` scales the vendor's rate limits (None: there are none); `record` is the JSON-lines
    file; `switches` are the vendor's own, by name; `clock` gives seconds since 1970.
    """

    limits: float | None = 1.0
    record: Path | None = None
    faults: tuple[Fault, ...] = ()
    switches: Mapping[str, object] = field(default_factory=dict)
    clock: Callable[[], float] = time.time


def read_options(
    limits: str = "1", record: Path | None = None, scenario: Path | None = None
) -> Options:
    """Make options of command-line arguments; raises ValueError that names the wrong one.

    `limits` is a factor or `off`; `scenario` is the file of `--faults` (see `faults.Scenario`).
    """
    factor = limits_factor(limits)
    if scenario is None:
        return Options(limits=factor, record=record)
    loaded = load_scenario(scenario)
    return Options(
        limits=factor, record=record, faults=loaded.faults, switches=dict(loaded.switches)
    )


class Simulator:
    """One vendor behind a socket: `async with Simulator(...) as simulator: simulator.url`.

    `received` lists what arrived; `set_faults`, `set_switches`, `restore`, `state` and `reset` do
    what the control routes do.
    """

    def __init__(self, vendor: Vendor, options: Options) -> None:
        self.vendor = vendor
        self.recorder = Recorder(options.record)
        self.plan = FaultPlan(options.faults)
        self.url = ""
        """Where it listens, such as `http://127.0.0.1:45123`; empty while it does not."""
        self._options = options
        self._switches = dict(options.switches)
        self._runner: web.AppRunner | None = None

    @property
    def received(self) -> list[Received]:
        """All requests received so far, in order of arrival."""
        return self.recorder.received

    def set_faults(self, faults: Iterable[Fault]) -> None:
        """Replace the faults in force."""
        self.plan = FaultPlan(faults)

    def set_switches(self, switches: Mapping[str, object]) -> None:
        """Change these of the vendor's switches; raises ValueError that names a wrong one."""
        changed = {**self._switches, **switches}
        self.vendor.configure(changed)
        self._switches = changed

    def state(self) -> Mapping[str, object]:
        """Everything the vendor has kept, as JSON, by its kind."""
        return self.vendor.state()

    def control_routes(self) -> list[web.RouteDef]:
        """Further control routes, which only this vendor's simulator has."""
        return []

    def restore(self) -> None:
        """Behave as at the start, by its faults and switches; what was kept stays."""
        self._switches = dict(self._options.switches)
        self.vendor.configure(self._switches)
        self.set_faults(self._options.faults)

    def change(self, changes: Sequence[Change]) -> None:
        """Change people behind our back; raises ValueError, and then changes nobody."""
        if not isinstance(self.vendor, Changeable):
            raise ValueError(f"{self.vendor.name} is not changed so")
        self.vendor.change(changes, self._options.clock())

    def reset(self) -> None:
        """Go back to the start: no requests, nothing kept, the first faults and switches."""
        self.recorder.reset()
        self.restore()
        self.vendor.reset()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 takes a free one. Raises OSError where the address is taken."""
        self.recorder.open()
        # Four times the limit is read, so that a body over it still gets the vendor's own 413.
        app = web.Application(client_max_size=4 * self.vendor.max_body)
        app.add_routes([*self.control_routes(), *Control(self).routes()])
        app.add_routes([web.route("*", "/{path:.*}", self._handle)])
        self._runner = web.AppRunner(
            app,
            access_log=None,
            auto_decompress=False,
            handler_cancellation=True,  # who waits for an answer in vain shall not be waited for
            shutdown_timeout=0.5,  # seconds for answers under way; then they are broken off
        )
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError:
            await self.stop()
            raise
        bound_port = self._runner.addresses[0][1]
        self.url = f"http://{host}:{bound_port}"

    async def stop(self) -> None:
        """Stop listening and break off what is still held."""
        self.url = ""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        self.recorder.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _handle(self, wire: web.Request) -> web.StreamResponse:
        request = await self._read(wire)
        record = self.recorder.arrive(request)
        firing = self.plan.fire(request.path, request.at, lambda: self.vendor.traits(request))
        answer = self._decide(request, record, firing)
        if firing.delay:
            await asyncio.sleep(firing.delay)
        if answer is None:
            return await self._break_off(wire, firing.fault)
        return self._response(answer)

    def _decide(self, request: Request, record: Received, firing: Firing) -> Answer | None:
        """Process and record the request; None where the client gets no answer."""
        fault = firing.fault
        kind = "latency" if fault is None and firing.delay else fault.kind if fault else None
        if fault is not None and kind in ("reset", "timeout"):
            self.recorder.answered(record, Answer(503, f"dropped:{kind}"), kind, heard=False)
            return None
        if fault is not None and kind == "status":
            answer = _dated(self.vendor.faulted(fault), fault, request.at)
        else:
            answer = self.vendor.answer(request, fault)
        heard = kind not in ("accept_then_reset", "accept_then_timeout")
        self.recorder.answered(record, answer, kind, heard=heard)
        return answer if heard else None

    async def _read(self, wire: web.Request) -> Request:
        encoding = wire.headers.get("Content-Encoding", "").strip().lower()
        limit = self.vendor.max_body
        try:
            body = read_body(await wire.read(), encoding, self.vendor.encodings, limit)
        except web.HTTPRequestEntityTooLarge:
            body = Body(None, limit + 1, "too_large")
        return Request(
            at=self._options.clock(),
            method=wire.method,
            path=wire.path.rstrip("/") or "/",
            query=dict(wire.query),
            headers={name.lower(): value for name, value in wire.headers.items()},
            document=body.document,
            size=body.size,
            trouble=body.trouble,
            sequence=len(self.received) + 1,  # nothing is awaited from here to `arrive`
        )

    async def _break_off(self, wire: web.Request, fault: Fault | None) -> web.StreamResponse:
        """Close the connection without an answer: at once with RST, or after a silence."""
        transport = wire.transport
        if fault is not None and fault.kind.endswith("timeout"):
            # Ends by cancellation at the latest: the client leaves, or the server stops.
            await asyncio.sleep(_FOREVER if fault.seconds is None else fault.seconds)
        elif transport is not None and (connection := transport.get_extra_info("socket")):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        if transport is not None:
            transport.abort()
        return web.Response()  # goes nowhere: aiohttp wants a value from its handlers

    def _response(self, answer: Answer) -> web.Response:
        headers = dict(answer.headers)
        if answer.body is None:
            return web.Response(status=answer.status, headers=headers)
        if isinstance(answer.body, bytes):
            headers["Content-Type"] = "text/html; charset=UTF-8"
            return web.Response(body=answer.body, status=answer.status, headers=headers)
        headers["Content-Type"] = self.vendor.media_type
        body = msgspec.json.encode(answer.body)
        return web.Response(body=body, status=answer.status, headers=headers)


def _dated(answer: Answer, fault: Fault, at: float) -> Answer:
    """The answer with `Retry-After` as a date, where the fault wants it so (RFC 9110 has both)."""
    if fault.retry_after is None or fault.retry_after_form == "seconds":
        return answer
    moment = email.utils.formatdate(at + fault.retry_after, usegmt=True)
    return replace(answer, headers={**answer.headers, "Retry-After": moment})


def run(
    simulator: Simulator,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM; `ready` gets the URL once requests are taken.

    Raises OSError where the address or the recording file cannot be had.
    """
    asyncio.run(_serve(simulator, host, port, ready))


async def _serve(
    simulator: Simulator, host: str, port: int, ready: Callable[[str], None] | None
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await simulator.start(host, port)
    keeping = loop.create_task(_keep_still())
    try:
        if ready is not None:
            ready(simulator.url)
        await stop.wait()
    finally:
        keeping.cancel()
        await simulator.stop()


async def _keep_still() -> None:
    """Keep the cycle collector from walking through all that was recorded, again and again.

    It would stop for longer the more there is, and what arrives meanwhile would count for the
    vendor's next second.
    """
    while True:
        gc.freeze()
        await asyncio.sleep(_FREEZE_SECONDS)
