"""Every source has all that the program needs of one: what was forgotten is named here."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from avro_schemas import __file__ as schemas_file
from streams.cli.ingest import VERIFIED
from streams.cli.produce import produce
from streams.cli.source_desks import DESKS
from streams.families import FAMILIES
from streams.names import SOURCES, Names
from streams.settings import Settings
from streams.settings.ingest import Ingest

SCHEMAS = Path(schemas_file).parent


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_is_known_everywhere(source: str) -> None:
    """Its family, what the commands ask, its settings, addresses, schema and command."""
    ids = json.loads((SCHEMAS / "ids.json").read_text())

    assert source == FAMILIES[source].source
    assert source in DESKS
    assert source in VERIFIED
    assert source in Settings.model_fields
    assert source in Ingest.model_fields
    assert (SCHEMAS / "sources" / f"{source}.avsc").is_file()
    assert f"sources/{source}" in ids
    assert source in produce.list_commands(click.Context(produce))


def test_nothing_else_is_a_source() -> None:
    """What has an entry somewhere has a name, too."""
    assert set(SOURCES) == set(FAMILIES) == set(DESKS) == set(VERIFIED)


def test_sources_share_nothing() -> None:
    """Each has topics, a group, a lane and a table of its own; so do schemas have ids."""
    names, ids = Names("og"), json.loads((SCHEMAS / "ids.json").read_text())
    derived = [names.derived(each) for each in SOURCES]

    for field in ("topic", "group", "lane", "changelog"):
        assert len(SOURCES) == len({getattr(each, field) for each in derived}), field
    assert len(ids) == len(set(ids.values()))


def test_their_facts_are_told_apart() -> None:
    """No event type is of two sources: who takes it would not know whose it is."""
    some = [each.events for each in FAMILIES.values() if each.events is not None]

    assert sum(map(len, some)) == len(frozenset().union(*some))
