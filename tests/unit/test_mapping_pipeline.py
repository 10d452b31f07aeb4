"""Mapped records on their way: through the pipeline and derive's job, `explain` and the start."""

from __future__ import annotations

import asyncio
import json
import os
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from streams.avro import Codec, codec, registry
from streams.cli import commands
from streams.cli.mapping import mapping_of
from streams.cli.worker.foreign import checked_mapping
from streams.cli.worker.rekey import foreign_topic
from streams.engine.batch import FIRST, Part, Position
from streams.engine.compute import compute
from streams.engine.rows import Shard
from streams.errors import BadRecord, ConfigurationError
from streams.metrics import DeriveCounts
from streams.model.ids import customer_key
from streams.model.row_bytes import decode_row
from streams.names import Names
from streams.pipeline import Pipeline, enriched_of
from streams.registry import Schemas
from streams.settings import load_settings
from streams.sources.ordergroove import WebhookOptions, record_of
from streams.sources.ordergroove.mapping import compiled, events_reader, owner_reader
from streams.topology import DeriveJob
from tests.support.driver import COMPLETE, ENRICHED, ROUTES
from tests.support.foreign import (
    AT,
    MERCHANT,
    SETTINGS,
    TEXT,
    changed,
    contract,
    notice,
    parcel,
    settings_of,
)
from tests.support.registry import Served, framed
from tests.support.registry_server import RegistryServer
from tests.support.webhooks import subscription, webhook

KEY = b"club-0042"
OWNER = customer_key(MERCHANT, "0042")
FOREIGN = 77
STARTED = ("STARTED", contract())
STOPPED = ("STOPPED", contract(running=False, after=9, ended={"grounds": "moved"}))
NAMES = Names("t")


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings file and no variables of ours."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("STREAMS_"):
            monkeypatch.delenv(name)


def nobody(_: bytes) -> None:
    """No rows yet."""


def pipeline(text: str = SETTINGS) -> Pipeline:
    """A pipeline that reads the merchant's own records, and ours."""
    files = registry()
    served = Served({FOREIGN: TEXT, files.ids["sources/ordergroove"]: ours()})
    source = Codec(served, "sources/ordergroove")
    events = events_reader(source, mapping_of(settings_of(text)), WebhookOptions())
    return Pipeline(source, ENRICHED, ROUTES, COMPLETE, events=events)


def ours() -> str:
    """Our own schema."""
    return registry().texts["sources/ordergroove"]


def record(*changes: tuple[str, Any], **more: Any) -> bytes:
    """A record as it lies on the topic."""
    return framed(FOREIGN, TEXT, notice(*changes, **more))


def test_each_change_builds_on_the_one_before() -> None:
    """Two events of one record: the second finds the row that the first left."""
    started, stopped = pipeline().process_all(record(STARTED, STOPPED), nobody, AT, KEY)

    assert ["subscription.create", "subscriber.create"] == [t.fact.type for t in started.told]
    assert ["subscription.cancel", "subscriber.cancel"] == [t.fact.type for t in stopped.told]
    assert OWNER == started.key == stopped.key
    assert started.value is not None
    assert stopped.value is not None
    assert (1, 0) == (decode_row(started.value).active, decode_row(stopped.value).active)


def test_a_record_again_is_a_repetition() -> None:
    """Ids are functions of the record's own id and the place, so both are known."""
    way, value = pipeline(), record(STARTED, STOPPED)
    rows = {each.key: each.value for each in way.process_all(value, nobody, AT, KEY)}

    assert [True, True] == [each.duplicate for each in way.process_all(value, rows.get, AT, KEY)]


def test_what_is_ignored_is_nothing() -> None:
    """Neither an event nor a dead letter."""
    assert [] == list(pipeline().process_all(record(("NOTED", None)), nobody, AT, KEY))


def test_our_own_records_are_read_as_ever() -> None:
    """Whoever maps may write some of ours, under our own key."""
    value = codec("sources/ordergroove").encode(
        record_of(webhook("subscription.create", subscription()))
    )
    owner = customer_key(MERCHANT, "0088123")
    [processed] = pipeline().process_all(value, nobody, AT, owner)

    assert owner == processed.key
    with pytest.raises(BadRecord, match="wrong_key"):
        pipeline().process_all(value, nobody, AT, b"0088123")


def test_a_schema_without_a_path_names_the_entry() -> None:
    """A writer that was not known at the start: its records are dead letters, each with the way."""
    text = changed("@.about.ended.grounds", "@.about.ended.ground")
    way = pipeline(text)
    with pytest.raises(BadRecord) as first:
        way.process_all(record(STARTED), nobody, AT, KEY)
    with pytest.raises(BadRecord) as again:
        way.process_all(record(STOPPED), nobody, AT, KEY)

    assert ("unmapped_path", "subscription.cancel_reason") == (
        first.value.reason,
        first.value.field,
    )
    assert "Closest: grounds" in first.value.detail
    assert str(first.value) == str(again.value)


