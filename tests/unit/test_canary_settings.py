"""A secret that stands in the wrong place is never quoted: not by errors, not by help, not by repr.

Each case is a slip that somebody makes once: the secret is under a wrong name, of a wrong type, in
the wrong file, or what stands beside it is wrong. What stands where a name belongs is said, as any
name is: an error that does not name the setting helps nobody.
"""

from __future__ import annotations

import json
import traceback
from typing import TYPE_CHECKING, Any

import click
import pytest
from click.testing import CliRunner

from streams.cli import COMMANDS, commands
from streams.cli.codecs import client_of
from streams.cli.composition import connection_of, kafka_of
from streams.delivery.http import Http
from streams.destinations import DESTINATIONS
from streams.engine.producer import RecordProducer
from streams.registry import RegistryAway
from streams.settings import load_settings
from tests.support.canary import Scanner
from tests.support.canary_people import PERSONAL, SECRETS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECRET = "canary+of settings/7Qz=4é"
SCANNER = Scanner({"secret": SECRET, **SECRETS, **PERSONAL})
Q = json.dumps(SECRET, ensure_ascii=False)

FILES = {
    "under a wrong name": f"hash_kye = {Q}",
    "under a wrong name of kafka": f"[kafka]\npasword = {Q}",
    "under a wrong name of a connection": f"[connections.klaviyo]\ncredential = {Q}",
    "of a wrong type": f"hash_key = [{Q}]",
    "of a wrong type in a table": f"[kafka]\npassword = {{ value = {Q} }}",
    "instead of a table": f"kafka = {Q}",
    "instead of properties": f"[kafka]\nproperties = {Q}",
    "as a number": f"[connections.klaviyo]\nlimits = {Q}",
    "as a mode": f"[connections.klaviyo]\nmode = {Q}",
    "as a duration": f"[breaker]\nretry = {Q}",
    "as a zone": f"[ordergroove]\nsource_zone = {Q}",
    "in a file that is no TOML": f"hash_key = {SECRET}",
    "in a text that does not end": f"hash_key = '{SECRET}\n",
    "twice": f"hash_key = {Q}\nhash_key = {Q}",
    "in an address": f"[registry]\nurl = 'http://user:{SECRET}@'\n",
    "as a file": f"[connections.klaviyo]\nmode = 'live'\ncredentials_file = {Q}",
    "as a certificate": f"[registry]\nurl = 'https://localhost:1'\nca_file = {Q}",
}
VARIABLES = {
    "properties that are no JSON": ("STREAMS_KAFKA__PROPERTIES", SECRET),
    "properties that are a list": ("STREAMS_KAFKA__PROPERTIES", json.dumps([SECRET])),
    "a table that is no JSON": ("STREAMS_CONNECTIONS", SECRET),
    "a variable that is none": ("STREAMS_HASH_KYE", SECRET),
    "a key with a line break": ("STREAMS_CONNECTIONS__KLAVIYO__CREDENTIALS", f"{SECRET}\nx"),
    "a key with a letter of no header": ("STREAMS_CONNECTIONS__KLAVIYO__CREDENTIALS", SECRET),
    "an unknown property": ("STREAMS_KAFKA__PROPERTIES", json.dumps({"sasl.pasword": SECRET})),
    "a property's value": ("STREAMS_KAFKA__PROPERTIES", json.dumps({"acks": SECRET})),
    "a key that is no PEM": ("STREAMS_KAFKA__PROPERTIES", json.dumps({"ssl.key.pem": SECRET})),
    "an address with a password": ("STREAMS_REGISTRY__URL", f"http://me:{SECRET}@localhost:1"),
}


def _use() -> None:
    """Do with the settings what a worker does with them, as far as no network is needed."""
    settings = load_settings()
    for name, each in settings.connections.items():
        connection = connection_of(name, each)
        headers = DESTINATIONS[connection.destination].authorize(connection.credentials)
        Http("http://localhost:1", headers, concurrency=1)
    if settings.registry.url is not None:
        client_of(settings.registry).versions("none")
    RecordProducer(kafka_of(settings, "canary")).close()


def _told(use: Callable[[], object]) -> Iterator[str]:
    """Everything that may be printed of what comes of it."""
    try:
        use()
    except Exception as error:  # noqa: BLE001 - whatever it is, it may be shown
        yield str(error)
        yield repr(error)
        yield "".join(traceback.format_exception(error))


@pytest.mark.parametrize("slip", FILES)
def test_a_slip_in_the_file_quotes_no_secret(
    slip: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the setting and the way to mend it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "streams.toml").write_text(FILES[slip], encoding="utf-8")
    told = list(_told(_use))

    assert told, "nothing was wrong"
    assert [] == [leak for each in told for leak in SCANNER.scan(slip, each)]


@pytest.mark.parametrize("slip", VARIABLES)
def test_a_slip_in_a_variable_quotes_no_secret(
    slip: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same of the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STREAMS_CONNECTIONS__KLAVIYO__MODE", "live")
    monkeypatch.setenv(*VARIABLES[slip])
    told = list(_told(_use))

    assert told, "nothing was wrong"
    assert [] == [leak for each in told for leak in SCANNER.scan(slip, each)]


def test_settings_show_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """However they, and what is made of them, are printed."""
    monkeypatch.chdir(tmp_path)
    for name, label in (
        ("CONNECTIONS__KLAVIYO__CREDENTIALS", "klaviyo's key"),
        ("HASH_KEY", "hash key"),
        ("KAFKA__PASSWORD", "kafka's password"),
        ("REGISTRY__PASSWORD", "registry's password"),
    ):
        monkeypatch.setenv(f"STREAMS_{name}", SECRETS[label])
    properties = json.dumps({"sasl.password": SECRETS["kafka's property"]})
    monkeypatch.setenv("STREAMS_KAFKA__PROPERTIES", properties)
    monkeypatch.setenv("STREAMS_CONNECTIONS__KLAVIYO__MODE", "live")
    settings = load_settings()
    made: list[Any] = [
        settings,
        settings.connections,
        settings.kafka,
        settings.registry,
        kafka_of(settings, "canary"),
        connection_of("klaviyo", settings.connections["klaviyo"]),
    ]
    told = [form(each) for each in made for form in (str, repr, "{!r:}".format)]

    assert [] == [leak for each in told for leak in SCANNER.scan("settings", each)]


def test_help_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """No command shows in its help what it would take from the environment."""
    monkeypatch.setenv("STREAMS_HASH_KEY", SECRETS["hash key"])
    monkeypatch.setenv("STREAMS_CONNECTIONS__KLAVIYO__CREDENTIALS", SECRETS["klaviyo's key"])
    context = click.Context(commands)
    told = []
    for name in COMMANDS:
        command = commands.get_command(context, name)
        inner = [[], *([each] for each in getattr(command, "commands", {}))]
        told += [CliRunner().invoke(commands, [name, *each, "--help"]) for each in inner]

    assert {0} == {each.exit_code for each in told}
    assert [] == [leak for each in told for leak in SCANNER.scan("help", each.output)]


def test_a_registry_that_is_away_shows_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its address may hold one."""
    monkeypatch.setenv("STREAMS_REGISTRY__URL", "http://me:registry-canary-7Yp@localhost:1")
    scanner = Scanner({"password": "registry-canary-7Yp"})
    told = list(_told(lambda: client_of(load_settings().registry).versions("none")))

    assert RegistryAway.__name__ in told[1]
    assert [] == [leak for each in told for leak in scanner.scan("registry", each)]
