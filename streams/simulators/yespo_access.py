"""Who may ask the Yespo simulator what, how often, and with which kind of body.

Contract: contracts/yespo.md §1 and §5. These checks come before any look at the body's content.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING

from streams.simulators.windows import Limit
from streams.simulators.yespo_errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.simulators.vendor import Request
    from streams.simulators.yespo_switches import Switches

__all__ = ["ENDPOINTS", "IMPORT_STATUS", "Endpoint", "account_of", "check_body", "endpoint_of"]

IMPORT_STATUS = "/api/v1/importstatus/{id}"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One call; `window` names those whose requests are counted together."""

    path: str
    method: str
    window: str
    limit: Limit


_OTHERS = ("others", Limit(200))
_EVENTS = ("events", Limit(350))
_PAST = ("past", Limit(100))

ENDPOINTS: Mapping[str, Endpoint] = {
    endpoint.path: endpoint
    for endpoint in (
        Endpoint("/api/v1/account/info", "GET", *_OTHERS),
        Endpoint("/api/v1/addressbooks", "GET", *_OTHERS),
        Endpoint("/api/v1/orders", "POST", *_OTHERS),
        Endpoint("/api/v1/contact", "POST", *_OTHERS),
        Endpoint("/api/v1/contacts", "POST", *_OTHERS),
        Endpoint(IMPORT_STATUS, "GET", *_OTHERS),
        Endpoint("/api/v1/event", "POST", *_EVENTS),
        Endpoint("/api/v2/event", "POST", *_EVENTS),
        Endpoint("/api/v2/past_events", "POST", *_PAST),
    )
}
"""By path, with `{id}` for an id."""


def endpoint_of(request: Request) -> Endpoint:
    """The call that a request makes; raises Refused with 404 or 405."""
    prefix = IMPORT_STATUS.removesuffix("{id}")
    rest = request.path.removeprefix(prefix)
    is_status = request.path.startswith(prefix) and "/" not in rest
    endpoint = ENDPOINTS.get(IMPORT_STATUS if is_status else request.path)
    if endpoint is None:
        raise Refused(404, "path", "There is no such method.")
    if request.method != endpoint.method:
        raise Refused(405, "method", f"Use {endpoint.method}.")
    return endpoint


def account_of(request: Request, switches: Switches) -> str:
    """The account of the password, whoever the user is; raises Refused with 401."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        raise Refused(401, "authorization", "Unauthorized")
    try:
        pair = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeError, ValueError):
        raise Refused(401, "authorization", "Unauthorized") from None
    _, colon, password = pair.partition(":")
    if not colon or not password:
        raise Refused(401, "authorization", "Unauthorized")
    if not switches.keys:
        return "default"
    key = switches.keys.get(password)
    if key is None:
        raise Refused(401, "authorization", "Unauthorized")
    return key.account


def check_body(request: Request) -> None:
    """Raises Refused with 415, 413 or 400 where the body cannot be used at all.

    415 is documented for contacts alone, 413 and compression nowhere: all are assumed.
    """
    if request.media_type != "application/json":
        raise Refused(415, "content-type", "Send application/json.")
    if request.trouble == "encoding":
        raise Refused(415, "content-encoding", "The content encoding cannot be read.")
    if request.trouble == "too_large":
        raise Refused(413, "body", "The body is too large.")
    if request.trouble is not None:
        raise Refused(400, "body", "The body is not JSON.")
