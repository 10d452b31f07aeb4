"""What the page Flow is told, on a real broker: also by a console that began before its topics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.cli.console.flow import Flow
from streams.settings import load_settings
from tests.support.connections_world import NAME, ConnectionsWorld, EmptyIndex
from tests.support.engine_world import until

if TYPE_CHECKING:
    import pytest


def test_decisions_are_followed_once_there_is_a_topic_for_them(
    broker: str, prefix: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A console that began before `topics create` shows what is decided after it."""
    monkeypatch.setenv("STREAMS_PREFIX", prefix)
    monkeypatch.setenv("STREAMS_KAFKA__BOOTSTRAP", broker)
    monkeypatch.setenv(f"STREAMS_CONNECTIONS__{NAME.upper()}__MODE", "shadow")
    flow = Flow(load_settings(), EmptyIndex(), dict)
    flow.start()
    try:
        until(lambda: "what was decided is not known" in caplog.text, "there is no topic")
        world = ConnectionsWorld(broker, prefix, monkeypatch)
        world.deliver_begins()
        world.run("pause", NAME, "--by", "kim")
        until(lambda: flow.look().connections[0].tone == "rests", "the decision is known")
        [shown] = flow.look().connections
    finally:
        flow.close()

    assert shown.state.endswith("by kim")
