"""Logs of a worker: one line an event on standard error; Faust's own only when they warn."""

from __future__ import annotations

import logging
import sys

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
QUIET = ("faust", "mode", "aiokafka", "aiohttp", "httpx2", "httpcore2")


def configure_logs(level: str = "INFO") -> None:
    """Set up logging for this process."""
    logging.basicConfig(stream=sys.stderr, level=level, format=FORMAT, force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
