"""Ometria, simulated: pushing records, and the list of what was wrong with them.

Contract: contracts/ometria.md. Order of judgement: endpoint, key, rate limit, kind of body, size of
records, backlog. A push is answered before its records are looked into: what is wrong with them
shows in `GET /v2/push/_errors`, without a word on which record it was. `/_control/state` shows what
Ometria would know in the end and which campaigns it would have started. What the contract is not
sure of is a switch (`ometria_switches.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from streams.simulators.ometria_access import (
    PUSH,
    account_of,
    endpoint_of,
    limit_of,
    records_of,
)
from streams.simulators.ometria_errors import Errors, Refused
from streams.simulators.ometria_findings import TOO_LARGE
from streams.simulators.ometria_records import judge
from streams.simulators.ometria_switches import Switches, read_switches
from streams.simulators.ometria_traits import traits_of
from streams.simulators.ometria_worker import FAULT, QUEUED, Queued, Worker, told
from streams.simulators.server import Options, Simulator
from streams.simulators.vendor import Answer, Request
from streams.simulators.windows import FixedWindows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from streams.simulators.faults import Fault
    from streams.simulators.ometria_findings import Problem
    from streams.simulators.ometria_records import Judged

__all__ = ["Ometria", "ometria_simulator"]


@dataclass(frozen=True, slots=True)
class _Push:
    """A push that was answered: what its reply said."""

    sequence: int
    request_id: str
    accepted: int
    rejected: int


class Ometria:
    """Ometria as `vendor.Vendor` wants it.

    Several accounts (`Switches.keys`) have a quota each; what they send is kept in one place.
    """

    name = "ometria"
    media_type = "application/json"
    max_body = 10_000_000  # none is published: 100 records of 60 KB, and those that are too large
    encodings: frozenset[str] = frozenset()  # no page speaks of compression

    def __init__(self, switches: Switches, limits: float | None) -> None:
        self._windows = FixedWindows(limits)
        self._switches = switches
        self._behave(switches)
        self.reset()

    def reset(self) -> None:
        """Forget contacts, events, errors, what waits, and counted requests."""
        self._windows.reset()
        self._errors = Errors()
        self._worker = Worker()
        self._pushes: list[_Push] = []

    def configure(self, switches: Mapping[str, object]) -> None:
        """Behave by these switches from now on; raises ValueError that names a wrong one."""
        self._behave(read_switches(switches))

    def _behave(self, switches: Switches) -> None:
        if switches.requests_per_second != self._switches.requests_per_second:
            self._windows.reset()  # they were made for the other number
        self._switches = switches
        self._windows.stolen_share = switches.stolen_share

    def state(self) -> Mapping[str, object]:
        """What was kept, and what waits, as of the last request.

        An event's `triggered` and its arrivals say whether and why (not) campaigns started;
        `errors` name the records that the vendor would not; `flags` are what it took unwillingly.
        """
        worker = self._worker
        contacts = [each for each in worker.listings if each.type == "contact"]
        return {
            "contacts": contacts,
            "others": [each for each in worker.listings if each.type != "contact"],
            "events": worker.events.stored,
            "campaigns": worker.events.campaigns,
            "errors": worker.errors,
            "flags": worker.flags,
            "pushes": self._pushes,
            "backlog": worker.waiting,
        }

    def traits(self, request: Request) -> Sequence[Mapping[str, str]]:
        """Id, type, event_type and email of every record."""
        return traits_of(request)

    def faulted(self, fault: Fault) -> Answer:
        """A status on demand, whatever the request is."""
        wait = fault.retry_after
        headers = {} if wait is None else {"Retry-After": str(wait)}
        refused = Refused(fault.status, "fault", "A fault on demand.", headers)
        return self._errors.answer(refused, self._switches)

    def answer(self, request: Request, fault: Fault | None) -> Answer:
        """Judge a request as the contract has it."""
        self._worker.work(request.at, self._switches)
        try:
            endpoint = endpoint_of(request)
            account = account_of(request, endpoint, self._switches)
            limit = limit_of(endpoint, self._switches)
            verdict = self._windows.take(account, endpoint.path, limit, request.at)
            if verdict is not None and not verdict.allowed:
                told_wait = {"Retry-After": str(verdict.retry_after)}
                headers = told_wait if self._switches.retry_after else {}
                raise Refused(429, "limit", "Too many requests.", headers)
            if endpoint is PUSH:
                return self._push(request, fault)
            return Answer(200, "accepted", self._worker.told_errors())
        except Refused as refused:
            return self._errors.answer(refused, self._switches)

    def _push(self, request: Request, fault: Fault | None) -> Answer:
        """Queue the records, answer, and only then look into what is due (§2)."""
        switches, worker = self._switches, self._worker
        records = [judge(each, switches) for each in records_of(request, switches)]
        self._check_sizes(records)
        if worker.waiting + len(records) > switches.backlog_limit:
            raise Refused(429, "backlog", "Too many records wait.", self._queue_headers())
        failing = _failing_rows(request, fault)
        fates: list[str] = []
        rejected: list[Sequence[Problem]] = []
        for row, judged in enumerate(records):
            place, fails = (request.sequence, row), row in failing
            if problems := self._rejection(judged, fails=fails):
                rejected.append(problems)
                worker.note(judged, place, problems)
                fates.append(f"refused:{'fault' if problems[0] is FAULT else problems[0].path}")
            elif fault is not None and fault.kind == "drop":
                fates.append("dropped:fault")
            else:
                fates.append(QUEUED)
                worker.add(Queued(judged, place, request.at, fates, fails))
        reply = self._reply(request, len(records), rejected)
        headers = self._queue_headers()
        worker.work(request.at, switches)  # now the reply is fixed, and nothing can change it
        fate = next((each for each in ("accepted", QUEUED) if each in fates), fates[0])
        return Answer(switches.success_status, fate, reply, headers, fates)

    def _check_sizes(self, records: Sequence[Judged]) -> None:
        if self._switches.large_record == "refuse":
            for row, judged in enumerate(records):
                if judged.large:
                    raise Refused(400, f"/{row}", TOO_LARGE, documented=True)

    def _rejection(self, judged: Judged, *, fails: bool) -> Sequence[Problem]:
        """Why a record is counted in `rejected`; nothing where the reply takes it."""
        at_once = self._switches.wrong_record == "reject"
        if judged.large or (judged.row is None and at_once):
            return judged.findings.problems
        return [FAULT] if fails and at_once else []

    def _reply(
        self, request: Request, number: int, rejected: Sequence[Sequence[Problem]]
    ) -> object:
        """What the vendor says: how many records it has queued, and how many not."""
        request_id = str(uuid5(NAMESPACE_URL, f"ometria:{request.sequence}"))
        push = _Push(request.sequence, request_id, number - len(rejected), len(rejected))
        self._pushes.append(push)
        body = {
            "status": "OK",
            "request_id": request_id,
            "accepted": push.accepted,
            "rejected": push.rejected,
        }
        if not self._switches.rejected_items:
            return body
        items = [told(each.message, each.path) for problems in rejected for each in problems]
        return {**body, "rejected_items": items}

    def _queue_headers(self) -> Mapping[str, str]:
        limit = self._switches.backlog_limit
        if not self._switches.queue_headers:
            return {}
        return {
            "X-QueueSize-Limit": str(limit),
            "X-QueueSize-Remaining": str(max(0, limit - self._worker.waiting)),
        }


def ometria_simulator(options: Options) -> Simulator:
    """Ometria behind a socket; raises ValueError that names a wrong switch."""
    return Simulator(Ometria(read_switches(options.switches), options.limits), options)


def _failing_rows(request: Request, fault: Fault | None) -> set[int]:
    if fault is None or fault.kind != "fail_rows":
        return set()
    matching = [index for index, row in enumerate(traits_of(request)) if fault.concerns(row)]
    return set(matching[: fault.rows])
