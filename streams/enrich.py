"""3 enrich: a fact, its event and the row → the enriched event that travels to destinations.

What the record lacks is taken from its snapshot, else the row; what is still missing stays None.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from streams.model.enriched import (
    EnrichedEvent,
    EntitlementView,
    ItemView,
    OrderView,
    ProfileView,
    SubscriptionView,
    address_view,
    entitlement_view,
    payment_view,
    points_view,
)
from streams.model.events import Address, Item, Order, Payment, Product, Subscription
from streams.model.loyalty import LoyaltyTransaction
from streams.model.member import member_view
from streams.model.subscriber import standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from streams.model.events import AnyEvent, Event
    from streams.model.fact import Fact, Whom
    from streams.model.loyalty import LoyaltyEvent
    from streams.model.member import Member
    from streams.model.subscriber import Subscriber

Identified = TypeVar("Identified", Payment, Address, Subscription)

LIST_CUT = 25
"""Entries of a list that travel: vendors refuse profiles and events that grow without bound."""


def enrich(fact: Fact, event: Event, row: Subscriber) -> EnrichedEvent:
    """The enriched event of a fact; `row` is the row after the event."""
    if fact.whom is not None:
        return _erased(fact, fact.whom, event)
    known = _Known(event, row)
    subject = event.subject
    own = fact.listed is None and fact.type != "profile.changed"
    content = subject if own and isinstance(subject, Subscription) else None
    item = known.item(subject) if own and isinstance(subject, Item) else None
    order = known.order(subject) if own and isinstance(subject, Order) else None
    listed = known.listed(fact.listed) if fact.listed is not None else None
    shown = known.about(subject) if own else []
    return EnrichedEvent(
        event_id=fact.event_id,
        type=fact.type,
        occurred_at=fact.occurred_at,
        merchant=event.merchant,
        customer_id=event.customer_id,
        source_event_id=event.event_id or _revealing(fact),
        profile=_profile(row),
        late=fact.late,
        because=fact.because,
        subscription=known.view(content) if content is not None else None,
        subscriptions=None if listed is None else [known.view(each) for each in listed[:LIST_CUT]],
        subscriptions_count=None if listed is None else len(listed),
        prepaid=_any_prepaid(listed if listed is not None else shown),
        item=item,
        order=order,
        entitlements=known.entitlements(subject) if own else None,
    )


def enrich_member(fact: Fact, event: LoyaltyEvent, row: Member) -> EnrichedEvent:
    """The enriched event of a loyalty fact; `row` is the member's row after the event."""
    if fact.whom is not None:
        return _erased(fact, fact.whom, event)
    subject = event.subject if fact.type != "profile.changed" else None
    return EnrichedEvent(
        event_id=fact.event_id,
        type=fact.type,
        occurred_at=fact.occurred_at,
        merchant=event.merchant,
        customer_id=event.customer_id,
        source_event_id=event.event_id or _revealing(fact),
        profile=ProfileView(0, 0, ever_subscribed=False, version=row.version, email=row.email),
        late=fact.late,
        because=fact.because,
        member=member_view(row),
        points=points_view(subject, fact.type) if isinstance(subject, LoyaltyTransaction) else None,
        tier=fact.tier,
    )


def _erased(fact: Fact, whom: Whom, event: AnyEvent) -> EnrichedEvent:
    """Whom a vendor is to forget, and nothing else of them."""
    return EnrichedEvent(
        event_id=fact.event_id,
        type=fact.type,
        occurred_at=fact.occurred_at,
        merchant=event.merchant,
        customer_id=event.customer_id,
        source_event_id=event.event_id,
        profile=ProfileView(
            0, 0, ever_subscribed=False, version=0, email=whom.email, phone_number=whom.phone_number
        ),
    )


def _revealing(fact: Fact) -> str:
    """The event that a timer's fact goes back to."""
    return fact.because.event_id if fact.because is not None else ""


def _profile(row: Subscriber) -> ProfileView:
    now = standing(row)
    return ProfileView(
        active_subscriptions=now.active,
        total_subscriptions=now.total,
        ever_subscribed=row.ever_subscribed,
        version=row.version,
        email=now.email,
        phone_number=now.phone_number,
        first_name=now.first_name,
        last_name=now.last_name,
        status=now.status,
    )


def _any_prepaid(subscriptions: Iterable[Subscription]) -> bool | None:
    told = [each.prepaid is not None for each in subscriptions]
    return any(told) if told else None


