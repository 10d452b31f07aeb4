"""How a connection does, in words: by what was decided, who serves it, and what its vendor took."""

from __future__ import annotations

import pytest

from streams.cli.connections.state import contact_of, state_of
from streams.console.index import Minute
from streams.control.forecast import Contact
from streams.control.records import ConnectionState, Pause
from streams.delivery.gate import Gate

NAME = "klaviyo"
MINUTE = 60_000
DAY = 24 * 60 * MINUTE
NOW = 1_790_866_800_000
NEVER = Contact()


def tried(outcome: str, ago: int) -> dict[tuple[str, str], int]:
    """An outcome of so many milliseconds ago, and what another connection had just now."""
    return {(NAME, outcome): NOW - ago, ("other", "delivered"): NOW, ("other", "unauthorized"): NOW}


def retrying(ago: int) -> list[Minute]:
    """Tries of so many minutes ago."""
    return [Minute(NOW - ago * MINUTE, NAME, "retrying", 4)]


@pytest.mark.parametrize(
    ("mode", "pause", "workers", "said"),
    [
        ("off", None, 1, "rests: off by the settings"),
        ("live", Pause("kim", NOW, "drill"), 0, "by kim: drill"),
        ("live", None, 0, "trouble: no worker runs"),
        ("live", None, 1, "good: running"),
        ("shadow", None, 1, "good: running: sends nothing, records"),
    ],
)
def test_what_was_decided_and_who_serves_it(
    mode: str, pause: Pause | None, workers: int, said: str
) -> None:
    """In this order."""
    gate = Gate(mode=mode)  # type: ignore[arg-type]
    tone, told = state_of(gate, ConnectionState(pause=pause), NEVER, [], workers, NOW)

    assert f"{tone}: {told}".endswith(said)


@pytest.mark.parametrize(
    ("minutes", "contact", "said"),
    [
        (retrying(1), Contact(NOW - 2 * MINUTE), "trouble: the vendor takes nothing: 4 tries"),
        (retrying(1), Contact(NOW - MINUTE), "good: running; 4"),
        (retrying(9), NEVER, "good: running"),
    ],
)
def test_a_vendor_that_takes_nothing(minutes: list[Minute], contact: Contact, said: str) -> None:
    """Tried lately, and nothing arrived since."""
    tone, told = state_of(Gate(mode="live"), ConnectionState(), contact, minutes, 1, NOW)

    assert f"{tone}: {told}".startswith(said)


@pytest.mark.parametrize("ago", [1, 59 * MINUTE, 61 * MINUTE, 25 * 60 * MINUTE, 40 * DAY])
@pytest.mark.parametrize("arrived", [None, 1, 9 * DAY])
def test_refused_credentials_stay_red_until_something_is_taken_or_resumed(
    ago: int, arrived: int | None
) -> None:
    """However long ago that was, and however shortly after the last success."""
    told = tried("unauthorized", ago)
    if arrived is not None:
        told |= {(NAME, "delivered"): NOW - ago - arrived}

    def tone(state: ConnectionState, **more: int) -> str:
        found = told | {(NAME, name): at for name, at in more.items()}
        return state_of(Gate(mode="live"), state, contact_of(found, NAME), [], 1, NOW)[0]

    assert "trouble" == tone(ConnectionState())
    assert "trouble" == tone(ConnectionState(resumed_at=NOW - ago - 1))
    assert "good" == tone(ConnectionState(resumed_at=NOW - ago + 1))
    assert "good" == tone(ConnectionState(), duplicate=NOW - ago + 1)
