"""Deliver obeys what a replayed record says: its mode, its ids, and nothing that it cannot read."""

from __future__ import annotations

import asyncio

from streams.delivery.pending import Recalled
from streams.model.delivery import Outcome
from streams.model.ids import delivery_id
from streams.model.replayed import Replayed
from tests.support.delivery import Stage
from tests.support.delivery_vendor import event

CUSTOMER = b"m1:c1"


def headers(mode: str, new_ids: str | None = None) -> tuple[tuple[str, bytes], ...]:
    """Of a run's records."""
    return tuple(Replayed(mode, "r1", new_ids).headers)  # type: ignore[arg-type]


def test_an_unknown_mode_is_a_dead_letter() -> None:
    """Nothing of it is sent, and it keeps back nobody."""

    async def story() -> None:
        async with Stage() as stage:
            stage.own(0)
            stage.headers = (("replay_mode", b"everything"), ("replay_run", b"r1"))
            await stage.feed(event())
            stage.headers = ()
            await stage.feed(event(customer="c2"))
            await stage.until_offset(2)
            letters.extend(stage.dead_letters("reason", "field"))
            sent.extend(stage.server.events)

    letters: list[object] = []
    sent: list[object] = []
    asyncio.run(story())

    assert [("unknown_value", "replay_mode")] == letters
    assert ["c2-1"] == sent


def test_fill_sends_nothing_that_may_start_a_flow() -> None:
    """This vendor has no word for data: its events stay here, its profiles go."""

    async def story() -> None:
        async with Stage() as stage:
            stage.own(0)
            stage.headers = headers("fill")
            await stage.feed(event("both"))
            await stage.until_offset(1)
            told.extend(stage.outcomes("reason"))

    told: list[tuple[object, ...]] = []
    asyncio.run(story())

    assert {
        ("c1-1", "event", "filtered", "would_trigger"),
        ("c1-1", "profile", "delivered", None),
    } == set(told)


def test_profile_only_sends_the_same_profile_again_and_no_older_one() -> None:
    """What the vendor has may have been changed there; what it had before never comes back."""

    async def story() -> None:
        async with Stage() as stage:
            stage.profiles = {0: {CUSTOMER: 2}}
            stage.own(0)
            stage.headers = headers("profile-only")
            await stage.feed(event("both", number=1), event("both", number=2))
            await stage.until_offset(2)
            told.extend(stage.outcomes("reason"))

    told: list[tuple[object, ...]] = []
    asyncio.run(story())

    assert [
        ("c1-1", "profile", "superseded", None),
        ("c1-2", "profile", "delivered", None),
    ] == told


def test_trigger_goes_with_new_ids() -> None:
    """The id that the vendor gets is derived from the old one and the label."""
    own = delivery_id("c1-1", "order.success", "conn")
    fresh = Replayed("trigger", "r1", "autumn").id_of(own)

    async def story() -> None:
        async with Stage() as stage:
            stage.own(0)
            stage.headers = headers("trigger", "autumn")
            await stage.feed(event())
            await stage.until_offset(1)
            told.extend(stage.outcomes("delivery_id"))

    told: list[tuple[object, ...]] = []
    asyncio.run(story())

    assert [("c1-1", "event", "delivered", fresh)] == told
    assert own != fresh


def test_a_restart_sends_nothing_twice() -> None:
    """What an earlier run concluded of this very record is recalled, under its new id too."""
    fresh = Replayed("trigger", "r1", "autumn").id_of(delivery_id("c1-1", "order.success", "conn"))

    async def story() -> None:
        async with Stage() as stage:
            stage.recalled = {0: {0: (Recalled(fresh, "event", 0, Outcome.DELIVERED),)}}
            stage.own(0)
            stage.headers = headers("trigger", "autumn")
            await stage.feed(event(), event(customer="c2"))
            await stage.until_offset(2)
            sent.extend(stage.server.events)

    sent: list[object] = []
    asyncio.run(story())

    assert ["c2-1"] == sent


def test_modes_hold_for_what_goes_again() -> None:
    """In shadow nothing is sent, whatever the record says."""

    async def story() -> None:
        async with Stage(mode="shadow") as stage:
            stage.own(0)
            stage.headers = headers("trigger")
            await stage.feed(event())
            await stage.until_offset(1)
            told.extend(stage.outcomes("reason"))
            assert not stage.server.seen

    told: list[tuple[object, ...]] = []
    asyncio.run(story())

    assert [("c1-1", "event", "filtered", "shadow")] == told
