"""The member: the state of one member of one store's loyalty programme, a row of `members`.

Kept in msgpack, positional: **append fields, never reorder or remove them**. Times are epoch
milliseconds. The row is a value: stages make a changed copy (`fork`) and never touch what they got.
"""

from __future__ import annotations

from typing import Final

import msgspec

from .enriched import MemberView

ENROLLED: Final = "enrolled"
PENDING: Final = "pending"
BLOCKED: Final = "blocked"
STATUSES: Final = frozenset({ENROLLED, PENDING, BLOCKED})
"""What a programme's status may be (contracts/okendo.md §1)."""

CLEARABLE: Final = (
    "status",
    "tier",
    "enrolled_at",
    "balance",
    "next_birthday",
    "points_expire_at",
    "tier_expires_at",
)
"""What destinations are told of a member, as `MemberView` calls it."""


class Loyalty(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one `loyalty_customer` record says; `birthday` is (month, day), never a year."""

    status: str | None = None
    tier: str | None = None
    balance: str | None = None
    enrolled_at: int | None = None
    tier_entered_at: int | None = None
    tier_expires_at: int | None = None
    points_expire_at: int | None = None
    birthday: tuple[int, int] | None = None


class Spell(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A stretch of `loyalty_customer` records, `first` to `last` by sequence, that say the same.

    `enrolment_told` and `tier_told`: what its beginning means was announced, or withheld.
    """

    first: int
    last: int
    status: str | None = None
    enrolled_at: int | None = None
    tier: str | None = None
    tier_entered_at: int | None = None
    enrolment_told: bool = False
    tier_told: bool = False

    @property
    def standing(self) -> tuple[str | None, int | None, str | None, int | None]:
        """What all of its records say."""
        return self.status, self.enrolled_at, self.tier, self.tier_entered_at


class TransactionState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The newest of one transaction: `told` once it was announced, `touched` in stream time."""

    sequence: int
    status: str | None
    told: bool
    touched: int


class Heard(msgspec.Struct, frozen=True, array_like=True, order=True, gc=False):
    """An e-mail address that a transaction told: the newest by date, then sequence, counts."""

    at: int
    sequence: int
    email: str


class Member(msgspec.Struct, array_like=True):
    """The row. `version` rises by one at each change of what destinations may be told."""

    version: int = 0
    sequence: int = -1
    """Of the newest `loyalty_customer` record; -1 while there was none."""
    loyalty: Loyalty = Loyalty()
    own_email: str | None = None
    email_sequence: int = -1
    """Of the newest `loyalty_customer` record that told an e-mail address."""
    heard: Heard | None = None
    next_birthday: str | None = None
    """The day that was told last, "2027-02-28"."""
    told: tuple[str, ...] = ()
    """Which of `CLEARABLE` were ever known."""
    spells: tuple[Spell, ...] = ()
    floor: int = -1
    """Records up to this sequence are too old to be placed among the spells."""
    transactions: dict[str, TransactionState] = {}
    complete: bool = False
    """Whether all of this member's past is known."""
    seen: dict[int, bytes] = {}
    """Day of stream time → digests of the event ids and guards seen on it, 6 bytes each."""
    erased_at: int | None = None
    """When the member was erased; what was created before is dropped. A row that holds nothing
    else is a marker (`derive.erasure`)."""
    erased_sequence: int = -1
    """Of the newest `loyalty_customer` record then: it has no time to be judged by."""

    @property
    def email(self) -> str | None:
        """The address: the member's own, else one that came with a transaction."""
        if self.own_email is not None or self.heard is None:
            return self.own_email
        return self.heard.email

    def fork(self) -> Member:
        """A copy to change: containers are copied, what they hold is immutable."""
        return msgspec.structs.replace(
            self, transactions=self.transactions.copy(), seen=self.seen.copy()
        )


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Member)


def encode_member(row: Member) -> bytes:
    """The row as it is kept."""
    return _encoder.encode(row)


def decode_member(value: bytes) -> Member:
    """The row of some bytes of the table."""
    return _decoder.decode(value)


def shown(loyalty: Loyalty, next_birthday: str | None) -> MemberView:
    """What destinations are told of a record, by the rules of presence (contracts/okendo.md §1).

    A tier, its end and the date of enrolment are an enrolled member's; the balance is not shown of
    who is blocked.
    """
    enrolled = loyalty.status == ENROLLED
    return MemberView(
        status=loyalty.status,
        tier=loyalty.tier if enrolled else None,
        enrolled_at=loyalty.enrolled_at if enrolled else None,
        balance=loyalty.balance if loyalty.status in (ENROLLED, PENDING) else None,
        next_birthday=next_birthday,
        points_expire_at=loyalty.points_expire_at,
        tier_expires_at=loyalty.tier_expires_at if enrolled else None,
    )


def names_of(view: MemberView) -> frozenset[str]:
    """Which of `CLEARABLE` a view has."""
    return frozenset(name for name in CLEARABLE if getattr(view, name) is not None)


def member_view(row: Member) -> MemberView:
    """What destinations are told of a row, and what was told before and holds no longer."""
    view = shown(row.loyalty, row.next_birthday)
    gone = [name for name in row.told if getattr(view, name) is None]
    return msgspec.structs.replace(view, cleared=" ".join(gone) or None)
