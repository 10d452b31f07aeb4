"""`./run bench pipeline`: the pure whole of DESIGN §6, without Kafka, for every destination.

The demo shop's day goes through the pipeline as in the derive worker: records in, enriched events
and rows out, timers on stream time. The figure is the process's own CPU (user and system) an event,
the median of the repetitions after one that warms up. One more repetition says where it goes: it
looks at the clock around each stage, so its shares are right and its sum is too large.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest.mock import patch

from msgspec import structs

from streams import pipeline as stages
from streams.avro import codec
from streams.avro_structs import struct_writer
from streams.demo.shop import OPENS, Shop
from streams.derive import DeriveOptions
from streams.destinations import DESTINATIONS
from streams.engine.garbage import collect_seldom
from streams.engine.timers import Timers
from streams.errors import BadRecord
from streams.families import SUBSCRIBERS
from streams.model.row_bytes import decode_row
from streams.route import Route, route
from streams.sources.ordergroove import record_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from streams.families import Family


FED = (OPENS + 26 * 3_600) * 1_000
"""When the day is fed, epoch milliseconds of stream time: an event a millisecond."""

CALLED = {
    "row": ("decode", "encode", "due"),
    "derive": ("derive", "fire"),
    "enrich": ("enrich",),
}
"""Stage → what the pipeline calls of a source's family for it."""
STAGES = ("decode", *CALLED, "route", "encode")


class Day(NamedTuple):
    """What a repetition came to: CPU seconds, rows, and how many events, withheld ones as well."""

    seconds: float
    rows: dict[bytes, bytes]
    told: int


def main(arguments: Sequence[str]) -> int:
    """Run the bench and print its figures."""
    parser = argparse.ArgumentParser(prog="./run bench pipeline", description=__doc__)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args(arguments)
    records = _records(options.seed, options.events)
    collect_seldom()  # as the workers do; the records are no part of their memory
    _day(_pipeline(), records)
    days = [_day(_pipeline(), records) for _ in range(options.repeat)]
    spent = [day.seconds / len(records) * 1e6 for day in days]
    print(
        f"pipeline, {' and '.join(sorted(DESTINATIONS))}, {len(records):,} records, "
        f"{days[0].told:,} events: {statistics.median(spent):.1f} CPU µs an event "
        f"({min(spent):.1f} to {max(spent):.1f})"
    )
    print("  " + _shares(records))
    print("  " + _sizes(days[0].rows))
    return 0


def _records(seed: int, events: int) -> list[bytes]:
    """The day's records, without the bodies that become dead letters."""
    encode, records = codec("sources/ordergroove").encode, []
    for body in Shop(seed, events=events):
        try:
            records.append(encode(record_of(body, FED)))
        except BadRecord:
            continue
    return records


def _pipeline(family: Family[Any, Any, Any] = SUBSCRIBERS) -> stages.Pipeline:
    routes = [Route(name, each.takes) for name, each in sorted(DESTINATIONS.items())]
    options = DeriveOptions(history="complete")
    source, enriched = codec("sources/ordergroove"), codec("events/enriched")
    return stages.Pipeline(source, enriched, routes, options, family)


def _day(pipeline: stages.Pipeline, records: Sequence[bytes]) -> Day:
    rows: dict[bytes, bytes] = {}
    timers, told = Timers(), 0

    def keep(processed: stages.Processed) -> int:
        if processed.value is not None:
            rows[processed.key] = processed.value
            timers.set(processed.key, processed.due)
        return len(processed.told)

    began = time.process_time()
    for now, value in enumerate(records, FED):
        while timers.earliest and timers.earliest <= now and (due := timers.pop(now)):
            told += keep(pipeline.fire(due[1], rows[due[1]], now))
        told += keep(pipeline.process(value, rows.get, now))
    return Day(time.process_time() - began, rows, told)


def _shares(records: Sequence[bytes]) -> str:
    """The stages' shares of the time, the largest first."""
    spent = dict.fromkeys(STAGES, 0.0)

    def timed(stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            began = time.perf_counter()
            try:
                return function(*arguments)
            finally:
                spent[stage] += time.perf_counter() - began

        return call

    def made(stage: str, maker: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *arguments: timed(stage, maker(*arguments))

    called = {
        name: timed(stage, getattr(SUBSCRIBERS, name))
        for stage, names in CALLED.items()
        for name in names
    }
    reader = made("decode", SUBSCRIBERS.event_reader)
    family = structs.replace(SUBSCRIBERS, event_reader=reader, **called)
    writer, router = made("encode", struct_writer), timed("route", route)
    with patch.object(stages, "struct_writer", writer), patch.object(stages, "route", router):
        began = time.perf_counter()
        _day(_pipeline(family), records)
        whole = time.perf_counter() - began
    spent["the rest"] = whole - sum(spent.values())
    ordered = sorted(spent.items(), key=lambda each: -each[1])
    return ", ".join(f"{stage} {seconds / whole:.0%}" for stage, seconds in ordered)


def _sizes(rows: dict[bytes, bytes]) -> str:
    """How large rows are."""
    two = [len(row) for row in rows.values() if decode_row(row).total == 2]
    return (
        f"{len(rows):,} rows: median {statistics.median(map(len, rows.values())):.0f} bytes; "
        f"with two subscriptions {statistics.median(two):.0f}"
    )
