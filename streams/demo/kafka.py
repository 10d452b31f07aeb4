"""`./run kafka`: a Kafka of one node for trials, by itself, until it is stopped.

What is written stays in its directory: started there again it is the same Kafka, with its topics.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from streams.demo.broker import Broker
from streams.demo.java import BrokerError


def main(arguments: list[str] | None = None) -> int:
    """Run it until SIGINT or SIGTERM; 1 when it cannot be started, or ends by itself."""
    options = _options(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    print(f"starting Kafka in {options.directory} …", flush=True)
    try:
        with Broker(options.directory, port=options.port) as broker:
            print(f"Kafka {broker.bootstrap}; Ctrl-C stops it", flush=True)
            broker.wait()
    except KeyboardInterrupt:
        return 0
    except BrokerError as error:
        print(error, file=sys.stderr)
    return 1


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run kafka", description=__doc__)
    parser.add_argument("--port", type=int, default=9092, help="for clients (default: 9092)")
    parser.add_argument(
        "--directory",
        type=Path,
        default=Path(__file__).parents[2] / ".run" / "kafka",
        help="what it writes; delete it to begin anew (default: .run/kafka here)",
    )
    return parser.parse_args(arguments)


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
