"""The simulated Yespo: one contact at once, and the account's custom fields (§4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.yespo_simulator import (
    ABSENT,
    BOOKS,
    CONTACT,
    KIM,
    LEE,
    PHONE,
    changed,
    contact,
    tell,
)

if TYPE_CHECKING:
    from tests.support.yespo_simulator import JSON, Account

STATUS, COUNT, SINCE, AT, POINTS, TIER, NOTES, INTERESTS = range(51001, 51009)


def _fields(**values: object) -> JSON:
    """Kim with custom fields, by the names above."""
    listed = [{"id": globals()[name], "value": value} for name, value in values.items()]
    return contact(fields=listed)


def _told(*documents: JSON, **switches: Any) -> Any:
    """The contacts of the account after these were sent, one by one."""

    async def story(account: Account) -> Any:
        for document in documents:
            response = await account.post(CONTACT, document)
            assert 200 == response.status_code, response.text
        return await account.state("contacts")

    return tell(story, **switches)


def _judged(document: object, **switches: Any) -> tuple[int, str]:
    """The status and fate of one contact."""

    async def story(account: Account) -> tuple[int, str]:
        response = await account.post(CONTACT, document)
        kept = len(await account.state("contacts"))
        assert kept == (1 if response.status_code == 200 else 0)
        return response.status_code, account.fates[0]

    return tell(story, **switches)


def test_a_contact_is_made_at_once() -> None:
    """Its id is answered, all that was sent is kept, and no event is raised."""
    address = {"town": "Lisbon", "postcode": "1100", "region": "Lisboa", "address": "Rua 1"}
    document = contact(
        sms=PHONE,
        firstName="Kim",
        lastName="Ray",
        externalCustomerId="C-1",
        contactKey="k",
        languageCode="en",
        timeZone="Europe/Lisbon",
        address=address,
        fields=[{"id": STATUS, "value": "active"}],
    )

    async def story(account: Account) -> Any:
        response = await account.post(CONTACT, document)
        return response.status_code, response.json(), await account.state()

    status, body, state = tell(story)
    [kept] = state["contacts"]

    assert (200, {"id": kept["id"]}, []) == (status, body, state["events"])
    assert ("C-1", "api", {str(STATUS): "active"}) == (
        kept["externalCustomerId"],
        kept["source"],
        kept["fields"],
    )
    assert {
        "email": KIM,
        "sms": PHONE,
        "firstName": "Kim",
        "lastName": "Ray",
        "contactKey": "k",
        "languageCode": "en",
        "timeZone": "Europe/Lisbon",
        **address,
    } == kept["values"]


@pytest.mark.parametrize(
    ("second", "people"),
    [
        pytest.param(contact(LEE, externalCustomerId="C-1"), 1, id="by external id"),
        pytest.param(contact(KIM.upper()), 1, id="by email"),
        pytest.param(contact(LEE, sms=PHONE), 1, id="by phone"),
        pytest.param(contact(LEE), 2, id="somebody else"),
        pytest.param(contact(KIM, externalCustomerId="C-2"), 2, id="another external id"),
    ],
)
def test_whom_a_contact_is_looked_for_by(second: JSON, people: int) -> None:
    """External id, then e-mail, then phone; an address with another external id is another's."""
    first = contact(sms=PHONE, externalCustomerId="C-1")

    assert people == len(_told(first, second))


def test_an_external_id_is_given_to_who_has_none() -> None:
    """A known address without one gets it, and keeps it for good."""
    [kim, other] = _told(
        contact(), contact(externalCustomerId="C-1"), contact(externalCustomerId="C-2")
    )

    assert ["C-1", "C-2"] == [kim["externalCustomerId"], other["externalCustomerId"]]


def test_of_several_with_an_address_the_last_changed_is_meant() -> None:
    """As the vendor's page on adding contacts says."""
    [first, second] = _told(
        contact(externalCustomerId="C-1"),
        contact(externalCustomerId="C-2"),
        contact(firstName="Kim"),
        contact(externalCustomerId="C-1", lastName="Ray"),
        contact(lastName="Roy"),
    )

    assert ("Roy", None) == (first["values"]["lastName"], first["values"].get("firstName"))
    assert ("Kim", None) == (second["values"]["firstName"], second["values"].get("lastName"))


