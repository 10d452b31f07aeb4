"""`[okendo]`: what it means, what is refused, and what it makes of topics and commands."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from click.testing import CliRunner

from streams.cli import commands
from streams.cli.composition import (
    loyalty_options_of,
    loyalty_webhook_options_of,
    sources_of,
    state_store_of,
)
from streams.cli.ingest import VERIFIED
from streams.cli.table.member_lines import member_lines
from streams.derive import LoyaltyOptions
from streams.errors import ConfigurationError
from streams.model.masking import masked
from streams.model.member import Member, decode_member, encode_member
from streams.model.row_text import row_as_dict, row_of_dict
from streams.names import OKENDO, ORDERGROOVE, SOURCES, Names
from streams.settings import Settings, load_settings
from streams.settings.okendo import OkendoFields
from streams.sources.okendo import FieldPaths, WebhookOptions
from tests.support.okendo import (
    DAY,
    SAMPLES,
    START,
    TIERS,
    Driver,
    deletion,
    iso,
    member,
    of_tier,
    transaction,
)

if TYPE_CHECKING:
    from pathlib import Path

FIRST_START = 1_790_000_000_000


@pytest.fixture(autouse=True)
def _no_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("STREAMS_"):
            monkeypatch.delenv(name)


def settings_of(folder: Path, text: str) -> Settings:
    """The settings of a file."""
    file = folder / "streams.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file)


def test_without_its_table_okendo_is_no_source(tmp_path: Path) -> None:
    """With it, also an empty one, there are two."""
    assert (ORDERGROOVE,) == sources_of(settings_of(tmp_path, ""))
    assert SOURCES == sources_of(settings_of(tmp_path, "[okendo]"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ('tiers = ["Bronze", "Silver", "Gold"]', {"tiers": TIERS}),
        ("enrolled_on_any_status = true", {"enrolled_on_any_status": True}),
        ('zone = "Europe/Berlin"', {"zone": "Europe/Berlin"}),
        ('[derive]\nhistory = "complete"', {"history": "complete"}),
        ('[derive]\nflows_from = "beginning"', {"flows_from": 0}),
        ('[derive]\nannounce = ["state"]', {"announce": frozenset({"state"})}),
        ('[derive]\nlate_after = "2h"', {"late_after": 7_200_000}),
    ],
)
def test_a_setting_is_an_option(tmp_path: Path, text: str, expected: dict[str, Any]) -> None:
    """What both sources share is derive's; what is loyalty's alone is Okendo's."""
    settings = settings_of(tmp_path, f"[okendo]\n{text}")

    assert LoyaltyOptions(**({"flows_from": FIRST_START} | expected)) == loyalty_options_of(
        settings, FIRST_START
    )


def test_every_guess_of_the_contract_is_a_setting_with_that_default(tmp_path: Path) -> None:
    """The names that webhooks are read by are those that the settings print."""
    settings = settings_of(
        tmp_path, '[okendo]\nstore = "beans"\n[okendo.fields]\nstatus = "state.now"'
    )

    assert WebhookOptions("beans", FieldPaths(status="state.now")) == (
        loyalty_webhook_options_of(settings)
    )
    assert set(OkendoFields.model_fields) == set(FieldPaths.__struct_fields__)
    assert WebhookOptions() == loyalty_webhook_options_of(settings_of(tmp_path, ""))


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ('tiers = ["Gold", "Gold"]', "okendo.tiers"),
        ('tiers = [" "]', "okendo.tiers"),
        ('store = "a:b"', "okendo.store"),
        ('zone = "Middle/Earth"', "okendo.zone"),
        ('fields.status = "a..b"', "okendo.fields.status"),
        ('fields.status = ""', "okendo.fields.status"),
        ('fields.statsu = "a"', "okendo.fields.statsu"),
        ('tier = ["Gold"]', "okendo.tier"),
    ],
)
def test_what_is_refused_is_named(tmp_path: Path, text: str, setting: str) -> None:
    """The setting, and how to mend it."""
    with pytest.raises(ConfigurationError) as error:
        settings_of(tmp_path, f"[okendo]\n{text}")

    assert setting == error.value.setting


def test_topics_groups_and_tables() -> None:
    """Ordergroove's names stay what they were; Okendo has its own beside them."""
    names = Names("og")
    plain = {each.name for each in names.topics(["klaviyo"])}
    both = {each.name for each in names.topics(["klaviyo"], SOURCES)}
    ours = names.derived(OKENDO)

    assert {"og.okendo.events", "og.dead-letters.okendo", "og.members.changelog"} == both - plain
    assert plain < both
    assert ("og-derive-okendo", "derive-okendo", "og.members.changelog") == (
        ours.group,
        ours.lane,
        ours.changelog,
    )
    theirs = names.derived(ORDERGROOVE)

    assert ("og-derive", "derive", "og.subscribers.changelog") == (
        theirs.group,
        theirs.lane,
        theirs.changelog,
    )


def test_each_table_has_a_directory_of_its_own(tmp_path: Path) -> None:
    """Two lanes of a process cannot share one."""
    settings = settings_of(tmp_path, '[okendo]\n[derive]\nstate_store = "rocksdb"')
    stores = [state_store_of(settings, source) for source in SOURCES]
    for store in stores:
        store.close()

    assert 2 == len(list((tmp_path / "state").iterdir()))


def test_produce_asks_for_the_table(tmp_path: Path) -> None:
    """Without it nobody would read what is written."""
    file = tmp_path / "none.jsonl"
    file.write_text("")
    result = CliRunner().invoke(commands, ["produce", "okendo", str(file)])

    assert isinstance(result.exception, ConfigurationError)
    assert "okendo" == result.exception.setting


def row() -> Member:
    """A member who earned, changed tier, had points taken back and left."""
    driver = Driver()
    gold: dict[str, Any] = {"points": {"balance": 9}, "birthday": {"day": 3, "month": 4}}
    driver.feed_all(
        [
            of_tier("Silver", START - DAY, 1),
            of_tier("Gold", START, 2, **gold),
            transaction(sequence=3),
            deletion(sequence=4),
            member("pending", 5, dateTierExpires=iso(START), **gold),
        ]
    )
    return driver.row()


def test_a_row_is_bytes_and_text_and_back() -> None:
    """Nothing is lost in the table, nor in what `table get --json` prints."""
    found = row()

    assert found == decode_member(encode_member(found))
    assert found == row_of_dict(row_as_dict(found), Member)


def test_a_row_for_people() -> None:
    """What is told now, and what decides what is told next; the address masked."""
    found = row()
    text = "\n".join(member_lines(found, masked(row_as_dict(found))))

    assert "pending, version" in text
    assert "e-mail n***@shop-demo.io" in text
    assert "sequence 2 to 2  enrolled  (tier Gold; tier told)" in text
    assert "t1  delete, sequence 4, told" in text
    assert "no longer: tier enrolled_at" in text
    assert "noor" not in text


def test_a_webhook_that_does_not_say_its_store_is_the_addresss(tmp_path: Path) -> None:
    """Not that of `okendo.store`: there may be several, each with an address of its own."""
    body = msgspec.json.decode(SAMPLES["01_loyalty_customer.create"])["body"]
    told = body["resource"].pop("subscriberId")
    settings = settings_of(tmp_path, '[okendo]\nstore = "another"\n')
    read = VERIFIED[OKENDO].reading_of(settings, "its-own")
    silent = read({}, msgspec.json.encode(body), DAY)
    body["resource"]["subscriberId"] = told
    outspoken = read({}, msgspec.json.encode(body), DAY)

    assert ("its-own", told) == (silent["merchant"], outspoken["merchant"])
