"""Dead letters chosen, appended again or let go, and that it was done: said on the audit topic.

The same whether the command line asks or a page. The customer of a filter is there as keyed hash.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec.structs import replace

from streams.cli.auditing import audit_of
from streams.cli.composition import kafka_of
from streams.cli.connections.deciding import control_of
from streams.cli.connections.settings import gate_settings
from streams.cli.dead_letters.boxes import Boxes, boxes_of, readers_of, ways_of
from streams.cli.dead_letters.lines import now_milliseconds, whole
from streams.cli.worker.rehearsal import rehearsal
from streams.control.connections import gate_of
from streams.control.records import ConnectionState
from streams.model.ids import customer_hash
from streams.replay.letters import Filter
from streams.replay.obstacles import obstacle, target_of
from streams.replay.redrive import purge as purge_letters
from streams.replay.redrive import redrive as redrive_letters
from streams.replay.transaction import Transactions

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from confluent_kafka import Message

    from streams.cli.dead_letters.lines import Plan
    from streams.replay.letters import Letter
    from streams.replay.reading import Box, Readers
    from streams.settings import Settings

    Progress = Callable[[int, int], None]
    """Told how many letters are done, and of how many."""

CLIENT: Final = "streams-dead-letters"
_NAMED: Final = 100
"""Letters that an audit record names, at most; it counts them all."""


class Asked(NamedTuple):
    """Which letters are meant; without connections and sources, those of all.

    Attributes:
        wanted: what must hold of each.
        connections: only what these gave up on …
        sources: … and these.
    """

    wanted: Filter = Filter()
    connections: Collection[str] = ()
    sources: Collection[str] = ()

    def only(self, ids: Collection[str]) -> Asked:
        """Of these letters only those of these ids, of which there is one at least."""
        return self._replace(wanted=replace(self.wanted, ids=frozenset(ids)))


@dataclass(slots=True)
class Found:
    """The letters that stand and are meant.

    Attributes:
        letters: the oldest first.
        unreadable: dead-letter topic → records on it that are no letters, where there are any.
    """

    letters: list[Letter] = field(default_factory=list)
    unreadable: Counter[str] = field(default_factory=Counter)


def opened(settings: Settings, asked: Asked) -> Boxes:
    """The topics that are meant; nothing is read yet. Raises `ConfigurationError`."""
    chosen = boxes_of(settings, asked.connections, asked.sources)
    return Boxes(kafka_of(settings, CLIENT), chosen, readers_of(settings))


def standing(boxes: Boxes, wanted: Filter) -> Found:
    """The letters of these topics; raises `ConfigurationError` and `KafkaException`."""
    found = Found()
    for topic in boxes.topics:
        letters, unreadable = topic.standing(boxes.readers)
        found.letters.extend(filter(wanted.takes, letters))
        if unreadable:
            found.unreadable[topic.box.topic] = unreadable
    return found


class Whole(NamedTuple):
    """A letter with its record, and what reads it."""

    box: Box
    letter: Letter
    record: Mapping[str, Any]
    readers: Readers

    def shown(self, *, unmasked: bool) -> dict[str, Any]:
        """It as an object for JSON."""
        return whole(self.box, self.letter, self.record, self.readers, unmasked=unmasked)


def whole_letters(settings: Settings, asked: Asked) -> Iterator[Whole]:
    """The letters that are meant, each with its bytes; for few: each is a reading of its topic."""
    boxes = opened(settings, asked)
    for topic in boxes.topics:
        for letter in filter(asked.wanted.takes, topic.standing(boxes.readers)[0]):
            found: list[Message] = []
            topic.records({letter.place}, found.append)
            record = boxes.readers.letter(found[0].value() or b"")
            yield Whole(topic.box, letter, record, boxes.readers)


def planned(settings: Settings, letters: Collection[Letter], *, again: bool) -> Plan:
    """Where each would go, and what is in the way."""
    ways = ways_of(settings)
    return [(each, target_of(each, ways), obstacle(each, ways, again=again)) for each in letters]


def silent_of(settings: Settings, plan: Plan) -> dict[str, str]:
    """Connections that letters would go to and that send nothing, as decided: their modes.

    Raises:
        ConfigurationError: the control topic is missing.
        KafkaException: the broker does not answer.
    """
    going = {each.of for each, _, why in plan if why is None and each.is_delivery}
    states = control_of(settings).states() if going else {}
    own = {name: gate_settings(settings.connections[name]) for name in sorted(going)}
    modes = {name: gate_of(own[name], states.get(name, ConnectionState())).mode for name in own}
    return {name: mode for name, mode in modes.items() if mode in {"off", "shadow"}}


def redrive(
    settings: Settings, asked: Asked, told: Progress, *, again: bool = False, by: str | None = None
) -> tuple[Plan, Found]:
    """Append letters to where they came from; the plan that was followed.

    Raises:
        TakenOver: another command has begun; what was told is done, the others are as they were.
        ConfigurationError: a topic is missing.
        KafkaException: the broker does not answer, or refuses.
    """
    boxes = opened(settings, asked)
    what = _what(settings, asked) | {"again": again}
    with audit_of(settings, by).action("dead-letters.redrive", what) as entry:
        transactions = _begun(settings)
        found = standing(boxes, asked.wanted)
        plan = planned(settings, found.letters, again=again)
        going = [(each, to) for each, to, why in plan if why is None and to is not None]
        entry.result |= {"appended": 0, "left_out": len(plan) - len(going)}
        now = now_milliseconds()
        told(0, len(going))
        for topic in boxes.topics:
            chosen = [each for each in going if each[0].of == topic.box.of]
            for some in redrive_letters(topic, chosen, boxes.readers.letter, transactions, now):
                entry.result["appended"] += some
                told(entry.result["appended"], len(going))
    return plan, found


def purge(settings: Settings, asked: Asked, told: Progress, *, by: str | None = None) -> Found:
    """Settle letters without doing anything about them; errors as above."""
    boxes = opened(settings, asked)
    with audit_of(settings, by).action("dead-letters.purge", _what(settings, asked)) as entry:
        transactions = _begun(settings)
        found = standing(boxes, asked.wanted)
        entry.result["settled"] = 0
        told(0, len(found.letters))
        for topic in boxes.topics:
            chosen = [each for each in found.letters if each.of == topic.box.of]
            for some in purge_letters(topic.box.topic, chosen, transactions):
                entry.result["settled"] += some
                told(entry.result["settled"], len(found.letters))
    return found


def _begun(settings: Settings) -> Transactions:
    """Take over, before anything is read: what is read then has every mark that will ever be."""
    kafka = kafka_of(settings, CLIENT)
    return Transactions(kafka, f"{settings.prefix}-dead-letters", rehearsal())


def _what(settings: Settings, asked: Asked) -> dict[str, Any]:
    """Which letters were asked for, without saying who anybody is."""
    wanted, key = asked.wanted, settings.hash_key.get_secret_value().encode()
    told = {
        "connections": sorted(asked.connections),
        "sources": sorted(asked.sources),
        "reasons": sorted(wanted.reasons),
        "types": sorted(wanted.types),
        "customer": None if wanted.customer is None else customer_hash(key, wanted.customer),
        "since": wanted.since,
        "until": wanted.until,
        "ids": sorted(wanted.ids)[:_NAMED],
        "letters": len(wanted.ids),
    }
    return {name: each for name, each in told.items() if each}
