"""All mutants, by what they are about."""

from __future__ import annotations

from tests.mutants import answers, batches, concluding, delivery, derive, engine, lanes, returning
from tests.mutants.destinations import DESTINATIONS
from tests.mutants.erasing import ERASED
from tests.mutants.indexing import INDEXED
from tests.mutants.loyalty import LOYALTY
from tests.mutants.replaying import REPLAYED

ROOMS = (
    ("Order of arrival", derive.ORDER),
    ("Repetitions", derive.REPETITION),
    ("Ids and times", derive.IDS),
    ("Consequences", concluding.CONSEQUENCES),
    ("The past", concluding.PAST),
    ("Waiting", concluding.WAITING),
    ("The first sync", returning.SYNC),
    ("Cards", returning.WARNINGS),
    ("What is done on purpose", returning.DECIDED),
    ("What is sent again", REPLAYED),
    ("Who was erased", ERASED),
    ("The console's index", INDEXED),
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
