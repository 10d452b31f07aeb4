"""Settings and options → what a replay is made of: which deliveries, by which rules, how fast."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from streams.avro_structs import struct_reader
from streams.cli.codecs import schemas_of
from streams.cli.composition import destination_of, kafka_of, names_of, options_of
from streams.cli.connections.deciding import check_name, control_of
from streams.cli.connections.settings import gate_settings, wanted_events
from streams.cli.dead_letters.filters import instant
from streams.control.connections import gate_of
from streams.control.erased import ErasedList
from streams.control.forecast import DAY_MS
from streams.control.records import ConnectionState
from streams.delivery.fingerprints import Fingerprints
from streams.delivery.profiles import version_of
from streams.engine.admin import check_same_partitions, partition_count
from streams.engine.watermarks import Watermarks
from streams.errors import ConfigurationError
from streams.model.enriched import STRUCTS
from streams.model.ids import customer_hash, customer_key
from streams.model.replayed import is_word
from streams.replay.differences import Paths
from streams.replay.pace import pace_of
from streams.replay.plan import Planner, Terms
from streams.replay.selection import Selection
from streams.replay.survey import Picker, Places, Survey, stretch_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from streams.delivery.gate import Gate
    from streams.engine.stretch import Stretch
    from streams.model.enriched import EnrichedEvent
    from streams.model.replayed import Mode
    from streams.replay.prospects import Plan
    from streams.settings import Settings

CLIENT: Final = "streams-replay"
_OFFSETS: Final = re.compile(r"(\d+):(\d+)-(\d+)")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan that was made, for one connection.

    Attributes:
        connection: that is sent to.
        source: whose delivery topic was read.
        places: the topics.
        selection: which deliveries are meant.
        stretch: of the delivery topic.
        terms: by which it was judged.
        plan: what was found.
    """

    connection: str
    source: str
    places: Places
    selection: Selection
    stretch: Stretch
    terms: Terms
    plan: Plan

    def seconds(self, mode: Mode) -> float:
        """How long the mode takes at the limits."""
        return self.terms.pace.seconds(self.plan.prospects[mode].records)


def now_ms() -> int:
    """Epoch milliseconds."""
    return int(time.time() * 1_000)


def selection_of(  # noqa: PLR0913 - one for each option
    settings: Settings,
    *,
    since: str | None,
    until: str | None,
    offsets: Iterable[str],
    types: Iterable[str],
    merchants: Iterable[str],
    customers: Iterable[str],
) -> Selection:
    """Which deliveries the options mean; raises `ConfigurationError` for one that is none."""
    now = now_ms()
    begin, end = instant(since, "--since", now), instant(until, "--until", now)
    if begin is not None and end is not None and begin >= end:
        raise ConfigurationError("--until", "is not after --since", "Give a later time")
    hash_key = settings.hash_key.get_secret_value().encode()
    return Selection(
        since=begin,
        until=end,
        offsets=dict(map(_offsets, offsets)),
        types=frozenset(types),
        merchants=frozenset(merchants),
        customers=frozenset(customer_hash(hash_key, _customer(each)) for each in customers),
    )


def check_label(new_ids: str | None) -> None:
    """Raise `ConfigurationError` for a label that no header may carry."""
    if new_ids is not None and not is_word(new_ids):
        raise ConfigurationError(
            "--new-ids", "not a label", "Letters, digits, _, - and ., at most 64"
        )


def places_of(settings: Settings, connection: str, source: str) -> Places:
    """The topics of a replay from one connection's deliveries to another one, or the same.

    Raises:
        ConfigurationError: there is no such connection, or their topics differ in partitions.
    """
    check_name(settings, connection)
    check_name(settings, source)
    names, kafka = names_of(settings), kafka_of(settings, CLIENT)
    found = Places(
        source=names.deliveries(source),
        live=names.deliveries(connection),
        low=names.low(connection),
        profiles=names.profiles_changelog(connection),
        outcomes=names.outcomes,
        control=names.control,
    )
    for twin in (found.low, found.outcomes, found.profiles):
        check_same_partitions(kafka, found.source, twin)
    return found


