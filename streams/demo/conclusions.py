"""What the demo's bookkeeping concludes: the facts that destinations are to be told.

DESIGN §6 with `derive_mode = derived`, `history = complete`, flows from the beginning. The demo's
streams have no old events, so nothing else is withheld than imports and the source's own subscriber
events.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from streams.model.ids import fact_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.demo.checkouts import Checkout
    from streams.demo.reading import Webhook
    from streams.demo.truth import Learned, Truth

Json = dict[str, Any]

PROFILE = "profile.changed"

_CREATED = "subscriber.subscriptions_created"
_REACTIVATIONS = {"subscription.reactivate", "subscription.change_live"}
_LATE_AFTER = 3_600_000
"""Milliseconds: a stale event that was recorded later than this after it was made is late."""


@dataclass(frozen=True)
class Fact:
    """Something to be told.

    `at`: epoch seconds; `hook`: the webhook that brought it, for a checkout the one that opened it;
    `several`: the subscriptions that a subscriber event lists.
    """

    type: str
    id: str
    at: int
    hook: Webhook
    late: bool = False
    several: list[Json] = field(default_factory=list)


@dataclass(frozen=True)
class Conclusion:
    """What comes of one webhook: `facts` in order, and what was `withheld`, by reason.

    `profile`: what connections are told that are told none of the facts; None where nothing of the
    person changed.
    """

    facts: list[Fact]
    withheld: list[str]
    profile: Fact | None


def conclude(truth: Truth, hook: Webhook, learned: Learned, at: int) -> Conclusion:
    """The facts in order: the source's own, create, cancel. A checkout may be opened.

    `at`: when the webhook was recorded on the source topic, epoch milliseconds.
    """
    late = learned.stale and (learned.contradicted or at - hook.created * 1_000 > _LATE_AFTER)
    facts = [
        *_own(truth, hook, learned, late=late),
        *_create(truth, hook, learned),
        *_cancel(truth, hook, learned),
    ]
    withheld = ["derived_mode"] if hook.family == "subscriber" else []
    if hook.imported:
        withheld = ["import"] * (len(facts) + len(withheld))
        facts = []
    elif hook.type == "subscription.create":
        truth.checkouts.join(hook, at, late=late)
    return Conclusion(facts, withheld, _profile(truth, hook) if learned.told else None)


def checkouts_over(truth: Truth, at: float) -> Iterator[tuple[Checkout, Fact]]:
    """The checkouts that are over by that stream time (epoch milliseconds), each told now."""
    for one in truth.checkouts.close(at):
        yield one, _checkout(truth, one)


def _checkout(truth: Truth, one: Checkout) -> Fact:
    """Lists what was subscribed to, as it is by now; late if all of it has ended."""
    several = [truth.subscriptions[name] for name in one.members]
    again = (one.turn,) if one.turn else ()
    return Fact(
        _CREATED,
        fact_id(_CREATED, truth.merchant, truth.customer, one.key, *again),
        one.began,
        one.opened_by,
        late=one.late or not any(each["live"] for each in several),
        several=several,
    )


def _profile(truth: Truth, hook: Webhook) -> Fact:
    """Known by the version of the profile; the demo's table was never rebuilt (generation 0)."""
    fact = fact_id(PROFILE, truth.merchant, truth.customer, 0, truth.version)
    return Fact(PROFILE, fact, hook.created, hook)


def _own(truth: Truth, hook: Webhook, learned: Learned, *, late: bool) -> list[Fact]:
    """The source's event as it is; its own subscriber events are never passed on."""
    if hook.type == "subscription.cancel":
        truth.cycle.pop(hook.object["public_id"], None)
    if hook.type in _REACTIVATIONS:
        return _reactivation(truth, hook, learned, late=late)
    if hook.family == "subscriber":
        return []
    return [Fact(hook.type, hook.id, hook.created, hook, late)]


def _reactivation(truth: Truth, hook: Webhook, learned: Learned, *, late: bool) -> list[Fact]:
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
    return [Fact("subscription.reactivate", fact, updated, hook, late)]


def _create(truth: Truth, hook: Webhook, learned: Learned) -> list[Fact]:
    """Once in a lifetime; late for somebody who has left already, whose first one had been live."""
    if not learned.first:
        return []
    fact = fact_id("subscriber.create", truth.merchant, truth.customer)
    late = learned.active_after == 0
    several = list(truth.subscriptions.values()) if late else truth.live
    return [Fact("subscriber.create", fact, hook.created, hook, late, several)]


def _cancel(truth: Truth, hook: Webhook, learned: Learned) -> list[Fact]:
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
    return [Fact("subscriber.cancel", fact, updated, hook, several=died)]
