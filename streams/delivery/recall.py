"""What earlier runs concluded beyond the committed offset, read back from the outcomes topic.

Runs in the engine's loading thread, before a partition's deliveries come. Where to read from was
committed with the offset. If it was not (the group's first start, or an operator set the offset),
everything since the committed record's own time is read, with a margin for clocks that differ.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from streams.delivery.ledger import Memory, read_from
from streams.delivery.outcomes import CONNECTION_HEADER
from streams.delivery.pending import Recalled
from streams.delivery.reader import PartitionReader, Stretch
from streams.model.delivery import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from collections.abc import Set as AbstractSet

    from confluent_kafka import Message

    from streams.engine.batch import Position
    from streams.engine.kafka import KafkaSettings

MARGIN_MS: Final = 600_000
"""How much earlier than the delivery record its outcome may seem to have been written."""

_Found = defaultdict[int, list[Recalled]]


class Recall:
    """Reads one connection's outcomes."""

    def __init__(
        self,
        kafka: KafkaSettings,
        *,
        connection: str,
        deliveries: str,
        outcomes: str,
        decode: Callable[[bytes], Mapping[str, Any]],
    ) -> None:
        """Describe what is read.

        Args:
            kafka: the cluster.
            connection: whose outcomes.
            deliveries: the delivery topic.
            outcomes: the outcomes topic, with as many partitions.
            decode: a record of `outcome.avsc` from its bytes.
        """
        self._kafka = kafka
        self._connection = connection.encode()
        self._deliveries = deliveries
        self._outcomes = outcomes
        self._decode = decode

    def __call__(
        self,
        positions: Mapping[int, Position],
        alive: Callable[[], AbstractSet[int]],
        parked: Mapping[int, AbstractSet[int]],
    ) -> dict[int, Memory]:
        """Read what was concluded beyond these positions, and of what is parked before them.

        Partitions that are no longer alive may be left out. `parked` are offsets by partition.

        Raises:
            KafkaException: it cannot be read now.
        """
        found: dict[int, _Found] = {partition: defaultdict(list) for partition in positions}
        with PartitionReader(self._kafka) as reader:
            stretches = self._stretches(reader, positions)
            for message in reader.read(self._outcomes, stretches, alive):
                partition = message.partition() or 0
                outcome = self._outcome(message)
                if outcome is None:
                    continue
                offset = outcome["offset"]
                if offset >= positions[partition].offset or offset in parked[partition]:
                    found[partition][offset].append(_recalled(outcome, message))
        return {
            partition: Memory(
                position,
                stretches[partition].end,
                {offset: tuple(outcomes) for offset, outcomes in found[partition].items()},
            )
            for partition, position in positions.items()
            if partition in alive()
        }

    def _stretches(
        self, reader: PartitionReader, positions: Mapping[int, Position]
    ) -> dict[int, Stretch]:
        known = {p: read_from(position.metadata) for p, position in positions.items()}
        unknown = {p: positions[p].offset for p, start in known.items() if start is None}
        times = reader.times(self._deliveries, unknown)
        since = reader.since(self._outcomes, {p: at - MARGIN_MS for p, at in times.items()})
        stretches = {}
        for partition, start in known.items():
            low, end = reader.held(self._outcomes, partition)
            # No record there, or no outcome since: nothing beyond the position was concluded.
            at = since.get(partition, end) if start is None else start
            # Beyond the end: the topic was made anew, and the offset speaks of the old one.
            stretches[partition] = Stretch(at if low <= at <= end else low, end)
        return stretches

    def _outcome(self, message: Message) -> Mapping[str, Any] | None:
        """The outcome in a record, if it is final and of this connection's topic."""
        headers, value = dict(message.headers() or ()), message.value()
        if value is None or headers.get(CONNECTION_HEADER) != self._connection:
            return None
        outcome = self._decode(value)
        ours = outcome["topic"] == self._deliveries and outcome["final"]
        return outcome if ours else None


def _recalled(outcome: Mapping[str, Any], message: Message) -> Recalled:
    what = Outcome(outcome["outcome"])
    return Recalled(outcome["delivery_id"], outcome["part"], message.offset() or 0, what)
