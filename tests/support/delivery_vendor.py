"""A vendor for tests of delivery: what it is asked, and a server on a real socket that answers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import msgspec
from aiohttp import web

from streams.errors import BadRecord
from streams.model import delivery as asked
from streams.model.delivery import Options, Outcome, Request, Response, Verdict
from streams.model.enriched import EnrichedEvent, ProfileView
from streams.model.rules import Batch, Limit, Rules

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Mapping, Sequence

JSON = dict[str, Any]


def event(
    kind: str = "order.success", *, customer: str = "c1", number: int = 1, version: int = 0
) -> EnrichedEvent:
    """An event of a kind that `Vendor` knows; its profile's version is its number, or as told."""
    profile = ProfileView(
        active_subscriptions=1,
        total_subscriptions=1,
        ever_subscribed=True,
        version=version or number,
        email=f"{customer}@shop-demo.io",
    )
    return EnrichedEvent(
        event_id=f"{customer}-{number}",
        type=kind,
        occurred_at=1_790_000_000_000 + number,
        merchant="m1",
        customer_id=customer,
        source_event_id=f"{customer}-{number}",
        profile=profile,
    )


def decode(value: bytes) -> EnrichedEvent:
    """What stands for the Avro codec."""
    if value == b"bug":
        raise KeyError("jane@shop-demo.io")
    try:
        return msgspec.json.decode(value, type=EnrichedEvent)
    except msgspec.DecodeError:
        raise BadRecord("malformed", None, "the bytes do not fit their schema") from None


MANY = asked.Frame("many", b'{"events":[', b"]}")
"""Where `together…` events travel."""


class Vendor:
    """A destination.

    | event type | parts |
    |---|---|
    | `both` | event, then profile |
    | `with_profile` | event that carries the profile: its `version`, null when superseded |
    | `profile.changed` | profile, on an endpoint of its own |
    | `together…` | event that may travel with others, in the batch `many` |
    | `thing_X` | the same; it sets the thing X of the customer, to its version |
    | `nobody` | a refusal: rejected, no_identifier |
    | `nothing` | none |
    | `bug` | the renderer raises |
    | any other | event |
    """

    name = "vendor"
    takes: frozenset[str] = frozenset()
    late_errors: asked.LateErrors | None = None
    probe: asked.Probe | None = None
    deletion: asked.Deletion | None = None

    def __init__(
        self, url: str = "", limits: tuple[Limit, ...] = (), batches: tuple[Batch, ...] = ()
    ) -> None:
        self.url = url
        self.rules = Rules(
            identifiers=(), demands={}, profiles=frozenset(), limits=limits, batches=batches
        )

    def render(
        self,
        event: EnrichedEvent,
        delivery_id: str,
        now: int,
        options: Options,
        *,
        superseded: bool = False,
    ) -> list[asked.Part | asked.Refusal]:
        """See the table."""
        del now, options
        request = self._request("events", event, delivery_id)
        if event.type == "with_profile":
            version = None if superseded else event.profile.version
            body = {**request.body, "version": version}
            request = msgspec.structs.replace(request, body=body)
        part = asked.Part("event", request, carries_profile=event.type == "with_profile")
        profile = asked.Part("profile", self._request("profiles", event, delivery_id))
        refusal = asked.Refusal("event", Outcome.REJECTED, "no_identifier", "email")
        match event.type:
            case "bug":
                raise KeyError(event.profile.email)
            case "both":
                return [part, profile]
            case "profile.changed":
                return [profile]
            case "nobody":
                return [refusal]
            case "nothing":
                return []
            case kind if kind.startswith(("together", "thing_")):
                return [self._travelling(event, request)]
            case _:
                return [part]

    def authorize(self, credentials: str) -> Mapping[str, str]:
        """The credentials as they are."""
        return {"authorization": credentials}

    def classify(self, requests: Sequence[Request], response: Response) -> list[Verdict]:
        """What one record's answer means, for each; a body may name the events it refused."""
        refused = msgspec.json.decode(response.body) if response.body else []
        return [
            asked.Rejected("named")
            if each.body["event"] in refused
            else self._judge(each, response)
            for each in requests
        ]

    def _judge(self, request: Request, response: Response) -> Verdict:
        """By status; 422 asks for a request without the e-mail; 418 meets a bug of ours."""
        after = response.headers.get("retry-after")
        match response.status:
            case 418:
                raise KeyError("jane@shop-demo.io")
            case 422:
                body = {k: v for k, v in request.body.items() if k != "email"}
                return asked.Repair(msgspec.structs.replace(request, body=body), "email_dropped")
            case 429:
                return asked.Retry("throttled", float(after) if after else None, throttled=True)
            case 401:
                return asked.Unauthorized("key_refused")
            case 400:
                return asked.Rejected("invalid", "email")
            case status if status >= 500:
                return asked.Retry(f"http_{status}", float(after) if after else None)
            case _:
                return asked.Accepted(response.headers.get("note"))

    def _travelling(self, event: EnrichedEvent, request: Request) -> asked.Part:
        thing = event.type.removeprefix("thing_") if event.type.startswith("thing_") else None
        substance = str(event.profile.version).encode()
        return asked.Part(
            "event",
            msgspec.structs.replace(request, frame=MANY),
            thing=thing,
            substance=substance if thing else b"",
        )

    def _request(self, endpoint: str, event: EnrichedEvent, identity: str) -> Request:
        body = {"id": identity, "event": event.event_id, "email": event.profile.email}
        return Request("POST", f"/{endpoint}", {"kind": event.type}, body, endpoint)


