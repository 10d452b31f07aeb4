"""Ordergroove's REST API, simulated: lists and single entities, by contracts/ordergroove.md §2.

Order of judgement: path, key, rate limit, filters. What the contract is not sure of is a switch
(`ordergroove_switches.py`). The shop behind it is generated (`customers`, `seed`), or put in and
changed over `/_control` while somebody reads (`ordergroove_control.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from typing_extensions import override

from streams.simulators.ordergroove_access import LIMIT, asked_of, key_of
from streams.simulators.ordergroove_control import EntityControl
from streams.simulators.ordergroove_errors import Refused, fault_answer, refused_answer
from streams.simulators.ordergroove_filters import read_filters
from streams.simulators.ordergroove_forms import told
from streams.simulators.ordergroove_pages import numbered_page, page_after
from streams.simulators.ordergroove_shelves import Shelves
from streams.simulators.ordergroove_switches import Switches, read_switches
from streams.simulators.server import Options, Simulator
from streams.simulators.vendor import Answer
from streams.simulators.windows import FixedWindows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aiohttp import web

    from streams.simulators.faults import Fault
    from streams.simulators.ordergroove_access import Asked
    from streams.simulators.ordergroove_filters import Filters
    from streams.simulators.ordergroove_pages import Found
    from streams.simulators.ordergroove_shelves import Row
    from streams.simulators.ordergroove_switches import Key
    from streams.simulators.shapes import JSON
    from streams.simulators.vendor import Request

__all__ = ["Ordergroove", "OrdergrooveSimulator", "ordergroove_simulator"]


class Ordergroove:
    """Ordergroove as `vendor.Vendor` wants it; `shelves` is what the merchant has there."""

    name = "ordergroove"
    media_type = "application/json"
    max_body = 1 << 20  # nothing is sent to it but questions
    encodings: frozenset[str] = frozenset()

    def __init__(self, switches: Switches, limits: float | None) -> None:
        self._windows = FixedWindows(limits)
        self._switches = switches
        self._windows.stolen_share = switches.stolen_share
        self.reset()

    def reset(self) -> None:
        """Forget what was put in and changed, and counted requests."""
        self._windows.reset()
        self._pages = 0
        self.shelves = Shelves(self._switches)

    def configure(self, switches: Mapping[str, object]) -> None:
        """Behave by these switches from now on; raises ValueError that names a wrong one.

        Another shop (`customers`, `seed`, `as_of`, `merchant`, `zone`) begins anew.
        """
        self._switches = read_switches(switches)
        self._windows.stolen_share = self._switches.stolen_share
        if not self.shelves.holds_for(self._switches):
            self.shelves = Shelves(self._switches)

    def state(self) -> Mapping[str, object]:
        """How many entities of each kind there are; `/_control/entities/KIND` has them."""
        return self.shelves.counts()

    def traits(self, request: Request) -> Sequence[Mapping[str, str]]:
        """The filters, by their names."""
        return [dict(request.query)]

    def faulted(self, fault: Fault) -> Answer:
        """A status on demand, whatever the request is."""
        return fault_answer(fault)

    def answer(self, request: Request, fault: Fault | None) -> Answer:
        """Judge a request as the contract has it."""
        del fault  # nothing that is asked can be taken and then dropped
        try:
            asked = asked_of(request)
            key = key_of(request, self._switches)
            verdict = self._windows.take("address", "all", LIMIT, request.at)
            if verdict is not None and not verdict.allowed:
                wait = verdict.retry_after if self._switches.retry_after else None
                return refused_answer(Refused(429, "limit", "Request was throttled."), wait)
            if asked.id is not None:
                return self._retrieve(asked, asked.id)
            return self._list(asked, request, key)
        except Refused as refused:
            return refused_answer(refused)

    def _retrieve(self, asked: Asked, id_: str) -> Answer:
        row = self.shelves[asked.kind.name].get(id_)
        if row is None:
            raise Refused(404, "id", "Not found.")
        entity = self.shelves.entity(asked.kind.name, row)
        return Answer(200, "accepted", self._told(asked, row, entity, "retrieve"))

    def _list(self, asked: Asked, request: Request, key: Key) -> Answer:
        filters = read_filters(asked.kind, request.query, self._switches)
        if not key.bulk and not filters.one_customer:
            raise Refused(
                self._switches.no_bulk, "key", "Ask for one customer: no Bulk Operations."
            )
        self._churn(int(request.at))
        if request.headers.get("x-og-api-version", "").strip() == "2":
            found = page_after(self.shelves, filters, request.query, self._switches)
            return Answer(200, "accepted", self._page(asked, request, filters, found))
        found, count = numbered_page(self.shelves, filters, request.query)
        page = self._page(asked, request, filters, found)
        return Answer(200, "accepted", {"count": count, **page})

    def _page(self, asked: Asked, request: Request, filters: Filters, found: Found) -> JSON:
        host = self._switches.next_host or request.headers.get("host", "")
        base = f"http://{host}/{asked.kind.name}/?"
        shelf, results = self.shelves[asked.kind.name], []
        for entity in found.entities:
            row = shelf.get(str(entity[asked.kind.id]))
            assert row is not None  # noqa: S101 - it was found a moment ago
            results.append(self._told(asked, row, entity, "list"))
        if "include_has_plan" in filters.shown:
            results = [{**each, "has_plan": False} for each in results]
        return {
            "next": None if found.next is None else base + found.next,
            "previous": None if found.previous is None else base + found.previous,
            "results": results,
        }

    def _told(
        self, asked: Asked, row: Row, entity: JSON, where: Literal["list", "retrieve"]
    ) -> JSON:
        generated = isinstance(row.source, int)
        return told(asked.kind, entity, self._switches, generated=generated, where=where)

    def _churn(self, now: int) -> None:
        """Let generated subscriptions change as they do in a shop that is open."""
        subscriptions = self.shelves["subscriptions"]
        for _ in range(min(self._switches.churn, len(subscriptions))):
            self._pages += 1
            place = self._pages * 7_919 % len(subscriptions)  # a prime: it comes around to all
            [row] = subscriptions.some(place, 1)
            quantity = self.shelves.entity("subscriptions", row).get("quantity")
            more = quantity + 1 if isinstance(quantity, int) else 1
            self.shelves.put("subscriptions", {"public_id": row.id, "quantity": more}, now)


class OrdergrooveSimulator(Simulator):
    """The simulator, with control routes of its own; `ordergroove` is the merchant behind it."""

    def __init__(self, ordergroove: Ordergroove, options: Options) -> None:
        super().__init__(ordergroove, options)
        self.ordergroove = ordergroove
        self._clock = options.clock

    @override
    def control_routes(self) -> list[web.RouteDef]:
        return EntityControl(lambda: self.ordergroove.shelves, self._clock).routes()


def ordergroove_simulator(options: Options) -> OrdergrooveSimulator:
    """Make the simulator; raises ValueError where a switch does not exist."""
    switches = read_switches(options.switches)
    return OrdergrooveSimulator(Ordergroove(switches, options.limits), options)
