"""What is true of one customer, as the demo's bookkeeping understands it: plain dicts, no speed.

`Truth.learn` takes in one webhook, by the rules of DESIGN §6 with `history = complete`, and says
what that changed. Times are epoch seconds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from streams.demo import reading
from streams.demo.checkouts import Checkouts
from streams.demo.reading import Webhook, known

Json = dict[str, Any]
Stamp = tuple[int, int, str]
Key = tuple[int, int, int, str]
"""What puts a subscription's events in order: updated, envelope's created, rank, event id."""

_RANKS = {
    "subscription.create": 1,
    "subscription.reactivate": 2,
    "subscription.change_live": 2,
    "subscription.cancel": 3,
}
_RUN = 30 * 86_400
"""A line is tried for so long; a later first attempt begins a new run."""


@dataclass(frozen=True)
class Learned:
    """What a webhook changed.

    `told`: whether destinations may be told something new about the person; `stale`: a newer event
    of its subscription was known, and `contradicted`: that one says otherwise whether it is live;
    `first`: the first subscription ever seen of this customer.
    """

    told: bool
    stale: bool
    contradicted: bool
    first: bool
    active_before: int
    active_after: int


class Truth:
    """One customer."""

    def __init__(self, merchant: str, customer: str) -> None:
        self.merchant = merchant
        self.customer = customer
        self.version = 0
        """One more with each change of what destinations may be told about the person."""
        self.profile: dict[str, tuple[str, Stamp]] = {}
        self.subscriptions: dict[str, Json] = {}
        self.keys: dict[str, Key] = {}
        self.died: dict[str, int] = {}
        """Dead subscription → the spell of being active in which it died."""
        self.spell = 0
        self.last_cancel: tuple[str, int] | None = None
        self.products: dict[str, tuple[int, Json]] = {}
        self.entitlements: dict[str, Json] = {}
        self.owners: dict[str, str | None] = {}
        """Item → its subscription, as grants' snapshots tell."""
        self.waiting: dict[str, int] = {}
        """Subscription, else item → when it was first out of stock in this run."""
        self.announced: dict[str, set[int]] = {}
        """Subscription → the `updated` of its reactivations that went out."""
        self.cycle: dict[str, set[str]] = {}
        """Subscription → the event types that told a reactivation since its last cancel."""
        self.checkouts = Checkouts()
        self._seen: set[Any] = set()

    @property
    def live(self) -> list[Json]:
        """The subscriptions that are active."""
        return [one for one in self.subscriptions.values() if one["live"]]

    @property
    def status(self) -> str | None:
        """`active` or `inactive`; None while no subscription was ever seen."""
        if not self.subscriptions:
            return None
        return "active" if self.live else "inactive"

    @property
    def person(self) -> Json:
        """What is known of the person."""
        return {name: value for name, (value, _) in self.profile.items()}

    def repeated(self, hook: Webhook) -> str | None:
        """`repeated_id` or `repeated_fact` if it was here before; remembers it.

        Both are forgotten after seven days of stream time, which no demo lasts.
        """
        about = hook.object.get("public_id")
        when = hook.object.get("updated") or hook.created
        fact = (hook.type, about, when, json.dumps(hook.object, sort_keys=True))
        again = (
            "repeated_id"
            if hook.id in self._seen
            else "repeated_fact"
            if fact in self._seen
            else None
        )
        self._seen |= {hook.id, fact}
        return again

    def learn(self, hook: Webhook) -> Learned:
        """Takes it in: person, subscriptions, products, entitlements, lines out of stock."""
        before, first = self._summary(), not self.subscriptions
        active = len(self.live)
        self._meet(hook)
        own = hook.family == "subscription"
        stale = own and not self._hold(hook.object, hook, _RANKS.get(hook.type, 0))
        contradicted = stale and self._contradicts(hook)
        for raw in hook.entities("subscriptions"):
            self._hold(raw, hook, 0)
        self._remember_products(hook)
        self._remember_entitlements(hook)
        self._remember_stock(hook)
        told = self._summary() != before
        self.version += told
        return Learned(
            told=told,
            stale=stale,
            contradicted=contradicted,
            first=first and bool(self.subscriptions),
            active_before=active,
            active_after=len(self.live),
        )

    def _summary(self) -> Any:
        return self.status, len(self.live), len(self.subscriptions), self.person

    def _meet(self, hook: Webhook) -> None:
        """Each field of the person from the newest who told it."""
        sources = [hook.snapshot.get("customer")]
        if hook.family == "subscriber":
            sources.append(hook.object)
        if hook.family == "workflow":
            sources.append(hook.object.get("subscriber"))
        for raw in filter(None, sources):
            updated = reading.moment(raw.get("last_updated")) or hook.created
            stamp = (updated, hook.created, hook.id)
            for name, value in reading.person(raw).items():
                if name not in self.profile or stamp > self.profile[name][1]:
                    self.profile[name] = (value, stamp)

    def _hold(self, raw: Json, hook: Webhook, rank: int) -> bool:
        """A subscription's news; False if something newer is known already."""
        news = reading.subscription(raw, hook.created)
        name = news["id"]
        key = (news["updated"], hook.created, rank, hook.id)
        if name in self.keys and key <= self.keys[name]:
            return False
        lived = self.subscriptions.get(name, {}).get("live", True)
        if not self.subscriptions or (news["live"] and not self.live):
            self.spell += 1
        if news["live"]:
            self.died.pop(name, None)
        elif lived:
            self.died[name] = self.spell
        self.subscriptions[name], self.keys[name] = news, key
        return True

    def _contradicts(self, hook: Webhook) -> bool:
        """Whether what is held says otherwise than this whether the subscription is live."""
        news = reading.subscription(hook.object, hook.created)
        return bool(self.subscriptions[news["id"]]["live"] != news["live"])

    def _remember_products(self, hook: Webhook) -> None:
        """Texts of products that a subscription names, the newest."""
        named = {one.get("product") for one in self.subscriptions.values()}
        for raw in hook.entities("products"):
            texts = reading.product(raw)
            name = texts["id"]
            if name in named and hook.created >= self.products.get(name, (0, {}))[0]:
                self.products[name] = (hook.created, texts)

    def _remember_entitlements(self, hook: Webhook) -> None:
        if hook.family != "entitlement":
            return
        self.owners.update(owners(hook))
        for raw in hook.object["entitlements"]:
            old = self.entitlements.get(raw["public_id"])
            if old is None or raw["last_updated"] >= old["last_updated"]:
                self.entitlements[raw["public_id"]] = raw

    def _remember_stock(self, hook: Webhook) -> None:
        """Runs of days out of stock: the earliest attempt counts, a placement ends it."""
        name = hook.object.get("subscription") or hook.object.get("public_id")
        if hook.type == "item.successfully_placed":
            self.waiting.pop(str(name), None)
        if hook.type == "item.out_of_stock":
            first = self.waiting.get(str(name), hook.created)
            fresh = hook.created - first > _RUN
            self.waiting[str(name)] = hook.created if fresh else min(first, hook.created)

    def texts(self, product: str | None) -> Json:
        """What is known of a product, at least its id."""
        return self.products.get(str(product), (0, known(id=product)))[1]


def owners(hook: Webhook) -> dict[str, str | None]:
    """Item → its subscription, as this webhook's snapshot tells."""
    return {raw["public_id"]: raw.get("subscription") for raw in hook.entities("items")}
