"""Settings: where they come from, and what is said of a wrong one."""

from __future__ import annotations

import os
import traceback
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from streams.errors import ConfigurationError
from streams.settings import Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

SECRET = "pk_never_to_be_shown"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own, no variables of ours."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.upper().startswith("STREAMS_"):
            monkeypatch.delenv(name)
    return tmp_path


def write(text: str, name: str = "streams.toml") -> Path:
    """A settings file."""
    file = Path(name)
    file.write_text(text, encoding="utf-8")
    return file


def secrets(monkeypatch: pytest.MonkeyPatch, **files: str) -> None:
    """A folder of secret files."""
    folder = Path("secrets")
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    monkeypatch.setenv("STREAMS_SECRETS_DIR", str(folder))


def wrong() -> ConfigurationError:
    """What loading says."""
    with pytest.raises(ConfigurationError) as error:
        load_settings()
    return error.value


def test_nothing_needs_to_be_set() -> None:
    """Without file and variables the defaults hold; a new connection sends nothing."""
    settings = load_settings()

    assert ("og", "localhost:9092", 12, {}) == (
        settings.prefix,
        settings.kafka.bootstrap,
        settings.topics.partitions,
        settings.connections,
    )


def test_a_connection_begins_in_shadow() -> None:
    """A connection that only has its name sends nothing and starts at the end of its topic."""
    write("[connections.klaviyo]")
    connection = load_settings().connections["klaviyo"]

    assert ("shadow", "end", None, None, "America/New_York", 1.0) == (
        connection.mode,
        connection.start,
        connection.destination,
        connection.merchants,
        connection.display_zone,
        connection.limits,
    )


