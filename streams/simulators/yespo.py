"""Yespo, simulated: the calls that we use, as faithful to contracts/yespo.md as it goes.

Order of judgement: call, key, rate limit, kind of body, repetition, content. What is accepted is
kept as contacts, orders and events, and `/_control/state` shows what Yespo would know in the end
and which events would start workflows. What the contract is not sure of is a switch
(`yespo_switches.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from streams.simulators.server import Options, Simulator
from streams.simulators.vendor import Answer, Request
from streams.simulators.windows import FixedWindows
from streams.simulators.yespo_access import (
    IMPORT_STATUS,
    account_of,
    check_body,
    endpoint_of,
)
from streams.simulators.yespo_contact_rows import failed_contact, read_bulk, read_contact
from streams.simulators.yespo_contacts import Contacts
from streams.simulators.yespo_custom_fields import address_books
from streams.simulators.yespo_errors import (
    BadRow,
    Refused,
    fault_answer,
    one_or_many,
    refused_answer,
    repeated,
)
from streams.simulators.yespo_event_rows import past_events, read_event, read_past_event
from streams.simulators.yespo_events import Events
from streams.simulators.yespo_imports import Import, Imports, upsert
from streams.simulators.yespo_order_rows import read_order, read_orders
from streams.simulators.yespo_orders import Orders
from streams.simulators.yespo_repeats import Repeats
from streams.simulators.yespo_switches import Switches, read_switches
from streams.simulators.yespo_traits import traits_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from streams.simulators.faults import Fault
    from streams.simulators.shapes import JSON

__all__ = ["Yespo", "yespo_simulator"]

_ON_DEMAND = "It cannot be stored now"


@dataclass(frozen=True, slots=True)
class _Call:
    """A request that passed the door, and what is to go wrong."""

    request: Request
    fault: Fault | None

    @property
    def drops(self) -> bool:
        """Whether nothing is to come of it after its success."""
        return self.fault is not None and self.fault.kind == "drop"

    def failing(self) -> set[int]:
        """The rows that are to fail on demand."""
        fault = self.fault
        if fault is None or fault.kind != "fail_rows":
            return set()
        rows = enumerate(traits_of(self.request))
        return set([index for index, row in rows if fault.concerns(row)][: fault.rows])


class Yespo:
    """Yespo as `vendor.Vendor` wants it.

    Several accounts (`Switches.keys`) have a quota each; what they send is kept in one place.
    """

    name = "yespo"
    media_type = "application/json; charset=UTF-8"
    max_body = 10_000_000  # none is published but for events (§3); 1,000 orders are far below
    encodings: frozenset[str] = frozenset()  # no page speaks of compression

    def __init__(self, switches: Switches, limits: float | None) -> None:
        self._windows = FixedWindows(limits)
        self._behave(switches)
        self._handlers: Mapping[str, Callable[[_Call], Answer]] = {
            "/api/v1/account/info": self._get_account,
            "/api/v1/addressbooks": self._get_address_books,
            "/api/v1/orders": self._add_orders,
            "/api/v1/contact": self._add_contact,
            "/api/v1/contacts": self._add_contacts,
            IMPORT_STATUS: self._get_import,
            "/api/v1/event": self._add_event,
            "/api/v2/event": self._add_event,
            "/api/v2/past_events": self._add_past_events,
        }
        self.reset()

    def reset(self) -> None:
        """Forget contacts, orders, events, imports and counted requests."""
        self._windows.reset()
        self._repeats = Repeats()
        self._contacts = Contacts()
        self._events = Events(self._contacts)
        self._orders = Orders(self._contacts, self._events)
        self._imports = Imports(self._contacts, self._events)

    def configure(self, switches: Mapping[str, object]) -> None:
        """Behave by these switches from now on; raises ValueError that names a wrong one."""
        self._behave(read_switches(switches))

    def _behave(self, switches: Switches) -> None:
        self._switches = switches
        self._windows.stolen_share = switches.stolen_share

    def state(self) -> Mapping[str, object]:
        """Contacts with their revenue, orders, events and their types, imports."""
        revenue = self._orders.revenue()
        return {
            "contacts": [
                {
                    "id": each.id,
                    "source": each.source,
                    "externalCustomerId": each.external_customer_id,
                    "bound": each.bound,
                    "values": each.values,
                    "fields": each.fields,
                    "groups": each.groups,
                    "revenue": revenue.get(each.id, {}),
                }
                for each in self._contacts
            ],
            "orders": list(self._orders),
            "events": self._events.stored,
            "types": list(self._events.types),
            "imports": [each.shown() for each in self._imports],
        }

    def traits(self, request: Request) -> Sequence[Mapping[str, str]]:
        """Order, status, customer, e-mail and type of event of every row."""
        return traits_of(request)

    def faulted(self, fault: Fault) -> Answer:
        """A status on demand, whatever the request is."""
        return fault_answer(fault, self._switches)

    def answer(self, request: Request, fault: Fault | None) -> Answer:
        """Judge a request as the contract has it."""
        switches = self._switches
        try:
            endpoint = endpoint_of(request)
            account = account_of(request, switches)
            verdict = self._windows.take(account, endpoint.window, endpoint.limit, request.at)
            if verdict is not None and not verdict.allowed:
                wait = verdict.retry_after if switches.retry_after else None
                return refused_answer(Refused(429, "limit", "Too many requests"), switches, wait)
            if endpoint.method == "POST":
                check_body(request)
            if self._repeats.knows(request, account, switches):
                return repeated(len(traits_of(request)), switches)
            answer = self._handlers[endpoint.path](_Call(request, fault))
        except Refused as refused:
            return refused_answer(refused, switches)
        self._repeats.remember(request, account, switches)
        return answer

    def _add_orders(self, call: _Call) -> Answer:
        """Keep the orders that are acceptable; the others are told in the answer (§2)."""
        request, switches = call.request, self._switches
        failing = call.failing()
        failed: list[JSON] = []
        fates = []
        for index, order in enumerate(read_orders(request.document, switches)):
            try:
                row = read_order(order, switches)
                if index in failing:
                    raise BadRow("", _ON_DEMAND)
            except BadRow as bad:
                failed.append({"order": order, "error": bad.message})
                fates.append(f"refused:/orders/{index}/{bad.where}".rstrip("/"))
                continue
            if call.drops:
                fates.append("dropped:fault")
            else:
                fates.append(self._orders.keep(row, request.sequence, request.at, switches))
        return Answer(200, _whole(fates), self._failed_orders(failed), fates=fates)

    def _failed_orders(self, failed: list[JSON]) -> object:
        if failed:
            return {"failedOrders": one_or_many(failed, self._switches)}
        return {"empty": None, "object": {}, "list": {"failedOrders": []}}[
            self._switches.success_body
        ]

    def _add_event(self, call: _Call) -> Answer:
        request, switches = call.request, self._switches
        row = read_event(request, switches)
        if call.drops:
            return Answer(switches.event_status, "dropped:fault")
        fate = self._events.keep(row, request.sequence, request.at, switches)
        return Answer(switches.event_status, fate)

    def _add_past_events(self, call: _Call) -> Answer:
        """Keep events of the past; how many, and each one's result, are told in the answer (§3)."""
        request, switches = call.request, self._switches
        failing = call.failing()
        results: list[JSON] = []
        fates = []
        for index, event in enumerate(past_events(request.document)):
            try:
                row = read_past_event(event, switches)
                if index in failing:
                    raise Refused(400, "", _ON_DEMAND)
            except Refused as refused:
                results.append({"success": False, "error": refused.message})
                fates.append(f"refused:/events/{index}{refused.where}")
                continue
            results.append({"success": True})
            if call.drops:
                fates.append("dropped:fault")
            else:
                at = request.at
                fates.append(self._events.keep(row, request.sequence, at, switches, past=True))
        good = sum(bool(each["success"]) for each in results)
        body = {"results": results, "successCount": good, "errorCount": len(results) - good}
        return Answer(200, _whole(fates), body, fates=fates)

    def _add_contact(self, call: _Call) -> Answer:
        """One contact at once (§4)."""
        try:
            row = read_contact(call.request.document, self._switches)
        except BadRow as bad:
            raise Refused(400, f"/{bad.where}", bad.message) from None
        contact = upsert(row, self._contacts)
        return Answer(200, "accepted", {"id": contact.id})

    def _add_contacts(self, call: _Call) -> Answer:
        """Take up an import; those contacts that are not acceptable are told at once (§4)."""
        request, switches = call.request, self._switches
        bulk = read_bulk(request.document, switches)
        failing = call.failing()
        failed: list[object] = []
        rows, fates = [], []
        for index, contact in enumerate(bulk.contacts):
            try:
                row = read_contact(contact, switches)
                if index in failing:
                    raise BadRow("", _ON_DEMAND)
            except BadRow as bad:
                failed.append(failed_contact(contact, bad.message, switches))
                fates.append(f"refused:/contacts/{index}/{bad.where}".rstrip("/"))
                continue
            rows.append(row)
            fates.append("dropped:fault" if call.drops else "accepted")
        job = Import(
            id=self._imports.number(),
            sequence=request.sequence,
            at=request.at,
            bulk=bulk,
            rows=rows,
            failed=len(failed),
            fails=call.drops,
        )
        self._imports.start(job, switches)
        body: JSON = {"asyncSessionId": job.id}
        if switches.older_reply:
            body["id"] = 0
        if failed:
            body["failedContacts"] = one_or_many(failed, switches)
        return Answer(200, _whole(fates), body, fates=fates)

    def _get_import(self, call: _Call) -> Answer:
        job = self._imports.get(call.request.path.rpartition("/")[2])
        if job is None:
            raise Refused(404, "path", "There is no such import.")
        self._imports.poll(job, call.request.at, self._switches)
        return Answer(200, "accepted", job.answer())

    def _get_address_books(self, _: _Call) -> Answer:
        return Answer(200, "accepted", address_books(self._switches))

    def _get_account(self, _: _Call) -> Answer:
        """Whose key this is (§1)."""
        body = {"userEmail": "hello@shop-demo.io", "organisationName": "Shop Demo"}
        return Answer(200, "accepted", body)


def yespo_simulator(options: Options) -> Simulator:
    """Yespo behind a socket; raises ValueError that names a wrong switch."""
    return Simulator(Yespo(read_switches(options.switches), options.limits), options)


def _whole(fates: Sequence[str]) -> str:
    return "accepted" if "accepted" in fates else fates[0]
