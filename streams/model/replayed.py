"""What a delivery record says that is sent again on purpose: its mode, its run, its ids.

A replayed record is the delivery as it was, with these headers. Who writes one (replay, reconcile's
repair, a backfill of profiles) appends it to the connection's low topic; deliver obeys. What is
wrong with the headers is never read around: such a record is given up, nothing of it is sent.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, get_args

import msgspec

from streams.errors import BadRecord

from .ids import fact_id

if TYPE_CHECKING:
    from collections.abc import Mapping

MODE: Final = "replay_mode"
"""Header: one of `Mode`."""
RUN: Final = "replay_run"
"""Header: the id of the run that appended the record, which is its action's in the audit topic."""
NEW_IDS: Final = "replay_new_ids"
"""Header: the label of fresh ids; without it the delivery keeps its own."""
BULK: Final = "replay_bulk"
"""Header: the profile may go by the vendor's call for many, which answers before it is done."""
HEADERS: Final = frozenset({MODE, RUN, NEW_IDS, BULK})

Mode = Literal["fill", "profile-only", "trigger"]
"""`fill`: as data that starts no flow; `profile-only`: nothing but the profile; `trigger`: as if it
came for the first time."""
MODES: Final[tuple[Mode, ...]] = get_args(Mode)

_WORD: Final = re.compile(rb"[\w.-]{1,64}", re.ASCII)


class Replayed(msgspec.Struct, frozen=True):
    """How a delivery goes again.

    Attributes:
        mode: what may come of it.
        run: which run it is of.
        new_ids: the label of its fresh ids; None: it keeps its own.
        bulk: whether its profile may go by the vendor's call for many.
    """

    mode: Mode
    run: str
    new_ids: str | None = None
    bulk: bool = False

    @property
    def headers(self) -> list[tuple[str, bytes]]:
        """The headers of a record that goes again so."""
        told = [(MODE, self.mode.encode()), (RUN, self.run.encode())]
        if self.new_ids is not None:
            told.append((NEW_IDS, self.new_ids.encode()))
        return [*told, (BULK, b"1")] if self.bulk else told

    def id_of(self, delivery_id: str) -> str:
        """The id under which a delivery goes again: the same label gives the same id."""
        if self.new_ids is None:
            return delivery_id
        return fact_id("replay", delivery_id, self.new_ids)


def is_word(text: str) -> bool:
    """Whether this may be a run's id or a label: letters, digits, `_`, `-` and `.`, at most 64."""
    return _WORD.fullmatch(text.encode()) is not None


def replayed_of(headers: Mapping[str, bytes]) -> Replayed | None:
    """How a record says that it goes again; None where it says nothing of the kind.

    Raises:
        BadRecord: it says something that cannot be obeyed.
    """
    if HEADERS.isdisjoint(headers):  # nearly always
        return None
    if MODE not in headers:
        raise BadRecord("missing_field", MODE, "a replayed record does not say its mode")
    modes = {mode.encode(): mode for mode in MODES}
    mode = modes.get(headers[MODE])
    if mode is None:
        raise BadRecord("unknown_value", MODE, f"a replay's mode is one of {', '.join(MODES)}")
    if RUN not in headers:
        raise BadRecord("missing_field", RUN, "a replayed record does not say its run")
    for name in (RUN, NEW_IDS):
        if name in headers and not _WORD.fullmatch(headers[name]):
            raise BadRecord("malformed", name, "letters, digits, _, - and ., at most 64")
    label = headers[NEW_IDS].decode() if NEW_IDS in headers else None
    return Replayed(mode, headers[RUN].decode(), label, BULK in headers)
