"""What `./run bench derive` aims at (DESIGN §11): ratios of ours to each peer of one run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench.targets import Target, at_least, at_most

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from tests.bench.measure import Figure
    from tests.bench.workloads import Workload

FASTER = {
    "reference": {"faust": ("stock Faust at-least-once", 15), "quix": ("Quix exactly-once", 4)},
    "product": {"faust": ("stock Faust at-least-once", 10), "quix": ("Quix exactly-once", 3)},
}
"""Table → peer → how it is called, and by how much ours is to be faster."""
MICROSECONDS = 60
STEADY = 400_000
"""Events from which on a JVM's figure is its own more than its compiler's."""


def aims(
    workload: Workload, options: argparse.Namespace, figures: Mapping[str, Figure]
) -> list[Target]:
    """The targets that these figures, by engine, say something about."""
    targets: list[Target] = []
    ours = figures.get("ours")
    if ours is not None:
        for peer, (called, factor) in FASTER[workload.table].items():
            if peer in figures and options.workers == 1:
                ratio = ours.per_second / figures[peer].per_second
                targets.append(at_least(f"events/s against {called}", factor, ratio, "x"))
        if "kafka-streams" in figures and figures["kafka-streams"].events >= STEADY:
            targets += _java(ours, figures["kafka-streams"], options.workers)
    if workload.table == "product":
        events = max(each.events + each.excluded for each in figures.values())
        micros = workload.truth(events).cpu_micros
        targets.append(at_most("pipeline alone, CPU an event", MICROSECONDS, micros, " µs"))
    return targets


def _java(ours: Figure, java: Figure, workers: int) -> list[Target]:
    peer = "Kafka Streams exactly_once_v2"
    memory = at_most(f"peak memory of {peer}", 0.5, ours.peak_mib / java.peak_mib, "x")
    if workers > 1:
        name = f"events/s against {peer}, whole machine"
        return [at_least(name, 1, ours.per_second / java.per_second, "x"), memory]
    ratio = java.cpu_per_million / ours.cpu_per_million
    return [at_least(f"events per CPU-second against {peer}", 1.3, ratio, "x"), memory]
