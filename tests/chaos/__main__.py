"""`./run chaos --rounds N`: kill, stop and restart derive workers; compare with the truth."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from streams.demo.broker import Broker
from tests.chaos.derive_round import Round


def main() -> int:
    """Run the rounds; 0 when each was exact."""
    parser = argparse.ArgumentParser(prog="./run chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--events", type=int, default=50_000, help="webhooks a round")
    parser.add_argument("--seed", type=int, default=1, help="of the first round; others follow")
    options = parser.parse_args()
    failed = 0
    with (
        tempfile.TemporaryDirectory(prefix="streams-chaos-") as place,
        Broker(Path(place) / "kafka") as broker,
    ):
        for seed in range(options.seed, options.seed + options.rounds):
            began = time.monotonic()
            directory = Path(place) / f"round-{seed}"
            directory.mkdir()
            report = Round(broker.bootstrap, directory, seed, options.events).run()
            verdict = "; ".join(report.differences) or "exact"
            failed += bool(report.differences)
            print(
                f"round {seed}: {report.records:,} records, {report.outputs:,} outputs, "
                f"{report.rows:,} rows; killed at {report.killed_at} with "
                f"{report.open_partitions} partitions in an open transaction: "
                f"{verdict} ({time.monotonic() - began:.0f} s)",
                flush=True,
            )
    print(f"{options.rounds - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
