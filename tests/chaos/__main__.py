"""`./run chaos --rounds N [--seed S]`: put derive workers to faults, and compare with the truth.

A round counts only if its fault met an open transaction or a restore, as the worker itself says.
Exit 1 if anything differs, or if fewer rounds counted than were asked for. `./run chaos delivery`
does the like to deliver workers and their vendors (`tests.chaos.delivery`); `./run chaos replay`
has no faults, and judges replays (`tests.chaos.replay`). `./run chaos upgrade` has none either, and
two versions of the workers side by side (`tests.chaos.upgrade`).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from streams.demo.broker import Broker
from streams.demo.cluster import Cluster
from tests.chaos.delivery.main import main as delivery
from tests.chaos.plan import known_kinds, plans
from tests.chaos.replay.main import main as replay
from tests.chaos.round import run_round
from tests.chaos.session import complete, hold, parser_of
from tests.chaos.tally import line, table
from tests.chaos.upgrade.main import main as upgrade

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from pathlib import Path

    from tests.chaos.round import Outcome


def main() -> int:
    """Run the rounds; 0 when each was exact."""
    options = _options()

    def rounds(place: Path) -> Iterator[Outcome]:
        several, directory = options.brokers > 1, place / "kafka"
        with Cluster(directory, nodes=options.brokers) if several else Broker(directory) as kafka:
            for plan in plans(options.seed, options.faults):
                folder = place / f"round-{plan.number}"
                folder.mkdir()
                yield run_round(kafka, folder, plan, options.events, options.state)

    title = f"on {options.brokers} broker(s), {options.state} state"
    return hold(options, title, rounds, line, table)


def _options() -> argparse.Namespace:
    parser = parser_of("./run chaos", __doc__, 4)
    parser.add_argument("--events", type=int, default=5_000, help="webhooks a round, at least")
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=1)
    parser.add_argument("--state", choices=("memory", "rocksdb"), default="memory")
    options = parser.parse_args()
    return complete(parser, options, known_kinds(options.brokers))


if __name__ == "__main__":
    others = {"delivery": delivery, "replay": replay, "upgrade": upgrade}
    other = others.get(sys.argv[1]) if sys.argv[1:] else None
    sys.exit(main() if other is None else other(sys.argv[2:]))
