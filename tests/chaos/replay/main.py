"""`./run chaos replay --rounds N [--seed S]`: replays in every mode to every vendor, and judged.

Each round plans, runs and reports a replay of at least 1,000 deliveries by the real commands, on a
real broker with a real deliver worker, without limits. Half of the deliveries were sent before, by
the live lane; some lie there twice. Judged is what the vendors' simulators say that started flows:
none but those that a `trigger` meant; and what was planned beside what happened: within 5 %. A
scene of deliveries serves several rounds. `--rounds 4` is the short form for CI. With `--limits 1`
the vendors' limits hold, and how long each took is judged beside what was planned: by eye, a busy
machine adds to it.
"""

from __future__ import annotations

from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Final

from streams.demo.broker import Broker
from tests.chaos.replay.round import plans, run_round
from tests.chaos.replay.scene import Scene
from tests.chaos.replay.tally import line, table
from tests.chaos.replay.vendors import Vendors
from tests.chaos.session import complete, hold, parser_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.chaos.replay.round import Outcome

KINDS: Final = ("replay",)
_A_SCENE: Final = 34
"""Rounds with the same deliveries: each vendor and mode about twice."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rounds; 0 when each was good."""
    parser = parser_of("./run chaos replay", __doc__, 4)
    parser.add_argument("--deliveries", type=int, default=1_600, help="of each connection")
    parser.add_argument("--only", help="only replays of this kind: 'klaviyo trigger new ids'")
    parser.add_argument("--limits", type=float, help="the vendors' limits, times this; none else")
    options = complete(parser, parser.parse_args(arguments), KINDS)
    chance = Random(options.seed)

    def rounds(place: Path) -> Iterator[Outcome]:
        kind = options.only
        several = (each for each in plans(chance) if kind in {None, each.kind})
        with Broker(place / "kafka") as kafka:
            number = 0
            while True:
                number += 1
                folder = place / f"scene-{number}"
                folder.mkdir()
                count = options.deliveries
                with (
                    Vendors(options.limits) as vendors,
                    Scene(
                        *(kafka.bootstrap, folder, vendors, chance),
                        count=count,
                        limits=options.limits,
                    ) as scene,
                ):
                    for plan in islice(several, _A_SCENE):
                        yield run_round(scene, vendors, plan)

    return hold(options, "of replay", rounds, line, table)
