"""What somebody else should have of a person, what they have, and where that differs. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import msgspec

from streams.model.masking import HIDDEN, MASKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.model.delivery import Request, Response
    from streams.model.rules import Limit

PERSON: Final = "person"
"""The field of a difference that is about the whole of somebody: one side has nobody."""

_SHOWN: Final = frozenset({"status", "active_subscriptions", "total_subscriptions", PERSON})


class Expected(msgspec.Struct, frozen=True):
    """What a vendor was, or should have been, told of one person.

    Attributes:
        identifiers: by their names there, in the order in which they are asked for.
        fields: name → value; None: there must be none.
    """

    identifiers: Mapping[str, str]
    fields: Mapping[str, Any]


class Found(msgspec.Struct, frozen=True):
    """What a vendor has of one person: its own id, "" where it tells none, and all fields."""

    id: str
    fields: Mapping[str, Any]


class Difference(NamedTuple):
    """One field that differs; None: that side has no value."""

    field: str
    ours: Any
    theirs: Any


class Question(NamedTuple):
    """Who has these values of one identifier? At most `ReadBack.batch` of them."""

    by: str
    values: tuple[str, ...]


class ReadBack(Protocol):
    """How a vendor is asked what it has; pure, one module each (`klaviyo`, `attentive`)."""

    @property
    def limits(self) -> Sequence[Limit]:
        """The published rates of the endpoint that is asked."""

    @property
    def batch(self) -> int:
        """How many values a question may have."""

    @property
    def parts(self) -> frozenset[str]:
        """The parts of a delivery that bring the profile."""

    @property
    def scope(self) -> str:
        """What the credentials must allow, in the vendor's words."""

    def expected(self, body: Mapping[str, Any]) -> Expected:
        """What a profile part's body tells, as it can be read back."""

    def request(self, question: Question) -> Request:
        """The call that asks."""

    def read(self, question: Question, response: Response) -> Mapping[str, Found] | None:
        """Whom the answer has, by the value that was asked for; None: it is no answer to that."""


def differences(expected: Expected, found: Found | None) -> tuple[Difference, ...]:
    """Where a person differs; nobody there at all is one difference."""
    if found is None:
        return (Difference(PERSON, "known", None),)
    pairs = ((name, ours, found.fields.get(name)) for name, ours in expected.fields.items())
    return tuple(Difference(*each) for each in pairs if not same(*each))


def same(field: str, ours: Any, theirs: Any) -> bool:
    """Whether both say the same: case does not matter in an address, nor a number's spelling."""
    if ours is None or theirs is None:
        return ours is None and theirs in (None, "")
    if ours == theirs:
        return True
    mine, other = str(ours), str(theirs)
    if field == "email" or isinstance(ours, bool) or isinstance(theirs, bool):
        return mine.casefold() == other.casefold()
    return mine == other


def shown(difference: Difference) -> Difference:
    """The difference for people who did not ask who it is."""
    field, ours, theirs = difference
    mask = MASKS.get(field)
    if mask is not None:
        return Difference(field, _masked(mask, ours), _masked(mask, theirs))
    if field in _SHOWN or "Status" in field or "Tier" in field or field.startswith("subscription"):
        return difference
    return Difference(field, _masked(_hidden, ours), _masked(_hidden, theirs))


def _masked(mask: Any, value: Any) -> Any:
    return mask(value) if isinstance(value, str) else _hidden(value)


def _hidden(value: Any) -> Any:
    return None if value is None else HIDDEN
