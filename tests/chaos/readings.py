"""What a round's topics hold in the end, beside what they should hold."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from streams.avro import codec
from streams.model.row_bytes import decode_row, row_due
from tests.chaos.compare import EXACT, Difference, compare
from tests.chaos.truth import Outputs, Truth

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from confluent_kafka import Message

    from streams.demo.observation import Topics
    from streams.names import Names

_SHOWN = 3


class Findings(NamedTuple):
    """The comparison of a round with its truth.

    Attributes:
        events: records of the source.
        outputs: expected in all output topics, dead letters included.
        letters: of those, dead letters.
        rows: expected in the table.
        difference: of outputs, all keys together.
        wrong_rows: customers whose newest changelog record is not the truth's row.
        samples: some differences, in words.
    """

    events: int
    outputs: int
    letters: int
    rows: int
    difference: Difference
    wrong_rows: int
    samples: list[str]

    @property
    def is_exact(self) -> bool:
        """Whether nothing differs at all."""
        return not self.difference and not self.wrong_rows


def newest_rows(topics: Topics, names: Names) -> dict[bytes, bytes | None]:
    """The table, as a `read_committed` reader of the changelog has it now."""
    return {m.key() or b"": m.value() for m in topics.records(names.subscribers_changelog)}


def has_timer(row: bytes | None) -> bool:
    """Whether the row waits for a timer."""
    return row is not None and bool(row_due(decode_row(row)))


def read(topics: Topics, names: Names, source: str, connections: Sequence[str]) -> Findings:
    """Read everything, `read_committed`, and compare it with the single-threaded truth."""
    truth = Truth(names, source, connections)
    truth.read(topics.records(source))
    letters = names.dead_letters("ordergroove")
    found: Outputs = defaultdict(list)
    for topic in [*map(names.deliveries, connections), letters]:
        for message in topics.records(topic):
            if topic != letters or _has_origin(message):
                found[topic, message.key() or b""].append(message.value() or b"")
    differences = compare(truth.outputs, found)
    kept = newest_rows(topics, names)
    wrong = [key for key in {*truth.rows, *kept} if truth.rows.get(key) != kept.get(key)]
    samples = [_told(key, truth.outputs, found, differences[key]) for key in differences]
    return Findings(
        events=truth.records,
        outputs=sum(map(len, truth.outputs.values())),
        letters=sum(len(of) for (topic, _), of in truth.outputs.items() if topic == letters),
        rows=len(truth.rows),
        difference=sum(differences.values(), EXACT),
        wrong_rows=len(wrong),
        samples=samples[:_SHOWN] + [f"row of {key.decode()} differs" for key in wrong[:_SHOWN]],
    )


def _has_origin(message: Message) -> bool:
    """Whether a dead letter is a record's: those of bodies are written before derive."""
    return codec("dead_letter").decode(message.value())["topic"] is not None


def _told(
    key: tuple[str, bytes],
    expected: Mapping[tuple[str, bytes], Sequence[bytes]],
    found: Mapping[tuple[str, bytes], Sequence[bytes]],
    difference: Difference,
) -> str:
    topic, name = key
    is_delivery = ".deliveries." in topic
    decode = codec("events/enriched" if is_delivery else "dead_letter").decode
    shown = ("type", "event_id") if is_delivery else ("reason", "id", "written_at")

    def words(values: Sequence[bytes]) -> list[str]:
        records = map(decode, values)
        return [" ".join(str(record[field]) for field in shown) for record in records]

    return (
        f"{topic} {name.decode(errors='replace')}: {difference}"
        f"\n  expected {words(expected.get(key, ()))}\n  found    {words(found.get(key, ()))}"
    )
