"""A scene: a connection to each vendor, deliveries, of which half were sent, and a worker."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, Self

import msgspec
from click.testing import CliRunner
from confluent_kafka import KafkaException, Producer

from streams.avro import codec
from streams.avro_structs import struct_writer
from streams.cli import commands
from streams.demo.children import Child, stop
from streams.engine.admin import TopicSpec, create_topics
from streams.engine.group_offsets import committed_positions
from streams.engine.kafka import KafkaSettings
from streams.engine.watermarks import Watermarks
from streams.model.ids import customer_key
from streams.names import Names
from tests.chaos.replay.stock import stock
from tests.chaos.replay.vendors import VENDORS

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random
    from types import TracebackType

    from streams.model.enriched import EnrichedEvent
    from tests.chaos.replay.vendors import Vendors

PARTITIONS: Final = 3
_PATIENCE: Final = 300.0
_TWICE: Final = 40
"""One in so many deliveries lies there a second time, as redriven letters do: it is meant once."""
_SETTINGS: Final = """\
prefix = "{prefix}"
[kafka]
bootstrap = "{bootstrap}"
"""
_CONNECTION: Final = """
[connections.{name}]
mode = "live"
start = "end"
url = "{url}"
credentials_file = "{file}"
limits = {limits}
low_share = {share}
sync_profiles_every = "0s"
{more}
"""
_UNLIMITED: Final = "100"
_MORE: Final = {"yespo": 'contact_fields = { status = "51001" }'}


class Scene:
    """One scene; a context manager.

    Attributes:
        events: connection → what its delivery topic holds.
    """

    def __init__(
        self,
        bootstrap: str,
        directory: Path,
        vendors: Vendors,
        chance: Random,
        *,
        count: int,
        limits: float | None = None,
    ) -> None:
        """Prepare. `count`: deliveries of each connection; `limits`: a factor, None for none."""
        self.kafka = KafkaSettings(bootstrap=bootstrap)
        self.prefix = f"chaos-replay-{time.monotonic_ns()}"
        self.names = Names(self.prefix)
        self.events: dict[str, list[EnrichedEvent]] = {}
        self._directory = directory
        self._count = count
        self._chance = chance
        self._worker: Child | None = None
        text = _SETTINGS.format(prefix=self.prefix, bootstrap=bootstrap)
        # so many times what the vendor publishes is none: and what travels together soon does
        told, share = (_UNLIMITED, "1.0") if limits is None else (str(limits), "0.5")
        key = directory / "key"
        key.write_text("pk_chaos\n", encoding="utf-8")
        for name in VENDORS:
            text += _CONNECTION.format(
                name=name,
                url=vendors.url(name),
                file=key,
                limits=told,
                share=share,
                more=_MORE.get(name, ""),
            )
        self._settings = directory / "streams.toml"
        self._settings.write_text(text, encoding="utf-8")

    def __enter__(self) -> Self:
        """Make the topics; half of the deliveries come before the connections, half are sent."""
        try:
            self._set()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def said(self, *arguments: str) -> tuple[int, str]:
        """Run `streams replay …`, the real command: how it ended, and what it said."""
        told = ["--settings", str(self._settings), "replay", *arguments]
        result = CliRunner().invoke(commands, told, catch_exceptions=False)
        if result.exit_code and "Aborted!" in result.output:
            raise KeyboardInterrupt  # a command makes a clean end of it; this is to end, too
        return result.exit_code, result.output if result.exit_code else result.stdout

    def replay(self, *arguments: str) -> Any:
        """The same to its good end; read as JSON where it is."""
        code, said = self.said(*arguments)
        if code:
            raise AssertionError(f"streams replay {arguments}: {said}")
        return msgspec.json.decode(said) if "--json" in arguments else said

    def _set(self) -> None:
        specs = [
            TopicSpec(name=each.name, partitions=PARTITIONS, replication=1, config=each.config)
            for each in self.names.topics(VENDORS)
        ]
        create_topics(self.kafka, specs)
        now, half = int(time.time() * 1_000), self._count // 2
        self._feed(half, 0, now)
        self._worker = Child(
            "deliver", ["worker", "deliver", "--all", "--port", "0"], self._directory, {}
        )
        self._until(self._passed, "the worker has begun")
        self._feed(self._count - half, 100_000, now)
        self._until(self._passed, "the other half is delivered")

    def _end(self) -> None:
        if self._worker is not None:
            stop([self._worker])

    def _feed(self, count: int, first: int, now: int) -> None:
        producer = Producer(self.kafka.producer())
        encode = struct_writer(codec("events/enriched"))
        for name in VENDORS:
            events = stock(name, self._chance, count, first, now=now)
            self.events.setdefault(name, []).extend(events)
            for each in [*events, *events[::_TWICE]]:
                key = customer_key(each.merchant, each.customer_id)
                producer.produce(self.names.deliveries(name), encode(each), key)
        if producer.flush(_PATIENCE):
            raise TimeoutError("the broker did not take the deliveries")

    def _passed(self) -> bool:
        return all(self._behind(name) == 0 for name in VENDORS)

    def _behind(self, name: str) -> int | None:
        """Records that a connection has not concluded; None where it has not begun."""
        topic, partitions = self.names.deliveries(name), range(PARTITIONS)
        group = self.names.deliver_group(name)
        try:
            positions = committed_positions(self.kafka, group, topic, partitions)
        except KafkaException:  # the group's coordinator is only being made
            return None
        ends = Watermarks(self.kafka, topic).stable(partitions)
        if any(each is None for each in positions.values()):
            return None
        return sum(ends[p] - each.offset for p, each in positions.items() if each is not None)

    def _until(self, fact: Any, what: str) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not fact():
            if self._worker is not None:
                self._worker.check()
            if time.monotonic() > deadline:
                raise TimeoutError(f"not in time: {what}")
            time.sleep(0.2)
