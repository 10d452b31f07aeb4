"""The scanner for canaries sees every dress of every text, and nothing where nothing is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.canary import LEAKS, Scanner

SECRETS = {
    "key": "pk_7Qz4kLw9",
    "odd": "cr+w/q=z %2b&é",
    "other letters": "Zéphyrine Ærenlund",
    "beyond": "swan🦢 of the lake",
}


@pytest.mark.parametrize("dress", LEAKS)
@pytest.mark.parametrize("label", SECRETS)
def test_every_leak_is_found(label: str, dress: str) -> None:
    """Whatever stands around it."""
    leaked = f'12:00 INFO said={{"q": "{LEAKS[dress](SECRETS[label])}"}} in 3 ms'
    found = Scanner(SECRETS).scan("log", leaked)

    assert {label} == {each.canary for each in found}
    assert {"log"} == {each.channel for each in found}


@pytest.mark.parametrize("label", SECRETS)
def test_what_is_allowed_is_left_out(label: str) -> None:
    """Only the others are told of."""
    said = " ".join(SECRETS.values())

    assert SECRETS.keys() - {label} == {
        each.canary for each in Scanner(SECRETS).scan("page", said, [label])
    }


@given(st.binary(max_size=2_000))
def test_nothing_is_found_where_nothing_is(said: bytes) -> None:
    """And no bytes make the scanner fail."""
    assert [] == Scanner({"key": "pk_7Qz4kLw9-not-there"}).scan("noise", said)


@given(st.sampled_from(sorted(LEAKS)), st.text(max_size=30), st.text(max_size=30))
def test_what_stands_around_hides_nothing(dress: str, before: str, after: str) -> None:
    """No neighbours of a leak keep it from being seen."""
    leaked = f"{before} {LEAKS[dress](SECRETS['key'])} {after}"

    assert Scanner({"key": SECRETS["key"]}).scan("log", leaked.encode(errors="replace"))


def test_a_short_canary_is_refused() -> None:
    """It could hide in base64."""
    with pytest.raises(ValueError, match="too short to be found in base64: id"):
        Scanner({"id": "0088"})
