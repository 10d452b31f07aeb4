"""Who is let in at the console: tokens, sessions, proxies; and what is refused at the start."""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode
from functools import partial
from typing import TYPE_CHECKING

import pytest

from streams.cli.console.access import access_of
from streams.console.access import (
    SESSION_SECONDS,
    Access,
    NotAllowed,
    Tries,
    User,
    _signed,
    require_inside,
    require_operate,
)
from streams.console.stays import PROXIED_SECONDS, Stay, Stays
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
    """Its name, its signature, another token, or nonsense."""
    session = BOTH.session_of(User("anna", "view"), NOW)
    told, _, signed = session.partition(".")
    other = BOTH.session_of(User("bo", "view"), NOW)
    forged = [f"{other.partition('.')[0]}.{signed}", f"{told}.", f".{signed}", "x", "", "é.é", told]

    assert [None] * len(forged) == [BOTH.user_of({}, each, NOW) for each in forged]
    assert Access(view_token="n" * 16, operate_token=OPERATE).user_of({}, session, NOW) is None


def test_whoever_may_look_cannot_make_themselves_one_who_decides() -> None:
    """Whatever they sign with the token that they know, as what they like."""
    looks, bo = Access(view_token=VIEW), User("bo", "view")
    content = looks.session_of(bo, NOW).partition(".")[0]
    told = b64decode(content + "=" * (-len(content) % 4), altchars=b"-_")
    signed = [_signed(each, VIEW, told) for each in ("view", "operate")]
    own = [f"{content}.{urlsafe_b64encode(each).decode().rstrip('=')}" for each in signed]

    for access in (looks, BOTH):
        assert [bo, None] == [access.user_of({}, each, NOW) for each in own]
    with pytest.raises(ValueError, match="nobody is let in to operate"):
        looks.session_of(User("bo", "operate"), NOW)


def test_a_viewers_cookie_says_nothing_of_the_operate_token() -> None:
    """It is the same whatever that token is, so no guess can be tried on it."""
    viewer = User("bo", "view")

    assert 1 == len({
        Access(view_token=VIEW, operate_token=each).session_of(viewer, NOW)
        for each in (OPERATE, "n" * 16, None)
    })  # fmt: skip


def test_a_proxys_headers_say_who_it_is_and_nobody_else_is_let_in() -> None:
    """Whoever is named may look; only the word `operate` lets them decide."""
    proxied = Access(user_header="x-user", role_header="x-role")
    told = [{"x-user": "anna"}, {"x-user": "anna", "x-role": "admin"}]

    assert [User("anna", "view")] * 2 == [proxied.user_of(each, None, NOW) for each in told]
    assert User("bo", "operate") == proxied.user_of({"x-user": "bo", "x-role": "operate"}, None, 0)
    assert proxied.user_of({"x-role": "operate"}, None, NOW) is None


def test_whoever_is_inside_no_more_is_refused_also_on_an_open_page() -> None:
    """By the end of their session, or of what the proxy said; who is not asked stays."""
    proxied = Access(user_header="x-user", role_header="x-role")
    told = {"x-user": "anna", "x-role": "operate"}
    session = BOTH.session_of(User("anna", "operate"), NOW)
    ends = [
        (BOTH.user_of({}, session, NOW), SESSION_SECONDS),
        (proxied.user_of(told, None, NOW), PROXIED_SECONDS),
    ]

    for user, seconds in ends:
        assert user is not None
        last = NOW + seconds
        require_operate(user, partial(float, last))
        for refuses in (require_operate, require_inside):
            with pytest.raises(NotAllowed, match="no longer let in"):
                refuses(user, partial(float, last + 1))
    require_operate(User("kim", "operate"), lambda: 9 * NOW)


def test_who_comes_again_stays_and_who_comes_in_another_role_is_somebody_new() -> None:
    """What the proxy takes away is gone from pages that stand open; what has ended stays so."""
    stays = Stays()
    first, again = (Stay("proxied anna", "operate", at) for at in (1.0, 9.0))
    kept = [stays.kept(each, 0) for each in (first, again)]
    withdrawn = Stay("proxied anna", "view", 12.0)

    assert [first, first] == kept
    assert not first.is_over(9.0)
    assert withdrawn is stays.kept(withdrawn, 9)
    assert (True, False) == (first.is_over(0), withdrawn.is_over(12))
    withdrawn.end()
    assert None is stays.kept(Stay("proxied anna", "view", 99.0), 9)


def test_a_flood_of_stays_forgets_those_that_are_over_then_the_oldest() -> None:
    """So that nobody fills the memory."""
    stays, (first, second) = Stays(), (Stay("a", until=20.0), Stay("b", until=20.0))
    for each in (first, second):
        stays.kept(each, 0)
    for number in range(9_998):
        stays.kept(Stay(f"old {number}", until=5.0), 0)
    stays.kept(Stay("c", until=20.0), 6)
    assert first is stays.kept(Stay("a", until=20.0), 6)
    for number in range(9_998):
        stays.kept(Stay(f"new {number}", until=20.0), 6)

    assert first is stays.kept(Stay("a", until=20.0), 6)
    assert second is not stays.kept(Stay("b", until=20.0), 6)


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
