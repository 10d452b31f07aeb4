"""`streams erase`: how far an erase is: tables, vendors, letters, the console's index, topics."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from streams.cli.codecs import schemas_of
from streams.cli.composition import connection_of, kafka_of, names_of, sources_of, topics_of
from streams.cli.connections.settings import credentials_of
from streams.cli.console.index import index_path_of
from streams.cli.dead_letters.boxes import Boxes, boxes_of, readers_of
from streams.cli.erase.erased import hash_key_of
from streams.cli.erase.search import CLIENT
from streams.console.index import holds
from streams.control.audit import decode_action
from streams.delivery.http import Http, TransportFailure
from streams.destinations import DESTINATIONS
from streams.engine.admin import describe_topics, topic_names
from streams.engine.stretch import Stretch, look_through, whole
from streams.engine.watermarks import Watermarks
from streams.errors import BadRecord, ConfigurationError
from streams.model.fact import CUSTOMER_ERASED
from streams.model.ids import customer_hash
from streams.replay.certificate import Asked, Erasure, Row
from streams.replay.erasing import owned
from streams.replay.marks import Tables
from streams.replay.people import FAMILIES
from streams.replay.remaining import remaining

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confluent_kafka import Message

    from streams.engine.kafka import KafkaSettings
    from streams.settings import Settings


FILES: Final = "files of `streams table snapshot`"
"""What is kept beside Kafka."""


class Begun(NamedTuple):
    """An erase that was begun.

    Attributes:
        run: id of its action.
        at: the time of the erase, epoch milliseconds.
        sources: keyed hash of each customer → the source in whose table they are.
    """

    run: str
    at: int
    sources: Mapping[str, str]


def begun_by(settings: Settings, run: str) -> Begun:
    """The erase of an action's id, or its beginning, or of a customer's keyed hash: the newest.

    Raises:
        ConfigurationError: there is none.
    """
    kafka, found = kafka_of(settings, CLIENT), dict[str, Begun]()

    def note(message: Message) -> None:
        try:
            action = decode_action(message.value())
        except BadRecord:
            return
        told = action.what
        if action.action == "erase" and (
            action.id.startswith(run) or run in told.get("customers", {})
        ):
            found[action.id] = Begun(action.id, told["at"], told["customers"])

    look_through(kafka, whole(kafka, names_of(settings).audit), note)
    if not found:
        raise ConfigurationError("--status", "no such erase", "See `streams audit --action erase`")
    return max(found.values(), key=lambda each: each.at)


def state_of(settings: Settings, begun: Begun, *, follow: bool = True) -> Erasure:
    """How far it is; `follow`: vendors that can be asked are.

    Raises:
        ConfigurationError: a topic is missing.
        IndexAway: the console's index is there and cannot be read.
        KafkaException: the broker does not answer.
    """
    kafka, names = kafka_of(settings, CLIENT), names_of(settings)
    asked = _asked(settings, kafka, begun)
    if follow:
        asked = asyncio.run(_followed(settings, asked))
    sources = dict.fromkeys([*sources_of(settings), *begun.sources.values()])
    tables = {each: Tables(kafka, names, each) for each in sources}
    rows, rekeyed = _rows(settings, tables, begun), settings.rekey.topic
    standing = {each.table: each.discard for each in rows if each.discard is not None}
    topics = [each.name for each in topics_of(settings)]
    topics += [topic for each in tables.values() for topic in (each.live, *each.beside)]
    topics += [] if rekeyed is None else [rekeyed]
    described = describe_topics(kafka, dict.fromkeys(topics))
    configs = {name: each.config for name, each in described.items() if each is not None}
    others = [each for each in topic_names(kafka) if each.startswith(f"{settings.prefix}.")]
    return Erasure(
        run=begun.run,
        erased_at=begun.at,
        rows=rows,
        asked=asked,
        letters=_letters(settings, kafka, begun),
        kept=remaining(configs, rekeyed, standing),
        others=[FILES, *sorted(set(others) - set(configs))],
        indexed=_indexed(settings, begun),
    )


def _indexed(settings: Settings, begun: Begun) -> bool | None:
    """Whether the console's index still holds what was erased; None: there is none here."""
    path = index_path_of(settings)
    return any(holds(path, each, begun.at) for each in begun.sources) if path.is_file() else None


