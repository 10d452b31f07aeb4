"""Who is meant by the options of `streams erase`: found by address or phone, and nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from streams.cli import commands
from streams.cli.erase.search import Who, checked
from streams.cli.mapping import check_customers_own_keys
from streams.errors import ConfigurationError
from streams.model.member import Heard, Member, encode_member
from streams.model.row_bytes import encode_row
from streams.model.subscriber import Profile, Subscriber
from streams.names import OKENDO, ORDERGROOVE
from streams.replay.people import Finder, Person
from streams.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

EMAIL, PHONE = "noor@shop-demo.io", "+13125550148"
SEEN = {20_000: b"123456"}


class Record:
    """A record of a changelog."""

    def __init__(self, key: bytes, value: bytes | None) -> None:
        self._told = key, value

    def key(self) -> bytes:
        """Its key."""
        return self._told[0]

    def value(self) -> bytes | None:
        """Its value."""
        return self._told[1]


def row(email: str | None = None, phone: str | None = None, **more: Any) -> bytes:
    """A subscriber's row."""
    return encode_row(Subscriber(profile=Profile(email, phone), seen=SEEN, **more))


def found(finder: Finder, *records: tuple[bytes, bytes | None]) -> dict[bytes, Person]:
    """Who is found in a changelog."""
    for key, value in records:
        finder.note(Record(key, value))  # type: ignore[arg-type]  # all that is asked of it
    return finder.found


@pytest.mark.parametrize(
    ("who", "problem"),
    [
        (Who(), "not clear who is meant"),
        (Who(email=EMAIL, phone=PHONE), "not clear who is meant"),
        (Who(email="noor"), "not an e-mail address"),
        (Who(phone="noor"), "not a phone number"),
        (Who(customer="0088123"), "not a customer's key"),
        (Who(customer=":0088123"), "not a customer's key"),
    ],
)
def test_exactly_one_is_asked_for(who: Who, problem: str) -> None:
    """In its form; what was given is not repeated."""
    with pytest.raises(ConfigurationError, match=problem) as raised:
        checked(load_settings(), who)

    assert not any(each in str(raised.value) for each in ("noor", "0088123"))


@pytest.mark.parametrize(
    "command", [("erase", "--email", EMAIL), ("topics", "rewrite", "--to", "og2")]
)
def test_keys_that_are_made_otherwise_are_refused(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whose a record is, and where, these commands could not tell; it is said without a broker."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "streams.toml"
    entries = 'event_id = "a"\ntype = "b"\ncreated = "c"\nmerchant = "d"\ncustomer_id = "e"\n'
    for key in ("", 'key = "{merchant}:{customer_id}"\n'):
        file.write_text(f"[ordergroove.mapping]\n{key}{entries}")
        check_customers_own_keys(load_settings(file), command[0])
    file.write_text(f'[ordergroove.mapping]\nkey = "club-{{customer_id}}"\n{entries}')
    result = CliRunner().invoke(commands, [*command])

    assert isinstance(result.exception, ConfigurationError)
    assert "ordergroove.mapping.key" == result.exception.setting


def test_a_phone_number_is_read_as_the_shops_are() -> None:
    """E.164, whatever it was typed like."""
    assert Who(phone=PHONE) == checked(load_settings(), Who(phone=" (312) 555-0148"))


def test_rows_are_found_by_address_phone_or_key() -> None:
    """In any case of letters; not by what merely looks alike."""
    finder = Finder(ORDERGROOVE, keys=[b"m:5"], emails=["NOOR@shop-demo.io"], phones=[PHONE])
    people = found(
        finder,
        (b"m:1", row("Noor@Shop-Demo.io")),
        (b"m:2", row("elinoor@shop-demo.io")),
        (b"m:3", row(phone=PHONE)),
        (b"m:4", row(phone=f"{PHONE}9")),
        (b"m:5", row("nina@shop-demo.io")),
        (b"m:6", row(begun=5)),
    )

    assert {b"m:1", b"m:3", b"m:5"} == people.keys()
    assert (
        Person(ORDERGROOVE, b"m:5", frozenset({"nina@shop-demo.io"}), known=True) == people[b"m:5"]
    )


def test_the_newest_row_counts() -> None:
    """Who has another address by now is not meant, nor who is gone; a mark is nobody known."""
    finder = Finder(ORDERGROOVE, keys=[b"m:4"], emails=[EMAIL])
    people = found(
        finder,
        *((key, row(EMAIL)) for key in (b"m:1", b"m:2", b"m:3", b"m:4", b"\0synced:m")),
        (b"m:1", row("new@shop-demo.io")),
        (b"m:2", None),
        (b"m:4", encode_row(Subscriber(erased_at=7))),
    )

    assert {b"m:3": True, b"m:4": False} == {key: each.known for key, each in people.items()}


def test_members_are_found_by_either_address() -> None:
    """Their own, or one that came with a transaction."""
    heard = Member(own_email="other@shop-demo.io", heard=Heard(1, 1, EMAIL), seen=SEEN)
    own = Member(own_email=EMAIL, seen=SEEN)
    people = found(
        Finder(OKENDO, emails=[EMAIL]),
        (b"s:1", encode_member(heard)),
        (b"s:2", encode_member(own)),
        (b"s:3", encode_member(Member(own_email="other@shop-demo.io", seen=SEEN))),
    )

    assert {b"s:1", b"s:2"} == people.keys()
    assert {EMAIL, "other@shop-demo.io"} == people[b"s:1"].emails


def test_a_row_of_another_version_is_told() -> None:
    """It may be theirs: nothing is passed over in silence."""
    finder = Finder(ORDERGROOVE, emails=[EMAIL])
    found(finder, (b"m:1", b"\xc1" + EMAIL.encode()))

    assert {b"m:1"} == finder.unreadable


@pytest.mark.parametrize(("customer", "looked_for"), [(b"0088123", True), (b"12", False)])
def test_a_short_id_may_be_any_number(customer: bytes, looked_for: bool) -> None:
    """In a body that nobody could read only what is telling is looked for."""
    person = Person(ORDERGROOVE, b"m:" + customer, frozenset({"Noor@shop-demo.io"}))

    assert b"noor@shop-demo.io" in person.needles
    assert looked_for == (b'"%b"' % customer in person.needles)