def picker_of(settings: Settings, selection: Selection) -> Picker:
    """What picks deliveries; reads who was erased."""
    key = settings.hash_key.get_secret_value().encode()
    erased = ErasedList.of_topic(kafka_of(settings, CLIENT), names_of(settings).erased, key)

    def hash_of(event: EnrichedEvent) -> str:
        return customer_hash(key, customer_key(event.merchant, event.customer_id))

    codec = schemas_of(settings, [], wait=False).codec("events/enriched")
    return Picker(struct_reader(codec, STRUCTS), selection, hash_of, erased.hides)


def prepare(  # noqa: PLR0913, PLR0917 - what, from where, how
    settings: Settings,
    connection: str,
    source: str,
    selection: Selection,
    modes: tuple[Mode, ...],
    new_ids: str | None,
    progress: Callable[[int, int], None],
) -> Prepared:
    """Make the plan of one connection.

    `progress` is told offsets that were looked at, and how many there are.

    Raises:
        ConfigurationError: something that was asked for cannot be.
        KafkaException: the broker does not answer.
    """
    places, kafka = places_of(settings, connection, source), kafka_of(settings, CLIENT)
    stretch, paths = stretch_of(kafka, places.source, selection), Paths()
    terms = _terms(settings, connection, places, modes, new_ids, paths, max(1, len(stretch.ends)))
    planner = Planner(terms)
    decode = schemas_of(settings, [], wait=False).decode_in_thread("outcome")
    survey = Survey(kafka, places, connection, decode, paths)
    report = partial(_progressed, progress, stretch.offsets)
    survey.make(planner, stretch, picker_of(settings, selection), report)
    return Prepared(connection, source, places, selection, stretch, terms, planner.plan)


def _progressed(progress: Callable[[int, int], None], together: int, some: int) -> None:
    progress(some, together)


def _terms(  # noqa: PLR0913, PLR0917 - all that has a say
    settings: Settings,
    connection: str,
    places: Places,
    modes: tuple[Mode, ...],
    new_ids: str | None,
    paths: Paths,
    partitions: int,
) -> Terms:
    configured, now = settings.connections[connection], now_ms()
    destination = destination_of(connection, configured)
    rules = destination.rules
    return Terms(
        connection=connection,
        destination=destination,
        options=options_of(configured),
        gate=replace(
            gate_now(settings, connection),
            events=wanted_events(connection, destination, configured),
        ),
        max_age=dict(configured.max_age),
        modes=modes,
        new_ids=new_ids,
        now=now,
        pace=pace_of(
            rules.limits,
            rules.batches,
            factor=None if configured.limits == "off" else configured.limits,
            share=configured.low_share,
            concurrency=configured.concurrency,
            live=_live_rate(settings, places.live, now),
        ),
        partitions=partitions,
        version_of=version_of,
        hashes=Fingerprints(settings.hash_key.get_secret_value().encode()).fields,
        unpacked=paths.unpacked,
    )


def gate_now(settings: Settings, connection: str) -> Gate:
    """Who may go, by the settings and by what was decided."""
    state = control_of(settings).states().get(connection, ConnectionState())
    return gate_of(gate_settings(settings.connections[connection]), state)


def _live_rate(settings: Settings, topic: str, now: int) -> float:
    """Deliveries a second that came in the last day."""
    kafka = kafka_of(settings, CLIENT)
    partitions = range(partition_count(kafka, topic))
    marks = Watermarks(kafka, topic)
    starts, ends = marks.since(partitions, now - DAY_MS), marks.stable(partitions)
    count = sum(max(0, ends[p] - at) for p, at in starts.items())
    return count * 1_000 / DAY_MS


def _offsets(text: str) -> tuple[int, tuple[int, int]]:
    found = _OFFSETS.fullmatch(text)
    if found is None or int(found[2]) >= int(found[3]):
        raise ConfigurationError(
            "--offsets", "not a stretch of a partition", "Write it PARTITION:FROM-TO, as 3:0-1200"
        )
    return int(found[1]), (int(found[2]), int(found[3]))


def _customer(text: str) -> bytes:
    merchant, colon, id_ = text.partition(":")
    if not (merchant and colon and id_):
        raise ConfigurationError("--customer", "not a customer's key", "Write it MERCHANT:ID")
    return customer_key(merchant, id_)


def parts_of(prepared: Prepared, mode: Mode) -> list[tuple[str, str, str, str | None, int]]:
    """What a mode was planned to come to, as a run keeps it."""
    counts = prepared.plan.prospects[mode].parts
    return [(what.type, what.part, what.outcome, what.reason, n) for what, n in counts.items()]
