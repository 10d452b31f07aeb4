"""`streams connections` and the settings behind it, as far as it goes without Kafka."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from streams.cli import commands
from streams.cli.composition import connection_of
from streams.cli.connections.probe import NOT_NOTED
from streams.cli.connections.settings import credentials_file_of
from streams.demo.broker import free_ports
from streams.destinations import DESTINATIONS
from streams.errors import ConfigurationError
from streams.settings import load_settings
from streams.simulators import SIMULATORS
from streams.simulators import Options as Behaviour
from streams.simulators.faults import Fault
from tests.support.delivery_tls import server_context
from tests.support.delivery_vendor import Server

if TYPE_CHECKING:
    from pathlib import Path

    from streams.delivery.connection import Connection

KEYS = {"attentive": "tok_81c2", "klaviyo": "pk_81c2", "ometria": "key_81c2", "yespo": "key_81c2"}
SWITCH = {"attentive": "tokens", "klaviyo": "keys", "ometria": "keys", "yespo": "keys"}
"""Where each simulator is told which keys there are."""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own, no variables of ours."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.upper().startswith("STREAMS_"):
            monkeypatch.delenv(name)
    return tmp_path


def configured(text: str, name: str = "klaviyo") -> Connection:
    """The connection of a settings file."""
    with open("streams.toml", "w", encoding="utf-8") as file:  # noqa: PTH123 - it is here
        file.write(f"[connections.{name}]\n{text}")
    return connection_of(name, load_settings().connections[name])


def wrong(text: str, name: str = "klaviyo") -> str:
    """What is said of a settings file."""
    with pytest.raises(ConfigurationError) as error:
        configured(text, name)
    return str(error.value)


def run(*arguments: str) -> tuple[int, str, BaseException | None]:
    """Exit code, output, and what was raised beside an exit."""
    result = CliRunner().invoke(commands, ["connections", *arguments])
    raised = result.exception
    return result.exit_code, result.output, None if isinstance(raised, SystemExit) else raised


def ask(vendor: str, url: str, key: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """What `test` says of a connection to a vendor."""
    ours = f"STREAMS_CONNECTIONS__{vendor.upper()}"
    monkeypatch.setenv(f"{ours}__CREDENTIALS", key)
    monkeypatch.setenv(f"{ours}__URL", url)
    code, output, raised = run("test", vendor)

    assert raised is None
    assert key not in output
    return code, output.splitlines()[0].partition(f"{url}: ")[2]


@pytest.mark.parametrize("vendor", sorted(DESTINATIONS))
def test_credentials_are_tried(vendor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Good ones are ok, others refused, a vendor in trouble is unclear; it keeps nothing of it."""

    async def story() -> tuple[list[tuple[int, str]], Any, Any]:
        keys = {KEYS[vendor]: {"app": "a"} if vendor == "attentive" else {"account": "a"}}
        async with SIMULATORS[vendor](
            Behaviour(limits=None, switches={SWITCH[vendor]: keys})
        ) as simulator:
            url = simulator.url + ("/api" if vendor == "yespo" else "")
            before = simulator.vendor.state()
            told = [await asyncio.to_thread(ask, vendor, url, KEYS[vendor], monkeypatch)]
            told.append(await asyncio.to_thread(ask, vendor, url, "pk_other", monkeypatch))
            simulator.set_faults([Fault(kind="status", status=503)])
            told.append(await asyncio.to_thread(ask, vendor, url, KEYS[vendor], monkeypatch))
            return told, before, simulator.vendor.state()

    told, before, after = asyncio.run(story())

    assert [(0, "ok"), (1, "refused (HTTP 401)")] == [
        (code, text.replace("403", "401")) for code, text in told[:2]
    ]
    assert told[2][0] == 1
    assert told[2][1].startswith("unclear (HTTP 503)")
    assert before == after


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the vendor is unreachable."""
    (port,) = free_ports(1)

    assert (1, "unreachable (unreachable)") == ask(
        "klaviyo", f"http://127.0.0.1:{port}", "pk_1", monkeypatch
    )


def test_without_kafka_it_is_asked_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """That it stands on no record is said: nothing was changed anywhere."""
    vendor, kafka = free_ports(2)
    monkeypatch.setenv("STREAMS_KAFKA__BOOTSTRAP", f"127.0.0.1:{kafka}")
    monkeypatch.setenv("STREAMS_CONNECTIONS__KLAVIYO__CREDENTIALS", "pk_1")
    monkeypatch.setenv("STREAMS_CONNECTIONS__KLAVIYO__URL", f"http://127.0.0.1:{vendor}")
    code, output, raised = run("test", "klaviyo")

    assert (1, None) == (code, raised)
    assert "unreachable" in output
    assert NOT_NOTED in output


def test_a_certificate_that_nobody_trusts(monkeypatch: pytest.MonkeyPatch) -> None:
    """TLS is verified by the real command: no request goes out, and no setting changes that."""

    async def story() -> tuple[tuple[int, str], int]:
        async with Server(server_context()) as server:
            told = await asyncio.to_thread(ask, "klaviyo", server.url, "pk_1", monkeypatch)
            return told, len(server.seen)

    assert ((1, "unreachable (unreachable)"), 0) == asyncio.run(story())


def test_without_credentials_nothing_is_tried() -> None:
    """A shadow needs none; a test does, and says where to put them."""
    configured("")
    code, _, raised = run("test", "klaviyo")

    assert 1 == code
    assert "STREAMS_CONNECTIONS__KLAVIYO__CREDENTIALS" in str(raised)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["pause", "klavio"], "NAME: no connection klavio. Did you mean klaviyo?"),
        (["resume", "x"], "NAME: no connection x. Known: klaviyo"),
        (
            ["promote", "klaviyo", "--percentage", "5", "--allowlist", "m1:c1"],
            "--allowlist: --percentage says otherwise. Give one of them",
        ),
        (
            ["promote", "klaviyo", "--allowlist", "kim@shop-demo.io"],
            "--allowlist: not a customer's key. Write it MERCHANT:CUSTOMER",
        ),
    ],
)
def test_what_is_wrong_is_said_first(arguments: list[str], told: str) -> None:
    """Before Kafka is asked anything."""
    configured("")

    assert told == str(run(*arguments)[2])


def test_an_off_connection_is_not_promoted() -> None:
    """It has never shown what it would do."""
    configured('mode = "off"')

    assert "connections.klaviyo.mode: the connection is off" in str(run("promote", "klaviyo")[2])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            'events = ["order.sucess"]',
            "connections.klaviyo.events: klaviyo takes no order.sucess. Did you mean order.success",
        ),
        (
            'except_events = ["order.rejected"]',
            "connections.klaviyo.except_events: klaviyo takes no order.rejected. Did you mean ",
        ),
        (
            'events = ["order.success"]\nexcept_events = ["order.reject"]',
            "connections.klaviyo.except_events: events says it already. Keep one of the two",
        ),
        (
            'allowlist = ["kim@shop-demo.io"]',
            "connections.klaviyo.allowlist: a customer is written as its key: MERCHANT:CUSTOMER.",
        ),
        ("percentage = 101", "connections.klaviyo.percentage: Input should be less than"),
        ('url = "ftp://a.shop-demo.io"', "connections.klaviyo.url: not the address of an HTTP API"),
        ('url = "a.shop-demo.io"', "connections.klaviyo.url: not the address of an HTTP API"),
        (
            'url = "https://key@a.shop-demo.io"',
            "connections.klaviyo.url: it says more than where the API is",
        ),
        (
            'credentials = "pk_81c2"',
            "connections.klaviyo.credentials: a private key does not belong into a settings file.",
        ),
        ('mode = "allowlist"', "connections.klaviyo.credentials: a live connection needs them"),
        ('credentials_file = "gone"', "connections.klaviyo.credentials_file: not readable"),
    ],
)
def test_wrong_settings_name_themselves(text: str, told: str) -> None:
    """With the way to mend them, and never a key or an address with one."""
    said = wrong(text)

    assert said.startswith(told)
    assert "pk_81c2" not in said
    assert "key@" not in said


def test_events_are_chosen() -> None:
    """All but some, only some, or none but profiles."""
    takes = DESTINATIONS["klaviyo"].takes

    assert [None, takes - {"order.reject"}, {"order.reject"}, set()] == [
        configured(text).events
        for text in (
            "",
            'except_events = ["order.reject"]',
            'events = ["order.reject"]',
            "events = []",
        )
    ]


def test_a_secret_file_is_found_again(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    """The file that the key came from is known, so that it can be watched; a variable has none."""
    folder, plain = place / "secrets", place / "key"
    folder.mkdir()
    secret = folder / "streams_connections__klaviyo__credentials"
    found = []
    plain.write_text("pk_plain")
    for step in ("none", "plain", "secret", "variable"):
        if step == "secret":
            secret.write_text("pk_secret")
            monkeypatch.setenv("STREAMS_SECRETS_DIR", str(folder))
        if step == "variable":
            monkeypatch.setenv("STREAMS_CONNECTIONS__KLAVIYO__CREDENTIALS", "pk_variable")
        text = "" if step == "none" else f'credentials_file = "{plain}"'
        key = configured(text).credentials
        found.append((key, credentials_file_of("klaviyo", load_settings().connections["klaviyo"])))

    assert [("", None), ("pk_plain", plain), ("pk_secret", secret), ("pk_variable", None)] == found