class Message:
    """A record of the source topic as far as the job looks."""

    def __init__(self, value: bytes, offset: int) -> None:
        self.value, self.key = partial(bytes, value), partial(bytes, KEY)
        self.timestamp = lambda: (2, AT)
        self.topic = lambda: NAMES.events("ordergroove")
        self.partition = lambda: 3
        self.offset = lambda: offset
        self.headers = list[Any]


def test_a_record_is_told_whole_or_not_at_all() -> None:
    """Derive's job: all its events in one batch; one bad element leaves no trace but its letter."""
    job = DeriveJob(pipeline(), NAMES, Schemas(registry()), DeriveCounts())
    good, bad = record(STARTED, STOPPED), record(STARTED, ("MOVED", None), uid=89)
    messages: Any = [Message(bad, 40), Message(good, 41)]
    shard = Shard({}, job.due, Position(40, ""))
    work = asyncio.run(compute(job, shard, Part(3, 1, FIRST, messages, None)))
    assert work is not None
    letters, told = [], []
    for topic, key, value, _ in work.outputs:
        if topic == NAMES.dead_letters("ordergroove"):
            letters.append(codec("dead_letter").decode(value))
        else:
            assert OWNER == key
            told.append(enriched_of(ENRICHED, value).type)

    assert [("unknown_value", "type", 40)] == [
        (each["reason"], each["field"], each["offset"]) for each in letters
    ]
    assert [
        "subscription.create",
        "subscriber.create",
        "subscription.cancel",
        "subscriber.cancel",
    ] == told


def _json(value: Any, *, avro: bool) -> Any:
    """A record as JSON: plain, or with the branches of unions named as Avro does."""
    if isinstance(value, tuple):
        inner = _json(value[1], avro=avro)
        return {value[0]: inner} if avro else inner
    if isinstance(value, dict):
        return {name: _json(each, avro=avro) for name, each in value.items()}
    if isinstance(value, list):
        return [_json(each, avro=avro) for each in value]
    return value.decode("latin-1") if isinstance(value, bytes) else value


@pytest.mark.parametrize("avro", [False, True], ids=["plain", "Avro's own"])
def test_explain_reads_records_as_json(tmp_path: Path, *, avro: bool) -> None:
    """With their key, in order; a bad one says where; what follows goes on."""
    (tmp_path / "writer.avsc").write_text(TEXT)
    (tmp_path / "streams.toml").write_text(
        changed('key = "club', 'writer = "writer.avsc"\nkey = "club')
    )
    told = [notice(STARTED, ("SHIPS_SOON", parcel())), notice(("MOVED", None), uid=89)]
    lines = [json.dumps({"key": KEY.decode(), "value": _json(each, avro=avro)}) for each in told]
    given = "\n".join([*lines, "[]"])
    arguments = ["explain", "--json", "--destination", "klaviyo"]
    result = CliRunner().invoke(commands, arguments, input=given)
    first, second, third, *_ = [json.loads(line) for line in result.stdout.splitlines()]
    reminder = first["deliveries"][-1]["requests"][0]["body"]["data"]["attributes"]

    assert {"line": 1, "event_id": "88#0", "type": "subscription.create, order.reminder"} == (
        first["input"]
    )
    assert ["subscription.create", "subscriber.create", "order.reminder"] == [
        each["type"] for each in first["events"]
    ]
    assert 46.5 == reminder["properties"]["total"]
    assert {"reason": "unknown_value", "field": "type"} == second["dead_letter"]
    assert {"reason": "malformed", "field": None} == third["dead_letter"]


def start(text: str = SETTINGS) -> None:
    """What derive does with the mapping before it starts."""
    Path("streams.toml").write_text(text)
    checked_mapping(load_settings())


def test_a_mapping_needs_a_registry() -> None:
    """Without one, nobody says how the merchant's records are written."""
    with pytest.raises(ConfigurationError) as error:
        start()

    assert "registry" in str(error.value)


