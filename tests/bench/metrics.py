"""`./run bench metrics`: what it costs to count, and to be asked for the counts every second.

The product's derive worker works off the demo shop's records, by turns as it is, with `/metrics`
read every second, and with its counting taken out and nobody asking. A pair counts by its ratio, so
that what else the machine does falls on both; and two pairs of opposite order make a round, for who
comes second finds a fuller broker. Outputs must be right, as in `bench derive`.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2

from streams.demo.broker import Broker, free_ports
from tests.bench.derive import Bench, WrongOutputs, machine, measured
from tests.bench.engines import Engine
from tests.bench.measure import Figure, plain_table
from tests.bench.targets import at_most, print_targets
from tests.bench.trial import TrialFailed
from tests.bench.workloads import product_workload, worker_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.bench.engines import Run

MOST_PERCENT = 3.0
"""Of throughput that metrics may cost (DESIGN §11)."""
EVERY = 1.0
STEADY = 1.1
"""How far apart rounds may be whose median says something."""
HEADING = ("round", "first", "counted, events/s", "not", "ratio", "CPU-s/million", "not", "ratio")


class Asking:
    """Asks a worker for its metrics every second.

    Attributes:
        answers: how many there were.
    """

    def __init__(self) -> None:
        self.answers = 0
        self._port = 0
        self._done = threading.Event()

    def next_port(self) -> int:
        """The port of the worker that is started next."""
        (self._port,) = free_ports(1)
        return self._port

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Ask, while this lasts; a worker that does not answer yet is asked again."""
        thread = threading.Thread(target=self._ask, daemon=True)
        self._done.clear()
        thread.start()
        try:
            yield
        finally:
            self._done.set()
            thread.join()

    def _ask(self) -> None:
        with httpx2.Client(timeout=10) as client:
            while not self._done.wait(EVERY):
                with suppress(httpx2.TransportError):
                    answer = client.get(f"http://127.0.0.1:{self._port}/metrics")
                    self.answers += "streams_events_total{" in answer.text


def main(arguments: Sequence[str]) -> int:
    """Run the bench; 1 if outputs were wrong, a worker failed, or nobody was answered."""
    options = _options(arguments)
    asking = Asking()
    with (
        tempfile.TemporaryDirectory(prefix="streams-bench-") as place,
        Broker(Path(place) / "kafka") as broker,
    ):
        directory = Path(place)
        shop = directory / "shop"
        shop.mkdir()
        print(machine(), flush=True)
        workload = product_workload(broker.bootstrap, options.partitions, options.events, shop)
        bench = Bench(options, broker, directory)
        engines = {"counted": _engine("counted", asking), "uncounted": _engine("uncounted", asking)}
        pairs: list[dict[str, Figure]] = []
        try:
            for number in range(2 * options.rounds):
                found: dict[str, Figure] = {}
                for name in _turns(number):
                    counted = name == "counted"
                    with asking.under_way() if counted else _nobody_asks():
                        figure = measured(bench, workload, engines[name], number)
                    if figure is None:
                        return 1
                    found[name] = figure
                pairs.append(found)
        except (TrialFailed, WrongOutputs) as error:
            print(error)
            return 1
    if not asking.answers:
        print("no worker answered /metrics: --events is too small")
        return 1
    _print(pairs, asking.answers)
    return 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run bench metrics", description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3, help="of two pairs each")
    parser.add_argument("--partitions", type=int, default=6)
    options = parser.parse_args(arguments)
    options.workers, options.slow_events = 1, options.events
    return options


def _turns(number: int) -> tuple[str, str]:
    """Who goes first: by turns, for what a broker has warm is the second one's gain."""
    return ("uncounted", "counted") if number % 2 else ("counted", "uncounted")


@contextmanager
def _nobody_asks() -> Iterator[None]:
    yield


def _engine(name: str, asking: Asking) -> Engine:
    module = "streams" if name == "counted" else "tests.bench.uncounted"

    def commands(run: Run) -> Sequence[Sequence[str]]:
        settings = worker_settings(run.bootstrap, run.prefix, run.partitions, "exactly_once")
        (run.directory / "streams.toml").write_text(settings)
        port = str(asking.next_port())
        return [[sys.executable, "-P", "-m", module, "worker", "derive", "--port", port]]

    return Engine(name=f"ours-{name}", label=name, guarantee="exactly-once", commands=commands)


def _print(pairs: Sequence[dict[str, Figure]], answers: int) -> None:
    rows: list[tuple[str, ...]] = []
    rates: list[float] = []
    costs: list[float] = []
    for number, pair in enumerate(pairs):
        counted, uncounted = pair["counted"], pair["uncounted"]
        rates.append(counted.per_second / uncounted.per_second)
        costs.append(counted.cpu_per_million / uncounted.cpu_per_million)
        rows.append(
            (
                str(number // 2 + 1),
                next(iter(pair)),
                f"{counted.per_second:,.0f}",
                f"{uncounted.per_second:,.0f}",
                f"{rates[-1]:.3f}x",
                f"{counted.cpu_per_million:,.1f}",
                f"{uncounted.cpu_per_million:,.1f}",
                f"{costs[-1]:.3f}x",
            )
        )
    print(f"\n{answers} times /metrics was answered; ratios: counted to not counted")
    print(plain_table(HEADING, rows))
    rates, costs = _rounds(rates), _rounds(costs)
    if max(rates) / min(rates) > STEADY:
        print("the rounds differ by more than a tenth: too busy a machine for a verdict")
    lost, added = (1 - statistics.median(rates)) * 100, (statistics.median(costs) - 1) * 100
    print_targets(
        [
            at_most("throughput lost, median of rounds", MOST_PERCENT, lost, " %"),
            at_most("CPU added, median of rounds", MOST_PERCENT, added, " %"),
        ]
    )


def _rounds(ratios: Sequence[float]) -> list[float]:
    """Of two pairs each: what the order did to one, it undid to the other."""
    return [statistics.geometric_mean(ratios[at : at + 2]) for at in range(0, len(ratios), 2)]
