"""From the fault to the end of the letter: workers give up, commands redrive, workers settle."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from typing import TYPE_CHECKING

from streams.demo.broker import free_ports
from streams.demo.observation import Metrics
from streams.names import OKENDO
from streams.simulators.faults import Fault
from tests.support.delivery_world import identity, shop_event
from tests.support.engine_world import until as wait
from tests.support.letter_worlds import KLAVIYO, Loyalty, Vendor, until
from tests.support.okendo import START, of_tier

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

REFUSED = shop_event("c1", 1)
LETTER = f"{identity(REFUSED)}:event"


def stand(metrics: Metrics, count: int) -> Callable[[], bool]:
    """Whether the worker's metrics say that so many letters stand."""
    return lambda: metrics.read().get("streams_dead_letters") == count


def test_a_refused_delivery_is_redriven_and_settled(broker: str, prefix: str) -> None:
    """Refused twice it is one letter; when the fault is mended the same delivery id arrives."""
    fault = Fault(kind="status", status=400, match={"unique_id": identity(REFUSED)})
    world = Vendor(broker, prefix, [fault])

    async def story() -> None:
        async with world:
            letters, (port,) = world.letters(), free_ports(1)
            world.feed(REFUSED, shop_event("c2", 1))
            await world.start("--port", str(port))
            await world.until_concluded()
            with closing(Metrics(f"http://127.0.0.1:{port}")) as metrics:
                await until(stand(metrics, 1))
                shown = await asyncio.to_thread(letters.do, "show", LETTER)
                first = letters.standing(KLAVIYO)[LETTER]["offset"]
                await asyncio.to_thread(letters.redrive)
                await until(lambda: letters.standing(KLAVIYO)[LETTER]["offset"] != first)
                second = letters.standing(KLAVIYO)
                world.simulator.set_faults(())
                await asyncio.to_thread(letters.redrive)
                await world.until_delivered(identity(REFUSED))
                await until(stand(metrics, 0))

            assert "rejected" == json.loads(shown)["reason"]
            assert {LETTER: False} == {each: told["marked"] for each, told in second.items()}
            assert "no dead letters" in letters.do("list")

    asyncio.run(story())

    assert 1 == world.accepted.count(identity(REFUSED))


def test_a_source_record_is_redriven_through_derive(
    broker: str, prefix: str, tmp_path: Path
) -> None:
    """A tier that the settings lack: refused twice it is one letter; mended, it is settled.

    A body that never was a record cannot go, and says so.
    """
    loyalty = Loyalty(broker, prefix, tmp_path)
    topic = loyalty.names.events(OKENDO)
    loyalty.tell(of_tier("Gold", START, 10).body, b'{"resourceType": "review", "topic": "create"}')
    with loyalty.worker('["Bronze"]') as metrics:
        wait(stand(metrics, 2), "two stand")
        by_topic = {each["topic"]: each for each in loyalty.standing(OKENDO).values()}
        never, first = by_topic[None]["id"], by_topic[topic]
        plan, body = loyalty.do("redrive"), loyalty.do("show", never, "--bytes")
        loyalty.redrive()
        wait(
            lambda: loyalty.standing(OKENDO)[first["id"]]["offset"] != first["offset"],
            "it is given up again",
        )
        second = loyalty.standing(OKENDO)
    before = loyalty.told()
    with loyalty.worker('["Bronze", "Gold"]') as metrics:
        loyalty.redrive()
        wait(stand(metrics, 1), "one is settled")

    assert "unknown_tier" == first["reason"]
    assert "never was a record" in plan
    assert f"→ {topic}" in plan
    assert '{"resourceType": "review", "topic": "create"}' == body
    assert {first["id"]: False, never: False} == {i: each["marked"] for i, each in second.items()}
    assert [never] == [*loyalty.standing(OKENDO)]
    assert [] == before
    assert "loyalty.enrolled" in loyalty.told()
