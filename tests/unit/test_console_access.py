"""Who is let in at the console: tokens, sessions, proxies; and what is refused at the start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from streams.cli.console.access import access_of
from streams.console.access import (
    SESSION_SECONDS,
    Access,
    NotAllowed,
    Tries,
    User,
    require_operate,
)
from streams.errors import ConfigurationError
from streams.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from streams.settings import Settings

VIEW, OPERATE = "view-" + "v" * 16, "operate-" + "o" * 16
BOTH = Access(view_token=VIEW, operate_token=OPERATE)
NOW = 1_790_000_000.0


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    """Settings with a table `console` and variables."""

    def made(table: str = "", **variables: str) -> Settings:
        for name, value in variables.items():
            monkeypatch.setenv(f"STREAMS_CONSOLE__{name.upper()}", value)
        file = tmp_path / "streams.toml"
        file.write_text(f"[console]\n{table}\n")
        return load_settings(file)

    return made


def test_a_token_lets_its_bearer_do_what_it_is_for() -> None:
    """Each its own; anything else nothing."""
    assert ("view", "operate") == (BOTH.role_of(VIEW), BOTH.role_of(OPERATE))
    assert [None] * 3 == [BOTH.role_of(each) for each in ("", VIEW[:-1], f"{OPERATE} ")]
    assert [None] * 2 == [Access(view_token=VIEW).role_of(each) for each in (OPERATE, "")]


def test_a_session_says_who_it_is_until_it_ends() -> None:
    """A working day; then the token is asked for again."""
    anna = User("anna", "operate")
    session = BOTH.session_of(anna, NOW)

    assert anna == BOTH.user_of({}, session, NOW + SESSION_SECONDS - 1)
    assert BOTH.user_of({}, session, NOW + SESSION_SECONDS + 1) is None


def test_a_session_that_was_changed_is_none() -> None:
    """Its role, its signature, another token, or nonsense."""
    session = BOTH.session_of(User("anna", "view"), NOW)
    told, _, signed = session.partition(".")
    other = BOTH.session_of(User("anna", "operate"), NOW)
    forged = [f"{other.partition('.')[0]}.{signed}", f"{told}.", f".{signed}", "x", "", "é.é", told]

    assert [None] * len(forged) == [BOTH.user_of({}, each, NOW) for each in forged]
    assert Access(view_token=VIEW, operate_token="n" * 16).user_of({}, session, NOW) is None


def test_a_proxys_headers_say_who_it_is_and_nobody_else_is_let_in() -> None:
    """Whoever is named may look; only the word `operate` lets them decide."""
    proxied = Access(user_header="x-user", role_header="x-role")
    told = [{"x-user": "anna"}, {"x-user": "anna", "x-role": "admin"}]

    assert [User("anna", "view")] * 2 == [proxied.user_of(each, None, NOW) for each in told]
    assert User("bo", "operate") == proxied.user_of({"x-user": "bo", "x-role": "operate"}, None, 0)
    assert proxied.user_of({"x-role": "operate"}, None, NOW) is None


def test_who_may_only_look_is_refused_to_decide() -> None:
    """By the function that stands first in each action."""
    require_operate(User("anna", "operate"))
    with pytest.raises(NotAllowed, match="Nothing was done"):
        require_operate(User("bo", "view"))


def test_whoever_guesses_has_to_wait_and_nobody_else() -> None:
    """Five wrong tokens from an address; after a minute it may try again."""
    tries = Tries()
    for _ in range(5):
        assert 0 == tries.must_wait("10.0.0.1", NOW)
        tries.failed("10.0.0.1", NOW)

    assert 60 == tries.must_wait("10.0.0.1", NOW)
    assert 0 == tries.must_wait("10.0.0.2", NOW)
    assert 0 == tries.must_wait("10.0.0.1", NOW + 60)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.0.0.9"])
def test_on_this_machine_its_user_operates(host: str, settings: Callable[..., Settings]) -> None:
    """Nobody else reaches it."""
    access = access_of(settings(), host)
    found = access.user_of({}, None, NOW)

    assert found is not None
    assert (access.owner, "operate") == (found.name, found.role)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "console.shop-demo.io"])  # noqa: S104
def test_elsewhere_it_does_not_start_without_asking_who_it_is(
    host: str, settings: Callable[..., Settings]
) -> None:
    """The error names the setting and the ways to mend it."""
    with pytest.raises(ConfigurationError, match=r"console\.host: .*CONSOLE__OPERATE_TOKEN"):
        access_of(settings(), host)


def test_elsewhere_a_token_is_asked_for(settings: Callable[..., Settings]) -> None:
    """From a variable, or from a file; nobody operates without being asked."""
    access = access_of(settings(operate_token=OPERATE), "0.0.0.0")  # noqa: S104

    assert (OPERATE, None, None) == (access.operate_token, access.view_token, access.owner)


def test_a_token_may_stand_in_a_file(tmp_path: Path, settings: Callable[..., Settings]) -> None:
    """Its spaces are no part of it."""
    (tmp_path / "token").write_text(f" {VIEW}\n")
    access = access_of(settings(f'view_token_file = "{tmp_path / "token"}"'), "127.0.0.1")

    assert (VIEW, None) == (access.view_token, access.owner)


@pytest.mark.parametrize(
    ("table", "variables", "named"),
    [
        (f'operate_token = "{OPERATE}"', {}, "console.operate_token: a token does not belong"),
        ("", {"operate_token": "short"}, "console.operate_token: shorter than 16"),
        ("", {"operate_token": VIEW, "view_token": VIEW}, "console.view_token: it is the operate"),
        ('view_token_file = "/nowhere"', {}, "console.view_token_file: not readable"),
        ('proxy_role_header = "X-Role"', {}, "console.proxy_role_header: nobody says"),
        ('proxy_user_header = "X User"', {}, "console.proxy_user_header"),
    ],
)
def test_settings_that_would_let_somebody_in_by_mistake_are_refused(
    table: str, variables: dict[str, str], named: str, settings: Callable[..., Settings]
) -> None:
    """Each with its name; no value is repeated."""
    with pytest.raises(ConfigurationError, match=named) as caught:
        access_of(settings(table, **variables), "127.0.0.1")

    assert VIEW not in str(caught.value)
    assert OPERATE not in str(caught.value)
