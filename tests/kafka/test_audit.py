"""What was done on purpose is on the audit topic, before and after it was done."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from streams.cli import commands
from streams.cli.auditing import audit_of
from streams.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

    from streams.control.audit import Audited


class Trouble(Exception):
    """Whose text may quote somebody's address."""


@pytest.fixture
def settings_file(tmp_path: Path, broker: str, prefix: str) -> Path:
    """Settings of a prefix of one's own, with its topics."""
    file = tmp_path / "streams.toml"
    file.write_text(
        f'prefix = "{prefix}"\n[kafka]\nbootstrap = "{broker}"\n[topics]\nreplication = 1\n'
    )
    result = CliRunner().invoke(commands, ["--settings", str(file), "topics", "create"])
    assert result.exit_code == 0, result.output
    return file


def told(file: Path, *options: str) -> list[dict[str, Any]]:
    """What `streams audit` prints."""
    result = CliRunner().invoke(commands, ["--settings", str(file), "audit", "--json", *options])
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.output.splitlines()]


def test_an_action_is_told_before_and_after(settings_file: Path) -> None:
    """What was asked for, by whom, and what came of it, under one id."""
    audit = audit_of(load_settings(settings_file))
    with audit.action("replay.run", {"connection": "klaviyo", "deliveries": 12}) as entry:
        before = told(settings_file)
        entry.result["appended"] = 12
    began, done = told(settings_file)

    assert [began] == before
    assert ("began", "done") == (began["state"], done["state"])
    assert entry.id == began["id"] == done["id"]
    assert {"connection": "klaviyo", "deliveries": 12} == began["what"]
    assert {"appended": 12} == done["result"]
    assert began["by"]


def test_an_action_that_fails_is_told_without_its_words(settings_file: Path) -> None:
    """The kind of the error, and what was done until then; not what it says of whom."""
    audit = audit_of(load_settings(settings_file))

    def erase() -> None:
        with audit.action("erase", {"customers": 1}) as entry:
            entry.result["letters"] = 3
            raise Trouble("noor.hale@shop-demo.io")

    with pytest.raises(Trouble):
        erase()
    [_, failed] = told(settings_file, "--action", "erase")

    assert ("failed", "Trouble", {"letters": 3}) == (
        failed["state"],
        failed["error"],
        failed["result"],
    )
    assert "noor" not in json.dumps(failed)


def test_the_list_is_for_people_too(settings_file: Path) -> None:
    """A line an entry; chosen by command."""
    audit = audit_of(load_settings(settings_file))
    names: tuple[Audited, ...] = ("replay.run", "rebuild.run")
    for name in names:
        with audit.action(name, {"count": 1}):
            pass
    printed = CliRunner().invoke(
        commands, ["--settings", str(settings_file), "audit", "--action", "replay"]
    )
    lines = printed.output.splitlines()

    assert 2 == len(lines)
    assert all("replay.run" in each for each in lines)
    assert "count=1" in lines[0]
