"""`streams check --topic`: the deliveries that a topic holds, judged for every destination."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import msgspec
from click.testing import CliRunner
from msgspec.structs import replace

from streams.cli import commands
from tests.support.delivery_world import DeliveryWorld, shop_event

if TYPE_CHECKING:
    import pytest


def test_a_topic_is_judged(broker: str, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a time on or from the beginning; what cannot be read is counted, not judged."""
    monkeypatch.setenv("STREAMS_KAFKA__BOOTSTRAP", broker)

    async def fill() -> str:
        async with DeliveryWorld(broker, prefix) as world:
            good, bad = shop_event("c1", 1), shop_event("c2", 2)
            world.feed(good, replace(bad, profile=replace(bad.profile, email="nobody")), b"broken")
            return world.names.deliveries("klaviyo")

    topic = asyncio.run(fill())

    def rates(*arguments: str) -> tuple[dict[str, float], str]:
        command = ["check", "--topic", topic, "--destination", "klaviyo", "--json", *arguments]
        result = CliRunner().invoke(commands, command, catch_exceptions=False)
        lines = [msgspec.json.decode(line) for line in result.stdout.splitlines()]
        return {each["rule"]: each["rate"] for each in lines if each["judged"]}, result.stderr

    everything, errors = rates()
    later, none = rates(
        "--since", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60))
    )

    assert 0.5 == everything["email"] == everything["no_identifier (email)"]
    assert "1 records could not be read" in errors
    assert ({}, "") == (later, none)
