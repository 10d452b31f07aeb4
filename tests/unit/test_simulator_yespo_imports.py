"""The simulated Yespo: many contacts as an import (§4), and its traps (pitfall 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.yespo_simulator import (
    CONTACT,
    CONTACTS,
    KIM,
    LEE,
    PHONE,
    bulk,
    contact,
    tell,
)

if TYPE_CHECKING:
    from tests.support.yespo_simulator import JSON, Account

STATUS, COUNT, TIER = 51001, 51002, 51006
ACTIVE = {"id": STATUS, "value": "active"}
FULL = contact(sms=PHONE, firstName="Kim", externalCustomerId="C-1", fields=[ACTIVE])


def _imported(document: JSON, *before: JSON, **switches: Any) -> Any:
    """The contacts of an account with these contacts, after a bulk request."""

    async def story(account: Account) -> Any:
        for each in before:
            assert 200 == (await account.post(CONTACT, each)).status_code
        response = await account.post(CONTACTS, document)
        assert {"asyncSessionId"} == set(response.json())
        return await account.state("contacts")

    return tell(story, **switches)


@pytest.mark.parametrize(
    ("switches", "waits", "statuses"),
    [
        ({}, [0] * 4, ["STARTED", "IMPORTING", "FINISHED", "FINISHED"]),
        ({"import_polls": 1}, [0], ["FINISHED"]),
        ({"import_seconds": 10}, [0, 5, 4, 1], ["STARTED", "IMPORTING", "IMPORTING", "FINISHED"]),
    ],
)
def test_an_import_is_started_importing_finished(
    switches: Any, waits: list[float], statuses: list[str]
) -> None:
    """By looks or by seconds; in the end it tells who was meant."""
    document = bulk(contact(LEE), contact(externalCustomerId="C-1"))

    async def story(account: Account) -> Any:
        response = await account.post(CONTACTS, document)
        path = f"/api/v1/importstatus/{response.json()['asyncSessionId']}"
        answers = []
        for wait in waits:
            account.now += wait
            answers.append((await account.get(path)).json())
        return response.status_code, answers, await account.state("contacts")

    status, answers, people = tell(story, **switches)

    assert (200, statuses) == (status, [answer["status"] for answer in answers])
    assert {("mapping" in each) is (each["status"] == "FINISHED") for each in answers} == {True}
    assert [(LEE, people[0]["id"]), ("C-1", people[1]["id"])] == [
        (each["dedupeValue"], each["contactId"]) for each in answers[-1]["mapping"]
    ]


@pytest.mark.parametrize(("when", "counts"), [("at_once", [1, 1]), ("at_end", [0, 1])])
def test_when_an_import_is_applied(when: str, counts: list[int]) -> None:
    """At once, or when it is finished."""

    async def story(account: Account) -> list[int]:
        response = await account.post(CONTACTS, bulk(contact()))
        found = [len(await account.state("contacts"))]
        for _ in range(3):
            await account.get(f"/api/v1/importstatus/{response.json()['asyncSessionId']}")
        return [*found, len(await account.state("contacts"))]

    assert counts == tell(story, import_applied=when)


@pytest.mark.parametrize(
    ("named", "left"),
    [
        ([], {}),
        ([STATUS, COUNT], {str(STATUS): "inactive", str(COUNT): "2"}),
        ([COUNT], {str(STATUS): "active", str(COUNT): "2"}),
    ],
)
def test_custom_fields_change_only_where_they_are_named(named: list[int], left: Any) -> None:
    """The first trap: 200, and nothing has changed."""
    fields = [{"id": STATUS, "value": "inactive"}, {"id": COUNT, "value": "2"}]
    row = contact(externalCustomerId="C-1", fields=fields)
    [kim] = _imported(bulk(row, customFieldsIDs=named, contactFields=["externalCustomerId"]), FULL)

    assert (left or {str(STATUS): "active"}) == kim["fields"]


@pytest.mark.parametrize(("switch", "left"), [("null", {}), ("keep", {str(STATUS): "active"})])
def test_a_custom_field_without_value(switch: str, left: Any) -> None:
    """A number that is named without a value: taken away or not."""
    document = bulk(contact(externalCustomerId="C-1"), customFieldsIDs=[STATUS])

    assert [left] == [
        kim["fields"] for kim in _imported(document, FULL, custom_field_without_value=switch)
    ]


@pytest.mark.parametrize(
    ("named", "left"),
    [
        (["externalCustomerId"], {"email": KIM, "sms": PHONE, "firstName": "Kim"}),
        (["lastName"], {"email": KIM, "sms": PHONE, "firstName": "Kim", "lastName": "Ray"}),
        (["firstName"], {"email": KIM, "sms": PHONE}),
        (["sms", "lastName"], {"email": KIM, "firstName": "Kim", "lastName": "Ray"}),
        (None, {"email": KIM, "lastName": "Ray"}),
        (["ordersInfo"], {"email": KIM, "sms": PHONE, "firstName": "Kim"}),
    ],
)
def test_standard_fields_without_value_are_taken_away(named: Any, left: Any) -> None:
    """The second trap: of those that are named, and of all where none are."""
    beside = {} if named is None else {"contactFields": named}
    document = bulk(contact(externalCustomerId="C-1", lastName="Ray"), **beside)
    [kim] = _imported(document, FULL)

    assert (left, "C-1") == (kim["values"], kim["externalCustomerId"])


def test_the_field_of_uniqueness_is_not_changed() -> None:
    """Even where the contact was found by its external id."""
    row = contact(LEE, sms=PHONE, externalCustomerId="C-1")

    assert [KIM, LEE] == [
        _imported(bulk(row, dedupeOn=name), FULL)[0]["values"]["email"] for name in ("email", "id")
    ]


@pytest.mark.parametrize(
    ("row", "dedupe", "people"),
    [
        pytest.param(contact(), {"dedupeOn": "email"}, 1, id="email"),
        pytest.param(contact(LEE, sms=PHONE), {"dedupeOn": "email"}, 2, id="only email"),
        pytest.param(contact(LEE, sms=PHONE), {"dedupeOn": "sms"}, 1, id="phone"),
        pytest.param(contact(LEE, sms=PHONE), {"dedupeOn": "email_or_sms"}, 1, id="either"),
        pytest.param(contact(LEE, id=1_000_001), {"dedupeOn": "id"}, 1, id="id"),
        pytest.param(contact(id=7), {"dedupeOn": "id"}, 2, id="another id"),
        pytest.param(contact(), {"dedupeOn": "externalCustomerId"}, 2, id="external id"),
        pytest.param(contact(), {"dedupeOn": "push"}, 2, id="token"),
        pytest.param(
            contact(LEE, fields=[ACTIVE]),
            {"dedupeOn": "fieldId", "fieldId": STATUS},
            1,
            id="custom field",
        ),
        pytest.param(
            contact(externalCustomerId="C-1"), {"dedupeOn": "sms"}, 1, id="external id first"
        ),
        pytest.param(contact(externalCustomerId="C-2"), {"dedupeOn": "email"}, 2, id="another's"),
    ],
)
def test_whom_a_row_is_looked_for_by(row: JSON, dedupe: Any, people: int) -> None:
    """The external id, where there is one, else what `dedupeOn` says."""
    assert people == len(_imported(bulk(row, **dedupe), FULL))


@pytest.mark.parametrize(("switch", "people"), [("dedupe", 1), ("create", 2)])
def test_an_unknown_external_id(switch: str, people: int) -> None:
    """Given to who is found otherwise and has none, or to somebody new."""
    document = bulk(contact(externalCustomerId="C-9"))
    found = _imported(document, contact(), unknown_external_id=switch)

    assert (people, "C-9") == (len(found), found[-1]["externalCustomerId"])


@pytest.mark.parametrize("shape", ["object", "array"])
def test_failed_contacts_are_told_at_once(shape: str) -> None:
    """One may be an object; the others are imported."""
    bad = contact("kim", firstName="Kim")
    unknown = contact(fields=[{"id": 1, "value": "a"}])

    async def story(account: Account) -> Any:
        one = await account.post(CONTACTS, bulk(bad, contact(LEE)))
        two = await account.post(CONTACTS, bulk(bad, unknown))
        people = [each["values"]["email"] for each in await account.state("contacts")]
        fates = [record.fates for record in account.simulator.received]
        return one.json()["failedContacts"], two.json()["failedContacts"], people, fates

    one, two, people, fates = tell(story, single_failure=shape)
    expected = {**bad, "error": "email is not valid"}

    assert (expected if shape == "object" else [expected]) == one
    assert [expected, {**unknown, "error": "There is no field 1"}] == two
    assert ([LEE], [["refused:/contacts/0/channels/0/value", "accepted"]]) == (people, fates[:1])
    assert ["refused:/contacts/0/channels/0/value", "refused:/contacts/1/fields/0/id"] == fates[1]


@pytest.mark.parametrize(
    ("switch", "names"),
    [
        ("specified", {"channels", "error"}),
        ("whole", {"channels", "externalCustomerId", "note", "error"}),
    ],
)
def test_a_failed_contact_may_lack_its_external_id(switch: str, names: set[str]) -> None:
    """The specification's entry has no place for it: the channels say which contact it was."""
    document = bulk(contact(externalCustomerId="C-1", note="x"))

    async def story(account: Account) -> Any:
        return (await account.post(CONTACTS, document)).json()["failedContacts"]

    assert names == set(tell(story, failed_contact=switch))


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ([], "/"),
        ({"dedupeOn": "email"}, "/contacts"),
        (bulk(), "/contacts"),
        (bulk(*[contact()] * 3_001), "/contacts"),
        ({"contacts": [contact()]}, "/dedupeOn"),
        (bulk(contact(), dedupeOn="phone"), "/dedupeOn"),
        (bulk(contact(), dedupeOn="fieldId"), "/fieldId"),
        (bulk(contact(), dedupeOn="fieldId", fieldId=1), "/fieldId"),
        (bulk(contact(), contactFields="firstName"), "/contactFields"),
        (bulk(contact(), contactFields=["name"]), "/contactFields"),
        (bulk(contact(), customFieldsIDs=STATUS), "/customFieldsIDs"),
        (bulk(contact(), customFieldsIDs=["51001"]), "/customFieldsIDs"),
        (bulk(contact(), customFieldsIDs=[1]), "/customFieldsIDs"),
        (bulk(contact(), restoreDeleted="no"), "/restoreDeleted"),
        (bulk(contact(), groupNames="Subscribers"), "/groupNames"),
        (bulk(contact(), groupNamesExclude=[7]), "/groupNamesExclude"),
        (bulk(contact(), eventKeyForNewContacts="a/b"), "/eventKeyForNewContacts"),
        (bulk(contact(), note="x"), "/note"),
    ],
    ids=lambda value: str(value)[-40:],
)
def test_bad_imports_are_refused_whole(document: object, where: str) -> None:
    """400, and no import is started."""

    async def story(account: Account) -> Any:
        response = await account.post(CONTACTS, document)
        return response.status_code, account.fates[0], await account.state("imports")

    assert (400, f"refused:{where}", []) == tell(story)


def test_new_contacts_can_raise_an_event_and_join_groups() -> None:
    """Only those who are new raise it; a group is joined once."""
    more: Any = {"eventKeyForNewContacts": "new", "groupNames": ["Subscribers"]}
    document = bulk(contact(), contact(LEE, sms=PHONE), **more)

    async def story(account: Account) -> Any:
        await account.post(CONTACT, contact())
        await account.post(CONTACTS, document)
        return await account.state()

    state = tell(story)
    [raised] = state["events"]

    assert ("new", LEE, True) == (raised["type"], raised["key"], raised["matched"])
    assert (LEE, PHONE) == (raised["params"]["EmailAddress"], raised["params"]["SMS"])
    assert [["Subscribers"]] * 2 == [each["groups"] for each in state["contacts"]]
