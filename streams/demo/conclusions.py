"""What the demo's bookkeeping concludes from a webhook: the facts that Klaviyo is to be told.

DESIGN §6 with `derive_mode = derived`, `history = complete`, flows from the beginning.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from streams.model.ids import fact_id

if TYPE_CHECKING:
    from streams.demo.reading import Webhook
    from streams.demo.truth import Learned, Truth

Json = dict[str, Any]

_FAMILIES = {
    "subscription": "create reactivate cancel change_frequency change_payment change_quantity"
    " change_shipping_address sku_swap",
    "order": "reminder credit_card_expiration_warning cancel success change_next_order_date"
    " change_payment change_shipping_address send_now skip_order reject"
    " retryable_placement_failure",
    "item": "out_of_stock",
    "subscriber": "create cancel",
}
TAKEN = {f"{family}.{kind}" for family, kinds in _FAMILIES.items() for kind in kinds.split()}
"""Event types that Klaviyo is sent: its page's, but subscriptions_created is not derived yet."""

PROFILE = "profile.changed"

_REACTIVATIONS = {"subscription.reactivate", "subscription.change_live"}


@dataclass(frozen=True)
class Fact:
    """Something to be told. `several`: the subscriptions that a subscriber event lists."""

    type: str
    id: str
    at: int
    late: bool = False
    several: list[Json] = field(default_factory=list)


@dataclass(frozen=True)
class Conclusion:
    """What comes of one webhook: `facts` in order, and what was `withheld`, by reason."""

    facts: list[Fact]
    withheld: list[str]


def conclude(truth: Truth, hook: Webhook, learned: Learned) -> Conclusion:
    """The facts in order: the source's own, create, cancel, else the changed profile.

    Every stale event is late: the demo is fed more than an hour after anything happened.
    """
    own = _own(truth, hook, learned)
    facts = [*own, *_create(truth, hook, learned), *_cancel(truth, learned)]
    withheld = ["derived_mode"] if hook.family == "subscriber" else []
    if hook.imported:
        withheld = ["import"] * (len(facts) + len(withheld))
        facts = []
    if learned.told and not any(fact.type in TAKEN for fact in facts):
        facts.append(Fact(PROFILE, hook.id, hook.created))
    return Conclusion(facts, withheld)


def _own(truth: Truth, hook: Webhook, learned: Learned) -> list[Fact]:
    """The source's event as it is; its own subscriber events are never passed on."""
    if hook.type == "subscription.cancel":
        truth.cycle.pop(hook.object["public_id"], None)
    if hook.type in _REACTIVATIONS:
        return _reactivation(truth, hook, learned)
    if hook.family == "subscriber":
        return []
    return [Fact(hook.type, hook.id, hook.created, late=learned.stale)]


def _reactivation(truth: Truth, hook: Webhook, learned: Learned) -> list[Fact]:
    """Once for each fact, whichever of the two types tells it, however often."""
    name = hook.object["public_id"]
    updated = hook.object.get("updated") or hook.created
    announced = truth.announced.setdefault(name, set())
    told_by = truth.cycle.setdefault(name, set())
    second = not learned.stale and told_by == _REACTIVATIONS - {hook.type}
    told_by.add(hook.type)
    if updated in announced or second:
        announced.add(updated)
        return []
    announced.add(updated)
    fact = fact_id("subscription.reactivate", truth.merchant, truth.customer, name, updated * 1_000)
    return [Fact("subscription.reactivate", fact, updated, late=learned.stale)]


def _create(truth: Truth, hook: Webhook, learned: Learned) -> list[Fact]:
    """Once in a lifetime; late for somebody who has left already, whose first one had been live."""
    if not learned.first:
        return []
    fact = fact_id("subscriber.create", truth.merchant, truth.customer)
    late = learned.active_after == 0
    several = list(truth.subscriptions.values()) if late else truth.live
    return [Fact("subscriber.create", fact, hook.created, late, several)]


def _cancel(truth: Truth, learned: Learned) -> list[Fact]:
    """At each change of the live count to 0; a first subscription seen dead had been live."""
    lived = learned.active_before > 0 or learned.first
    if not lived or learned.active_after > 0:
        return []
    name = max(truth.keys, key=lambda one: truth.keys[one])
    updated = truth.subscriptions[name]["updated"]
    if truth.last_cancel == (name, updated):
        return []
    truth.last_cancel = (name, updated)
    died = [truth.subscriptions[one] for one, spell in truth.died.items() if spell == truth.spell]
    fact = fact_id("subscriber.cancel", truth.merchant, truth.customer, name, updated * 1_000)
    return [Fact("subscriber.cancel", fact, updated, several=died)]
