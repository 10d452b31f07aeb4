"""Two accounts at one vendor, each for a merchant of its own: the real commands from end to end."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import AsyncExitStack, closing
from typing import TYPE_CHECKING

from streams.demo.broker import free_ports
from streams.demo.observation import Metrics, Topics
from streams.names import ORDERGROOVE, Names
from streams.simulators import SIMULATORS, Options
from tests.support.engine_world import until
from tests.support.webhooks import MERCHANT, START, person, subscription, webhook

if TYPE_CHECKING:
    from pathlib import Path

    from streams.simulators import Simulator

PATIENCE = 90.0
KEYS = {"us": "pk_us_81c2", "eu": "pk_eu_4f07"}
MERCHANTS = {"us": MERCHANT, "eu": MERCHANT[::-1]}
MAIL = {"us": "nina@shop-demo.io", "eu": "lars@shop-demo.io"}


def webhooks(connection: str) -> list[bytes]:
    """A person and a subscription of a merchant, whose customers have the same ids everywhere."""
    bodies = [
        webhook("subscriber.create", person(email=MAIL[connection], last_updated=START)),
        webhook("subscription.create", subscription("oats", START)),
    ]
    return [each.replace(MERCHANT.encode(), MERCHANTS[connection].encode()) for each in bodies]


async def streams(environment: dict[str, str], *arguments: str) -> asyncio.subprocess.Process:
    """Start a command."""
    command = [sys.executable, "-m", "streams", *arguments]
    return await asyncio.create_subprocess_exec(*command, env=environment)


async def until_through(topics: Topics, names: Names, simulators: dict[str, Simulator]) -> None:
    """Wait until derive has committed all there is, and each vendor has got all of its own."""
    derived = names.derived(ORDERGROOVE)
    async with asyncio.timeout(PATIENCE):
        while await asyncio.to_thread(topics.behind, derived.group, derived.topic):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        for name, simulator in simulators.items():
            records = await asyncio.to_thread(list, topics.records(names.deliveries(name)))
            assert records
            while len(simulator.received) < len(records):  # noqa: ASYNC110
                await asyncio.sleep(0.1)


def told(simulator: Simulator) -> tuple[set[int | None], bool, bool]:
    """Statuses of a vendor's answers beside 201 and 202, and whose addresses it was told."""
    bodies = str([each.body for each in simulator.received])
    refusals = {each.status for each in simulator.received} - {201, 202}
    return refusals, MAIL["us"] in bodies, MAIL["eu"] in bodies


def test_each_merchant_has_its_own_account(broker: str, prefix: str, tmp_path: Path) -> None:
    """Each account is asked with its own key, which the other refuses, and for its people alone."""
    names, topics, file = Names(prefix), Topics(broker), tmp_path / "webhooks.jsonl"
    file.write_bytes(b"\n".join(webhooks("us") + webhooks("eu")))
    environment = {
        n: v for n, v in os.environ.items() if not n.startswith("STREAMS_CONNECTIONS")
    } | {
        "STREAMS_PREFIX": prefix,
        "STREAMS_KAFKA__BOOTSTRAP": broker,
        "STREAMS_TOPICS__PARTITIONS": "3",
        "STREAMS_TOPICS__REPLICATION": "1",
        "STREAMS_DERIVE__HISTORY": "complete",
        "STREAMS_DERIVE__FLOWS_FROM": "beginning",
    }

    (port,) = free_ports(1)

    async def story() -> list[tuple[set[int | None], bool, bool]]:
        async with AsyncExitStack() as stack:
            simulators: dict[str, Simulator] = {}
            for name, key in KEYS.items():
                options = Options(limits=None, switches={"keys": {key: {"account": name}}})
                simulator = await stack.enter_async_context(SIMULATORS["klaviyo"](options))
                simulators[name] = simulator
                ours = f"STREAMS_CONNECTIONS__{name.upper()}"
                environment.update(
                    {
                        f"{ours}__DESTINATION": "klaviyo",
                        f"{ours}__MODE": "live",
                        f"{ours}__START": "beginning",
                        f"{ours}__MERCHANTS": f'["{MERCHANTS[name]}"]',
                        f"{ours}__CREDENTIALS": key,
                        f"{ours}__URL": simulator.url,
                    }
                )
            for arguments in (("topics", "create"), ("produce", ORDERGROOVE, str(file))):
                assert await (await streams(environment, *arguments)).wait() == 0
            workers = [
                await streams(environment, "worker", "derive", "--port", str(port)),
                await streams(environment, "worker", "deliver", "--all", "--port", "0"),
            ]
            try:
                with closing(Metrics(f"http://127.0.0.1:{port}")) as metrics:
                    await asyncio.to_thread(until, metrics.ready, "derive is ready")
                await until_through(topics, names, simulators)
            finally:
                for worker in workers:
                    worker.terminate()
                    await worker.wait()
            return [told(each) for each in simulators.values()]

    assert [(set(), True, False), (set(), False, True)] == asyncio.run(story())
