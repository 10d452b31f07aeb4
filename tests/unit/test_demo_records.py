"""The demo reads from simulators, over real sockets, which records a vendor took."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from streams.demo.ledger import VENDORS
from streams.demo.observation import Simulator
from tests.support import ometria_simulator, yespo_simulator

if TYPE_CHECKING:
    from tests.support.simulation import Account

Seen = tuple[int, int, list[Any]]
"""Records counted, calls, bodies of the records taken."""


async def seen(account: Account, vendor: str) -> Seen:
    """What the demo sees of the account's simulator."""

    def read() -> Seen:
        simulator = Simulator(account.simulator.url, VENDORS[vendor])
        try:
            count = simulator.count()
            return count, simulator.requests, [one.body for one in simulator.accepted()]
        finally:
            simulator.close()

    return await asyncio.to_thread(read)


def test_each_order_of_a_call_is_a_record_unless_it_was_refused() -> None:
    """Two calls with two orders each; one lacks its currency."""
    good, bad = yespo_simulator.order("OG-1"), yespo_simulator.order("OG-2")
    bad = {name: value for name, value in bad.items() if name != "currency"}
    other = yespo_simulator.order("OG-3")

    async def story(account: Account) -> Seen:
        await account.post(yespo_simulator.ORDERS, {"orders": [good, bad]})
        await account.post(yespo_simulator.ORDERS, {"orders": [other, good]})
        return await seen(account, "yespo")

    one, another = {"orders": [good]}, {"orders": [other]}
    assert (3, 2, [one, another, one]) == yespo_simulator.tell(story)


def test_each_record_of_a_push_counts_unless_it_was_refused() -> None:
    """A push is answered before its records are looked into; what is only asked brings none."""
    good, bad = ometria_simulator.contact("C-1"), ometria_simulator.contact("C-2")
    bad = {name: value for name, value in bad.items() if name != "email"}

    async def story(account: Account) -> Seen:
        await account.post(ometria_simulator.PUSH, [bad, good])
        await account.post(ometria_simulator.PUSH, [ometria_simulator.reminder()])
        await account.post(ometria_simulator.PUSH, {"no": "list"})
        await account.get(ometria_simulator.ERRORS)
        return await seen(account, "ometria")

    count, calls, bodies = ometria_simulator.tell(story)

    assert (2, 4, [good]) == (count, calls, bodies[0])
    assert "custom_event" == bodies[1][0]["@type"]
