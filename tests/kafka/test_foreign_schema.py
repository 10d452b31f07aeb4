"""A merchant's own schema on a real broker, by a registry: in order, whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.foreign import MERCHANT, SETTINGS, TEXT, contract, notice, parcel
from tests.support.registry import framed
from tests.support.registry_world import RegistryWorld

if TYPE_CHECKING:
    from pathlib import Path

STOPPED = contract(running=False, after=5, ended={"grounds": "8|Costs too much"})
CHANGES = (("STARTED", contract()), ("NOTED", None), ("SHIPS_SOON", parcel()), ("STOPPED", STOPPED))
CUSTOMERS = [f"00{number}" for number in range(9)]


def test_records_that_share_nothing_with_ours(broker: str, prefix: str, tmp_path: Path) -> None:
    """Each change is an event of its customer, in order; a bad one is one letter, and no event.

    The schema is registered after the worker began, and the key does not name the merchant.
    """
    settings = tmp_path / "club.toml"
    settings.write_text(SETTINGS)
    with RegistryWorld(broker, prefix, tmp_path) as world:
        world.environment["STREAMS_SETTINGS"] = str(settings)
        world.environment["STREAMS_DERIVE__HISTORY"] = "complete"
        world.register()
        world.start().until_ready()
        topic = world.names.events("ordergroove")
        number = world.server.register("club.notices-value", TEXT)
        for customer in CUSTOMERS:
            value = framed(number, TEXT, notice(*CHANGES, uid=int(customer)))
            world.append(topic, f"club-{customer}".encode(), value)
        bad = framed(number, TEXT, notice(("STARTED", contract()), ("MOVED", None)))
        world.append(topic, b"club-bad", bad)
        world.append(topic, b"bad", framed(number, TEXT, notice(("STARTED", contract()))))
        world.until_committed(len(CUSTOMERS) + 2)
        told = world.read(world.names.deliveries("klaviyo"), "events/enriched")
        letters = world.letters()

    of = {
        customer: [each for each in told if each["customer_id"] == customer]
        for customer in CUSTOMERS
    }
    types = [
        "subscription.create",
        "subscriber.create",
        "order.reminder",
        "subscription.cancel",
        "subscriber.cancel",
    ]
    assert dict.fromkeys(CUSTOMERS, types) == {
        customer: [each["type"] for each in events if "subscriptions_created" not in each["type"]]
        for customer, events in of.items()
    }
    assert {MERCHANT} == {each["merchant"] for each in told}
    assert {"8"} == {
        each["event_id"].partition("#")[0] for each in of["008"] if each["type"] == "order.reminder"
    }
    cancelled = next(each for each in of["003"] if each["type"] == "subscription.cancel")
    assert ("Costs too much", 8) == (
        cancelled["subscription"]["cancel_reason"],
        cancelled["subscription"]["cancel_reason_code"],
    )
    assert {"noor@shop-demo.io"} == {each["profile"]["email"] for each in told}
    assert [
        ("unknown_value", "`values` does not name MOVED, in element 1 of `each`"),
        ("wrong_key", "the record's key is not club-{customer_id}"),
    ] == sorted(letters)
