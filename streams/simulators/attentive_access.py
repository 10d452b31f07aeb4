"""Who may ask the Attentive simulator what, and with which kind of body.

Contract: contracts/attentive.md §1 and §6. These checks come before any look at the body's content.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from streams.simulators.attentive_errors import Refused
from streams.simulators.attentive_privacy import PRIVACY
from streams.simulators.attentive_switches import Switches, Token
from streams.simulators.windows import Limit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.simulators.vendor import Request

__all__ = ["ENDPOINTS", "Endpoint", "Tokens", "check_body", "endpoint_of"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What an endpoint asks of its callers; `scope` is None where any token will do."""

    method: str
    path: str
    scope: str | None
    limit: Limit


_LIMIT = Limit(150)
_ATTRIBUTES = "/v1/attributes/custom"

ENDPOINTS: Mapping[str, Mapping[str, Endpoint]] = {
    "/v1/events/custom": {"POST": Endpoint("POST", "/v1/events/custom", "events:write", _LIMIT)},
    _ATTRIBUTES: {
        "POST": Endpoint("POST", _ATTRIBUTES, "attributes:write", _LIMIT),
        "GET": Endpoint("GET", _ATTRIBUTES, "attributes:write", _LIMIT),
    },
    PRIVACY: {"POST": Endpoint("POST", PRIVACY, "privacy_requests:write", _LIMIT)},
    f"{PRIVACY}/{{id}}": {
        "GET": Endpoint("GET", f"{PRIVACY}/{{id}}", "privacy_requests:read", _LIMIT)
    },
    "/v1/me": {"GET": Endpoint("GET", "/v1/me", None, _LIMIT)},
}
"""By path and method. There is no scope for reading, so reading asks for the one for writing. All
have the limit of §6: 150 requests a second; a path is one endpoint, whatever the method."""


class Tokens:
    """The tokens that were seen so far, and whose they are."""

    def __init__(self) -> None:
        self._unlisted: dict[str, str] = {}

    def find(self, request: Request, switches: Switches) -> tuple[str, Token]:
        """The request's token and what is known of it; raises Refused with 401.

        Where no tokens are listed, each is of an app of its own: `app-1`, `app-2`, …
        """
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not secret or " " in secret:
            raise Refused(401, "authorization", "A bearer token is required.")
        if not switches.tokens:
            number = len(self._unlisted) + 1
            return secret, Token(self._unlisted.setdefault(secret, f"app-{number}"))
        token = switches.tokens.get(secret)
        if token is None:
            raise Refused(401, "authorization", "The token is not valid.")
        return secret, token


def endpoint_of(request: Request) -> Endpoint:
    """The endpoint that is asked; raises Refused with 404 or 405."""
    path, _, name = request.path.rpartition("/")
    one = path == PRIVACY and bool(name)
    methods = ENDPOINTS.get(f"{PRIVACY}/{{id}}" if one else request.path)
    if methods is None:
        raise Refused(404, "path", "There is no such endpoint.")
    endpoint = methods.get(request.method)
    if endpoint is None:
        raise Refused(405, "method", f"Use {' or '.join(methods)}.")
    return endpoint


def check_body(request: Request, switches: Switches) -> None:
    """Raises Refused with 400 or 413 where the body cannot be used at all.

    413 for a large one is documented only for records of bulk requests (§4), as is its size.
    """
    if request.media_type != "application/json":
        raise Refused(400, "content-type", "Send application/json.")
    most = switches.event_bytes
    if request.trouble == "too_large" or (most is not None and request.size > most):
        raise Refused(413, "body", "The body is too large.")
    if request.trouble is not None:
        raise Refused(400, "body", "The body is not JSON.")
