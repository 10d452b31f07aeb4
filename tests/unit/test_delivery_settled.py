"""Which dead letter a redriven delivery settles, and which of its parts go again."""

from __future__ import annotations

import pytest

from streams.delivery.pending import Conclusion, Delivery
from streams.delivery.settled import goes_again, letter_of, settled_letter
from streams.model.delivery import Outcome
from streams.model.ids import dead_letter_id
from tests.support.enriched import bare

ID = "0d6f6a5e-9d3b-5c51-8d52-1f6f3d1a7b10"
RECORD = dead_letter_id("deliveries", 1, 7)
OTHER = dead_letter_id("deliveries", 1, 8)
KINDS = {"order": "order.success", "profile alone": "profile.changed"}


def delivery(redrive_of: str | None, kind: str = "order.success") -> Delivery:
    """A delivery that was redriven for a letter, or was not."""
    headers = {} if redrive_of is None else {"redrive_of": redrive_of.encode()}
    event = bare("order.success") if kind == "order.success" else bare("profile.changed")
    return Delivery(
        sequence=1,
        topic="deliveries",
        partition=1,
        epoch=1,
        offset=9,
        timestamp=0,
        key=b"m:1",
        value=b"",
        headers={"trace": b"7"} | headers,
        event=event,
        id=ID,
    )


@pytest.mark.parametrize("outcome", Outcome)
def test_a_part_that_ends_well_settles_its_letter(outcome: Outcome) -> None:
    """What is given up again is the same letter; what is not final says nothing yet."""
    conclusion = Conclusion(outcome)
    unsettled = {Outcome.REJECTED, Outcome.EXPIRED, Outcome.RETRYING, Outcome.UNAUTHORIZED}
    letter = f"{ID}:event"
    expected = None if outcome in unsettled else letter

    assert expected == settled_letter(delivery(letter), "event", conclusion)


@pytest.mark.parametrize(
    ("redrive_of", "part", "kind", "settled"),
    [
        pytest.param(f"{ID}:event", "event", "order", True, id="its part"),
        pytest.param(f"{ID}:event", "profile", "order", False, id="the event, not the profile"),
        pytest.param(f"{ID}:profile", "event", "order", False, id="the profile, not the event"),
        pytest.param(f"{ID}:profile", "profile", "order", True, id="its profile"),
        pytest.param(
            f"{ID}:event", "profile", "profile alone", True, id="it could not be rendered at all"
        ),
        pytest.param(f"{OTHER}:event", "event", "order", False, id="another delivery's"),
        pytest.param(RECORD, "profile", "order", True, id="a record that can be read now"),
        pytest.param(None, "event", "order", False, id="not redriven"),
        pytest.param("7", "event", "order", False, id="somebody else's header"),
        pytest.param(f"{ID}:event;DROP", "event", "order", False, id="no id"),
    ],
)
def test_which_letter_it_is(redrive_of: str | None, part: str, kind: str, *, settled: bool) -> None:
    """The letter's own part of its own delivery."""
    redriven = delivery(redrive_of, KINDS[kind])
    expected = redrive_of if settled else None

    assert expected == settled_letter(redriven, part, Conclusion(Outcome.DELIVERED))
    assert expected == letter_of(redriven, part)


def test_a_record_that_can_be_read_now_is_settled_whatever_comes_of_it() -> None:
    """What is given up of it has a letter of its own."""
    rejected = Conclusion(Outcome.REJECTED, "invalid", "email")

    assert RECORD == settled_letter(delivery(RECORD), "event", rejected)


@pytest.mark.parametrize(
    ("reason", "settled"),
    [("shadow", False), ("allowlist", False), ("percentage", False), ("late", True)],
)
def test_what_a_mode_holds_back_settles_nothing(reason: str, *, settled: bool) -> None:
    """In shadow nothing is sent: the letter still stands."""
    for letter in (f"{ID}:event", RECORD):
        found = settled_letter(delivery(letter), "event", Conclusion(Outcome.FILTERED, reason))

        assert (letter if settled else None) == found


@pytest.mark.parametrize(
    ("redrive_of", "parts"),
    [
        (None, ["event", "profile"]),
        (RECORD, ["event", "profile"]),
        (f"{ID}:event", ["event", "profile"]),
        (f"{ID}:profile", ["profile"]),
    ],
)
def test_which_parts_go_again(redrive_of: str | None, parts: list[str]) -> None:
    """Of a refused profile not the event: the vendor has it, and may not know it again."""
    redriven = delivery(redrive_of)

    assert parts == [each for each in ("event", "profile") if goes_again(redriven, each)]
