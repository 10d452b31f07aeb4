"""All mutants, by what they are about."""

from __future__ import annotations

from tests.mutants import answers, batches, concluding, delivery, derive, engine, lanes
from tests.mutants.destinations import DESTINATIONS
from tests.mutants.loyalty import LOYALTY

ROOMS = (
    ("Order of arrival", derive.ORDER),
    ("Repetitions", derive.REPETITION),
    ("Ids and times", derive.IDS),
    ("Consequences", concluding.CONSEQUENCES),
    ("The past", concluding.PAST),
    ("Waiting", concluding.WAITING),
    ("Stream time", engine.TIME),
    ("Exactly once", engine.ONCE),
    ("Rows on disk", engine.DISK),
    ("Delivery", delivery.DELIVERY),
    ("Batches", batches.BATCHES),
    ("Answers", answers.ANSWERS),
    ("Beside the order", lanes.LANES),
    ("Profile versions", delivery.VERSIONS),
    ("Against draining", delivery.DRAINING),
    ("Destinations", DESTINATIONS),
    ("Loyalty", LOYALTY),
)
"""Title → mutants, in the order in which the docs show them."""

MUTANTS = tuple(mutant for _, room in ROOMS for mutant in room)
