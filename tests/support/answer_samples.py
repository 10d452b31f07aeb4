"""Answers of each vendor, typed in from its contract: what it may say, and where that stands.

`CONTRACT` lists every row that a contract has about answers, `SAMPLES` has at least one answer for
each. What the program makes of them is not written here: the page of tables asks it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec.structs import replace

from streams.destinations import DESTINATIONS
from streams.model.delivery import Part, Request, Response, Verdict
from tests.support.destination_tables import OPTIONS, samples

if TYPE_CHECKING:
    from collections.abc import Mapping

NUMBERED = ("externalOrderId", "externalCustomerId", "id")
"""Fields by which records of one call are told apart: o1, o2, …"""


class Sample(NamedTuple):
    """An answer.

    Attributes:
        row: of the contract: its section, and what it says.
        status: of the answer …
        body: … its body …
        headers: … and headers.
        kind: of the request, as the rules name it.
        records: how many the request carried.
    """

    row: str
    status: int
    body: bytes | str = b""
    headers: Mapping[str, str] = {}
    kind: str = ""
    records: int = 1

    @property
    def response(self) -> Response:
        """The answer as it is read."""
        body = self.body if isinstance(self.body, bytes) else self.body.encode()
        return Response(self.status, self.headers, body)


CONTRACT: Mapping[str, tuple[str, ...]] = {
    "attentive": (
        "§2 success",
        "§2 declared error 400",
        "§2 declared error 401",
        "§2 declared error 403",
        "§2 declared error 404",
        "§2 declared error 429",
        "§2 declared error 500",
        "§6 Retry-After, if it comes",
        "§6 error body with an id",
        "§6 error body in words",
        "§6 a page",
        "pitfall 9 an attribute's other value",
    ),
    "klaviyo": (
        "§2 queued",
        "§3 queued in bulk",
        "§3 one bad row",
        "§3 a row's field",
        "§3 a repeated unique_id",
        "§4 created",
        "§4 updated",
        "§4 another profile has the phone",
        "§4 nobody has this id",
        "§6 200 to 204",
        "§6 a bad field",
        "§6 not authenticated",
        "§6 missing scope",
        "§6 no revision with this endpoint",
        "§6 wrong method",
        "§6 revision retired",
        "§6 too large",
        "§6 wrong media type",
        "§6 throttled",
        "§6 throttled without Retry-After",
        "§6 server errors",
        "§6 a gateway's timeout",
        "§6 phone ignored",
        "§6 bad phone, alone or with an address",
    ),
    "ometria": (
        "§2 queued",
        "§2 some rejected",
        "§2 all rejected",
        "§2 rejected_items",
        "§1 record too large",
        "§2 rate limit",
        "§2 backlog",
        "§2 key not allowed",
        "§2 unknown key",
        "§2 malformed, or too many records",
        "§2 502, 503 and 504",
    ),
    "yespo": (
        "§2 all stored",
        "§2 some refused",
        "§2 one refused",
        "§2 bad request",
        "§2 rate",
        "§2 bad key",
        "§2 repeat of an identical request",
        "§2 server error",
        "§3 success",
        "§3 parameters missing",
        "§4 import begun",
        "§4 some contacts refused",
        "§4 repeated within a minute",
        "§4 405 and 415",
    ),
}
"""Vendor → every row of its contract that speaks of answers."""

_JSON_API = '{{"errors":[{{"status":{},"code":"{}","source":{{"pointer":"{}"}}}}]}}'
_BULK = "event-bulk-create-jobs"
_ROWS = "/data/attributes/events-bulk-create/data"
_PHONE = "/data/attributes/profile/data/attributes/phone_number"
_COUNTS = '{{"status":"OK","request_id":"0b6f4f0e","accepted":{},"rejected":{}}}'
_PAGE = "<html><h1>Unavailable</h1></html>"


def _api(status: int, code: str, pointer: str = "/data/") -> str:
    return _JSON_API.format(status, code, pointer)


SAMPLES: Mapping[str, tuple[Sample, ...]] = {
    "attentive": (
        Sample("§2 success", 200, "{}"),
        Sample("§2 declared error 400", 400),
        Sample("§2 declared error 401", 401),
        Sample("§2 declared error 403", 403),
        Sample("§2 declared error 404", 404),
        Sample("§2 declared error 429", 429),
        Sample("§6 Retry-After, if it comes", 429, headers={"retry-after": "2"}),
        Sample("§2 declared error 500", 500),
        Sample("§6 a page", 503, _PAGE),
        Sample("§6 error body with an id", 400, '{"error":{"id":71,"message":"invalid phone"}}'),
        Sample("§6 error body in words", 400, '{"error":"no such user"}'),
        Sample("pitfall 9 an attribute's other value", 400, kind="attributes-custom"),
    ),
    "klaviyo": (
        Sample("§2 queued", 202),
        Sample("§4 created", 201, '{"data":{"id":"01J"}}', kind="profile-import"),
        Sample("§4 updated", 200, '{"data":{"id":"01J"}}', kind="profile-import"),
        Sample("§6 200 to 204", 204),
        Sample("§6 phone ignored", 202, headers={"x-klaviyo-partial-failure": "phone_number"}),
        Sample(
            "§6 phone ignored", 202, "", {"x-klaviyo-partial-failure": "phone_number"}, _BULK, 3
        ),
        Sample("§6 a bad field", 400, _api(400, "invalid", "/data/attributes/time")),
        Sample("§6 bad phone, alone or with an address", 400, _api(400, "invalid", _PHONE)),
        Sample(
            "§6 bad phone, alone or with an address",
            400,
            _api(400, "invalid", f"{_ROWS}/1{_PHONE.removeprefix('/data')}"),
            {},
            _BULK,
            3,
        ),
        Sample("§3 queued in bulk", 202, kind=_BULK, records=3),
        Sample("§3 one bad row", 400, _api(400, "invalid", f"{_ROWS}/1"), {}, _BULK, 3),
        Sample("§3 one bad row", 400, _api(400, "invalid", f"{_ROWS}/0"), {}, _BULK),
        Sample(
            "§3 a row's field", 400, _api(400, "invalid", f"{_ROWS}/1/attributes/a"), {}, _BULK, 3
        ),
        Sample("§3 a repeated unique_id", 400, _api(400, "duplicate", "/data"), {}, _BULK, 3),
        Sample(
            "§3 a repeated unique_id",
            400,
            _api(400, "duplicate", f"{_ROWS}/1/attributes/events/data/0/attributes/unique_id"),
            {},
            _BULK,
            3,
        ),
        Sample(
            "§4 another profile has the phone",
            409,
            _api(409, "duplicate_profile"),
            kind="profile-import",
        ),
        Sample("§4 nobody has this id", 404, _api(404, "not_found"), kind="profile-import"),
        Sample("§6 not authenticated", 401, _api(401, "not_authenticated")),
        Sample("§6 missing scope", 403, _api(403, "permission_denied")),
        Sample("§6 no revision with this endpoint", 404, _api(404, "not_found")),
        Sample("§6 wrong method", 405),
        Sample("§6 revision retired", 410),
        Sample("§6 too large", 413),
        Sample("§6 too large", 413, kind=_BULK, records=3),
        Sample("§6 wrong media type", 415),
        Sample("§6 throttled", 429, _api(429, "throttled"), {"retry-after": "7"}),
        Sample("§6 throttled", 429, _api(429, "throttled"), {"retry-after": "7"}, _BULK, 3),
        Sample("§6 throttled without Retry-After", 429, _api(429, "throttled")),
        Sample("§6 server errors", 500),
        Sample("§6 server errors", 503, headers={"retry-after": "30"}),
        Sample("§6 a gateway's timeout", 504, _PAGE),
        Sample("§6 a gateway's timeout", 524, _PAGE),
    ),
    "ometria": (
        Sample("§2 queued", 202, _COUNTS.format(3, 0), kind="custom_event", records=3),
        Sample("§2 some rejected", 202, _COUNTS.format(2, 1), kind="custom_event", records=3),
        Sample("§2 all rejected", 202, _COUNTS.format(0, 1), kind="contact"),
        Sample("§2 all rejected", 202, _COUNTS.format(0, 3), kind="contact", records=3),
        Sample(
            "§2 rejected_items",
            202,
            _COUNTS.format(2, 1)[:-1] + ',"rejected_items":[{"error_path":"root > email"}]}',
            kind="contact",
            records=3,
        ),
        Sample("§1 record too large", 400, "Payload invalid: Record is too large", records=3),
        Sample("§1 record too large", 413, records=3),
        Sample("§2 rate limit", 429, records=3),
        Sample("§2 backlog", 429, headers={"x-queuesize-remaining": "0"}, records=3),
        Sample("§2 key not allowed", 403, records=3),
        Sample("§2 unknown key", 401, records=3),
        Sample("§2 malformed, or too many records", 400),
        Sample("§2 502, 503 and 504", 502, _PAGE, records=3),
        Sample("§2 502, 503 and 504", 503, _PAGE),
        Sample("§2 502, 503 and 504", 504, _PAGE),
    ),
    "yespo": (
        Sample("§2 all stored", 200, kind="orders", records=3),
        Sample(
            "§2 some refused",
            200,
            '{"failedOrders":[{"order":{"externalOrderId":"1"},"error":"currency is empty"},'
            '{"order":{"externalOrderId":"3"},"error":"currency is empty"}]}',
            kind="orders",
            records=3,
        ),
        Sample(
            "§2 one refused",
            200,
            '{"failedOrders":{"order":{"externalOrderId":"2"},"error":"currency is empty"}}',
            kind="orders",
            records=3,
        ),
        Sample("§2 one refused", 200, '{"failedOrders":{"error":"no order"}}', kind="orders"),
        Sample("§2 bad request", 400, kind="orders"),
        Sample("§2 bad request", 400, kind="orders", records=3),
        Sample("§2 rate", 429, kind="orders", records=3),
        Sample("§2 bad key", 401, kind="orders", records=3),
        Sample("§2 bad key", 200, '{"status":401}', kind="contacts", records=3),
        Sample("§2 repeat of an identical request", 409, "Duplicated request", kind="orders"),
        Sample(
            "§2 repeat of an identical request",
            200,
            '{"failedOrders":{"order":{"externalOrderId":"2"},"error":"Duplicated request"}}',
            kind="orders",
            records=3,
        ),
        Sample("§2 server error", 500, kind="orders", records=3),
        Sample("§3 success", 200, kind="event"),
        Sample(
            "§3 parameters missing",
            400,
            'The event should have the following params: ["email"]',
            kind="event",
        ),
        Sample("§4 import begun", 200, '{"asyncSessionId":"a1"}', kind="contacts", records=3),
        Sample(
            "§4 some contacts refused",
            200,
            '{"asyncSessionId":"a1","failedContacts":{"externalCustomerId":"2","error":"no"}}',
            kind="contacts",
            records=3,
        ),
        Sample("§4 repeated within a minute", 409, "Duplicated request", kind="contacts"),
        Sample("§4 405 and 415", 405, kind="contacts"),
        Sample("§4 405 and 415", 415, kind="contacts"),
    ),
}
"""Vendor → its answers."""


def requests(name: str, sample: Sample) -> list[Request]:
    """Real requests that an answer may come to."""
    request = _request(name, sample.kind)
    return [_numbered(request, number) for number in range(1, sample.records + 1)]


def verdicts(name: str, sample: Sample) -> list[Verdict]:
    """What the destination makes of an answer."""
    return list(DESTINATIONS[name].classify(requests(name, sample), sample.response))


_NAMED = {"event": ""}
"""Any event's request will do where no kind is named."""


@cache
def _request(name: str, kind: str) -> Request:
    """The first request of a kind that the samples' events make; of an event, if none is named."""
    bulk = replace(OPTIONS, bulk=True, bulk_profiles=True)
    told = [(each, OPTIONS) for each in samples(name).values()]
    told += [(replace(each, late=True), bulk) for each in samples(name).values()]
    for event, options in told:
        for part in DESTINATIONS[name].render(event, "id", event.occurred_at, options):
            if isinstance(part, Part) and kind in (part.request.kind, _NAMED.get(part.name)):
                return part.request
    raise LookupError(f"no sample of {name} makes a request that its rules call {kind}")


def _numbered(request: Request, number: int) -> Request:
    body: Any = msgspec.to_builtins(request.body)
    return replace(request, body=body | {name: str(number) for name in NUMBERED if name in body})
