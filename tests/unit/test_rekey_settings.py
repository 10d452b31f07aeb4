"""Settings of the role rekey: what it may read, and what is said before it asks Kafka anything."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from streams.cli import commands
from streams.cli.worker.rekey import foreign_topic
from streams.errors import ConfigurationError
from streams.settings import Settings, load_settings

if TYPE_CHECKING:
    from pathlib import Path


def settings_of(folder: Path, text: str) -> Settings:
    """The settings of a file."""
    file = folder / "streams.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file)


@pytest.mark.parametrize(
    ("told", "start"),
    [
        pytest.param("", "beginning", id="nothing"),
        pytest.param('start = "end"', "end", id="the end"),
        pytest.param("start = 2026-10-01T12:00:00Z", datetime(2026, 10, 1, 12, tzinfo=UTC), id="T"),
        pytest.param(
            'start = "2026-10-01T14:00:00+02:00"', datetime(2026, 10, 1, 12, tzinfo=UTC), id="text"
        ),
    ],
)
def test_where_it_starts(tmp_path: Path, told: str, start: Any) -> None:
    """At the beginning unless told otherwise: derive misses nothing."""
    assert start == settings_of(tmp_path, f"[rekey]\n{told}").rekey.start


@pytest.mark.parametrize("told", ['"latest"', '"2026-10-01T12:00:00"', "5"])
def test_a_start_that_is_none(tmp_path: Path, told: str) -> None:
    """A time has its zone, and there are two words."""
    with pytest.raises(ConfigurationError, match=r'rekey.start: "beginning", "end" or a time'):
        settings_of(tmp_path, f"[rekey]\nstart = {told}")


@pytest.mark.parametrize(
    ("topic", "problem"),
    [
        pytest.param("", "rekey.topic: there is none", id="none"),
        pytest.param("og.ordergroove.events", "a topic of this prefix", id="the source topic"),
        pytest.param("og.dead-letters.ordergroove", "a topic of this prefix", id="what it writes"),
        pytest.param("og.deliveries.klaviyo", "a topic of this prefix", id="a connection's"),
    ],
)
def test_topics_that_it_cannot_read(tmp_path: Path, topic: str, problem: str) -> None:
    """Its own output would come back to it without end."""
    settings = settings_of(tmp_path, f'[connections.klaviyo]\n[rekey]\ntopic = "{topic}"')

    with pytest.raises(ConfigurationError, match=problem):
        foreign_topic(settings)


def test_the_old_prefix_may_be_read(tmp_path: Path) -> None:
    """So a topic that must grow, or was keyed otherwise, goes over to a new prefix."""
    told = 'prefix = "og2"\n[rekey]\ntopic = "og.ordergroove.events"'

    assert "og.ordergroove.events" == foreign_topic(settings_of(tmp_path, told))


def test_without_a_topic_nothing_starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is said at once, without a broker."""
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(commands, ["worker", "rekey"])

    assert isinstance(result.exception, ConfigurationError)
    assert "rekey.topic" == result.exception.setting
