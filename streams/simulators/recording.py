"""What a simulator received: every request in order of arrival, and what became of it.

Kept in memory for the control routes and for tests, and, on request, written as JSON lines. The
bodies hold whatever was sent: a simulator is for invented people only.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from streams.simulators.vendor import Answer, Request

__all__ = ["Received", "Recorder"]


@dataclass(slots=True)
class Received:
    """One received request.

    `sequence` counts from 1 in order of arrival, which is the order of processing. `status` is None
    where no answer was given (yet: `fate` is then empty; or at all: `fault` says why). `fates` has
    one entry for each row of a bulk request. The value of `authorization` is masked.
    """

    sequence: int
    received_at: datetime
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    size: int
    body: object
    status: int | None = None
    fate: str = ""
    fates: Sequence[str] = ()
    fault: str | None = None
    answer: object = None
    """The body of a refusal; None for other answers."""


class Recorder:
    """All received requests, and the file that they are written to when they are answered.

    Lines of the file are in order of answers; `sequence` gives the order of arrival.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self.received: list[Received] = []

    def open(self) -> None:
        """Open the file, to append; raises OSError where that is not possible."""
        if self._path is not None:
            self._file = self._path.open("ab", buffering=0)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def arrive(self, request: Request) -> Received:
        """Note a request that has arrived."""
        record = Received(
            sequence=request.sequence,
            received_at=datetime.fromtimestamp(request.at, UTC),
            method=request.method,
            path=request.path,
            query=request.query,
            headers=_masked(request.headers),
            size=request.size,
            body=request.document,
        )
        self.received.append(record)
        return record

    def answered(
        self, record: Received, answer: Answer, fault: str | None, *, heard: bool = True
    ) -> None:
        """Note what became of it; not `heard` where the client never gets the answer."""
        record.status = answer.status if heard else None
        record.fate = answer.fate
        record.fates = answer.fates
        record.fault = fault
        if answer.status >= 400 and not isinstance(answer.body, bytes):
            record.answer = answer.body
        if self._file is not None:
            self._file.write(msgspec.json.encode(record) + b"\n")

    def since(self, sequence: int, limit: int | None = None) -> list[Received]:
        """The requests after that sequence number, at most `limit` of them."""
        end = None if limit is None else sequence + limit
        return self.received[sequence:end]

    def summary(self) -> dict[str, object]:
        """How many requests there were: in all, and by path, status, fate and fault."""
        received = self.received
        return {
            "requests": len(received),
            "paths": Counter(record.path for record in received),
            "statuses": Counter(str(record.status) for record in received),
            "fates": Counter(fate for r in received for fate in (r.fates or (r.fate,))),
            "faults": Counter(record.fault for record in received if record.fault),
        }

    def reset(self) -> None:
        """Forget all requests; the file stays as it is."""
        self.received = []


_KEYS = frozenset({"x-api-key", "x-ometria-auth"})
"""Headers that are nothing but a key."""


def _masked(headers: Mapping[str, str]) -> dict[str, str]:
    # What is not UTF-8 could be heard but not told.
    shown = {name: value.encode(errors="replace").decode() for name, value in headers.items()}
    if (value := shown.get("authorization")) is not None:
        scheme, space, _ = value.partition(" ")
        named = space and re.fullmatch("[A-Za-z-]+", scheme)  # else it may be the key itself
        shown["authorization"] = f"{scheme} ***" if named else "***"
    return shown | {name: "***" for name in shown if name in _KEYS}
