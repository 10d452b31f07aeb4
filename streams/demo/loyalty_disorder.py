"""Dirt among loyalty webhooks: repeated ones, and ones that nobody can read.

`LoyaltyDirt` stands between the stories and the programme's queue of arrivals. What it puts in is
labelled, so that tests can hold the bookkeeping's findings beside it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from streams.demo.loyalty_catalog import OTHER_RESOURCES
from streams.demo.loyalty_webhooks import MEMBER, Sent
from streams.demo.reading import LARGEST

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from streams.demo.loyalty_webhooks import Okendo

Json = dict[str, Any]

_HOUR = 3_600


class LoyaltyDirt:
    """Repeats some of what passes, and makes webhooks that nobody can read.

    Args:
        rng: the source of chance.
        okendo: numbers webhooks.
        post: takes a webhook, its time of arrival, and what it is labelled ("" for a proper one).
    """

    def __init__(self, rng: Random, okendo: Okendo, post: Callable[[Sent, int, str], None]) -> None:
        self._rng = rng
        self._okendo = okendo
        self._post = post
        self._samples: dict[str, bytes] = {}
        self._passed = 0

    def post(self, sent: Sent, arrives: int) -> None:
        """Passes it on; some come twice: at once, hours later, or as another message."""
        self._post(sent, arrives, "")
        self._passed += 1
        if b'"amount"' in sent.body or b'"status"' in sent.body:
            kind = json.loads(sent.body)["resourceType"]
            self._samples["member" if kind == MEMBER else "transaction"] = sent.body
        place = self._passed % 40
        if place == 7:
            self._post(sent, arrives + self._rng.randint(0, 3), "repeated_id")
        elif place == 21:
            self._post(sent, arrives + self._rng.randint(1, 3) * _HOUR, "repeated_id")
        elif place == 34:
            other = Sent(sent.body, self._okendo.message())
            label = "repeated_fact"
            self._post(other, arrives + self._rng.randint(0, 90), label)

    def _sample(self, of: str) -> Json | None:
        """A proper body to spoil, under a number of its own."""
        body = self._samples.get(of)
        if body is None:
            return None
        told: Json = json.loads(body)
        kind, topic, resource = told["resourceType"], told["topic"], told["resource"]
        fresh: Json = json.loads(self._okendo.webhook(kind, topic, resource).body)
        return fresh

    def _spoil(self, of: str, now: int, label: str, *places: tuple[str, Any]) -> None:
        """A body with another value at one of these places; None: without one.

        A place is a name in the resource or, with a leading dot, beside it.
        """
        body = self._sample(of)
        if body is None:
            return
        place, value = self._rng.choice(places)
        where = body if place.startswith(".") else body["resource"]
        name = place.removeprefix(".")
        if value is None:
            del where[name]
        else:
            where[name] = value
        self._post(Sent(self._okendo.write(body), self._okendo.message()), now, label)

    def elsewhere(self, now: int) -> None:
        """Of a resource or a topic that has nothing to do with loyalty."""
        other = self._rng.choice(OTHER_RESOURCES)
        self._spoil("member", now, "unknown_type", (".resourceType", other), (".topic", "restore"))

    def malformed(self, now: int) -> None:
        """Not JSON, or JSON but no object."""
        body = self._samples.get("member")
        if body:
            broken = (b"<html>502 Bad Gateway</html>", body[: len(body) // 2], b'["loyalty"]')
            self._post(Sent(self._rng.choice(broken)), now, "malformed")

    def nobody(self, now: int) -> None:
        """Of a member who has no id."""
        label = "missing_field"
        self._spoil("transaction", now, label, ("loyaltyCustomerId", ""))
        self._spoil("member", now, label, ("loyaltyCustomerId", None))

    def missing(self, now: int) -> None:
        """Something is missing that nobody can do without."""
        label = "missing_field"
        places = (("amount", None), ("loyaltyTransactionId", None), (".sequenceNumber", None))
        self._spoil("transaction", now, label, *places)
        self._spoil("member", now, label, ("status", None), (".resource", None))

    def mistyped(self, now: int) -> None:
        """A value that cannot be read as what it should be."""
        places = (("amount", "many"), ("date", "yesterday"), (".sequenceNumber", "88-1"))
        self._spoil("transaction", now, "wrong_type", *places)
        self._spoil("member", now, "wrong_type", (".resource", ["member"]))

    def unknown_status(self, now: int) -> None:
        """A status of which no document speaks."""
        self._spoil("member", now, "unknown_value", ("status", "suspended"))

    def unknown_tier(self, now: int) -> None:
        """A tier of which the settings know nothing: the record is on the topic by then."""
        self._spoil("member", now, "unknown_tier", ("vipTierName", "Platinum"))

    def too_large(self, now: int) -> None:
        """Over a million bytes."""
        self._spoil("member", now, "too_large", ("note", "x" * LARGEST))
