"""Rules of derivation on the cases that shuffled histories meet too rarely to hold them."""

from __future__ import annotations

from itertools import permutations

from tests.support.applied import run, state
from tests.support.customer_shop import BEGIN, subscription_event
from tests.support.driver import Driver, enriched
from tests.support.webhooks import DAY, START, subscription, webhook


def test_of_one_second_the_greater_id_is_the_later() -> None:
    """Changes with the same times and rank end alike in every order: by their event ids."""
    rivals = [
        subscription_event("subscription.change_quantity", id_, BEGIN, quantity=quantity)
        for id_, quantity in (("a", 5), ("b", 7), ("c", 6))
    ]
    ends = {
        state(run(order)[-1].after).subscriptions["oats"].quantity for order in permutations(rivals)
    }

    assert {6} == ends


def test_the_status_is_the_rows_and_never_the_events() -> None:
    """A create that is told again when it is forgotten leaves a churned customer inactive."""
    driver = Driver()
    created = webhook("subscription.create", subscription("oats"))
    ended = webhook("subscription.cancel", subscription("oats", START + DAY, live=False), START)
    driver.feed_all([created, ended])
    again = driver.feed(created, START + 30 * DAY)

    assert not again.duplicate
    assert ("inactive", 0) == (
        enriched(again, "subscription.create").profile.status,
        enriched(again, "subscription.create").profile.active_subscriptions,
    )