@pytest.mark.parametrize(
    ("file", "secret", "variable", "expected"),
    [
        pytest.param(None, None, None, "og", id="the default"),
        pytest.param("file", None, None, "file", id="the file"),
        pytest.param("file", "secret", None, "secret", id="a secret file before the file"),
        pytest.param("file", None, "variable", "variable", id="a variable before the file"),
        pytest.param("file", "secret", "variable", "variable", id="a variable before both"),
    ],
)
def test_which_wins(
    file: str | None,
    secret: str | None,
    variable: str | None,
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The environment before secret files, those before the settings file."""
    if file:
        write(f'prefix = "{file}"')
    if secret:
        secrets(monkeypatch, streams_prefix=f"{secret}\n")
    if variable:
        monkeypatch.setenv("STREAMS_PREFIX", variable)

    assert expected == load_settings().prefix


def test_one_connection_from_three_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each place adds what it says: the file a mode, a secret file the key, a variable the url."""
    write('[connections.klaviyo]\nmode = "live"\nurl = "http://file"')
    secrets(monkeypatch, streams_connections__klaviyo__credentials=f"{SECRET}\n")
    monkeypatch.setenv("STREAMS_CONNECTIONS__KLAVIYO__URL", "http://variable")
    connection = load_settings().connections["klaviyo"]

    assert connection.credentials is not None
    assert ("live", SECRET, "http://variable") == (
        connection.mode,
        connection.credentials.get_secret_value(),
        connection.url,
    )


@pytest.mark.parametrize("how", ["argument", "variable", "both"])
def test_a_file_can_be_named(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By argument, else by STREAMS_SETTINGS, instead of the streams.toml that lies here."""
    write('prefix = "here"')
    argument = write('prefix = "argument"', "argument.toml")
    variable = write('prefix = "variable"', "variable.toml")
    if how != "argument":
        monkeypatch.setenv("STREAMS_SETTINGS", str(variable))
    found = load_settings(argument if how != "variable" else None)

    assert ("variable" if how == "variable" else "argument") == found.prefix


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("250ms", timedelta(milliseconds=250)),
        ("30s", timedelta(seconds=30)),
        ("1.5h", timedelta(minutes=90)),
        ("15 m", timedelta(minutes=15)),
        ("7d", timedelta(days=7)),
    ],
)
def test_a_duration_has_its_unit(text: str, duration: timedelta) -> None:
    """A number with a unit; never a bare number, whose unit one would guess."""
    write(f'[derive]\nlate_after = "{text}"')

    assert duration == load_settings().derive.late_after


@pytest.mark.parametrize(
    ("text", "setting", "fix"),
    [
        pytest.param('prefx = "x"', "prefx", "Did you mean prefix?", id="a top level's name"),
        pytest.param('[kafka]\nbootstrp = "x"', "kafka.bootstrp", "Did you mean bootstrap?",
                     id="a table's name"),
        pytest.param('[connections.klaviyo]\nmod = "live"', "connections.klaviyo.mod",
                     "Did you mean mode?", id="a connection's name"),
        pytest.param("[web]\nzzz = 1", "web.zzz", "Known here: host, port", id="like no other"),
        pytest.param("[kafka]\nbootstrap = 5", "kafka.bootstrap", "STREAMS_KAFKA__BOOTSTRAP",
                     id="another type"),
        pytest.param('kafka = "x"', "kafka", "STREAMS_KAFKA", id="no table"),
        pytest.param("[connections]\nklaviyo = 5", "connections.klaviyo",
                     "STREAMS_CONNECTIONS__KLAVIYO", id="no connection"),
        pytest.param('prefix = "Og Topics"', "prefix", "STREAMS_PREFIX", id="a name with space"),
        pytest.param('[connections."My Shop"]', "connections.My Shop", "another name",
                     id="a connection that cannot be called so"),
        pytest.param('[connections.klaviyo]\nmode = "on"', "connections.klaviyo.mode",
                     "STREAMS_CONNECTIONS__KLAVIYO__MODE", id="no such mode"),
        pytest.param('[connections.klaviyo]\nlimits = "fast"', "connections.klaviyo.limits",
                     "STREAMS_CONNECTIONS__KLAVIYO__LIMITS", id="one of several types"),
        pytest.param("[connections.klaviyo]\nlimits = 0", "connections.klaviyo.limits",
                     "STREAMS_CONNECTIONS__KLAVIYO__LIMITS", id="a rate of nothing"),
        pytest.param("[connections.klaviyo]\nmerchants = [5]", "connections.klaviyo.merchants",
                     "STREAMS_CONNECTIONS__KLAVIYO__MERCHANTS", id="inside a list"),
        pytest.param("[connections.limits]\nconcurrency = 0", "connections.limits.concurrency",
                     "STREAMS_CONNECTIONS__LIMITS__CONCURRENCY", id="called like a setting"),
        pytest.param('[derive]\nlate_after = "soon"', "derive.late_after",
                     "STREAMS_DERIVE__LATE_AFTER", id="no duration"),
        pytest.param("[derive]\nlate_after = 3600", "derive.late_after",
                     "STREAMS_DERIVE__LATE_AFTER", id="a duration without unit"),
        pytest.param('[ordergroove]\nsource_zone = "Chicago"', "ordergroove.source_zone",
                     "STREAMS_ORDERGROOVE__SOURCE_ZONE", id="no zone"),
        pytest.param('[ordergroove]\nphone_region = "usa"', "ordergroove.phone_region",
                     "STREAMS_ORDERGROOVE__PHONE_REGION", id="no region"),
        pytest.param("[topics]\npartitions = 0", "topics.partitions", "STREAMS_TOPICS__PARTITIONS",
                     id="too few"),
        pytest.param("[web]\nport = 70000", "web.port", "STREAMS_WEB__PORT", id="too many"),
        pytest.param("[kafka", "settings file", "Mend it", id="no TOML"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_named_with_its_fix(text: str, setting: str, fix: str) -> None:
    """The error says which setting it is and how to mend it, and never its value."""
    write(text)
    error = wrong()

    assert setting == error.setting
    assert fix in error.fix
    assert str(error) == f"{error.setting}: {error.problem}. {error.fix}"


def test_the_file_that_was_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where somebody named another, the fix is in that one."""
    monkeypatch.setenv("STREAMS_SETTINGS", str(write("[web]\nport = 70000", "shop.toml")))

    assert "Set it in shop.toml or as STREAMS_WEB__PORT" == wrong().fix


def test_a_file_that_is_no_text() -> None:
    """It is said, not raised through."""
    Path("streams.toml").write_bytes(b'prefix = "\xff"')

    assert "settings file" == wrong().setting


def test_a_named_file_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default one need not be, but one that was named must."""
    monkeypatch.setenv("STREAMS_SETTINGS", "nowhere.toml")

    assert "settings file: there is no such file. Create nowhere.toml" == str(wrong())


@pytest.mark.parametrize(
    ("variable", "value", "setting", "fix"),
    [
        ("STREAMS_PREFFIX", "x", "STREAMS_PREFFIX", "Did you mean STREAMS_PREFIX?"),
        ("STREAMS_ZZZ__A", "x", "STREAMS_ZZZ__A", "Unset it"),
        ("STREAMS_KAFKA__BOOTSRAP", "x", "kafka.bootsrap", "Did you mean bootstrap?"),
        ("STREAMS_WEB__PORT", "many", "web.port", "STREAMS_WEB__PORT"),
        ("STREAMS_KAFKA", "{", "environment", "kafka"),
        ("STREAMS_SECRETS_DIR", "nowhere", "environment", "nowhere"),
    ],
)
def test_a_wrong_variable_is_named(
    variable: str, value: str, setting: str, fix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable with our prefix that sets nothing, or nothing right, stops the start."""
    monkeypatch.setenv(variable, value)
    error = wrong()

    assert setting == error.setting
    assert fix in error.fix


@pytest.mark.parametrize("variable", ["STREAMS_TEST_BOOTSTRAP", "STREAMS_REQUIRE_ALL"])
def test_the_tests_own_variables_are_no_settings(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What tests and chaos runs read is let be."""
    monkeypatch.setenv(variable, "1")

    assert "og" == load_settings().prefix


def test_secrets_are_never_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither repr nor str of settings shows a key or a password, wherever it was set."""
    write(
        f'hash_key = "{SECRET}"\n[kafka.properties]\n"sasl.password" = "{SECRET}"\n[connections.eu]'
    )
    secrets(monkeypatch, streams_connections__klaviyo__credentials=SECRET)
    monkeypatch.setenv("STREAMS_KAFKA__PASSWORD", SECRET)
    settings = load_settings()

    assert settings.kafka.password is not None
    assert SECRET == settings.kafka.password.get_secret_value()
    assert SECRET not in f"{settings!r} {settings!s} {settings.connections!r} {settings.kafka!r}"


@pytest.mark.parametrize(
    "text",
    [
        f'[connections.klaviyo]\ncredentials = ["{SECRET}"]',
        f'[kafka]\npassword = {{ key = "{SECRET}" }}',
        f'[connections.klaviyo]\nmode = "{SECRET}"',
        f'[ordergroove]\nsource_zone = "{SECRET}"',
        f'[derive]\nlate_after = "{SECRET}"',
        f'hash_key = "{SECRET}',
    ],
    ids=["in a list", "in a table", "as a mode", "as a zone", "as a duration", "not closed"],
)
def test_errors_repeat_no_value(text: str) -> None:
    """An error's message and its traceback say nothing of what was set."""
    write(text)
    error = wrong()

    assert SECRET not in "".join(traceback.format_exception(error))


def fields(model: type[BaseModel], at: str = "") -> Iterator[tuple[str, Any]]:
    """Every setting below a table."""
    for name, field in model.model_fields.items():
        yield f"{at}{name}", field
        for each in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if hasattr(each, "model_fields"):
                yield from fields(each, f"{at}{name}.")


def test_every_setting_is_described() -> None:
    """Each says what it is for; a table does so in its docstring."""
    bare = [
        name
        for name, field in fields(Settings)
        if not field.description and not hasattr(field.annotation, "model_fields")
    ]

    assert ["connections"] == bare
    assert all(
        field.annotation.__doc__
        for _, field in fields(Settings)
        if hasattr(field.annotation, "model_fields")
    )
