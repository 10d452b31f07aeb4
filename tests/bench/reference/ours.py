"""The reference job on our own engine: a whole worker process.

`python -m tests.bench.reference.ours --bootstrap HOST:PORT --prefix P --partitions N
[--guarantee at_least_once]`: reads `P.in`, writes `P.<output>`; its table's changelog is
`P.changelog`, its first start is recorded on `P.control`.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from streams.engine.at_least_once import AtLeastOnce
from streams.engine.first_offsets import ensure_first_offsets
from streams.engine.job_handler import JobHandler
from streams.engine.kafka import KafkaSettings
from streams.engine.lane import Lane
from streams.engine.shell import build_app
from streams.engine.transactional import Transactional
from streams.engine.worker import run_worker
from streams.health import serve_health
from tests.bench.peers.arguments import engine_parser
from tests.bench.reference.job import OUTPUTS, apply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confluent_kafka import Message

    from streams.engine.job import Outputs
    from streams.engine.publication import Publication
    from streams.engine.rows import Rows

GROUPS = {"exactly_once": "ours", "at_least_once": "ours-alo"}
"""Guarantee → the group's name behind the prefix."""


class ReferenceJob:
    """A record into its customer's row, and its events to every output topic."""

    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = topics

    def apply(self, message: Message, rows: Rows, outputs: Outputs) -> None:
        """Apply one record."""
        key, value = message.key(), message.value()
        assert isinstance(key, bytes)
        assert isinstance(value, bytes)
        applied = apply(value, rows.get(key))
        rows.put(key, applied.row)
        for event in applied.events:
            outputs += [(topic, key, event, None) for topic in self._topics]

    def fire(self, key: bytes, due: int, now: int, rows: Rows, outputs: Outputs) -> None:  # noqa: ARG002
        """No row ever asks for a timer."""
        raise AssertionError(key)

    def due(self, row: bytes) -> int:  # noqa: ARG002 - part of the protocol
        """Return 0: no timers."""
        return 0


def main() -> int:
    """Run the worker until it is asked to stop."""
    parser = engine_parser(__doc__)
    parser.add_argument("--guarantee", choices=sorted(GROUPS), default="exactly_once")
    given = parser.parse_args()
    logging.basicConfig(level="WARNING", format="%(asctime)s %(threadName)s %(name)s: %(message)s")
    kafka = KafkaSettings(bootstrap=given.bootstrap)
    group = f"{given.prefix}-{GROUPS[given.guarantee]}"
    source = f"{given.prefix}.in"
    ensure_first_offsets(kafka, group, source, start="beginning", control=f"{given.prefix}.control")
    publication: Publication = AtLeastOnce(kafka)
    if given.guarantee == "exactly_once":
        publication = Transactional(kafka, f"{group}-{os.getpid()}")
    job = ReferenceJob([f"{given.prefix}.{name}" for name in OUTPUTS])
    handler = JobHandler(kafka, job, f"{given.prefix}.changelog", publication)
    lane = Lane(name="reference", topic=source, group=group, handler=handler)
    app = build_app(group, kafka, [lane], web_port=0, web_host="127.0.0.1")
    serve_health(app, app.pollers, CollectorRegistry())
    return run_worker(app)


if __name__ == "__main__":
    sys.exit(main())
