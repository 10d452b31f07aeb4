"""Redriven deliveries: which parts go again, and which dead letter a part's conclusion settles.

A redriven record is the delivery as it was, with the letter's id in a header. A letter is settled
by a tombstone under its id; a part that is given up again writes the letter of the same id anew.
Pure: whoever concludes a part appends the tombstone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.delivery.dead_letters import GIVEN_UP
from streams.delivery.gate import REHEARSED
from streams.model.dead_letter import redriven_letter
from streams.model.fact import PROFILE_CHANGED

if TYPE_CHECKING:
    from streams.delivery.pending import Conclusion, Delivery


def goes_again(delivery: Delivery, part: str) -> bool:
    """Whether a part of a delivery is to be sent, as far as redriving has a say.

    Of a letter of the profile only the profile: the vendor has the event, and not every vendor
    knows it again (DESIGN §7, "a repeated id"). Else all of it: a profile that the vendor has
    already is known by its version.
    """
    letter = redriven_letter(delivery.headers)
    _, _, of = (letter or "").partition(":")
    return of != "profile" or part == of


def letter_of(delivery: Delivery, part: str) -> str | None:
    """The id of the dead letter that a part of a redriven delivery stands for, if it is for one.

    The delivery is rendered: its id is known.
    """
    letter = redriven_letter(delivery.headers)
    if letter is None:
        return None
    whose, is_part, of = letter.partition(":")
    if not is_part:  # the record could not be read, and now it can
        return letter
    alone = delivery.event is not None and delivery.event.type == PROFILE_CHANGED
    meant = part == of or (of == "event" and alone)  # a renderer that raises names no profile
    return letter if meant and whose == delivery.id else None


def settled_letter(delivery: Delivery, part: str, conclusion: Conclusion) -> str | None:
    """The id of the dead letter that a part's conclusion settles, if it settles one.

    Args:
        delivery: rendered.
        part: its name.
        conclusion: what came of it.
    """
    letter, outcome = letter_of(delivery, part), conclusion.outcome
    if letter is None or not outcome.final or conclusion.reason in REHEARSED:
        return None  # by the connection's mode nothing was tried: nothing is settled
    if letter.startswith(delivery.id) and outcome in GIVEN_UP:
        return None  # the same letter is written again
    return letter
