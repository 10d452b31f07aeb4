"""How the demo's bookkeeping reads a webhook of Okendo: into plain dicts, or as a dead letter.

A second reading of contracts/okendo.md §2, §4 and §5, on purpose not the program's own. Times are
epoch milliseconds, points are numbers; a key is there only if the body tells it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from streams.demo.loyalty_catalog import TIERS
from streams.demo.reading import LARGEST, Unreadable, known

if TYPE_CHECKING:
    from streams.demo.loyalty_webhooks import Sent

Json = dict[str, Any]

MEMBER = "loyalty_customer"
KINDS = {
    "loyalty_earning_transaction": "loyalty.points_awarded",
    "loyalty_redemption_transaction": "loyalty.points_redeemed",
    "loyalty_adjustment_transaction": "loyalty.points_adjusted",
}
"""Resource type of a transaction → what it is when it is complete."""
_STATUSES = {"enrolled", "pending", "blocked"}


@dataclass(frozen=True)
class Hook:
    """A readable webhook.

    `id`: the message, or what stands for it; `about`: what the resource tells, in plain words;
    `email`: the address that came with it.
    """

    id: str
    kind: str
    topic: str
    sequence: int
    store: str
    member: str
    email: str | None
    about: Json

    @property
    def fact(self) -> tuple[str, str, int]:
        """What is the same whatever message tells it."""
        return self.kind, self.topic, self.sequence


def read(sent: Sent) -> Hook:
    """A webhook.

    Raises:
        Unreadable: with the dead letter's reason.
    """
    envelope = _parsed(sent.body)
    kind, topic = envelope.get("resourceType"), envelope.get("topic")
    if kind not in {MEMBER, *KINDS} or topic not in {"create", "update", "delete"}:
        raise Unreadable("unknown_type")
    sequence = _needed(envelope, "sequenceNumber")
    if not str(sequence).isdigit():
        raise Unreadable("wrong_type", "sequenceNumber")
    resource = _needed(envelope, "resource")
    if not isinstance(resource, dict):
        raise Unreadable("wrong_type", "resource")
    whose = resource.get("customer") or {}
    about = _member if kind == MEMBER else _transaction
    return Hook(
        id=sent.message or f"{kind}:{topic}:{sequence}",
        kind=kind,
        topic=topic,
        sequence=int(sequence),
        store=_needed(resource, "subscriberId"),
        member=_needed(resource, "loyaltyCustomerId"),
        email=whose.get("email") or None,
        about=about(resource, deleted=topic == "delete"),
    )


def check_tier(hook: Hook) -> None:
    """Raise `Unreadable` for a tier that the programme does not have."""
    if hook.about.get("tier", TIERS[0]) not in TIERS:
        raise Unreadable("unknown_tier")


def _parsed(body: bytes) -> Json:
    if len(body) > LARGEST:
        raise Unreadable("too_large")
    try:
        envelope = json.loads(body.decode())
    except ValueError:
        raise Unreadable("malformed") from None
    if not isinstance(envelope, dict):
        raise Unreadable("malformed")
    return envelope


def _needed(where: Json, name: str) -> Any:
    if where.get(name) in (None, ""):
        raise Unreadable("missing_field", name)
    return where[name]


def _member(resource: Json, *, deleted: bool) -> Json:
    """A member. Who was deleted has nothing any more."""
    if deleted:
        return {}
    status = _needed(resource, "status")
    if status not in _STATUSES:
        raise Unreadable("unknown_value", "status")
    born = resource.get("birthday")
    tier = resource.get("vipTierName")
    return known(
        status=status,
        tier=None if str(tier).lower() == "none" else tier,
        balance=_number((resource.get("points") or {}).get("balance")),
        enrolled=_moment(resource.get("dateEnrolled")),
        entered=_moment(resource.get("dateTierEntered")),
        tier_ends=_moment(resource.get("dateTierExpires")),
        points_end=_moment(resource.get("datePointsExpire")),
        born=(born["month"], born["day"]) if born else None,
    )


def _transaction(resource: Json, *, deleted: bool) -> Json:
    told = {"id": _needed(resource, "loyaltyTransactionId"), "at": _moment(resource.get("date"))}
    if deleted:
        return told
    coupon = resource.get("coupon") or {}
    return told | known(
        status=_needed(resource, "status"),
        amount=_number(_needed(resource, "amount")),
        action=resource.get("action"),
        description=resource.get("description"),
        notice=resource.get("notificationText"),
        coupon=coupon.get("code"),
        coupon_text=coupon.get("description"),
        coupon_ends=_moment(coupon.get("dateExpires")),
        credit=_number(resource.get("storeCreditAmount")),
    )


def _moment(text: Any) -> int | None:
    if text is None:
        return None
    try:
        when = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise Unreadable("wrong_type") from None
    return round((when - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000)


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float):
        raise Unreadable("wrong_type")
    return value
