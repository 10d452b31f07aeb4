"""Settings of the role hydrate: what it may read, who writes there, what is said before Kafka."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from streams.cli import commands
from streams.cli.codecs import schemas_by_topic
from streams.cli.composition import intake_of, topics_of
from streams.cli.worker.hydrate import apis_of, checked_topic
from streams.errors import ConfigurationError
from streams.settings import Settings, load_settings

if TYPE_CHECKING:
    from pathlib import Path

TOPIC = "og.ordergroove.intake"


def settings_of(folder: Path, text: str) -> Settings:
    """The settings of a file."""
    file = folder / "streams.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file)


def test_where_new_records_go(tmp_path: Path) -> None:
    """To the source topic, or to hydrate's where it is set up; Okendo's always to their own."""
    plain = settings_of(tmp_path, "")
    hydrated = settings_of(tmp_path, f'[hydrate]\ntopic = "{TOPIC}"')

    assert "og.ordergroove.events" == intake_of(plain)
    assert TOPIC == intake_of(hydrated)
    assert "og.okendo.events" == intake_of(hydrated, "okendo")


def test_its_topics_are_made_with_the_others(tmp_path: Path) -> None:
    """The intake is kept for two weeks, with its schema; the table for good."""
    hydrated = settings_of(tmp_path, f'[hydrate]\ntopic = "{TOPIC}"')
    plain = {each.name for each in topics_of(settings_of(tmp_path, ""))}
    made = {each.name: each.config for each in topics_of(hydrated)}

    assert {TOPIC, "og.entities.changelog"} == made.keys() - plain
    assert str(14 * 86_400_000) == made[TOPIC]["retention.ms"]
    assert "compact" == made["og.entities.changelog"]["cleanup.policy"]
    assert "sources/ordergroove" == schemas_by_topic(hydrated)[TOPIC]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("", "hydrate.topic: there is none", id="none"),
        pytest.param(
            '[hydrate]\ntopic = "og.ordergroove.events"', "others of this prefix", id="its target"
        ),
        pytest.param(
            '[hydrate]\ntopic = "og.entities.changelog"', "others of this prefix", id="its table"
        ),
        pytest.param(
            '[hydrate]\ntopic = "bridge"\n[rekey]\ntopic = "bridge"', "rekey reads", id="rekey's"
        ),
    ],
)
def test_topics_that_it_cannot_read(tmp_path: Path, text: str, problem: str) -> None:
    """Its own output, or somebody else's input, would come back without end."""
    with pytest.raises(ConfigurationError, match=problem):
        checked_topic(settings_of(tmp_path, text))


def test_a_merchants_own_records_are_not_filled(tmp_path: Path) -> None:
    """They have no place for what they lack: it is said before anything starts."""
    settings = settings_of(tmp_path, f'[hydrate]\ntopic = "{TOPIC}"')
    source = settings.ordergroove.model_copy(update={"mapping": object()})
    mapped = settings.model_copy(update={"ordergroove": source})

    with pytest.raises(ConfigurationError, match=r"hydrate.topic: .*ordergroove.mapping"):
        checked_topic(mapped)


def test_without_patience_nobody_is_asked(tmp_path: Path) -> None:
    """`0s`: the snapshot and the table must do; not even a key is looked for."""
    account = "[ordergroove.api.m1]"

    assert {} == apis_of(settings_of(tmp_path, f'{account}\n[hydrate]\npatience = "0s"'))
    with pytest.raises(ConfigurationError, match=r"ordergroove.api.m1.key"):
        apis_of(settings_of(tmp_path, account))


@pytest.mark.parametrize("told", ["-1s", "6m", "soon"])
def test_patience_has_its_bounds(tmp_path: Path, told: str) -> None:
    """A partition does not stand for longer."""
    with pytest.raises(ConfigurationError, match=r"hydrate\.patience"):
        settings_of(tmp_path, f'[hydrate]\npatience = "{told}"')


def test_without_a_topic_nothing_starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is said at once, without a broker."""
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(commands, ["worker", "hydrate"])

    assert isinstance(result.exception, ConfigurationError)
    assert "hydrate.topic" == result.exception.setting
