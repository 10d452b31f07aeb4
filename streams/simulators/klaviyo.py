"""Klaviyo, simulated: the endpoints that we use, as faithful to contracts/klaviyo.md as it goes.

Order of judgement: endpoint, key and scope, rate limit, revision, kind of body, content. What is
accepted is kept as profiles and events, and `/_control/state` shows what Klaviyo would know in the
end. What the contract is not sure of is a switch (`klaviyo_switches.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from streams.simulators.klaviyo_access import Endpoint, account_of, check_body, revision_of
from streams.simulators.klaviyo_errors import Refused, fault_answer, refuse, throttled
from streams.simulators.klaviyo_event_rows import EventRows, read_bulk, read_event
from streams.simulators.klaviyo_events import Events
from streams.simulators.klaviyo_imports import (
    Job,
    profile_resource,
    read_deletion,
    read_import,
    read_import_job,
)
from streams.simulators.klaviyo_profiles import Profiles
from streams.simulators.klaviyo_readback import change_profiles, profiles_page
from streams.simulators.klaviyo_switches import Switches, read_switches
from streams.simulators.klaviyo_traits import traits_of
from streams.simulators.klaviyo_validation import Findings
from streams.simulators.server import Options, Simulator
from streams.simulators.vendor import Answer, Request
from streams.simulators.windows import FixedWindows, Limit, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from streams.simulators.changes import Change
    from streams.simulators.faults import Fault
    from streams.simulators.shapes import JSON

__all__ = ["ENDPOINTS", "Klaviyo", "klaviyo_simulator"]

_JOBS = "/api/profile-bulk-import-jobs"
_JOB, _JOB_ERRORS = f"{_JOBS}/{{id}}", f"{_JOBS}/{{id}}/import-errors"
_EVENTS_WRITE, _PROFILES_WRITE = frozenset({"events:write"}), frozenset({"profiles:write"})
_PROFILES_READ = frozenset({"profiles:read"})
_JOBS_READ = frozenset({"lists:read", "profiles:read"})
_DELETE = frozenset({"data-privacy:write"})

ENDPOINTS: Mapping[str, Endpoint] = {
    endpoint.path: endpoint
    for endpoint in (
        Endpoint("/api/events", "POST", _EVENTS_WRITE, "2022-10-17", Limit(350, 3500)),
        Endpoint(
            "/api/event-bulk-create-jobs", "POST", _EVENTS_WRITE, "2024-05-15", Limit(10, 150)
        ),
        Endpoint("/api/profiles", "GET", _PROFILES_READ, "2022-10-17", Limit(75, 750)),
        Endpoint("/api/profile-import", "POST", _PROFILES_WRITE, "2024-02-15", Limit(75, 750)),
        Endpoint(_JOBS, "POST", _PROFILES_WRITE | {"lists:write"}, "2023-12-15", Limit(10, 150)),
        Endpoint(_JOB, "GET", _JOBS_READ, "2023-12-15", Limit(10, 150)),
        Endpoint(_JOB_ERRORS, "GET", _JOBS_READ, "2023-12-15", Limit(10, 150)),
        Endpoint("/api/data-privacy-deletion-jobs", "POST", _DELETE, "2022-10-17", Limit(3, 60)),
    )
}
"""By path; the limits are those of §6 (requests each second, and each minute)."""


@dataclass(frozen=True, slots=True)
class _Call:
    """A request that passed the door: the revision to answer by, and what is to go wrong."""

    request: Request
    revision: str
    fault: Fault | None

    @property
    def drops(self) -> bool:
        """Whether nothing is to come of it after its 202."""
        return self.fault is not None and self.fault.kind == "drop"


class Klaviyo:
    """Klaviyo as `vendor.Vendor` wants it.

    Several accounts (`Switches.keys`) have a quota each; what they send is kept in one place.
    """

    name = "klaviyo"
    media_type = "application/vnd.api+json"
    max_body = 5_000_000  # the smaller reading of 5 MB

    def __init__(self, switches: Switches, limits: float | None) -> None:
        self._windows = FixedWindows(limits)
        self._behave(switches)
        self._handlers: Mapping[str, Callable[[_Call], Answer]] = {
            "/api/events": self._create_event,
            "/api/event-bulk-create-jobs": self._create_events,
            "/api/profiles": self._get_profiles,
            "/api/profile-import": self._import_profile,
            _JOBS: self._create_job,
            _JOB: self._get_job,
            _JOB_ERRORS: self._get_job_errors,
            "/api/data-privacy-deletion-jobs": self._delete_profile,
        }
        self.reset()

    def reset(self) -> None:
        """Forget profiles, events, jobs and counted requests."""
        self._windows.reset()
        self._profiles = Profiles()
        self._events = Events(self._profiles, self._switches)
        self._jobs: dict[str, Job] = {}

    def configure(self, switches: Mapping[str, object]) -> None:
        """Behave by these switches from now on; raises ValueError that names a wrong one."""
        self._behave(read_switches(switches))
        self._events.switches = self._switches

    def _behave(self, switches: Switches) -> None:
        self._switches = switches
        self._windows.stolen_share = switches.stolen_share
        self.encodings = frozenset({"gzip", "deflate"} if switches.gzip else ())

    def change(self, changes: Sequence[Change], at: float) -> None:
        """Change profiles as somebody else would."""
        change_profiles(self._profiles, changes, at)

    def state(self) -> Mapping[str, object]:
        """Profiles, events and jobs; an event's `triggers` says whether flows start from it."""
        return {
            "profiles": [profile_resource(profile) for profile in self._profiles],
            "events": self._events.stored,
            "jobs": [job.resource() for job in self._jobs.values()],
        }

    def traits(self, request: Request) -> Sequence[Mapping[str, str]]:
        """E-mail, phone, external id, metric and unique_id of every row."""
        return traits_of(request)

    def faulted(self, fault: Fault) -> Answer:
        """A status on demand, whatever the request is."""
        return fault_answer(fault)

    def answer(self, request: Request, fault: Fault | None) -> Answer:
        """Judge a request as the contract has it."""
        verdict: Verdict | None = None
        try:
            endpoint = _endpoint_of(request)
            account = account_of(request, endpoint, self._switches)
            verdict = self._windows.take(account, endpoint.path, endpoint.limit, request.at)
            if verdict is not None and not verdict.allowed:
                return throttled(verdict.retry_after if self._switches.retry_after else None)
            revision = revision_of(request, endpoint)
            if endpoint.method == "POST":
                check_body(request)
            answer = self._handlers[endpoint.path](_Call(request, revision, fault))
        except Refused as refused:
            answer = refused.answer()
        if verdict is None:
            return answer
        return replace(answer, headers={**answer.headers, **self._limit_headers(verdict)})

    def _limit_headers(self, verdict: Verdict) -> dict[str, str]:
        burst, steady = verdict.limit.burst, verdict.limit.steady
        listed = self._switches.rate_limit_form == "list"
        return {
            "RateLimit-Limit": f"{burst}, {burst};w=1, {steady};w=60" if listed else str(steady),
            "RateLimit-Remaining": str(verdict.remaining),
            "RateLimit-Reset": str(verdict.reset),
        }

    def _create_event(self, call: _Call) -> Answer:
        request = call.request
        found = read_event(request.document, self._switches, request.at, call.revision)
        return replace(self._process(found, call), fates=())

    def _create_events(self, call: _Call) -> Answer:
        request = call.request
        found = read_bulk(request.document, self._switches, request.at, call.revision)
        if not found.problems:
            found.problems += self._events.duplicates(found.rows, request.at)
        return self._process(found, call)

    def _process(self, found: EventRows, call: _Call) -> Answer:
        """202 without a body, and then what becomes of each event (§2, §3)."""
        if found.problems:
            raise Refused(400, found.problems)
        headers = {"X-Klaviyo-Partial-Failure": "phone_number"} if found.ignored_phone else {}
        if call.drops:
            fates = ["dropped:fault"] * len(found.rows)
        else:
            fates = [self._events.process(row, call.request.at) for row in found.rows]
        fate = "accepted" if "accepted" in fates else fates[0]
        return Answer(202, fate, headers=headers, fates=fates)

    def _get_profiles(self, call: _Call) -> Answer:
        body: JSON = profiles_page(call.request.query, self._profiles)
        return Answer(200, "accepted", body)

    def _import_profile(self, call: _Call) -> Answer:
        request = call.request
        findings = Findings(self._switches, request.at, call.revision)
        row = read_import(request.document, findings, self._profiles)
        profile, created = self._profiles.upsert(row, request.at)
        headers = {"X-Klaviyo-Partial-Failure": "phone_number"} if findings.ignored_phone else {}
        body = {"data": profile_resource(profile)}
        return Answer(201 if created else 200, "accepted", body, headers)

    def _create_job(self, call: _Call) -> Answer:
        request = call.request
        rows, given = read_import_job(request.document, self._switches, request.at, call.revision)
        failing = _failing_rows(request, call.fault)
        number = f"{len(self._jobs) + 1:06d}"
        job = Job(number, request.at, len(rows), polls_left=self._switches.job_polls)
        fates = []
        for index, row in enumerate(rows):
            if call.drops:
                fates.append("dropped:fault")
            elif index in failing:
                job.fail(index, given[index])
                fates.append("dropped:import_error")
            else:
                self._profiles.upsert(row, request.at, clear=False)
                fates.append("accepted")
        self._jobs[job.id] = job
        fate = "accepted" if "accepted" in fates else fates[0]
        return Answer(202, fate, {"data": job.resource()}, fates=fates)

    def _get_job(self, call: _Call) -> Answer:
        job = self._job(call.request)
        job.poll(call.request.at)
        return Answer(200, "accepted", {"data": job.resource()})

    def _get_job_errors(self, call: _Call) -> Answer:
        body: JSON = self._job(call.request).errors(call.request.query)
        return Answer(200, "accepted", body)

    def _job(self, request: Request) -> Job:
        job = self._jobs.get(request.path.removeprefix(f"{_JOBS}/").partition("/")[0])
        if job is None:
            raise refuse(404, "not_found", "A job with this id does not exist.")
        return job

    def _delete_profile(self, call: _Call) -> Answer:
        findings = Findings(self._switches, call.request.at, call.revision)
        name, value = read_deletion(call.request.document, findings)
        if call.drops:
            return Answer(202, "dropped:fault")
        for profile in self._profiles.delete(name, value):
            self._events.delete_of(profile.id)
        return Answer(202, "accepted")


def klaviyo_simulator(options: Options) -> Simulator:
    """Klaviyo behind a socket; raises ValueError that names a wrong switch."""
    return Simulator(Klaviyo(read_switches(options.switches), options.limits), options)


def _endpoint_of(request: Request) -> Endpoint:
    path = request.path
    if path.startswith(f"{_JOBS}/"):
        path = _JOB_ERRORS if path.endswith("/import-errors") else _JOB
    endpoint = ENDPOINTS.get(path)
    if endpoint is None or path.count("/") != request.path.count("/"):
        raise refuse(404, "not_found", "There is no such endpoint.")
    if request.method != endpoint.method:
        raise refuse(405, "method_not_allowed", f"Use {endpoint.method}.")
    return endpoint


def _failing_rows(request: Request, fault: Fault | None) -> set[int]:
    if fault is None or fault.kind != "fail_rows":
        return set()
    matching = [index for index, row in enumerate(traits_of(request)) if fault.concerns(row)]
    return set(matching[: fault.rows])
