"""`./run bench WHAT`: figures of this program on this machine. Tests never assert a time."""

from __future__ import annotations

import sys

from tests.bench import (
    delivery,
    derive,
    ingest,
    latency,
    low,
    memory,
    metrics,
    pipeline,
    rebalance,
    restore,
    scale,
    timeline,
)

BENCHES = {
    "delivery": delivery.main,
    "derive": derive.main,
    "ingest": ingest.main,
    "latency": latency.main,
    "low": low.main,
    "memory": memory.main,
    "metrics": metrics.main,
    "pipeline": pipeline.main,
    "rebalance": rebalance.main,
    "restore": restore.main,
    "scale": scale.main,
    "timeline": timeline.main,
}


def main() -> int:
    """Run the bench that is named."""
    if len(sys.argv) < 2 or sys.argv[1] not in BENCHES:
        print(f"usage: ./run bench {{{','.join(BENCHES)}}} …", file=sys.stderr)
        return 2
    return BENCHES[sys.argv[1]](sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
