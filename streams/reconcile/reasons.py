"""Why somebody has something else of a person than we have, as far as that can be found. Pure."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from streams.model.delivery import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


class Reason(StrEnum):
    """One word for it; what it means stands in `MEANING`."""

    MODE = "mode"
    PARKED = "parked"
    PAUSED = "paused"
    WAITING = "waiting"
    LAG = "lag"
    TAKEN = "taken"
    REFUSED = "refused"
    FILTERED = "filtered"
    IGNORED = "ignored"
    NEWER_THERE = "newer_there"
    NEVER_SENT = "never_sent"
    NOT_APPLIED = "not_applied"
    GONE = "gone"
    CHANGED_THERE = "changed_there"
    GIVEN_UP = "given_up"
    UNKNOWN_THERE = "unknown_there"
    NO_ROW = "no_row"
    INCOMPLETE = "incomplete"
    NO_WEBHOOK = "no_webhook"
    UNHEARD = "unheard"
    UNEXPLAINED = "unexplained"


MEANING: Final[Mapping[Reason, str]] = MappingProxyType(
    {
        Reason.MODE: "the connection's mode keeps the customer from being sent",
        Reason.PARKED: "the customer's deliveries fail again and again, and are parked",
        Reason.PAUSED: "a delivery waits, and the connection is paused",
        Reason.WAITING: "a delivery is still on its way",
        Reason.LAG: "an event of the customer waits on the source topic: our row is behind",
        Reason.TAKEN: "somebody else there has the identifier",
        Reason.REFUSED: "the vendor refused the last profile, or it was given up",
        Reason.FILTERED: "the last profile was not sent, by an option or a decision",
        Reason.IGNORED: "the vendor took the profile, and said that it ignores a field",
        Reason.NEWER_THERE: "the vendor was told a newer version than the row has",
        Reason.NEVER_SENT: "nothing was ever sent of the customer: a backfill was not made",
        Reason.NOT_APPLIED: "the row's newest version never came to the vendor",
        Reason.GONE: "the vendor took the profile, and has nobody by its identifiers now",
        Reason.CHANGED_THERE: "the vendor took this very profile: it was changed there since",
        Reason.GIVEN_UP: "an event of the customer is among the source's dead letters",
        Reason.UNKNOWN_THERE: "Ordergroove knows nobody by this id",
        Reason.NO_ROW: "Ordergroove has a customer with subscriptions, and we have no row",
        Reason.INCOMPLETE: "our row does not know all of the customer's past",
        Reason.NO_WEBHOOK: "changed at Ordergroove where no webhook tells of it",
        Reason.UNHEARD: "Ordergroove's is newer: its event never came",
        Reason.UNEXPLAINED: "nothing here says why",
    }
)

REPAIRED_BY_SENDING: Final = frozenset(
    {Reason.NEVER_SENT, Reason.NOT_APPLIED, Reason.GONE, Reason.CHANGED_THERE}
)
"""What a profile that is sent again mends. The others end by themselves, or need somebody first."""

REPAIRED_BY_READING: Final = frozenset(
    {Reason.NO_ROW, Reason.INCOMPLETE, Reason.NO_WEBHOOK, Reason.UNHEARD}
)
"""What Ordergroove's own state mends, read again into the source."""

_GIVEN_UP: Final = frozenset({Outcome.REJECTED.value, Outcome.EXPIRED.value, Outcome.ERASED.value})


class Why(NamedTuple):
    """The reason, and what more is known: a word or two, nothing personal."""

    reason: Reason
    detail: str = ""


class LastOutcome(NamedTuple):
    """What came of the last profile that was sent, or not sent, of a customer."""

    outcome: str
    reason: str | None
    field: str | None


class Signs(msgspec.Struct, frozen=True, kw_only=True):
    """What Kafka tells of one customer's deliveries.

    Attributes:
        kept: why the mode keeps them from going, if it does.
        parked: whether some are parked.
        waits: where one waits: `live`, `low lane`, `next sync`; "" nowhere.
        paused: whether the connection is.
        lags: whether an event waits on the source topic.
        applied: the version of the profile that the vendor took last, packed; None: none.
        last: the last outcome.
    """

    kept: str | None = None
    parked: bool = False
    waits: str = ""
    paused: bool = False
    lags: bool = False
    applied: int | None = None
    last: LastOutcome | None = None


def why_there(
    version: int, fields: Collection[str], signs: Signs, *, nobody: bool, taken: bool
) -> Why:
    """Why a vendor has something else.

    Args:
        version: of the row, packed.
        fields: that differ.
        signs: see there.
        nobody: whether the vendor has nobody.
        taken: whether somebody else there has one of the identifiers.
    """
    return (
        _held_back(signs)
        or _on_its_way(signs)
        or (Why(Reason.TAKEN) if taken else None)
        or _not_taken(version, signs)
        or _taken_and_not_kept(version, fields, signs, nobody=nobody)
    )


def _held_back(signs: Signs) -> Why | None:
    if signs.kept is not None:
        return Why(Reason.MODE, signs.kept)
    return Why(Reason.PARKED) if signs.parked else None


def _on_its_way(signs: Signs) -> Why | None:
    if signs.waits:
        return Why(Reason.PAUSED if signs.paused else Reason.WAITING, signs.waits)
    return Why(Reason.LAG) if signs.lags else None


def _not_taken(version: int, signs: Signs) -> Why | None:
    """The row's version is not what the vendor took last."""
    if signs.applied == version:
        return None
    if signs.applied is not None and signs.applied > version:
        return Why(Reason.NEWER_THERE)
    if signs.last is None:
        return Why(Reason.NEVER_SENT if signs.applied is None else Reason.NOT_APPLIED)
    outcome, reason, field = signs.last
    detail = ", ".join(each for each in (outcome, reason, field) if each)
    if outcome in _GIVEN_UP:
        return Why(Reason.REFUSED, detail)
    if outcome == Outcome.FILTERED:
        return Why(Reason.FILTERED, detail)
    return Why(Reason.NOT_APPLIED, detail)


def _taken_and_not_kept(
    version: int, fields: Collection[str], signs: Signs, *, nobody: bool
) -> Why:
    if nobody:
        return Why(Reason.GONE)
    said = signs.last.reason if signs.last is not None and signs.applied == version else None
    if said is not None and any(field in said for field in fields):
        return Why(Reason.IGNORED, said)
    return Why(Reason.CHANGED_THERE)