def _rows(settings: Settings, tables: Mapping[str, Tables], begun: Begun) -> list[Row]:
    """What the tables hold of each customer."""
    key, found = hash_key_of(settings), list[Row]()
    for source in sorted(set(begun.sources.values())):
        customers = {name for name, of in begun.sources.items() if of == source}
        found += tables[source].rows(key, customers, begun.at)
    return found


def _asked(settings: Settings, kafka: KafkaSettings, begun: Begun) -> list[Asked]:
    """What came of the fact at each connection, by the outcomes since."""
    key, topic = hash_key_of(settings), names_of(settings).outcomes
    decode = schemas_of(settings, [], wait=False).decode_in_thread("outcome")
    found: dict[tuple[str, str], Mapping[str, Any]] = {}

    def note(message: Message) -> None:
        told = decode(message.value() or b"")
        if told["type"] != CUSTOMER_ERASED or told["part"] != "event" or not told["final"]:
            return
        name = customer_hash(key, f"{told['merchant']}:{told['customer_id']}".encode())
        if name in begun.sources:
            found[told["connection"], name] = told

    everything = whole(kafka, topic)
    starts = Watermarks(kafka, topic).since(everything.starts, begun.at)
    look_through(kafka, Stretch(topic, starts, everything.ends), note)
    asked = []
    for name, configured in settings.connections.items():
        deletion = DESTINATIONS[configured.destination or name].deletion
        for customer, source in sorted(begun.sources.items()):
            outcome = found.get((name, customer))
            if outcome is None and not _concerns(settings, name, source):
                continue
            call, remark = (None, "") if deletion is None else (deletion.call, deletion.remark)
            if outcome is not None:
                told = outcome["outcome"], outcome["reason"]
            else:
                told = None, "it is off" if configured.mode == "off" else None
            asked.append(Asked(name, customer, call, remark, *told))
    return asked


def _concerns(settings: Settings, connection: str, source: str) -> bool:
    """Whether a connection gets anything of a source."""
    takes = DESTINATIONS[settings.connections[connection].destination or connection].takes
    return FAMILIES[source].concerns(takes)


async def _followed(settings: Settings, asked: list[Asked]) -> list[Asked]:
    """The same, with what vendors say of requests that they took."""
    return [await _follow(settings, each) for each in asked]


async def _follow(settings: Settings, asked: Asked) -> Asked:
    configured = settings.connections[asked.connection]
    connection = connection_of(asked.connection, configured)
    destination = DESTINATIONS[connection.destination]
    request = destination.deletion and destination.deletion.follow(asked.reason or "")
    if request is None or destination.deletion is None or not connection.credentials:
        return asked
    headers = destination.authorize(credentials_of(asked.connection, configured, needed=True))
    http = Http(connection.url or destination.url, headers, concurrency=1)
    try:
        response = await http.send(request, b"")
    except TransportFailure:
        return asked
    finally:
        await http.aclose()
    return asked._replace(processed=destination.deletion.done(response))


def _letters(settings: Settings, kafka: KafkaSettings, begun: Begun) -> dict[str, int]:
    """How many letters of these customers stand, by topic; the vendor's refusal of it is none."""
    key, rekeyed = hash_key_of(settings), settings.rekey.topic
    boxes = Boxes(kafka, boxes_of(settings, (), ()), readers_of(settings))
    return {
        topic.box.topic: sum(
            any(customer_hash(key, owner) in begun.sources for owner in owners)
            for letter, owners in owned(topic, boxes.readers, rekeyed)
            if letter.type != CUSTOMER_ERASED
        )
        for topic in boxes.topics
    }


def written(told: Mapping[str, Any]) -> bytes:
    """A certificate as the bytes of its file."""
    return msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n"
