"""What Okendo writes: webhooks of members and of their points (contracts/okendo.md §2, §4).

`Okendo` gives each webhook the next sequence number, a string of digits, and most of them a message
id in the headers. Numbers grow in the order of writing; when and in what order webhooks arrive is
not its business. Times are epoch milliseconds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from streams.demo.loyalty_catalog import STORE

if TYPE_CHECKING:
    from random import Random

Json = dict[str, Any]

MEMBER = "loyalty_customer"
EARNING = "loyalty_earning_transaction"
REDEMPTION = "loyalty_redemption_transaction"
ADJUSTMENT = "loyalty_adjustment_transaction"

_FIRST = 99_999_900
"""Soon the numbers have a digit more: as texts they would be in another order."""


class Sent(NamedTuple):
    """A webhook: its body, one line of JSON, and the message's id, if the bridge passes it on."""

    body: bytes
    message: str | None = None

    @property
    def line(self) -> bytes:
        """As `streams produce okendo` reads it."""
        if self.message is None:
            return self.body + b"\n"
        headers = json.dumps({"svix-id": self.message}).encode()
        return b'{"headers": ' + headers + b', "body": ' + self.body + b"}\n"


@dataclass(eq=False)
class Member:
    """A member as Okendo knows them. `birthday` is (month, day); `changes`: of status or tier."""

    id: str
    customer: str
    email: str | None
    status: str = "pending"
    balance: float = 0
    tier: str | None = None
    enrolled: int | None = None
    tier_entered: int | None = None
    tier_expires: int | None = None
    points_expire: int | None = None
    birthday: tuple[int, int] | None = None
    changes: int = 0


@dataclass(eq=False)
class Transaction:
    """Points earned, redeemed or adjusted; `beside` is what only its kind has."""

    kind: str
    id: str
    member: Member
    amount: float
    at: int
    status: str
    beside: Json


class Okendo:
    """Writes webhooks.

    Args:
        rng: the source of chance, for ids and for which variant a body takes.
    """

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._sequence = _FIRST

    def id(self) -> str:
        """A new id, in Okendo's fashion."""
        text = f"{self._rng.getrandbits(128):032x}"
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))

    def member(self, topic: str, one: Member) -> Sent:
        """`loyalty_customer.<topic>`; a delete names nobody."""
        resource: Json = {"loyaltyCustomerId": one.id, "subscriberId": STORE}
        if topic != "delete":
            resource |= {"customer": self._whose(one), "status": one.status}
            resource["points"] = {"balance": one.balance}
            resource |= self._maybe(
                vipTierName=one.tier,
                dateEnrolled=_iso(one.enrolled),
                dateTierEntered=_iso(one.tier_entered),
                dateTierExpires=_iso(one.tier_expires),
                datePointsExpire=_iso(one.points_expire),
            )
            if one.birthday:
                resource["birthday"] = {"day": one.birthday[1], "month": one.birthday[0]}
        return self.webhook(MEMBER, topic, resource)

    def transaction(self, topic: str, one: Transaction) -> Sent:
        """A transaction's webhook; a delete names nobody and has no amount."""
        resource: Json = {
            "loyaltyCustomerId": one.member.id,
            "loyaltyTransactionId": one.id,
            "subscriberId": STORE,
            "date": _iso(one.at),
        }
        if topic != "delete":
            resource |= {
                "amount": one.amount,
                "customer": self._whose(one.member),
                "status": one.status,
                **one.beside,
            }
        return self.webhook(one.kind, topic, resource)

    def webhook(self, kind: str, topic: str, resource: Json) -> Sent:
        """A webhook with the next number; one in five comes without its message id."""
        self._sequence += self._rng.randint(1, 4)
        body = {
            "resourceType": kind,
            "topic": topic,
            "sequenceNumber": str(self._sequence),
            "version": "2025-02-01",
            "resource": resource,
        }
        passed = self._rng.random() < 0.8
        return Sent(self.write(body), self.message() if passed else None)

    def message(self) -> str:
        """A new message id."""
        return f"msg_{self._rng.getrandbits(64):016x}"

    def write(self, body: Json) -> bytes:
        """JSON as bytes: compact or spaced, with or without escapes."""
        tight = self._rng.random() < 0.7
        text = json.dumps(
            body,
            ensure_ascii=self._rng.random() < 0.5,
            separators=(",", ":") if tight else (", ", ": "),
        )
        return text.encode()

    def _whose(self, one: Member) -> Json:
        """The shopper; an address that is not known is empty, null or missing."""
        whose: Json = {"customerId": one.customer}
        return whose | ({"email": one.email} if one.email else self._maybe(email=None))

    def _maybe(self, **fields: Any) -> Json:
        """Fields; one that is not known is null or missing, an address also empty."""
        told: Json = {}
        for name, value in fields.items():
            shape = "told" if value is not None else self._rng.choice(("absent", "null", "empty"))
            if shape != "absent":
                told[name] = "" if (shape, name) == ("empty", "email") else value
        return told


def _iso(instant: int | None) -> str | None:
    """A time as Okendo writes it, 2026-10-15T08:20:30.125Z."""
    if instant is None:
        return None
    when = datetime.fromtimestamp(instant // 1_000, UTC).replace(microsecond=instant % 1_000 * 1000)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
