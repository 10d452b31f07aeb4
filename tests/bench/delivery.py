"""`./run bench delivery`: how much of each vendor's allowed rate is reached, and what is refused.

Real deliver workers (`worker deliver --all`), a real broker, and the vendors' simulators over real
sockets: they answer after 200 ms and enforce the published limits. Vendors run at once, as far as
two cores can serve them: attentive, klaviyo and ometria, then yespo. Their delivery topics are
filled beforehand with the demo shop's events under new customers, with more than can be sent, so
that nothing but limits holds anything back. Requests are counted by the simulators, whatever they
carry. The first minute of each run does not count: vendors' minute windows are not full before, and
a second process has only a newcomer's portion of them.

With two processes nine tenths of the load lie in the partition of one of them.

Where nothing limits, one process sends to a simulator without limits and latency that runs beside
it on the same cores.
"""

from __future__ import annotations

import argparse
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

from tests.bench.deliveries import Run, fill_deliveries, prepared, start, templates
from tests.bench.measure import cpu_seconds, plain_table
from tests.bench.program import on_a_broker
from tests.bench.targets import at_least, at_most, print_targets
from tests.bench.vendors import LATENCY_SECONDS, VENDORS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.targets import Target
    from tests.bench.vendors import Count

WARM_SECONDS = 60.0
START_SECONDS = 40.0
"""Until all workers send, at most: so much more is filled in."""
MORE = 1.1
AT_ONCE = 400.0
"""Requests a second, of all vendors that run at once, at their allowed rates."""
SHARE = 95.0
FREE_RATE = 1_200.0
FREE_WARM_SECONDS = 5.0
FREE_SECONDS = 20.0
FREE_VENDOR = "klaviyo"

HEADING = (
    "vendor", "processes", "allowed/s", "reached/s", "share", "429", "by the busier process",
)  # fmt: skip


class Reached(NamedTuple):
    """What one vendor got in the steady state of one run.

    Attributes:
        vendor: whose simulator it was.
        processes: workers.
        rate: requests a second that were not refused.
        throttled: 429s.
        busier: share of what was accepted since the start that one worker sent.
    """

    vendor: str
    processes: int
    rate: float
    throttled: int
    busier: float

    @property
    def share(self) -> float:
        """Percent of the allowed rate."""
        return 100.0 * self.rate / VENDORS[self.vendor].allowed


def main(arguments: Sequence[str]) -> int:
    """Run the bench and print its figures."""
    parser = argparse.ArgumentParser(
        prog="./run bench delivery",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="In short: ./run bench delivery --vendors klaviyo,ometria --processes 1 --minutes 1",
    )
    parser.add_argument("--vendors", default=",".join(VENDORS), help="of them, by commas")
    parser.add_argument("--processes", type=int, choices=(1, 2), help="only this many")
    parser.add_argument("--skew", default="90/10", help="of the load, with two processes")
    parser.add_argument("--minutes", type=float, default=3.0, help="measured, after the first")
    parser.add_argument("--unlimited", action="store_true", help="only where nothing limits")
    options = parser.parse_args(arguments)
    vendors = options.vendors.split(",")
    first, _, second = options.skew.partition("/")
    if unknown := set(vendors) - set(VENDORS):
        parser.error(f"--vendors: {', '.join(unknown)}; known are {', '.join(VENDORS)}")
    if not (first.isdecimal() and second.isdecimal() and int(first) + int(second) == 100):
        parser.error("--skew: two numbers that make 100, like 90/10")
    targets: list[Target] = []
    with on_a_broker() as (place, bootstrap):
        events = templates()
        if not options.unlimited:
            for processes in (options.processes,) if options.processes else (1, 2):
                found: list[Reached] = []
                for number, group in enumerate(_groups(vendors)):
                    home = place / f"p{processes}-{number}"
                    run = Run(home, bootstrap, events, processes, int(second))
                    found += _limited(run, group, options.minutes)
                targets += _targets(found, f"two, {options.skew}" if processes > 1 else "one")
        if options.unlimited or options.processes is None:
            targets += _free(Run(place / "free", bootstrap, events, 1, 50))
    print_targets(targets)
    return 0


