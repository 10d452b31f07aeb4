"""Index and settings → customers as the console tells of them (`console.desks.CustomersDesk`)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from streams.avro_structs import struct_reader
from streams.cli.composition import kafka_of, names_of, sources_of
from streams.cli.connections.deciding import control_of
from streams.cli.connections.settings import gate_settings
from streams.cli.explain import targets
from streams.console.customer_sight import CustomerSight
from streams.console.requests import Recorded, sent_of
from streams.control.connections import gate_of
from streams.control.records import ConnectionState
from streams.engine.group_offsets import committed_positions
from streams.errors import BadRecord
from streams.model.enriched import STRUCTS
from streams.model.ids import delivery_id
from streams.model.replayed import replayed_of
from streams.model.wording import moment
from streams.timeline.absence import Answer, newest_fact, why_not
from streams.timeline.keeping import Kept
from streams.timeline.signs import Signs
from streams.timeline.story import Story

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from collections.abc import Set as AbstractSet

    from streams.console.customer_sight import Sent
    from streams.console.index import Delivery, Found, Index
    from streams.explain import Target
    from streams.model.enriched import EnrichedEvent
    from streams.registry import Schemas
    from streams.settings import Settings
    from streams.timeline.story import Chapter, Line

CLIENT: Final = "streams-console"
_NOBODY: Final = Story([], [])
_SOON: Final = 20_000
"""Records that the index reads in a moment: so few are always on their way in a busy shop."""


class Customers:
    """Tells of customers; any number of threads."""

    def __init__(
        self,
        settings: Settings,
        index: Index,
        schemas: Schemas,
        story_of: Callable[[bytes], Story],
    ) -> None:
        """Take what it reads by; `story_of`: a customer's key → their story, with rows."""
        self._settings = settings
        self._names, self._kafka = names_of(settings), kafka_of(settings, CLIENT)
        self._index = index
        self._story_of = story_of
        self._targets: dict[str, Target] = {}
        if settings.connections:
            self._targets = {each.name: each for each in targets(settings, ())}
        self._decode = struct_reader(schemas.codec("events/enriched"), STRUCTS)
        self._keeps_ms = _keeps_ms(settings)

    def find(self, text: str) -> list[Found]:
        """Customers whose key, id, e-mail address or phone number this is."""
        return self._index.find(text)

    def told(self, token: str) -> CustomerSight | None:
        """A customer's story; None: nobody's token, or somebody who was erased."""
        key = self._index.key_of(token)
        if key is None:
            return None
        types = {each for target in self._targets.values() for each in target.destination.takes}
        kept = self._kept()  # before the story, which may have more by then
        story, connections = self._story_of(key), list(self._settings.connections)
        return CustomerSight(token, key, story, connections, sorted(types), kept)

    def sent(self, token: str, event_id: str, event_type: str) -> list[Sent]:
        """An event's deliveries, with the requests that today's renderer makes of them."""
        key = self._index.key_of(token)
        if key is None:
            return []
        return [
            sent
            for each, event in self._records(key)
            if (event.event_id, event.type) == (event_id, event_type)
            and each.connection in self._targets
            for sent in sent_of(self._targets[each.connection], self._recorded(each, event))
        ]

    def why_not(self, token: str, event_type: str, connection: str) -> Answer:
        """Why a customer did not get an event by a connection, or that they did."""
        key, kept = self._index.key_of(token), self._kept()
        story = _NOBODY if key is None else self._story_of(key)
        configured = self._settings.connections.get(connection)
        if key is None or configured is None:
            return why_not(
                story,
                Signs(connection=connection, event_type=event_type, known=configured is not None),
            )
        target = self._targets[connection]
        merchant = key.decode(errors="replace").partition(":")[0]
        state = control_of(self._settings).states().get(connection, ConnectionState())
        group, topic = self._names.deliver_group(connection), self._names.deliveries(connection)
        own = [each for each in self._index.deliveries(key) if each.topic == topic]
        begun, waits = self._waiting(group, topic, [(each.partition, each.offset) for each in own])
        unread = {
            each for source in sources_of(self._settings) for each in self._unread(source, key)
        }
        newest = newest_fact(story, event_type)
        signs = Signs(
            connection=connection,
            event_type=event_type,
            takes=event_type in target.destination.takes or event_type == "profile.changed",
            serves=target.merchants is None or merchant in target.merchants,
            wants=target.gate.wants(event_type),
            mode=gate_of(gate_settings(configured), state).mode,
            paused=None if state.pause is None else _pause_text(state),
            begun=begun,
            waits=len(waits),
            written=newest is not None and self._written(key, newest.line, connection),
            derived=newest is None or not _waits(newest.chapter, unread),
            source_waits=len(unread),
            kept=kept,
        )
        return why_not(story, signs)

    def _records(self, key: bytes) -> Iterator[tuple[Delivery, EnrichedEvent]]:
        for each in self._index.deliveries(key):
            try:
                yield each, self._decode(each.value)
            except BadRecord:
                continue

    def _recorded(self, each: Delivery, event: EnrichedEvent) -> Recorded:
        headers = {name: value or b"" for name, value in each.headers}
        try:
            again = replayed_of(headers)
        except BadRecord:
            again = None
        low = each.topic == self._names.low(each.connection)
        return Recorded(event, each.at, low, again)

    def _kept(self) -> Kept:
        """How much of what became of deliveries stands in the index."""
        to_go = self._index.standing().to_go or 0
        since = int(time.time() * 1_000) - self._keeps_ms
        return Kept(since, to_go if to_go > _SOON else 0)

    def _written(self, key: bytes, line: Line, connection: str) -> bool:
        """Whether a delivery record of a fact is known."""
        wanted = delivery_id(line.event_id, line.type, connection)
        return any(
            each.connection == connection
            and delivery_id(event.event_id, event.type, connection) == wanted
            for each, event in self._records(key)
        )

    def _unread(self, source: str, key: bytes) -> list[str]:
        """The places of a customer's records that derive has not read."""
        derived = self._names.derived(source)
        places = {
            _place(each.place): each.place
            for each in self._index.came(source, key)
            if each.key == key
        }
        waits = self._waiting(derived.group, derived.topic, list(places))[1]
        return [places[each] for each in waits]

    def _waiting(
        self, group: str, topic: str, places: list[tuple[int, int]]
    ) -> tuple[bool, list[tuple[int, int]]]:
        """Whether a group has ever begun, and which of these records are before it."""
        if not places:
            return True, []
        partitions = {partition for partition, _ in places}
        positions = committed_positions(self._kafka, group, topic, partitions)
        begun = any(position is not None for position in positions.values())
        waits = []
        for partition, offset in places:
            position = positions[partition]
            if position is None or offset >= position.offset:
                waits.append((partition, offset))
        return begun, waits


def _keeps_ms(settings: Settings) -> int:
    """How long outcomes are there: by the index, and by the topic that it is filled from."""
    names = names_of(settings)
    [topic] = [each for each in names.topics(()) if each.name == names.outcomes]
    own = int(settings.console.retention.total_seconds() * 1_000)
    return min(own, int(topic.config["retention.ms"]))


def _waits(chapter: Chapter, unread: AbstractSet[str]) -> bool:
    """Whether derive has yet to read what a chapter tells of.

    What fired has no record: it may wait for as long as any of the customer's does.
    """
    return chapter.place in unread if chapter.place else bool(unread)


def _place(told: str) -> tuple[int, int]:
    """Partition and offset of `topic[partition] offset`."""
    partition, _, offset = told.rpartition("[")[2].partition("] ")
    return int(partition), int(offset)


def _pause_text(state: ConnectionState) -> str:
    pause = state.pause
    if pause is None:
        return ""
    why = f": {pause.reason}" if pause.reason else ""
    return f"since {moment(pause.since)} by {pause.by}{why}"
