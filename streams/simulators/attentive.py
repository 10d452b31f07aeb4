"""Attentive, simulated: the endpoints that we use, as faithful to the contract as it goes.

Contract: contracts/attentive.md. Order of judgement: endpoint, token, rate limit, scope, kind of
body, content. What is accepted is kept as people and events, and `/_control/state` shows what
Attentive would know in the end and which journeys it would have started. What the contract is not
sure of is a switch (`attentive_switches.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from streams.simulators.attentive_access import (
    Tokens,
    check_body,
    endpoint_of,
)
from streams.simulators.attentive_attributes import Attributes
from streams.simulators.attentive_changes import change_people
from streams.simulators.attentive_errors import Errors, Refused
from streams.simulators.attentive_events import Events
from streams.simulators.attentive_people import Change, People, can_be_found
from streams.simulators.attentive_privacy import PRIVACY, DeletionRequests, read_deletion
from streams.simulators.attentive_rows import read_attributes, read_event
from streams.simulators.attentive_switches import Switches, read_switches
from streams.simulators.attentive_traits import traits_of
from streams.simulators.attentive_users import Identifiers, read_asked_user
from streams.simulators.server import Options, Simulator
from streams.simulators.vendor import Answer, Request
from streams.simulators.windows import FixedWindows, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from streams.simulators.changes import Change as SomebodysChange
    from streams.simulators.faults import Fault
    from streams.simulators.shapes import JSON

__all__ = ["Attentive", "attentive_simulator"]

_UNKNOWN_PERSON = "unknown_person"


@dataclass(frozen=True, slots=True)
class _Call:
    """A request that passed the door: the app that it comes from, and whether it is to be lost."""

    request: Request
    app: str
    drops: bool


class Attentive:
    """Attentive as `vendor.Vendor` wants it: one company with any number of apps."""

    name = "attentive"
    media_type = "application/json"
    max_body = 1_048_576  # that of one record in a bulk request (§4): none is published for others
    encodings: frozenset[str] = frozenset()  # no page speaks of compression

    def __init__(self, switches: Switches, limits: float | None) -> None:
        self._windows = FixedWindows(limits)
        self._behave(switches)
        self._handlers: Mapping[tuple[str, str], Callable[[_Call], Answer]] = {
            ("POST", "/v1/events/custom"): self._create_event,
            ("POST", "/v1/attributes/custom"): self._set_attributes,
            ("GET", "/v1/attributes/custom"): self._get_attributes,
            ("GET", "/v1/me"): self._get_me,
            ("POST", PRIVACY): self._delete,
            ("GET", f"{PRIVACY}/{{id}}"): self._get_deletion,
        }
        self.reset()

    def reset(self) -> None:
        """Forget people, attributes, events, apps and counted requests."""
        self._windows.reset()
        self._errors = Errors()
        self._tokens = Tokens()
        self._people = People()
        self._attributes = Attributes()
        self._events = Events()
        self._deletions = DeletionRequests()

    def configure(self, switches: Mapping[str, object]) -> None:
        """Behave by these switches from now on; raises ValueError that names a wrong one."""
        self._behave(read_switches(switches))

    def _behave(self, switches: Switches) -> None:
        self._switches = switches
        self._windows.stolen_share = switches.stolen_share

    def change(self, changes: Sequence[SomebodysChange], at: float) -> None:
        """Change people as somebody else would."""
        change_people(self._people, changes, at)

    def state(self) -> Mapping[str, object]:
        """People, attributes, event types, events, and the journeys that these started."""
        return {
            "people": list(self._people),
            "attributes": list(self._attributes),
            "types": [
                {
                    "name": each.name,
                    "app": each.app,
                    "keys": list(each.keys),
                    "unusable": list(each.unusable),
                }
                for each in self._events.types
            ],
            "events": self._events.stored,
            "journeys": list(self._events.journeys()),
            "deletions": list(self._deletions),
        }

    def traits(self, request: Request) -> Sequence[Mapping[str, str]]:
        """E-mail, phone, clientUserId, type and externalEventId."""
        return traits_of(request)

    def faulted(self, fault: Fault) -> Answer:
        """A status on demand, whatever the request is."""
        wait = fault.retry_after
        headers = {} if wait is None else {"Retry-After": str(wait)}
        refused = Refused(fault.status, "fault", "A fault on demand.")
        return self._errors.answer(refused, self._switches, headers)

    def answer(self, request: Request, fault: Fault | None) -> Answer:
        """Judge a request as the contract has it."""
        headers: dict[str, str] = {}
        try:
            endpoint = endpoint_of(request)
            secret, token = self._tokens.find(request, self._switches)
            verdict = self._windows.take(secret, endpoint.path, endpoint.limit, request.at)
            if verdict is not None:
                headers |= self._limit_headers(verdict)
                if not verdict.allowed:
                    raise Refused(429, "limit", "Too many requests.")
            if token.scopes is not None and endpoint.scope not in {None, *token.scopes}:
                raise Refused(403, "scope", f"The token lacks {endpoint.scope}.")
            if endpoint.method == "POST":
                check_body(request, self._switches)
            drops = fault is not None and fault.kind == "drop"
            answer = self._handlers[endpoint.method, endpoint.path](
                _Call(request, token.app, drops)
            )
        except Refused as refused:
            answer = self._errors.answer(refused, self._switches)
        return replace(answer, headers={**answer.headers, **headers})

    def _limit_headers(self, verdict: Verdict) -> dict[str, str]:
        """On every answer to a known token (§6)."""
        headers = {
            "x-ratelimit-limit": str(verdict.limit.burst),
            "x-ratelimit-remaining": str(verdict.remaining),
        }
        if not verdict.allowed and self._switches.retry_after:
            headers["Retry-After"] = str(verdict.retry_after)
        return headers

    def _accepted(self, fate: str) -> Answer:
        switches = self._switches
        return Answer(
            switches.success_status, fate, {} if switches.success_body == "object" else None
        )

    def _create_event(self, call: _Call) -> Answer:
        """Store the event; what becomes of it is known only to tests (§2)."""
        request, switches = call.request, self._switches
        row = read_event(request, switches)
        self._events.check(row, call.app, switches)
        if not self._is_somebody(row.user):
            return self._accepted(f"dropped:{_UNKNOWN_PERSON}")
        if call.drops:
            return self._accepted("dropped:fault")
        owner = self._people.claim(row.user, switches.linking)
        stored = self._events.keep(row, request, call.app, owner, switches)
        if stored.silent is None:
            return self._accepted("accepted")
        return self._accepted(
            "duplicate" if stored.silent == "duplicate" else f"silent:{stored.silent}"
        )

    def _set_attributes(self, call: _Call) -> Answer:
        """Keep all values or, where one is refused, none (§3)."""
        request, switches = call.request, self._switches
        row = read_attributes(request, switches)
        ignored = {
            name: self._attributes.judge(name, value, switches)
            for name, value in row.properties.items()
        }
        if not self._is_somebody(row.user):
            return self._accepted(f"dropped:{_UNKNOWN_PERSON}")
        if call.drops:
            return self._accepted("dropped:fault")
        person, _ = self._people.claim(row.user, switches.linking)
        at = datetime.fromtimestamp(request.at, UTC)
        for name, value in row.properties.items():
            if ignored[name] is None:
                self._attributes.learn(name, value, switches, request.sequence)
                person.change(Change(request.sequence, at, name, value))
        whys = list(ignored.values())
        return self._accepted("accepted" if None in whys else f"dropped:{whys[0]}")

    def _is_somebody(self, user: Identifiers) -> bool:
        """Whether a request can be about anybody; raises Refused with 404 by the switch."""
        if can_be_found(user, self._people.known(user)):
            return True
        if self._switches.unknown_external_id == "refuse":
            raise Refused(404, "/user/externalIdentifiers", "There is no such user.")
        return False

    def _get_attributes(self, call: _Call) -> Answer:
        """What the person has now (§3)."""
        user = read_asked_user(call.request.query, self._switches.phone_check)
        known = self._people.known(user)
        if not known and self._switches.unknown_person == "not_found":
            raise Refused(404, "query", "There is no such user.")
        values = known[0].attributes if known else {}
        body = [{"name": name, "value": value} for name, value in values.items()]
        return Answer(200, "accepted", body)

    def _delete(self, call: _Call) -> Answer:
        """Forget somebody (§5, Delete)."""
        request, switches = call.request, self._switches
        who = read_deletion(request.document, switches.phone_check)
        polls = switches.deletion_polls
        body: JSON = self._deletions.make(who, self._people, self._events, request.at, polls)
        return Answer(200, "accepted", body)

    def _get_deletion(self, call: _Call) -> Answer:
        """How far that is."""
        return Answer(200, "accepted", self._deletions.ask(call.request.path))

    def _get_me(self, call: _Call) -> Answer:
        """Whose token this is (§1)."""
        body = {
            "applicationName": call.app,
            "attentiveDomainName": "shop-demo",
            "companyName": "Shop Demo",
            "contactEmail": "hello@shop-demo.io",
            "companyId": "1",
        }
        return Answer(200, "accepted", body)


def attentive_simulator(options: Options) -> Simulator:
    """Attentive behind a socket; raises ValueError that names a wrong switch."""
    return Simulator(Attentive(read_switches(options.switches), options.limits), options)
