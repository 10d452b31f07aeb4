"""Rows beside a simulated Ordergroove, over real sockets: what is found, and what is no drift."""

from __future__ import annotations

import asyncio
from random import random
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from streams.avro import codec
from streams.delivery.limits import Limiter
from streams.delivery.retry import Schedule
from streams.families import SUBSCRIBERS
from streams.ingest.ordergroove_api import OrdergrooveApi
from streams.ingest.ordergroove_requests import Manners
from streams.model.row_bytes import encode_row
from streams.reconcile.at_source import Theirs
from streams.reconcile.source_comparison import Ours, SourceComparison, SourceTerms, Suspect
from streams.reconcile.source_repair import Intake, append
from streams.simulators import SIMULATORS, Options
from streams.sources.ordergroove import WebhookOptions
from streams.sources.ordergroove.quirks import Reading
from tests.support.reconciled import AT, key, row
from tests.support.webhooks import MERCHANT

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.ingest.ordergroove_api import Entity
    from streams.replay.transaction import Appended

READING = Reading(ZoneInfo("America/Chicago"), "US", 0, AT)


def customer(number: int, **more: Any) -> dict[str, Any]:
    """A customer of the shop as Ordergroove has them."""
    who = row(number).profile
    told = {
        "merchant": MERCHANT, "merchant_user_id": f"{number:07}", "email": who.email,
        "phone_number": who.phone_number, "first_name": who.first_name,
        "last_name": who.last_name, "created": AT // 1_000, "last_updated": AT // 1_000,
    }  # fmt: skip
    return told | more


def subscription(number: int, id_: str = "", **more: Any) -> dict[str, Any]:
    """Their subscription."""
    [(own, state)] = row(number).subscriptions.items()
    told = {
        "merchant": MERCHANT, "customer": f"{number:07}", "public_id": id_ or own,
        "live": state.content.live, "created": AT // 1_000, "updated": AT // 1_000,
    }  # fmt: skip
    return told | more


def compare(
    people: list[dict[str, Any]],
    subscriptions: list[dict[str, Any]],
    hides: Callable[[str, str, int], bool] = lambda *_: False,
    newer: dict[bytes, bytes | None] | None = None,
    *,
    everything: bool = True,
) -> SourceComparison:
    """The rows of customers 0 to 2, some of them newer meanwhile, beside a shop that has these."""

    async def story() -> SourceComparison:
        options = Options(limits=None, switches={"odd_share": 0.0})
        async with SIMULATORS["ordergroove"](options) as simulator:
            shelves: Any = simulator.vendor
            for each in people:
                shelves.shelves.put("customers", each, AT // 1_000)
            for each in subscriptions:
                shelves.shelves.put("subscriptions", each, AT // 1_000)
            limiter = Limiter((), factor=None, safety=1.0, clock=lambda: 0.0)
            manners = Manners(limiter, Schedule(base=0.001).wait, lambda _: None, random)
            async with OrdergrooveApi(simulator.url, "key", MERCHANT, manners) as api:
                terms = SourceTerms(SUBSCRIBERS, {MERCHANT: api}, READING, hides)
                comparison = SourceComparison(terms)
                rows = {key(n).encode(): encode_row(row(n)) for n in range(3)}
                if everything:
                    await comparison.look_at_all([rows])
                else:
                    await comparison.look(rows)
                await comparison.look_again(lambda _: newer or {})
        return comparison

    return asyncio.run(story())


def found(comparison: SourceComparison) -> dict[str, list[str]]:
    """Customer → fields that differ."""
    suspects = comparison.suspects.items()
    return {name.decode(): [d.field for d in each.differences] for name, each in suspects}


PEOPLE = [customer(n) for n in range(3)]
HELD = [subscription(n) for n in range(3)]


def test_the_same_by_pages_and_one_by_one() -> None:
    """A sample and all come to the same; only all of it finds who has no row."""
    people = [customer(0, first_name="Somebody"), *PEOPLE[1:], customer(5)]
    held = [HELD[0], subscription(1, live=True), subscription(2, "other"), subscription(5)]
    wanted = {
        key(0): ["first_name"],
        key(1): ["status", "active_subscriptions"],
        key(2): ["subscriptions"],
    }

    assert wanted | {key(5): ["person"]} == found(compare(people, held))
    assert wanted == found(compare(people, held, everything=False))


def test_nothing_differs() -> None:
    """The same people, the same subscriptions."""
    comparison = compare(PEOPLE, HELD)

    assert {} == found(comparison)
    assert (3, 3, 0) == (
        comparison.findings.rows,
        comparison.findings.compared,
        comparison.findings.settled,
    )


def test_what_was_erased_is_no_difference() -> None:
    """Nobody who was erased, and of who came back nothing that is older."""

    def hides(_: str, customer_id: str, created: int) -> bool:
        return customer_id in {"0000001", "0000005"} or (customer_id == "0000000" and created < AT)

    old = subscription(0, "old", updated=AT // 1_000 - 9)
    comparison = compare([*PEOPLE, customer(5)], [*HELD, old, subscription(5)], hides)

    assert {} == found(comparison)
    assert 2 == comparison.findings.erased


SOURCE = codec("sources/ordergroove")


class Written:
    """What a repair appends."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []

    def append(self, records: list[Appended]) -> None:
        """Keep them."""
        self.records += [SOURCE.decode(each.value) for each in records]


def test_what_is_erased_meanwhile_is_not_written_back() -> None:
    """Nothing of whom the list holds by the time they are written; of who came back what is new."""
    erased = {"0000001": AT + 1}

    def hides(_: str, customer_id: str, created: int) -> bool:
        return created < erased.get(customer_id, 0)

    def suspect(number: int, *entities: tuple[Entity, dict[str, Any]]) -> Suspect:
        ours = Ours(key(number).encode(), MERCHANT, f"{number:07}")
        return Suspect(ours, Theirs(None, 0, {}), (), entities)

    def told(number: int, **newer: int) -> Suspect:
        return suspect(
            number,
            ("customers", customer(number, **newer)),
            ("subscriptions", subscription(number, f"old-{number}")),
        )

    written: Any = Written()
    intake = Intake("intake", SOURCE.encode, WebhookOptions(), AT + 9_000, hides)
    left = append(written, intake, [told(1), told(2), told(1, last_updated=AT // 1_000 + 5)], {})
    counts = list(left)

    assert [3] == counts
    assert ["0000002", "0000002", "0000001"] == [each["customer_id"] for each in written.records]
    assert ["customer.state", "subscription.state", "customer.state"] == [
        each["type"] for each in written.records
    ]


def test_what_cannot_be_read_is_counted() -> None:
    """A customer whose entity is odd beyond reading keeps nobody else from being compared."""
    odd = customer(1, email=["no", "text"])
    comparison = compare([PEOPLE[0], odd, PEOPLE[2]], HELD, everything=False)

    assert {} == found(comparison)
    assert 1 == comparison.findings.unreadable


def test_a_row_that_changed_is_read_again() -> None:
    """What differed when it was read, and agrees now, is settled; another one stays."""
    people = [customer(1, merchant_user_id="0000000"), *PEOPLE[1:]]
    held = [subscription(1, customer="0000000"), HELD[2]]  # what was 1's is 0's now
    now: dict[bytes, bytes | None] = {key(0).encode(): encode_row(row(1))}
    comparison = compare(people, held, newer=now)

    assert {key(0), key(1)} == found(compare(people, held)).keys()
    assert {key(1)} == found(comparison).keys()
    assert 1 == comparison.findings.settled
