"""Commands go by the mode that was decided, not by the settings' alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from streams.control.records import ConnectionState, Promotion
from streams.control.topic import ControlTopic
from tests.kafka.test_dead_letters import KLAVIYO, create, given_up, write
from tests.support.delivery_world import shop_event
from tests.support.letter_commands import Letters

if TYPE_CHECKING:
    from typing import Any

LIVE = ConnectionState(promotion=Promotion("live", "kim", 1))
NO_KEY = {"STREAMS_CONNECTIONS__KLAVIYO__CREDENTIALS": ""}


@pytest.fixture
def letters(broker: str, prefix: str) -> Letters:
    """Return the topics of a connection that is a shadow by its settings."""
    made = Letters(broker, prefix, {"STREAMS_CONNECTIONS__KLAVIYO__MODE": "shadow"})
    create(made)
    return made


def promote(letters: Letters) -> None:
    """Have it live from now on."""
    ControlTopic(letters.kafka, letters.names.control).change(KLAVIYO, lambda _: LIVE)


def connections(letters: Letters) -> list[dict[str, Any]]:
    """What the doctor says of connections, without credentials."""
    lines = letters.run("doctor", "--json", **NO_KEY).out.splitlines()
    return [each for each in map(json.loads, lines) if each["about"] == "connections"]


def test_a_redrive_warns_of_what_sends_nothing(letters: Letters) -> None:
    """Of a shadow; not of one that was promoted."""
    write(letters, given_up(shop_event("c1", 1), 0))
    shadow = letters.run("dead-letters", "redrive").err
    promote(letters)
    live = letters.run("dead-letters", "redrive").err

    assert "klaviyo is in mode shadow" in shadow
    assert not live


def test_a_promoted_connection_needs_credentials(letters: Letters) -> None:
    """The doctor says so, though its settings call it a shadow."""
    before = connections(letters)
    promote(letters)
    after = connections(letters)

    assert ["ok"] == [each["level"] for each in before]
    assert ["ok", "bad"] == [each["level"] for each in after]
    assert after[1]["says"].startswith("klaviyo: live by decision (settings: shadow)")
