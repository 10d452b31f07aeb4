"""What operators decide by the command line is on the audit topic, and names no customer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.demo.observation import Topics
from tests.kafka.test_dead_letters import CONNECTED, create, given_up, write
from tests.support.connections_world import MERCHANT, NAME, ConnectionsWorld
from tests.support.console_operated import actions
from tests.support.delivery_world import shop_event
from tests.support.letter_commands import Letters

if TYPE_CHECKING:
    import pytest

    from streams.control.audit import Action
    from streams.names import Names


def pairs(bootstrap: str, names: Names, verb: str) -> list[tuple[Action, Action]]:
    """The two records of each action."""
    found = actions(bootstrap, names, verb)
    assert ["began", "done"] * (len(found) // 2) == [each.state for each in found]
    return list(zip(found[::2], found[1::2], strict=True))


def raw(bootstrap: str, names: Names) -> bytes:
    """All that the audit topic holds."""
    return b"".join(each.value() or b"" for each in Topics(bootstrap).records(names.audit))


def test_decisions_about_connections(
    broker: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By whom, about which; why it was in their own words stays on the control topic."""
    monkeypatch.setenv("STREAMS_HASH_KEY", "k1")
    world = ConnectionsWorld(broker, prefix, monkeypatch)
    world.derive_begins()
    world.deliver_begins()
    for arguments in (
        ("pause", NAME, "--by", "kim", "--reason", "0088123 complained"),
        ("promote", NAME, "--allowlist", f"{MERCHANT}:0088123", "--by", "kim"),  # looks only
        ("promote", NAME, "--allowlist", f"{MERCHANT}:0088123", "--by", "kim", "--execute"),
        ("resume", NAME),
        ("reset", NAME),
    ):
        assert 0 == world.run(*arguments)[0]
    kafka, names = world.kafka.bootstrap, world.names
    [(paused, _)] = pairs(kafka, names, "connections.pause")
    [(promoted, _)] = pairs(kafka, names, "connections.promote")
    [(resumed, _)] = pairs(kafka, names, "connections.resume")
    [(reset, _)] = pairs(kafka, names, "connections.reset")

    assert ("kim", {"connection": NAME, "said_why": True}) == (paused.by, paused.what)
    assert ("kim", "allowlist", 1) == (
        promoted.by, promoted.what["mode"], len(promoted.what["customers"]),
    )  # fmt: skip
    assert {"connection": NAME, "how": None, "waited": 0} == resumed.what
    assert {"connection": NAME} == reset.what
    assert b"0088123" not in raw(kafka, names)


def test_a_decision_that_was_not_made_is_not_told(
    broker: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits and nobody decided about leaves no trace but the question."""
    world = ConnectionsWorld(broker, prefix, monkeypatch)
    world.deliver_begins()
    world.deliver("c1")

    assert 2 == world.run("resume", NAME)[0]
    assert [] == actions(world.kafka.bootstrap, world.names, "connections.resume")


def test_redrives_and_purges(broker: str, prefix: str) -> None:
    """Which were meant, and what was done; a dry run is no action."""
    letters = Letters(broker, prefix, {**CONNECTED, "STREAMS_HASH_KEY": "k1"})
    create(letters)
    event = shop_event("0088123", 1)
    write(letters, given_up(event, 0), given_up(shop_event("c2", 1), 1))
    customer = f"{event.merchant}:0088123"
    letters.redrive("--customer", customer)
    letters.do("purge", "--reason", "rejected", "--connection", "klaviyo", "--execute")
    [(redrive, redriven)] = pairs(broker, letters.names, "dead-letters.redrive")
    [(purge, purged)] = pairs(broker, letters.names, "dead-letters.purge")

    assert {"again", "customer", "ids", "letters"} == redrive.what.keys()
    assert {"appended": 1, "left_out": 0} == redriven.result
    assert {"connections": ["klaviyo"], "reasons": ["rejected"]} == purge.what
    assert {"settled": 2} == purged.result
    assert b"0088123" not in raw(broker, letters.names)
