"""From the settings to the client of Ordergroove's REST API: its key, its address, its limit."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from streams.cli.ordergroove_access import SharedPace, api_of
from streams.errors import ConfigurationError
from streams.ingest.ordergroove_api import ApiRefused
from streams.settings import load_settings
from streams.simulators import SIMULATORS, Options

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from streams.settings import Settings
    from streams.simulators import Simulator

MERCHANT = "5b1e9c0a7d3f4e2b8a6c1d0e9f8b7a65"
VARIABLE = f"STREAMS_ORDERGROOVE__API__{MERCHANT.upper()}__KEY"
TABLE = f"[ordergroove.api.{MERCHANT}]\n"


def _settings(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "streams.toml"
    file.write_text(text)
    return load_settings(file)


def _asked(make: Callable[[str], Settings], merchants: list[str]) -> list[Simulator]:
    """A simulator that knows the key `right`, asked ten times for each merchant."""

    async def run() -> list[Simulator]:
        options = Options(limits=None, switches={"keys": {"right": {}}})
        async with SIMULATORS["ordergroove"](options) as simulator:
            settings = make(simulator.url)
            for merchant in merchants:
                async with api_of(settings, merchant) as api:
                    for _ in range(10):
                        assert await api.retrieve("products", "44120991") is not None
            return [simulator]

    return asyncio.run(run())


def test_a_key_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is what the API gets."""
    monkeypatch.setenv(VARIABLE, " right ")

    [simulator] = _asked(lambda url: _settings(tmp_path, f'{TABLE}url = "{url}"'), [MERCHANT])

    assert [200] * 10 == [each.status for each in simulator.received]


def test_a_key_from_a_file(tmp_path: Path) -> None:
    """The setting names it; blanks around the key do not matter."""
    key = tmp_path / "key"
    key.write_text("right\n")

    told = f'\nkey_file = "{key}"'
    [simulator] = _asked(lambda url: _settings(tmp_path, f'{TABLE}url = "{url}"{told}'), [MERCHANT])

    assert [200] * 10 == [each.status for each in simulator.received]


def test_a_key_from_a_secret_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As secrets are mounted, named like the variable."""
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / VARIABLE.lower()).write_text("right")
    monkeypatch.setenv("STREAMS_SECRETS_DIR", str(secrets))

    [simulator] = _asked(lambda url: _settings(tmp_path, f'{TABLE}url = "{url}"'), [MERCHANT])

    assert [200] * 10 == [each.status for each in simulator.received]


def test_a_wrong_key_names_the_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And does not show the key."""
    monkeypatch.setenv(VARIABLE, "wrong-one")

    with pytest.raises(ApiRefused) as refused:
        _asked(lambda url: _settings(tmp_path, f'{TABLE}url = "{url}"'), [MERCHANT])

    assert f"ordergroove.api.{MERCHANT}.key" == refused.value.setting
    assert "wrong-one" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "setting", "says"),
    [
        ("", f"ordergroove.api.{MERCHANT}", "no such table"),
        (TABLE, f"ordergroove.api.{MERCHANT}.key", VARIABLE),
        (
            f'{TABLE}key_file = "no-such-file"',
            f"ordergroove.api.{MERCHANT}.key_file",
            "not readable",
        ),
        (f'{TABLE}url = "restapi.ordergroove.com"', f"ordergroove.api.{MERCHANT}.url", "address"),
        (f'{TABLE}url = "https://a:b@c.io"', f"ordergroove.api.{MERCHANT}.url", "goes into key"),
    ],
)
def test_what_is_missing_or_wrong(tmp_path: Path, text: str, setting: str, says: str) -> None:
    """Is said by its setting, with the way to mend it."""
    with pytest.raises(ConfigurationError) as wrong:
        api_of(_settings(tmp_path, text), MERCHANT)

    assert setting == wrong.value.setting
    assert says in str(wrong.value)


def test_a_merchant_that_no_variable_can_name(tmp_path: Path) -> None:
    """Gets its key from a file: variables know no capitals."""
    with pytest.raises(ConfigurationError) as wrong:
        api_of(_settings(tmp_path, "[ordergroove.api.Shop-Demo]\n"), "Shop-Demo")

    assert "key_file" in str(wrong.value)
    assert "STREAMS_" not in str(wrong.value)


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        (f'{TABLE}key = "right"', f"ordergroove.api.{MERCHANT}.key"),
        (f"{TABLE}requests_per_minute = 0", f"ordergroove.api.{MERCHANT}.requests_per_minute"),
        (f'{TABLE}timeout = "0s"', f"ordergroove.api.{MERCHANT}.timeout"),
        (f'{TABLE}kee_file = "x"', f"ordergroove.api.{MERCHANT}.kee_file"),
        ('[ordergroove.api."a:b"]', "ordergroove.api.a:b"),
    ],
)
def test_settings_that_do_not_load(tmp_path: Path, text: str, setting: str) -> None:
    """A key in the settings file, and values that cannot be meant."""
    with pytest.raises(ConfigurationError) as wrong:
        _settings(tmp_path, text)

    assert setting == wrong.value.setting


def test_merchants_at_one_address_share_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever of them asks; the lower of their numbers holds, and a new client begins none anew."""
    other = "0" * 32
    monkeypatch.setenv(VARIABLE, "right")
    monkeypatch.setenv(f"STREAMS_ORDERGROOVE__API__{other.upper()}__KEY", "right")
    url = "http://127.0.0.1:9"
    settings = _settings(
        tmp_path,
        f'{TABLE}url = "{url}"\nrequests_per_minute = 4\n'
        f'[ordergroove.api.{other}]\nurl = "{url}/path"',
    )
    paces = [
        api_of(settings, merchant)._requests._manners.pace for merchant in (MERCHANT, other, other)
    ]

    assert paces[0] is paces[1] is paces[2]
    assert isinstance(paces[0], SharedPace)
    assert [4] == [*paces[0].windows.values()]


def test_a_key_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by the settings nor by the client."""
    monkeypatch.setenv(VARIABLE, "a-very-secret-key")
    settings = _settings(tmp_path, TABLE)

    assert (
        "a-very-secret-key"
        not in f"{settings!r} {settings.ordergroove.api} {api_of(settings, MERCHANT)!r}"
    )