def test_what_is_not_sent_stays() -> None:
    """Only the fields of the request change; an empty custom field is taken away."""
    [kept] = _told(
        contact(sms=PHONE, firstName="Kim", fields=[{"id": TIER, "value": "gold"}]),
        contact(lastName="Ray", fields=[{"id": POINTS, "value": "7"}]),
        contact(fields=[{"id": TIER, "value": ""}]),
    )

    assert {"email": KIM, "sms": PHONE, "firstName": "Kim", "lastName": "Ray"} == kept["values"]
    assert {str(POINTS): "7"} == kept["fields"]


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("channels", ABSENT),
        ("channels", []),
        ("channels", KIM),
        ("channels/0", KIM),
        ("channels/0/type", "phone"),
        ("channels/0/type", ABSENT),
        ("channels/0/value", "kim"),
        ("channels/0/value", ""),
        ("channels/0/value", ABSENT),
        ("channels/1/value", "+12065550123"),
        ("channels/1/value", "none"),
        ("channels/1/label", "home"),
        ("firstName", 7),
        ("firstName", "x" * 41),
        ("firstName", "Kim1234"),
        ("firstName", "Kim <kim>"),
        ("lastName", "123"),
        ("externalCustomerId", 7),
        ("address", "Rua 1"),
        ("address/street", "Rua 1"),
        ("address/town", 7),
        ("id", "7"),
        ("fields", {}),
        ("email", KIM),
    ],
)
def test_bad_contacts_are_refused(where: str, value: object) -> None:
    """400 with the place of what is wrong."""
    document = changed(contact(sms=PHONE, address={"town": "Lisbon"}), where, value)
    place = where.removesuffix("/0") if value == [] else where

    assert (400, f"refused:/{place}") == _judged(document)


@pytest.mark.parametrize("name", ["Kim", "O'Neil", "Anne-Marie", "Ray Jr.", "Łukasz", "Kim 2"])
def test_names_of_many_kinds(name: str) -> None:
    """Letters of any alphabet, apostrophes, hyphens, dots, three digits."""
    assert (200, "accepted") == _judged(contact(firstName=name, lastName=name))


def test_a_bad_name_can_be_dropped() -> None:
    """By a switch the contact is kept without it."""
    [kept] = _told(contact(firstName="Kim1234", lastName="Ray"), bad_name="drop")

    assert {"email": KIM, "lastName": "Ray"} == kept["values"]


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("STATUS", ["active", "inactive"], ["Active", "paused"]),
        ("COUNT", ["0", "-7", "2147483647"], ["2147483648", "1.5", "one", "٣"]),
        ("SINCE", ["2026-10-01"], ["2026-10-32", "01.10.2026", "2026-10-01T00:00"]),
        ("AT", ["2026-10-01T09:15"], ["2026-10-01", "2026-10-01T09:15:00", "2026-10-01T25:00"]),
        ("POINTS", ["7", "7.25", "-0.5"], ["7,25", "1e3", "."]),
        ("TIER", ["gold", "x" * 1_000], ["x" * 1_001]),
        ("NOTES", ["x" * 5_000], ["x" * 5_001]),
        ("INTERESTS", ["tea", "tea,coffee"], ["cocoa", "tea;coffee"]),
    ],
)
def test_values_of_custom_fields(field: str, good: list[str], bad: list[str]) -> None:
    """Each field takes what its type allows, as a text."""
    answers = [_judged(_fields(**{field: value})) for value in [*good, *bad, 7, True]]
    refused = (400, "refused:/fields/0/value")

    assert [(200, "accepted")] * len(good) + [refused] * (len(bad) + 2) == answers


@pytest.mark.parametrize(
    ("listed", "where"),
    [
        ([{"id": 1, "value": "a"}], "fields/0/id"),
        ([{"id": "51006", "value": "a"}], "fields/0/id"),
        ([{"id": True, "value": "a"}], "fields/0/id"),
        ([{"value": "a"}], "fields/0/id"),
        ([{"id": TIER, "name": "Tier", "value": "a"}], "fields/0"),
        ([{"id": TIER, "value": "a"}, 7], "fields/1"),
    ],
)
def test_fields_are_addressed_by_number(listed: object, where: str) -> None:
    """One that the account does not have is refused."""
    assert (400, f"refused:/{where}") == _judged(contact(fields=listed))


@pytest.mark.parametrize("shape", ["object", "array"])
def test_the_address_books_list_the_fields(shape: str) -> None:
    """One book and one group are objects; several fields a list, with types and values."""
    fields = [
        {"id": 7, "name": "Tier"},
        {"id": 8, "name": "Status", "type": "COMBOBOX", "values": ["active"]},
    ]

    async def story(account: Account) -> Any:
        return (await account.get(BOOKS)).json()["addressBook"]

    book = tell(story, custom_fields=fields, single_failure=shape)
    group = book["fieldGroups"] if shape == "object" else book[0]["fieldGroups"][0]
    listed = [(each["id"], each["description"]["type"]) for each in group["fields"]]

    assert [(7, "TEXTFIELD"), (8, "COMBOBOX")] == listed
    assert ["active"] == group["fields"][1]["description"]["allowedValues"]["possibleValues"]
