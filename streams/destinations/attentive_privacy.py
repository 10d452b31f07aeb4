"""Attentive's request to forget somebody, and how it is followed (contracts/attentive.md §5)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from streams.model.delivery import Deletion, Request

if TYPE_CHECKING:
    from streams.model.delivery import Response

DELETION: Final = "privacy-delete-request"
"""What the vendor's limits call it."""
PATH: Final = "/v1/privacy/delete-request"

_ID = re.compile(r"[\w-]{1,40}", re.ASCII)
_REASON = "request_"


def request_of(body: bytes) -> str | None:
    """The outcome's reason of an accepted request, which holds its id; None where it has none."""
    told = _read(body).get("id")
    text = str(told) if isinstance(told, int | str) else ""
    return f"{_REASON}{text}" if _ID.fullmatch(text) else None


def _follow(reason: str) -> Request | None:
    """The call that asks how far the request of such a reason is."""
    id_ = reason.removeprefix(_REASON)
    if id_ == reason:
        return None
    return Request("GET", f"{PATH}/{id_}", {}, {}, DELETION)


def _processed(response: Response) -> bool | None:
    """Whether an answer says that it is done; None where it says nothing of that."""
    told = _read(response.body).get("processed")
    return told if isinstance(told, bool) else None


def _read(body: bytes) -> dict[str, Any]:
    try:
        told = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


ATTENTIVE_DELETION: Final = Deletion(
    "privacy delete request", "done within 30 days", _follow, _processed
)
