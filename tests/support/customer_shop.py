"""A small shop that plays one customer's life, step by step, and keeps the events that come of it.

`tests.support.histories` draws the steps. Events come in the order in which things happened; many
share a second. No imports, no kind of record but `event`, all within a week. Never two facts that
the second guard cannot tell apart (same type, object, `updated` and content): what is known after
two such is, by rule, a matter of which came first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec
from msgspec.structs import replace

from streams.model.events import NO_SNAPSHOT, Event, Item, Order, Person, Snapshot, Subscription
from streams.model.ids import digest

if TYPE_CHECKING:
    from collections.abc import Sequence

Style = Literal["pair", "reactivate", "change_live", "differ", "any"]
"""How a subscription's reactivations are told: `pair`, both types with equal `updated`; one type
alone; `differ`, once in its life, both types with different `updated`; `any`, each time anyhow."""

SETTLED: tuple[Style, ...] = ("pair", "reactivate", "change_live")
"""The styles whose ids do not depend on the order of arrival."""

ALL_STYLES: tuple[Style, ...] = (*SETTLED, "differ", "any")

MERCHANT = "5b1e9c0a7d3f4e2b8a6c1d0e9f8b7a65"
CUSTOMER = "0088123"
SECOND = 1_000
BEGIN = 1_790_000_000_000
BOTH = ("subscription.change_live", "subscription.reactivate")
CHANGES = ("change_quantity", "change_frequency", "sku_swap", "change_payment")
TELLINGS = ("subscriber.create", "subscriber.cancel", "subscriber.subscriptions_created")
OTHERS = ("order.reminder", "item.out_of_stock", "order.success")
EMAILS = ("noor@shop-demo.io", "n.hale@shop-demo.io", None)
PHONES = ("+13125550148", "+13125550199", None)
FIRST_NAMES = ("Noor", "Nour", None)
LAST_NAMES = ("Hale", "Hale-Ito", None)


class Step(NamedTuple):
    """What happens next: to whom, after how many seconds, told how many seconds late."""

    kind: str
    which: int
    gap: int
    lag: int
    number: int
    mark: int


class Shop:
    """Plays steps and keeps the events that come of them."""

    def __init__(self, styles: Sequence[Style]) -> None:
        self.styles = styles
        self.clock = BEGIN
        self.events: list[Event] = []
        self.held: list[Subscription] = []
        self.revived: set[str] = set()
        self.guards: set[bytes] = set()

    def play(self, step: Step) -> None:
        """Let one thing happen, if it can."""
        self.clock += step.gap * SECOND
        index = step.which % len(self.styles)
        if step.kind == "person":
            self.tell_person(step)
        elif step.kind == "order":
            self.tell_order(step)
        elif index >= len(self.held):
            self.open(step)
        elif step.kind == "change":
            self.change(index, step)
        elif self.held[index].live:
            self.cancel(index, step)
        else:
            self.revive(index, step)

    def open(self, step: Step) -> None:
        """A new subscription; what an agent creates is not told (contract §1.2)."""
        content = Subscription(
            public_id=f"{len(self.held):032x}",
            live=True,
            updated=self.clock,
            product=f"44120{step.number:03}",
            quantity=1 + step.mark % 3,
            frequency_days=28,
            every=4,
            every_period=2,
            created=self.clock,
        )
        self.held.append(content)
        if step.number != 15:
            self.tell(len(self.held) - 1, ("subscription.create",), content, step)

    def change(self, index: int, step: Step) -> None:
        """A change of content, which says what it knows of `live`, dead or not."""
        action = CHANGES[step.number % len(CHANGES)]
        content = self.held[index]
        if action == "change_quantity":
            content = replace(content, quantity=1 + step.mark % 5)
        elif action == "change_frequency":
            content = replace(content, every=1 + step.mark % 5, frequency_days=7 + step.mark % 35)
        elif action == "sku_swap":
            content = replace(content, product=f"44121{step.mark % 4:03}")
        self.tell(index, (f"subscription.{action}",), content, step)

    def cancel(self, index: int, step: Step) -> None:
        """The end of a subscription; where it cannot blur a cycle, it may go untold."""
        dead = replace(self.held[index], live=False, cancel_reason_code=step.number)
        if step.number == 15 and self.styles[index] in SETTLED:
            self.held[index] = replace(dead, updated=self.clock)
        else:
            self.keep_cycles_apart(index)
            self.tell(index, ("subscription.cancel",), dead, step)

    def revive(self, index: int, step: Step) -> None:
        """A cancelled subscription lives again, told in its style."""
        content, style = self.held[index], self.styles[index]
        if style == "differ" and content.public_id in self.revived:
            return
        self.revived.add(content.public_id)
        self.keep_cycles_apart(index)
        alive = replace(content, live=True, cancel_reason_code=None)
        first, second = BOTH if step.mark % 2 else BOTH[::-1]
        if style == "any":
            style = ("pair", "reactivate", "change_live", "differ")[step.number % 4]
        if style == "differ":
            self.tell(index, (first,), alive, step)
            self.clock += (1 + step.number % 3) * SECOND
            self.tell(index, (second,), alive, step)
        elif style == "pair":
            self.tell(index, (first, second), alive, step)
        else:
            self.tell(index, (f"subscription.{style}",), alive, step)

    def keep_cycles_apart(self, index: int) -> None:
        """Where a cycle's events are told apart by what lies between, no second holds two flips."""
        if self.styles[index] not in SETTLED:
            self.clock = max(self.clock, self.held[index].updated + SECOND)

    def tell(self, index: int, types: Sequence[str], content: Subscription, step: Step) -> None:
        """One event of each type about one subscription, all with the same `updated`."""
        content = replace(content, updated=self.clock)
        while self.guards.intersection(guard(each, content, self.clock) for each in types):
            self.clock += SECOND
            content = replace(content, updated=self.clock)
        self.held[index] = content
        customer = self.person(step) if step.number % 4 == 3 else None
        held = tuple(self.held) if step.number % 8 == 5 else ()
        for nth, each in enumerate(types):
            self.emit(each, content, Snapshot(customer, held), replace_lag(step, nth))

    def tell_person(self, step: Step) -> None:
        """The source's own subscriber event: here only who the customer is."""
        each = TELLINGS[step.which % len(TELLINGS)]
        while guard(each, self.person(step), self.clock + step.lag * SECOND) in self.guards:
            self.clock += SECOND
        self.emit(each, self.person(step), NO_SNAPSHOT, step)

    def tell_order(self, step: Step) -> None:
        """An order or item event; its snapshot may hold the customer and the subscriptions."""
        each = OTHERS[step.which % len(OTHERS)]
        named = f"{len(self.events):032x}"
        subject = Item(named) if each.startswith("item.") else Order(named)
        customer = self.person(step) if step.number % 2 else None
        held = tuple(self.held) if step.number % 4 > 1 else ()
        self.emit(each, subject, Snapshot(customer, held), step)

    def person(self, step: Step) -> Person:
        """Who the customer is by now; some fields are empty, some tellings a little old."""
        return Person(
            EMAILS[step.mark % 3],
            PHONES[step.mark // 3 % 3],
            FIRST_NAMES[step.mark // 9 % 3],
            LAST_NAMES[step.mark // 27 % 3],
            last_updated=self.clock - step.number // 6 * SECOND,
        )

    def emit(
        self,
        event_type: str,
        subject: Subscription | Order | Item | Person,
        snapshot: Snapshot,
        step: Step,
    ) -> None:
        """An event under an id that may sort anywhere among the others."""
        created = self.clock + step.lag * SECOND
        event = Event(
            event_id=f"{step.mark:02x}{len(self.events):030x}",
            type=event_type,
            created=created,
            merchant=MERCHANT,
            customer_id=CUSTOMER,
            guard=guard(event_type, subject, created),
            subject=subject,
            source="PurchasePOST" if event_type == "subscription.create" else None,
            received_at=created,
            snapshot=snapshot,
        )
        self.guards.add(event.guard)
        self.events.append(event)


def replace_lag(step: Step, nth: int) -> Step:
    """The step for the nth event of a pair, whose envelope's `created` may differ."""
    return step._replace(lag=(step.lag + nth * step.number) % 3)


def guard(event_type: str, subject: msgspec.Struct, created: int) -> bytes:
    """The second guard as the source makes it: `updated`, or else the envelope's `created`."""
    changed = getattr(subject, "updated", created)
    content = msgspec.msgpack.encode(subject)
    return digest(event_type, getattr(subject, "public_id", ""), changed, content)


def subscription_event(
    event_type: str, event_id: str, at: int, *, live: bool = True, quantity: int = 1, lag: int = 0
) -> Event:
    """An event of one small subscription, changed `at` and told `lag` milliseconds later."""
    content = Subscription("oats", live=live, updated=at, quantity=quantity)
    named = guard(event_type, content, at + lag)
    return Event(event_id, event_type, at + lag, MERCHANT, CUSTOMER, named, content)
