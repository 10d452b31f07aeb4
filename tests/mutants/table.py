"""All mutants, by what they are about."""

from __future__ import annotations

from tests.mutants import concluding, delivery, derive, engine
from tests.mutants.destinations import DESTINATIONS

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
    ("Profile versions", delivery.VERSIONS),
    ("Against draining", delivery.DRAINING),
    ("Destinations", DESTINATIONS),
)
"""Title → mutants, in the order in which the docs show them."""

MUTANTS = tuple(mutant for _, room in ROOMS for mutant in room)
