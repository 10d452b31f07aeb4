"""What a replayed record's headers say, and that what they say wrongly is never read around."""

from __future__ import annotations

from uuid import UUID

import pytest

from streams.errors import BadRecord
from streams.model.replayed import MODES, Replayed, replayed_of

RUN = "0d7c2f0e5a5e4c539a0e6f3d1c0b7f10"
OWN = "6f1d2a52-6d1f-5d0e-9a55-0d5f0c1f7b3e"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("label", [None, "autumn-2026"])
def test_headers_say_it_again(mode: str, label: str | None) -> None:
    """What is written is what is read."""
    replayed = Replayed(mode, RUN, label)  # type: ignore[arg-type]

    assert replayed == replayed_of(dict(replayed.headers))


def test_other_headers_say_nothing() -> None:
    """A record of derive's, or one that was redriven, does not go again."""
    assert replayed_of({}) is None
    assert replayed_of({"redrive_of": b"7", "connection": b"klaviyo"}) is None


@pytest.mark.parametrize(
    ("headers", "field"),
    [
        ({"replay_mode": b"everything", "replay_run": b"r1"}, "replay_mode"),
        ({"replay_mode": b"Fill", "replay_run": b"r1"}, "replay_mode"),
        ({"replay_mode": b"", "replay_run": b"r1"}, "replay_mode"),
        ({"replay_mode": b"\xff", "replay_run": b"r1"}, "replay_mode"),
        ({"replay_run": b"r1"}, "replay_mode"),
        ({"replay_new_ids": b"x"}, "replay_mode"),
        ({"replay_mode": b"fill"}, "replay_run"),
        ({"replay_mode": b"fill", "replay_run": b""}, "replay_run"),
        ({"replay_mode": b"trigger", "replay_run": b"r1", "replay_new_ids": b""}, "replay_new_ids"),
        (
            {"replay_mode": b"trigger", "replay_run": b"r1", "replay_new_ids": b"a b"},
            "replay_new_ids",
        ),
        (
            {"replay_mode": b"trigger", "replay_run": b"r1", "replay_new_ids": b"a" * 65},
            "replay_new_ids",
        ),
    ],
)
def test_what_cannot_be_obeyed_is_bad(headers: dict[str, bytes], field: str) -> None:
    """The header is named."""
    with pytest.raises(BadRecord) as caught:
        replayed_of(headers)

    assert field == caught.value.field


def test_new_ids_are_of_the_old_id_and_the_label() -> None:
    """The same label gives the same id in every run, another one another; without it, its own."""
    first, again = Replayed("trigger", "r1", "a").id_of(OWN), Replayed("fill", "r2", "a").id_of(OWN)

    assert OWN == Replayed("trigger", "r1").id_of(OWN)
    assert first == again
    assert 3 == len({OWN, first, Replayed("trigger", "r1", "b").id_of(OWN)})
    assert 5 == UUID(first).version
