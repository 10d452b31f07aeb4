"""Workers whose records are given up, and the commands on their dead letters."""

from __future__ import annotations

import asyncio
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from streams.avro import codec
from streams.demo.broker import free_ports
from streams.demo.children import Child, stop
from streams.demo.observation import Metrics
from streams.names import OKENDO
from tests.support.delivery_world import DeliveryWorld
from tests.support.health_pages import until_ready
from tests.support.letter_commands import PATIENCE, Letters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KLAVIYO = "klaviyo"
ENRICHED = codec("events/enriched")


class Vendor(DeliveryWorld):
    """A connection with its vendor, and the commands on its dead letters."""

    def letters(self) -> Letters:
        """The commands, with the workers' settings."""
        prefix = self._environment["STREAMS_PREFIX"]
        return Letters(self.kafka.bootstrap, prefix, self._environment)

    async def until_delivered(self, delivery: str) -> None:
        """Wait until a delivery has a good outcome in Kafka."""

        async def delivered() -> bool:
            found = await self.outcomes()
            return any(
                (each["delivery_id"], each["outcome"]) == (delivery, "delivered") for each in found
            )

        async with asyncio.timeout(PATIENCE):
            while not await delivered():  # noqa: ASYNC110 - no event tells of it
                await asyncio.sleep(0.1)


async def until(fact: Callable[[], bool]) -> None:
    """Wait until a fact holds that takes a look at Kafka, or at a worker."""
    async with asyncio.timeout(PATIENCE):
        while not await asyncio.to_thread(fact):  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0.1)


class Loyalty(Letters):
    """Okendo's members, and derive workers whose tiers may be other ones."""

    def __init__(self, bootstrap: str, prefix: str, folder: Path) -> None:
        super().__init__(
            bootstrap,
            prefix,
            {
                "STREAMS_CONNECTIONS__KLAVIYO__MODE": "shadow",
                "STREAMS_TOPICS__PARTITIONS": "3",
                "STREAMS_TOPICS__REPLICATION": "1",
                "STREAMS_DERIVE__HISTORY": "complete",
                "STREAMS_DERIVE__FLOWS_FROM": "beginning",
                "STREAMS_OKENDO__TIERS": '["Bronze"]',
            },
        )
        self._folder = folder
        assert self.run("topics", "create").code == 0

    def tell(self, *bodies: bytes) -> None:
        """Write webhooks to the source topic."""
        file = self._folder / "bodies.jsonl"
        file.write_bytes(b"\n".join(bodies))
        assert self.run("produce", OKENDO, str(file)).code == 0

    @contextmanager
    def worker(self, tiers: str) -> Iterator[Metrics]:
        """Have a derive worker with these tiers; its metrics, once it is ready."""
        (port,) = free_ports(1)
        environment = self.environment | {"STREAMS_OKENDO__TIERS": tiers}
        arguments = ("worker", "derive", "--port", str(port))
        child = Child(f"derive-{port}", arguments, self._folder, environment)
        try:
            until_ready(child, port)
            with closing(Metrics(f"http://127.0.0.1:{port}")) as metrics:
                yield metrics
        finally:
            stop([child])

    def told(self) -> list[str]:
        """Types of the events that derive told of."""
        topic = self.names.deliveries(KLAVIYO)
        return [ENRICHED.decode(each.value())["type"] for each in self.topics.records(topic)]
