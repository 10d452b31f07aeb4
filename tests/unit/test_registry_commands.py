"""`streams schemas` against a registry over real HTTP, and what a wrong setting says."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from streams.cli import main
from streams.cli.codecs import schemas_by_topic
from streams.names import SOURCES, Names
from streams.settings import load_settings
from tests.support.registry import OURS, field_of, variant
from tests.support.registry_server import FIRST_ID, RegistryServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PASSWORD = "pw_81c2f0aa"
OUTCOMES = "og.outcomes-value"


class Shell:
    """The command line of a process that has one connection and a registry."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        server: RegistryServer,
    ) -> None:
        self.server = server
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        self.set(url=server.url, username="derive", password=PASSWORD)
        monkeypatch.setenv("STREAMS_CONNECTIONS__KLAVIYO__MODE", "shadow")

    def set(self, **settings: str) -> None:
        """Set the registry's settings."""
        for name, value in settings.items():
            self._monkeypatch.setenv(f"STREAMS_REGISTRY__{name.upper()}", value)

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Exit status, what it printed, and what it printed as an error."""
        self._monkeypatch.setattr(sys, "argv", ["streams", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = self._capsys.readouterr()
        return int(str(ended.value.code)), printed.out, printed.err


@pytest.fixture
def shell(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Shell]:
    """A shell beside a registry that wants a password."""
    monkeypatch.chdir(tmp_path)
    with RegistryServer(login=("derive", PASSWORD)) as server:
        yield Shell(monkeypatch, capsys, server)


def test_every_topic_with_avro_has_a_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    """All topics that are made, but for those whose records are no Avro."""
    monkeypatch.setenv("STREAMS_CONNECTIONS__KLAVIYO__MODE", "shadow")
    monkeypatch.setenv("STREAMS_OKENDO__STORE", "beans")
    names = Names("og")
    found = schemas_by_topic(load_settings())
    tables = {names.subscribers_changelog, names.members_changelog}
    plain = {names.control, names.audit, names.erased, *tables}
    plain.add(names.profiles_changelog("klaviyo"))

    assert {each.name for each in names.topics(["klaviyo"], SOURCES)} - plain == found.keys()
    assert set(OURS.ids) == set(found.values())


def test_registering_twice_says_the_same(shell: Shell) -> None:
    """A line a subject; one schema has one id under all its subjects."""
    first, again = shell.run("schemas", "register"), shell.run("schemas", "register")
    rows = [line.split() for line in first[1].splitlines()]

    assert (0, "") == (first[0], first[2])
    assert first == again
    assert ["subject", "id", "version"] == rows[0]
    assert [
        [OUTCOMES, str(FIRST_ID), "1"],
        ["og.ordergroove.events-value", str(FIRST_ID + 1), "1"],
        ["og.dead-letters.ordergroove-value", str(FIRST_ID + 2), "1"],
        ["og.deliveries.klaviyo-value", str(FIRST_ID + 3), "1"],
        ["og.deliveries.klaviyo.low-value", str(FIRST_ID + 3), "1"],
        ["og.dead-letters.klaviyo-value", str(FIRST_ID + 2), "1"],
    ] == rows[1:]


def test_a_refused_schema_says_what_is_not_compatible(shell: Shell) -> None:
    """The others are registered; then exit 2 with the subject, the version and the field."""
    shell.server.register(OUTCOMES, variant("outcome", lambda it: it["fields"].pop(0)))
    status, printed, error = shell.run("schemas", "register")
    missing = OURS.ours["outcome"]["fields"][0]["name"]

    assert 2 == status
    assert ["refused"] == [line.split()[-1] for line in printed.splitlines() if OUTCOMES in line]
    assert 7 == len(printed.splitlines())
    assert f"streams: {OUTCOMES}: the registry does not take our schema: Schema being" in error
    assert "ours does not read version 1" in error
    assert missing in error


CHECKED: dict[str, tuple[Callable[[Shell], object], int, str, str]] = {
    "nothing is there": (lambda _: None, 0, "not registered; ours reads every version", ""),
    "ours is there": (
        lambda it: it.run("schemas", "register"),
        0,
        f"id {FIRST_ID}, version 1; ours reads every version",
        "",
    ),
    "an older one is there": (
        lambda it: it.server.register(
            OUTCOMES,
            variant("outcome", lambda it: it["fields"].remove(field_of(it, "field_hashes"))),
        ),
        0,
        "not registered; ours reads every version",
        "",
    ),
    "another one is there": (
        lambda it: it.server.register(
            OUTCOMES, variant("outcome", lambda it: field_of(it, "offset").update(type="string"))
        ),
        2,
        "not registered; ours does not read version 1: reader type: long not compatible with",
        "Records of that version would be dead letters",
    ),
    "no Avro is there": (
        lambda it: it.server.register(OUTCOMES, 'syntax = "proto3";', "PROTOBUF"),
        2,
        "ours does not read version 1: not an Avro schema",
        "Records of that version would be dead letters",
    ),
}


@pytest.mark.parametrize("case", CHECKED)
def test_a_check_tells_what_ours_can_read(shell: Shell, case: str) -> None:
    """By Avro's own rules, whatever level of compatibility the subject has."""
    arrange, expected, told, hint = CHECKED[case]
    arrange(shell)
    status, printed, error = shell.run("schemas", "check")
    line = next(line for line in printed.splitlines() if line.startswith(OUTCOMES))

    assert expected == status
    assert told in line
    assert hint in error


@pytest.mark.parametrize("command", ["register", "check"])
def test_a_registry_that_is_away_is_said(shell: Shell, command: str) -> None:
    """Exit 69, as when Kafka is away."""
    shell.server.switch_off()
    status, _, error = shell.run("schemas", command)

    assert (69, "Error: the schema registry is away: Connection refused\n") == (status, error)


def test_wrong_credentials_are_said(shell: Shell) -> None:
    """Without them."""
    shell.set(password="pw_99999999")
    status, _, error = shell.run("schemas", "register")

    assert 69 == status
    assert "it refuses our credentials: HTTP 401" in error
    assert "pw_" not in error


def test_produce_needs_registered_schemas(shell: Shell) -> None:
    """It says what to run; it does not wait for a registry that is away."""
    unregistered = shell.run("produce", "ordergroove")
    shell.server.switch_off()
    away = shell.run("produce", "ordergroove")

    assert 2 == unregistered[0]
    assert "og.ordergroove.events-value" in unregistered[2]
    assert "streams schemas register" in unregistered[2]
    assert 69 == away[0]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        pytest.param({"url": "ldap://host"}, "registry.url", id="another protocol"),
        pytest.param(
            {"ca_file": "none.pem"}, "registry.ca_file: there is no such file", id="no file"
        ),
        pytest.param({"key_file": "key.pem"}, "registry.certificate_file", id="a key alone"),
    ],
)
def test_a_wrong_setting_is_named(shell: Shell, settings: dict[str, str], told: str) -> None:
    """Exit 2, before anything is asked."""
    shell.set(**settings)
    status, _, error = shell.run("schemas", "register")

    assert 2 == status
    assert told in error


def test_a_password_needs_a_name(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be sent to nobody."""
    monkeypatch.delenv("STREAMS_REGISTRY__USERNAME")
    status, _, error = shell.run("schemas", "register")

    assert 2 == status
    assert "registry.username" in error


def test_without_an_address_there_is_nothing_to_register(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files of `avro_schemas/` need no registering."""
    monkeypatch.delenv("STREAMS_REGISTRY__URL")
    status, _, error = shell.run("schemas", "register")

    assert 2 == status
    assert "registry.url: there is none" in error
