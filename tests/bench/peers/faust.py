"""Stock Faust, at least once: an agent and a table on faust-streaming's own aiokafka transport.

What makes it faster without making it anything else: raw bytes, uvloop, its Cython paths, room in
its buffers, batches in the producer, the source record's partition for all outputs (no hashing),
and outputs by the producer that topics send with. Before each commit Faust flushes that producer.
The table is in memory, its changelog is Faust's own: a record for each change of a row.
"""

from __future__ import annotations

import sys
from typing import Any

import faust
import mode.loop

from tests.bench.peers.arguments import engine_parser
from tests.bench.peers.jobs import JOBS, Place

COMMIT_SECONDS = 0.25
BUFFERED = 65_536
"""Events: from its buffer's mark on, Faust's fetcher sleeps a second."""


def app_of(bootstrap: str, prefix: str, partitions: int, table: str) -> Any:
    """The Faust app."""
    job = JOBS[table](prefix)
    app = faust.App(
        f"{prefix}-faust",
        broker=f"kafka://{bootstrap}",
        key_serializer="raw",
        value_serializer="raw",
        store="memory://",
        topic_partitions=partitions,
        topic_replication_factor=1,
        topic_disable_leader=True,
        table_standby_replicas=0,
        broker_commit_interval=COMMIT_SECONDS,
        stream_buffer_maxsize=BUFFERED,
        producer_linger=0.05,
        producer_max_batch_size=1 << 20,
        cython_optimizations=True,
        web_enabled=False,
    )
    producer: Any = app.producer
    producer.buffer.max_messages = 10 * BUFFERED  # at 100 of them Faust stands still
    source = app.topic(job.source, key_type=bytes, value_type=bytes, partitions=partitions)
    rows = app.Table("rows", key_type=bytes, value_type=bytes, partitions=partitions)

    async def derive(stream: Any) -> None:
        send = producer.send
        async for event in stream.events():
            message = event.message
            key, partition = message.key, message.partition
            row = rows.get(key)
            place = Place(partition, message.offset, int(message.timestamp * 1_000))
            result = job.apply(key, message.value, row, place)
            if result.row is None and row is not None:
                del rows[key]
            elif result.row is not row:
                rows[key] = result.row
            for topic, to, value in result.outputs:
                # a dead letter has a key of its own
                where = partition if to is key else None
                await send(topic, to, value, where, None, None)

    app.agent(source, name="derive")(derive)
    return app


def main() -> int:
    """Run the worker until it is asked to stop."""
    parser = engine_parser(__doc__)
    parser.add_argument("--table", choices=sorted(JOBS), default="reference")
    given = parser.parse_args()
    mode.loop.use("uvloop")
    app = app_of(given.bootstrap, given.prefix, given.partitions, given.table)
    # above INFO Faust spins a spinner, which costs a debug record in aiokafka for each send
    faust.Worker(app, loglevel="INFO").execute_from_commandline()
    return 0


if __name__ == "__main__":
    sys.exit(main())
