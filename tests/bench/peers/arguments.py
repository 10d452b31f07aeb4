"""What every engine of the bench is started with: written by the runner, read by each engine."""

from __future__ import annotations

import argparse


def engine_parser(description: str | None) -> argparse.ArgumentParser:
    """A parser of the arguments that all engines have; each adds its own."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--prefix", required=True)
    parser.add_argument("--partitions", type=int, required=True)
    return parser