class _Known:
    """Everything a record and its row know, by id."""

    def __init__(self, event: Event, row: Subscriber) -> None:
        self._row = row
        self._snapshot = event.snapshot

    def subscribed_product(self, id_: str | None) -> Product | None:
        """A subscription's product: the newest texts that the row knows, else the record's."""
        seen = self._row.products.get(id_ or "")
        return seen.product if seen is not None else self.product(id_)

    def product(self, id_: str | None) -> Product | None:
        """A product's texts: the record's own, else the row's, else the id alone."""
        if id_ is None:
            return None
        for told in reversed(self._snapshot.products):
            if told.id == id_:
                return told
        seen = self._row.products.get(id_)
        return seen.product if seen is not None else Product(id_)

    def subscription(self, id_: str | None) -> Subscription | None:
        """A subscription's content: the record's own, else the row's."""
        if id_ is None:
            return None
        told = _of_id(self._snapshot.subscriptions, id_)
        if told is not None:
            return told
        state = self._row.subscriptions.get(id_)
        return state.content if state is not None else None

    def items(self, order: Order) -> list[Item]:
        """An order's items, as far as the snapshot has them."""
        return [each for each in self._snapshot.items if each.order == order.public_id]

    def about(self, subject: object) -> list[Subscription]:
        """The subscriptions that an event is about, as far as they are known."""
        if isinstance(subject, Subscription):
            return [subject]
        items = [subject] if isinstance(subject, Item) else []
        if isinstance(subject, Order):
            items = self.items(subject)
        ids = dict.fromkeys(each.subscription for each in items)
        return [found for id_ in ids if (found := self.subscription(id_)) is not None]

    def listed(self, ids: tuple[str, ...]) -> list[Subscription]:
        """The row's subscriptions of these ids, the newest first."""
        found = [self._row.subscriptions[id_].content for id_ in ids]
        return sorted(found, key=lambda each: (-(each.created or 0), each.public_id))

    def currency(self, content: Subscription) -> str | None:
        """A subscription's currency, which few records tell."""
        state = self._row.subscriptions.get(content.public_id)
        return content.currency_code or (state.content.currency_code if state else None)

    def view(self, content: Subscription) -> SubscriptionView:
        """A subscription with its product's texts."""
        prepaid = content.prepaid
        return SubscriptionView(
            id=content.public_id,
            live=content.live,
            quantity=content.quantity,
            frequency_days=content.frequency_days,
            every=content.every,
            every_period=content.every_period,
            product=self.subscribed_product(content.product),
            currency_code=self.currency(content),
            prepaid=prepaid is not None,
            prepaid_orders_remaining=prepaid.orders_remaining if prepaid else None,
            prepaid_orders_per_billing=prepaid.orders_per_billing if prepaid else None,
            prepaid_renewal_behavior=prepaid.renewal_behavior if prepaid else None,
            cancel_reason=content.cancel_reason,
            cancel_reason_code=content.cancel_reason_code,
            created=content.created,
        )

    def item(self, item: Item) -> ItemView:
        """An item with its product and the subscription it came from."""
        content = self.subscription(item.subscription)
        return ItemView(
            id=item.public_id,
            quantity=item.quantity,
            price=item.price,
            total_price=item.total_price,
            product=self.product(item.product),
            subscription=None if content is None else self.view(content),
            order_id=item.order,
            first_out_of_stock=self._row.first_out_of_stock.get(item.stock_key),
        )

    def order(self, order: Order) -> OrderView:
        """An order with its items, payment and address, where the snapshot has them."""
        items = self.items(order)
        lines = [self.item(each) for each in items]
        payment = _of_id(self._snapshot.payments, order.payment)
        address = _of_id(self._snapshot.addresses, order.shipping_address)
        currencies = (self.currency(each) for each in self.about(order))
        return OrderView(
            id=order.public_id,
            place=order.place,
            tries=order.tries,
            sub_total=order.sub_total,
            tax_total=order.tax_total,
            shipping_total=order.shipping_total,
            discount_total=order.discount_total,
            total=order.total,
            currency_code=order.currency_code or next(filter(None, currencies), None),
            rejected_code=order.rejected_code,
            rejected_message=order.rejected_message,
            merchant_order_id=order.order_merchant_id,
            items=lines or None,
            items_count=len(items) or None,
            payment=None if payment is None else payment_view(payment),
            shipping_address=None if address is None else address_view(address),
        )

    def entitlements(self, subject: object) -> list[EntitlementView] | None:
        """Entitlements of the subscriptions that an event is about.

        One that nobody tied to anything can only be the customer's one subscription's.
        """
        row = self._row
        if not row.entitlements:
            return None
        only = next(iter(row.subscriptions)) if row.total == 1 else None
        about = self._subscriptions_of(subject, only)
        ties = {item.public_id: item.subscription for item in self._snapshot.items}
        found = []
        for each in row.entitlements.values():
            source = each.source_object_id
            tied = source if each.source_object == "subscription" else ties.get(source or "")
            owner = tied or only
            if owner in about:
                state = row.subscriptions.get(owner)
                product = None if state is None else state.content.product
                found.append(entitlement_view(each, product))
        return found or None

    def _subscriptions_of(self, subject: object, only: str | None) -> frozenset[str]:
        """Ids of the subscriptions that an event is about; `only` where nobody shows its items."""
        if isinstance(subject, Subscription):
            return frozenset({subject.public_id})
        items = self.items(subject) if isinstance(subject, Order) else []
        if isinstance(subject, Item):
            items = [subject]
        ids = (each.subscription for each in items) if items else (only,)
        return frozenset(id_ for id_ in ids if id_ is not None)


def _of_id(told: Sequence[Identified], id_: str | None) -> Identified | None:
    """The last of some entities that has an id. There are few: an index would cost more."""
    for each in reversed(told):
        if each.public_id == id_:
            return each
    return None