@pytest.mark.parametrize("by_file", [True, False], ids=["a file", "the registry"])
def test_an_unmapped_path_is_said_at_the_start(tmp_path: Path, *, by_file: bool) -> None:
    """Where the schema is known: named in the settings, or others' newest under the topic."""
    (tmp_path / "writer.avsc").write_text(TEXT)
    wrong = changed("@.about.rhythm.n", "@.about.rhythm.count")
    with RegistryServer() as server:
        server.register("og.ordergroove.events-value", TEXT)
        server.register("og.ordergroove.events-value", ours())
        known = 'key = "club'
        head = f'[registry]\nurl = "{server.url}"\n'
        text = head + (
            changed(known, f'writer = "writer.avsc"\n{known}', wrong) if by_file else wrong
        )
        with pytest.raises(ConfigurationError) as error:
            start(text)
        start(head + SETTINGS)
        server.switch_off()
        if not by_file:
            start(head + wrong)  # nobody can say now; its records will

    assert "ordergroove.mapping.subscription.every" == error.value.setting
    assert "unmapped path @.about.rhythm.count" in error.value.problem


MISTAKES: dict[str, tuple[str, str, str]] = {
    "two origins": (
        changed('event_id = "uid"', 'event_id = { path = "uid", const = 1 }'),
        "ordergroove.mapping.event_id",
        "an entry has one of path, const and key",
    ),
    "an unknown word": (
        changed('unit = "ms" }\nmerchant', 'unit = "ms", zon = "UTC" }\nmerchant'),
        "ordergroove.mapping.created.zon",
        "no such setting",
    ),
    "an unknown unit": (
        changed('unit = "ms" }\nmerchant', 'unit = "weeks" }\nmerchant'),
        "ordergroove.mapping.created.unit",
        "Input should be 's', 'ms', 'us', 'iso' or 'days'",
    ),
    "a missing entry": (
        changed('event_id = "uid"\n', ""),
        "ordergroove.mapping.event_id",
        "Field required",
    ),
    "a wrong entry of a table": (
        changed('quantity = "@.about.pieces"', "quantity = 3"),
        "ordergroove.mapping.subscription.quantity",
        "Input should be a valid dictionary or instance of Entry",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_wrong_setting_is_named(case: str) -> None:
    """As everywhere in the settings file."""
    text, setting, problem = MISTAKES[case]
    with pytest.raises(ConfigurationError) as error:
        start(text)

    assert (setting, problem) == (error.value.setting, error.value.problem)


BY_PATH = changed('key = "club-{customer_id}"\n', "").replace(
    '{ key = "customer_id" }', '"who.called.family"'
)
BY_ELEMENT = changed('"who.called.family"', '"@.about.no"', BY_PATH)
OWNERS: dict[str, tuple[str, dict[str, Any], bytes | str]] = {
    "the record's customer": (BY_PATH, notice(STARTED, STOPPED), b"Hale"),
    "nothing but what is ignored": (BY_PATH, notice(("NOTED", None)), b"Hale"),
    "a bad element": (BY_PATH, notice(("MOVED", None)), b"Hale"),
    "the elements' customer": (BY_ELEMENT, notice(STARTED, STOPPED), b"k-7"),
    "customers of two": (
        BY_ELEMENT,
        notice(STARTED, ("STARTED", contract("k-8"))),
        "wrong_key customer_id: the record is of 2 customers",
    ),
    "nobody": (BY_ELEMENT, notice(), "no_customer customer_id: the record is of 0 customers"),
}


@pytest.mark.parametrize("case", OWNERS)
def test_whose_record_it_is_for_rekey(case: str) -> None:
    """One customer's, by the mapping; its values stay as they are, whatever becomes of them."""
    text, told, expected = OWNERS[case]
    served = Served({FOREIGN: TEXT})
    mapping = mapping_of(settings_of(text))
    owner = owner_reader(Codec(served, "sources/ordergroove"), mapping, WebhookOptions())
    value = framed(FOREIGN, TEXT, told)
    if isinstance(expected, bytes):
        assert MERCHANT.encode() + b":" + expected == owner(value)
    else:
        with pytest.raises(BadRecord) as error:
            owner(value)
        assert expected == str(error.value)


def test_rekey_needs_a_mapping_without_keys() -> None:
    """The copy's key is merchant and customer; what the record's own key told is gone."""
    topic = '[rekey]\ntopic = "club.notices"\n'
    Path("streams.toml").write_text(topic + SETTINGS)
    with pytest.raises(ConfigurationError, match=r"ordergroove.mapping.key: rekey writes keys of"):
        foreign_topic(load_settings())
    Path("streams.toml").write_text(topic + BY_PATH)

    assert "club.notices" == foreign_topic(load_settings())


def test_the_documented_mapping_is_one() -> None:
    """The example of the schemas' README fits our fields."""
    text = (Path(__file__).parents[2] / "avro_schemas" / "README.md").read_text()
    _, _, rest = text.partition("```toml\n[ordergroove.mapping]")
    example = f"[ordergroove.mapping]{rest.partition('```')[0]}"

    assert compiled(mapping_of(settings_of(example))) is not None
