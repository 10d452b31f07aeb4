"""`./run chaos delivery --rounds N [--seed S]`: trouble for deliver workers and their vendors.

Each round has two connections, one of which has the trouble, and two workers. It counts only if its
fault met requests of the victim under way. Judged is what the vendors' simulators received: every
delivery arrived, first acceptances stand in order by customer, and nothing came again but what was
in flight at the fault. Exit 1 if anything is lost, reordered or repeated without a fault, or if
fewer rounds counted than were asked for. `--rounds 3` is the short form for CI.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.demo.broker import Broker
from tests.chaos.delivery.plan import KINDS, plans
from tests.chaos.delivery.round import run_round
from tests.chaos.delivery.tally import line, table
from tests.chaos.session import complete, hold, parser_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.chaos.delivery.round import Outcome


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rounds; 0 when each was good."""
    parser = parser_of("./run chaos delivery", __doc__, 3)
    options = complete(parser, parser.parse_args(arguments), KINDS)

    def rounds(place: Path) -> Iterator[Outcome]:
        with Broker(place / "kafka") as kafka:
            for plan in plans(options.seed, options.faults):
                folder = place / f"round-{plan.number}"
                folder.mkdir()
                yield run_round(kafka, folder, plan)

    return hold(options, "of delivery", rounds, line, table)
