"""The README says what the code says. `UPDATE_GOLDEN=1` writes its tables anew."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.cli import COMMANDS, commands
from tests.support.readme_tables import MARKER, TABLES, filled

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = (README, ROOT / "streams" / "destinations" / "TABLES.md")
"""Where generated tables stand."""
GUIDES = ROOT / "deploy" / "guides"


def test_tables_are_those_of_the_code() -> None:
    """Every generated table stands in its page as the code has it."""
    found = set()
    for page in PAGES:
        written = page.read_text()
        if os.environ.get("UPDATE_GOLDEN"):
            page.write_text(filled(written))
            written = page.read_text()
        found |= {each[2] for each in MARKER.finditer(written)}

        assert filled(written) == written
    assert found == set(TABLES)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_mentioned(command: str) -> None:
    """A command that the README does not name is one that nobody finds."""
    assert f"streams {command}" in README.read_text()


def test_commands_in_the_readme_exist() -> None:
    """Whatever the README or a guide calls `streams …` is a command that answers --help."""
    pages = [README, *GUIDES.glob("*.md")]
    named = {each for page in pages for each in re.findall(r"`streams ([a-z-]+)", page.read_text())}
    answers = {name: CliRunner().invoke(commands, [name, "--help"]).exit_code for name in named}

    assert dict.fromkeys(named, 0) == answers


def test_every_guide_is_on_the_readme_s_list() -> None:
    """And every guide that the README names is there."""
    listed = re.findall(r"`deploy/guides/([\w-]+\.md)`", README.read_text())

    assert set(listed) == {each.name for each in GUIDES.glob("*.md")}


def test_paths_in_the_map_exist() -> None:
    """Every path of the map is there."""
    text = README.read_text()
    listed = re.findall(
        r"^    ((?:streams|avro_schemas|tests|deploy)/[\w./-]*)", text, re.MULTILINE
    )

    assert listed
    assert [path for path in listed if not (ROOT / path).exists()] == []


def test_every_room_is_on_the_map() -> None:
    """Nothing directly below `streams/` is missing there."""
    text = README.read_text()
    rooms = [f"streams/{each.name}/" for each in (ROOT / "streams").glob("[a-z]*/")]
    modules = [f"streams/{each.name}" for each in (ROOT / "streams").glob("[a-z]*.py")]

    assert [each for each in rooms + modules if f"    {each} " not in text] == []
