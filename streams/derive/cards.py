"""Cards that end before the next order: warned of on the 1st and the 15th (option).

Ordergroove's own event of that name is promised by the vendors' pages and is in no list of its
webhooks (contracts/ordergroove.md §1.2, §5.13). So it is concluded here from the orders and
payments that events, snapshots and syncs tell: of each card the next order that it is to pay, if
the card's last month is before the month of the order. Pure, like all of derivation: the checks
are timers on stream time.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

import msgspec

from streams.model.cards import Cards, NextOrder
from streams.model.enriched import Because
from streams.model.events import Event, Item, Order, Payment, Snapshot
from streams.model.fact import Fact
from streams.model.ids import fact_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from streams.model.subscriber import Subscriber

    from .terms import DeriveOptions

WARNING: Final = "order.credit_card_expiration_warning"

_GONE: Final = frozenset(
    {"order.success", "order.cancel", "order.skip_order", "order.reject", "order.delete"}
)
"""After these nothing is going to be charged for the order; a rejected one is told otherwise."""
_UPCOMING: Final = frozenset({None, 1, 6, 10, 11})
"""Statuses (contract §2.3) of an order, as a sync tells it, that is still to be placed."""
_DAYS: Final = (1, 15)
_HOUR: Final = 12
"""Noon in Greenwich is the same day everywhere where Ordergroove's shops are."""
_MOST_ORDERS, _MOST_GONE, _MOST_ITEMS, _MOST_OTHERS = 10, 10, 50, 5
_EXPIRES: Final = re.compile(r"(\d{2})/(\d{4})", re.ASCII)
_FILLER: Final = "12/2099"
"""What PayPal and the unknown have for a date (contract §2.1)."""


class _Identified(Protocol):
    @property
    def public_id(self) -> str: ...


Each = TypeVar("Each", bound=_Identified)


def note_cards(row: Subscriber, event: Event, now: int, options: DeriveOptions) -> None:
    """Keep what an event tells of upcoming orders and cards; nothing where it is not asked for.

    `now` is stream time, epoch milliseconds.
    """
    if not options.card_expiration_warnings:
        row.cards = None
        return
    known = row.cards or Cards()
    told = event.snapshot
    subject = event.subject
    cards = msgspec.structs.replace(
        known,
        items=_newest(known.items, told.items, _MOST_ITEMS),
        payments=_newest(known.payments, told.payments, _MOST_OTHERS),
        addresses=_newest(known.addresses, told.addresses, _MOST_OTHERS),
    )
    if isinstance(subject, Order):
        cards = _with_order(cards, subject, event)
    elif isinstance(subject, Item):
        cards = _with_item(cards, subject, event)
    waits = any(each.order.payment is not None for each in cards.orders)
    soonest = max(now, options.flows_from)
    check_at = 0 if not waits else cards.check_at or next_check(soonest)
    cards = msgspec.structs.replace(cards, check_at=check_at)
    row.cards = None if cards == Cards() else cards


def warnings(row: Subscriber, merchant: str, customer_id: str, now: int) -> list[Fact]:
    """The warnings of a check that is due by stream time `now`; sets the next one."""
    cards = row.cards
    if cards is None or not cards.check_at:
        return []
    checked = cards.check_at
    day = _moment(checked).date().isoformat()
    upcoming = tuple(each for each in cards.orders if (each.order.place or "") >= day)
    after = next_check(max(checked, now)) if upcoming else 0
    row.cards = msgspec.structs.replace(cards, orders=upcoming, check_at=after)
    found = []
    for payment in cards.payments:
        paid = [each for each in upcoming if each.order.payment == payment.public_id]
        following = min(paid, key=_soonest, default=None)
        if following is not None and ends_before(payment, following.order):
            found.append(_warning(row, cards, (merchant, customer_id), checked, following))
    return found


def next_check(after: int) -> int:
    """The first check later than a time; both epoch milliseconds."""
    moment = _moment(after)
    for days in range(33):
        day = (moment + timedelta(days=days)).replace(hour=_HOUR, minute=0, second=0, microsecond=0)
        if day.day in _DAYS and day > moment:
            return int(day.timestamp()) * 1_000
    raise AssertionError("every month has a first")


def ends_before(payment: Payment, order: Order) -> bool:
    """Whether a card's last month is over when an order is placed; False where nobody knows."""
    expires, place = _EXPIRES.fullmatch(payment.cc_exp_date or ""), order.place
    if expires is None or payment.cc_exp_date == _FILLER or not place:
        return False
    month, year = expires.groups()
    return f"{year}-{month}" < place[:7]


def _warning(
    row: Subscriber, cards: Cards, customer: tuple[str, str], checked: int, following: NextOrder
) -> Fact:
    """The fact; its reason is shown to everybody, so it does not say when the card ends."""
    order, (merchant, customer_id) = following.order, customer
    why = f"card ends before the next order on {order.place}: active"
    because = Because(following.event_id, row.active, row.active, f"{why} {row.active}")
    about = Event(
        event_id="", type=WARNING, created=checked, merchant=merchant, customer_id=customer_id,
        guard=b"", subject=order,
        snapshot=Snapshot(items=cards.items, payments=cards.payments, addresses=cards.addresses),
    )  # fmt: skip
    id_ = fact_id(WARNING, merchant, customer_id, order.public_id, checked)
    return Fact(WARNING, id_, checked, because=because, about=about)


def _with_order(cards: Cards, order: Order, event: Event) -> Cards:
    id_ = order.public_id
    over = event.type in _GONE or (event.kind == "state" and order.status not in _UPCOMING)
    others = tuple(each for each in cards.orders if each.order.public_id != id_)
    known = next((each for each in cards.orders if each.order.public_id == id_), None)
    if over:
        gone = (*(each for each in cards.gone if each != id_), id_)[-_MOST_GONE:]
        return msgspec.structs.replace(cards, orders=others, gone=gone)
    if id_ in cards.gone or (known is not None and known.created > event.created):
        return cards
    upcoming = sorted(
        (*others, NextOrder(order, event.created, event.event_id)),
        key=lambda each: each.order.place or "9",
    )
    return msgspec.structs.replace(cards, orders=tuple(upcoming[:_MOST_ORDERS]))


def _with_item(cards: Cards, item: Item, event: Event) -> Cards:
    told = () if event.type == "item.remove" else (item,)
    others = tuple(each for each in cards.items if each.public_id != item.public_id)
    return msgspec.structs.replace(cards, items=_newest(others, told, _MOST_ITEMS))


def _newest(known: tuple[Each, ...], told: Iterable[Each], most: int) -> tuple[Each, ...]:
    """What is known and what was told, each id once, those told last at the end."""
    told = tuple(told)
    if not told:
        return known
    ids = {each.public_id for each in told}
    return (*(each for each in known if each.public_id not in ids), *told)[-most:]


def _soonest(each: NextOrder) -> tuple[str, str]:
    return each.order.place or "", each.order.public_id


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1_000, tz=UTC)
