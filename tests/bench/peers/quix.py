"""Quix Streams, exactly once: a stateful `apply` with its RocksDB state and changelog.

Runs in a virtual environment of its own (`tests.bench.peers.quix_home`), with this repository on
its path for the job. It is given what our own engine has: large checkpoints, batches in the
producer, a deep fetch queue, no compression.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from quixstreams import (  # type: ignore[import-not-found] # it has an environment of its own
    Application,
    message_context,
)
from quixstreams.models.serializers import (  # type: ignore[import-not-found]
    BytesDeserializer,
    BytesSerializer,
    Serializer,
)

from tests.bench.peers.arguments import engine_parser
from tests.bench.peers.jobs import Place, Product
from tests.bench.reference import job as reference

if TYPE_CHECKING:
    import argparse

ROW = "row"


class ValueSerializer(Serializer):  # type: ignore[misc]
    """Writes the value of a (topic, key, value)."""

    def __call__(self, value: Any, ctx: Any) -> bytes:  # noqa: ARG002 - Quix's own
        """Return the value's bytes."""
        encoded: bytes = value[2]
        return encoded


def application(given: argparse.Namespace) -> Any:
    """The Quix application."""
    return Application(
        broker_address=given.bootstrap,
        consumer_group=f"{given.prefix}-quix",
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        commit_interval=given.commit_interval,
        commit_every=given.commit_every,
        state_dir=given.state,
        loglevel="INFO",
        consumer_extra_config={"queued.min.messages": 30_000, "fetch.wait.max.ms": 50},
        producer_extra_config={
            "linger.ms": 5,
            "batch.size": 1 << 20,
            "queue.buffering.max.messages": 1_000_000,
            "queue.buffering.max.kbytes": 1 << 20,
        },
    )


def add_reference(app: Any, prefix: str) -> None:
    """The reference job: each event to four fixed topics."""
    topics = [
        app.topic(f"{prefix}.{name}", value_serializer=BytesSerializer())
        for name in reference.OUTPUTS
    ]

    def derive(value: bytes, state: Any) -> list[bytes]:
        applied = reference.apply(value, state.get_bytes(ROW))
        state.set_bytes(ROW, applied.row)
        return applied.events

    source = app.topic(f"{prefix}.in", value_deserializer=BytesDeserializer())
    frame = app.dataframe(source).apply(derive, stateful=True, expand=True)
    for topic in topics:
        frame = frame.to_topic(topic)


def add_product(app: Any, prefix: str) -> None:
    """The product's pipeline: each output to the topic that it names."""
    job = Product(prefix)
    topics = {name: app.topic(name, value_serializer=ValueSerializer()) for name in job.outputs}

    def derive(value: bytes, key: bytes, timestamp: int, _headers: Any, state: Any) -> Any:
        where = message_context()
        row = state.get_bytes(ROW)
        result = job.apply(key, value, row, Place(where.partition, where.offset, timestamp))
        if result.row is None and row is not None:
            state.delete(ROW)
        elif result.row is not row:
            state.set_bytes(ROW, result.row)
        return result.outputs

    source = app.topic(job.source, value_deserializer=BytesDeserializer())
    frame = app.dataframe(source).apply(derive, stateful=True, expand=True, metadata=True)
    frame.to_topic(lambda value, *_: topics[value[0]], key=lambda value: value[1])


TABLES = {"reference": add_reference, "product": add_product}


def main() -> int:
    """Run the application until it is asked to stop."""
    parser = engine_parser(__doc__)
    parser.add_argument("--table", choices=sorted(TABLES), default="reference")
    parser.add_argument("--state", default="state", help="directory of its RocksDB")
    parser.add_argument("--commit-every", type=int, default=10_000, help="records")
    parser.add_argument("--commit-interval", type=float, default=1.0, help="seconds")
    given = parser.parse_args()
    app = application(given)
    TABLES[given.table](app, given.prefix)
    app.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
