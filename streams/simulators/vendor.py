"""The seam between the simulators' HTTP shell and one vendor's rules.

The shell (`server.py`) reads a request off the wire, records it and asks the vendor for its answer;
the vendor is plain code without sockets, clock or event loop, so that its rules read like its
contract. This module holds the values that pass between the two.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from streams.simulators.faults import Fault

__all__ = ["Answer", "BodyTrouble", "Request", "Vendor"]

BodyTrouble = Literal["encoding", "malformed", "too_large"]
"""Why a body could not be read: an unknown or broken compression, not JSON, too many bytes."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived, with its body already decompressed and parsed.

    `at` is the time of arrival in seconds since 1970; `path` has no trailing slash; header names
    are in lower case; `document` is None where there is no readable body, and `trouble` then says
    why; `size` counts the body's bytes after decompression; `sequence` counts from 1 in order of
    arrival, as in the recording.
    """

    at: float
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    document: object
    size: int
    trouble: BodyTrouble | None = None
    sequence: int = 0

    @property
    def media_type(self) -> str:
        """The content type in lower case, without its parameters; empty where there is none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the vendor answers, and what in truth became of the request.

    `body` is sent as JSON; bytes are sent as they are, as HTML (what a vendor's edge answers); None
    is an empty body. `fate` is `accepted`, `duplicate`, `silent:<why>` (kept, but starts no flow),
    `dropped:<why>` or `refused:<where>` (a pointer into the body, or the part of the request);
    `fates` says the same for each row of a bulk request; `queued` for one that is judged later.
    """

    status: int
    fate: str
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    fates: Sequence[str] = ()


class Vendor(Protocol):
    """The rules of one vendor, as the shell needs them."""

    name: str
    media_type: str
    """The content type of JSON answers."""
    max_body: int
    """The largest body in bytes, decompressed, that the vendor takes."""
    encodings: frozenset[str]
    """The content codings of requests that the vendor takes, besides none."""

    def answer(self, request: Request, fault: Fault | None) -> Answer:
        """Judge the request, keep what it brings, and answer.

        `fault` is given only for kinds that change what becomes of an accepted request (`drop`,
        `fail_rows`).
        """

    def faulted(self, fault: Fault) -> Answer:
        """Answer `fault.status` in the vendor's own words, without looking at the request."""

    def traits(self, request: Request) -> Sequence[Mapping[str, str]]:
        """What faults can be matched on (`email`, `metric`, …): one mapping for each row."""

    def state(self) -> Mapping[str, object]:
        """Everything kept so far, as JSON, by its kind (`events`, …)."""

    def configure(self, switches: Mapping[str, object]) -> None:
        """Behave by these switches from now on; what was kept stays.

        Raises ValueError that names the wrong one, and then changes nothing.
        """

    def reset(self) -> None:
        """Forget everything kept so far."""
