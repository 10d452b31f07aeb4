"""Settings and Kafka → what the page Flow shows: ends, lags, decisions, dead letters."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final

from streams.cli.composition import (
    destination_of,
    hydrated_topic,
    kafka_of,
    names_of,
    sources_of,
)
from streams.cli.connections.lines import mode_text
from streams.cli.connections.settings import gate_settings
from streams.cli.connections.state import contact_of, state_of
from streams.console.sight import ConnectionSight, RoleSight, Sight
from streams.control.connections import gate_of
from streams.control.follower import Follower
from streams.control.records import CONNECTIONS, decode_state, key_of
from streams.control.standing import Lag, lag_of
from streams.engine.overview import Overview
from streams.engine.stretch import Stretch
from streams.errors import ConfigurationError
from streams.names import ORDERGROOVE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from streams.console.desks import IndexDesk
    from streams.replay.depth import Standing
    from streams.settings import Settings

    Letters = Callable[[], Mapping[str, Standing]]
    """What stands on topics of dead letters, by topic."""

log = logging.getLogger(__name__)

CLIENT: Final = "streams-console"
_SHOWN_MS: Final = 60 * 60_000
"""Of the outcomes a minute: an hour."""
_AGAIN_SECONDS: Final = 1.0
_READ: Final = 2_000
"""A lag of more offsets is not read to count its records: markers do not matter then."""


class Flow:
    """Looks at the flow (`console.desks.FlowDesk`); `look` is one thread's at a time."""

    def __init__(self, settings: Settings, index: IndexDesk, letters: Letters) -> None:
        """Take what it asks."""
        names, kafka = names_of(settings), kafka_of(settings, CLIENT)
        self._settings, self._names, self._kafka, self._index = settings, names, kafka, index
        self._roles = _roles(settings)
        connections = settings.connections
        topics = {topic for _, _, topic, _ in self._roles}
        topics |= {names.deliveries(each) for each in connections}
        topics |= {names.low(each) for each in connections}
        self._overview = Overview(kafka, topics)
        self._letters = letters
        self._control = Follower(kafka, names.control, CONNECTIONS)
        self._closing = threading.Event()
        self._counted: dict[str, tuple[Stretch, Lag]] = {}

    def start(self) -> None:
        """Begin to follow what was decided; returns at once."""
        threading.Thread(target=self._follow, name="decisions", daemon=True).start()

    def _follow(self) -> None:
        """Follow the topic; while there is none, nothing is decided, but it may be made yet."""
        said = False
        while not self._closing.is_set():
            try:
                self._control.start()
            except ConfigurationError as error:
                if not said:
                    log.error("what was decided is not known, tried again: %s", error)  # noqa: TRY400 - it says all
                said = True
                self._closing.wait(_AGAIN_SECONDS)
                self._control = Follower(self._kafka, self._names.control, CONNECTIONS)
            else:
                return

    def close(self) -> None:
        """End that."""
        self._closing.set()
        self._control.close()

    def look(self) -> Sight:
        """What there is now; raises `KafkaException` where the broker does not answer."""
        now = int(time.time() * 1_000)
        ends, firsts = self._overview.ends(), self._overview.firsts()
        lines = {(group, topic) for _, _, topic, group in self._roles}
        lines |= {
            (self._names.deliver_group(each), self._names.deliveries(each))
            for each in self._settings.connections
        }
        positions = self._overview.positions(lines)
        members = self._overview.members({group for group, _ in lines})
        letters = self._letters()

        def standing(of: str) -> int | None:
            found = letters.get(self._names.dead_letters(of))
            return None if found is None else found.letters

        def lag(group: str, topic: str) -> Lag:
            return self._lag(topic, positions[group, topic], ends[topic], firsts[topic])

        roles = [
            RoleSight(
                role,
                source,
                topic,
                lag(group, topic),
                standing(source) if role == "derive" else None,
                members[group],
            )
            for role, source, topic, group in self._roles
        ]
        minutes, tried = self._index.minutes(now - _SHOWN_MS), self._index.tried()
        connections = []
        for name, configured in self._settings.connections.items():
            state = decode_state(name, self._control.read(key_of(name)))
            gate, topic = gate_of(gate_settings(configured), state), self._names.deliveries(name)
            group, own = (
                self._names.deliver_group(name),
                [m for m in minutes if m.connection == name],
            )
            contact = contact_of(tried, name)
            tone, told = state_of(gate, state, contact, own, members[group], now)
            connections.append(
                ConnectionSight(
                    name=name,
                    destination=destination_of(name, configured).name,
                    topic=topic,
                    low=self._names.low(name),
                    mode=mode_text(gate),
                    tone=tone,
                    state=told,
                    lag=lag(group, topic),
                    dead_letters=standing(name),
                )
            )
        sums = {topic: sum(each.values()) for topic, each in ends.items()}
        return Sight(now / 1_000, roles, connections, sums, minutes, self._index.standing())

    def _lag(
        self,
        topic: str,
        committed: Mapping[int, int],
        ends: Mapping[int, int],
        firsts: Mapping[int, int],
    ) -> Lag:
        """How many records a group has not finished; those of few offsets are counted."""
        if not committed:
            return Lag(None)
        starts = {p: max(at, firsts.get(p, 0)) for p, at in committed.items()}
        stretch = Stretch(topic, starts, ends)
        if not stretch.offsets:
            return Lag(0)
        if stretch.offsets > _READ:
            return Lag(stretch.offsets, exact=False)
        known = self._counted.get(topic)
        if known is None or known[0] != stretch:
            known = self._counted[topic] = stretch, lag_of(self._kafka, stretch)
        return known[1]


def _roles(settings: Settings) -> list[tuple[str, str, str, str]]:
    """(role, source, topic, group) of all that is read before deliveries, in flow order."""
    names = names_of(settings)
    found = []
    if settings.rekey.topic is not None:
        found.append(("rekey", ORDERGROOVE, settings.rekey.topic, names.rekey_group))
    hydrated = hydrated_topic(settings)
    if hydrated is not None:
        found.append(("hydrate", ORDERGROOVE, hydrated, names.hydrate_group))
    for source in sources_of(settings):
        derived = names.derived(source)
        found.append(("derive", source, derived.topic, derived.group))
    return found