@dataclass(frozen=True)
class Answer:
    """What the vendor's server does: an answer, or the connection is cut without one."""

    status: int = 202
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut: bool = False


@dataclass
class Seen:
    """A request as it arrived."""

    endpoint: str
    body: JSON
    headers: dict[str, str]

    @property
    def event(self) -> str:
        """The event's id, `c1-1`; of several that came together, with a plus between them."""
        return "+".join(str(each["event"]) for each in self.body.get("events", [self.body]))


class Server:
    """The vendor's side of the socket: `answer` decides, `seen` lists what came, in order."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.seen: list[Seen] = []
        self._context = context
        self.answer: Callable[[Seen], Awaitable[Answer] | Answer] = lambda _: Answer()
        self.url = ""
        self.most_at_once = 0
        self.connections: set[asyncio.Transport] = set()
        self._now = 0
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.add_routes([web.route("*", "/{path:.*}", self._handle)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "localhost", 0, ssl_context=self._context).start()
        scheme = "http" if self._context is None else "https"
        self.url = f"{scheme}://localhost:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            server = self._runner.server
            await self._runner.cleanup()
            for _turn in range(3):  # who was let in just then is made known a turn later
                await asyncio.sleep(0)
            if server is not None:
                await server.shutdown(0.1)

    @property
    def events(self) -> list[str]:
        """The event ids of all requests, in order of arrival."""
        return [each.event for each in self.seen]

    async def _handle(self, wire: web.Request) -> web.Response:
        body = await wire.json() if wire.can_read_body else {"event": ""}
        seen = Seen(wire.path.strip("/"), body, dict(wire.headers))
        self.seen.append(seen)
        if isinstance(wire.transport, asyncio.Transport):
            self.connections.add(wire.transport)
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            answer = self.answer(seen)
            if not isinstance(answer, Answer):
                answer = await answer
        finally:
            self._now -= 1
        if answer.cut and wire.transport is not None:
            wire.transport.abort()
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)


class Gate:
    """The vendor answers nobody until it is opened."""

    def __init__(self) -> None:
        self.open = asyncio.Event()

    async def __call__(self, _: Seen) -> Answer:
        """Wait, then accept."""
        await self.open.wait()
        return Answer()