def _groups(vendors: Sequence[str]) -> list[list[str]]:
    """The vendors that run at once: with more, the machine would be the limit."""
    groups: list[list[str]] = []
    left = 0.0
    for name in vendors:
        rate = VENDORS[name].allowed * VENDORS[name].parts
        if rate > left:
            groups.append([])
            left = AT_ONCE
        groups[-1].append(name)
        left -= rate
    return groups


def _targets(found: Sequence[Reached], how: str) -> list[Target]:
    worst = min(found, key=lambda each: each.share)
    refused = sum(each.throttled for each in found)
    return [
        at_least(
            f"share of the allowed rate, processes: {how}; {worst.vendor}", SHARE, worst.share, " %"
        ),
        at_most(f"429s in steady state, processes: {how}", 0, refused),
    ]


def _limited(run: Run, vendors: Sequence[str], minutes: float) -> list[Reached]:
    """Run against the published limits, print what was reached, and return it."""
    seconds = WARM_SECONDS + minutes * 60 + START_SECONDS
    with ExitStack() as stack:
        simulators, environment = prepared(run, vendors, stack, limited=True)
        for name in vendors:
            vendor = VENDORS[name]
            fill_deliveries(run, name, int(vendor.allowed * vendor.records * seconds * MORE))
        workers = start(run, environment, len(vendors), stack)
        time.sleep(WARM_SECONDS)
        before = {name: each.count() for name, each in simulators.items()}
        time.sleep(minutes * 60)
        after = {name: each.count() for name, each in simulators.items()}
        accepted = [each.accepted() for each in workers]
        for each in workers:
            each.check()
    found = [
        _reached(name, run.processes, before[name], after[name], [a.get(name, 0) for a in accepted])
        for name in vendors
    ]
    print(
        f"{run.processes} process{'es' * (run.processes > 1)}, these at once, answers after "
        f"{LATENCY_SECONDS * 1_000:.0f} ms; {minutes:g} min after the first, which does not count"
    )
    print(plain_table(HEADING, map(_row, found)), flush=True)
    return found


def _free(run: Run) -> list[Target]:
    """Run where nothing limits, print the rate, and return the target."""
    seconds = FREE_WARM_SECONDS + FREE_SECONDS
    with ExitStack() as stack:
        simulators, environment = prepared(run, [FREE_VENDOR], stack, limited=False)
        fill_deliveries(run, FREE_VENDOR, int(3 * FREE_RATE * seconds))
        [worker] = start(run, environment, 1, stack)
        simulator = simulators[FREE_VENDOR]
        began = time.monotonic()
        while not simulator.count().requests and time.monotonic() < began + START_SECONDS:
            worker.check()
            time.sleep(0.1)
        time.sleep(FREE_WARM_SECONDS)
        before, cpu = simulator.count(), cpu_seconds(worker.pid)
        time.sleep(FREE_SECONDS)
        after, cpu = simulator.count(), cpu_seconds(worker.pid) - cpu
    rate = (after.requests - before.requests) / (after.at - before.at)
    print(
        f"nothing limits: {rate:,.0f} requests/s of one process, which took "
        f"{cpu / (after.at - before.at):.0%} of a core; simulator and broker share the machine"
    )
    return [at_least("requests/s of a process where nothing limits", FREE_RATE, rate)]


def _reached(
    vendor: str, processes: int, before: Count, after: Count, accepted: Sequence[float]
) -> Reached:
    throttled = after.throttled - before.throttled
    taken = after.requests - before.requests - throttled
    rate = taken / (after.at - before.at)
    return Reached(vendor, processes, rate, throttled, max(accepted) / max(1.0, sum(accepted)))


def _row(reached: Reached) -> tuple[str, ...]:
    return (
        reached.vendor,
        str(reached.processes),
        f"{VENDORS[reached.vendor].allowed:,.1f}",
        f"{reached.rate:,.1f}",
        f"{reached.share:.1f} %",
        str(reached.throttled),
        f"{reached.busier:.0%}",
    )
