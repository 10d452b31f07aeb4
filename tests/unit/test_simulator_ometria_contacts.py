"""The simulated Ometria: contacts, and what a record of a known one changes (§4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.ometria_simulator import EMAIL, contact, push, reminder, row_fates, tell

if TYPE_CHECKING:
    from tests.support.simulation import JSON, Account

COUNTS = {"active_subscriptions": 1, "total_subscription": 3}
WHOLE = contact(firstname="Kim", lastname="Doe")
NESTED = contact(properties={"a": {"x": 1, "y": 2}, "b": [1]})


def _fields(*records: JSON, **switches: Any) -> Any:
    """What the one contact has in the end."""

    async def story(account: Account) -> Any:
        for each in records:
            await push(account, each)
        [kept] = await account.state("contacts")
        return kept["fields"]

    return tell(story, **switches)


def _without(record: JSON, *names: str) -> JSON:
    return {name: value for name, value in record.items() if name not in names}


def test_a_contact_is_kept_with_its_history() -> None:
    """The state has what it is now, and every record that made it so."""

    async def story(account: Account) -> Any:
        await push(account, contact())
        await push(account, contact(properties={"active_subscriptions": 0}))
        return row_fates(account), await account.state("contacts")

    fates, [kept] = tell(story)
    fields: JSON = {"id": "C-1", "customer_id": "C-1", "email": EMAIL, "properties": COUNTS}
    update = {"row": 0, "received_at": "2026-10-01T12:00:00Z", "merge": True, "wiped": []}
    changed = {**fields, "properties": {"active_subscriptions": 0}}

    assert [["accepted"], ["accepted"]] == fates
    assert {
        "type": "contact",
        "collection": "ordergroove",
        "id": "C-1",
        "fields": changed,
        "updates": [
            {**update, "sequence": 1, "fields": fields},
            {**update, "sequence": 2, "fields": changed},
        ],
    } == kept


def test_a_listing_is_found_by_type_collection_and_id() -> None:
    """The same id in another collection is somebody else's listing; none means the default."""
    sent = [
        contact(),
        contact("C-2"),
        contact(at_collection="shop"),
        _without(contact(), "@collection"),
        contact(),
    ]

    async def story(account: Account) -> Any:
        await push(account, *sent)
        kept = await account.state("contacts")
        return [(each["collection"], each["id"], len(each["updates"])) for each in kept]

    assert [
        ("ordergroove", "C-1", 2),
        ("ordergroove", "C-2", 1),
        ("shop", "C-1", 1),
        ("default", "C-1", 1),
    ] == tell(story)


def test_merge_keeps_what_is_not_sent() -> None:
    """With `@merge` a gap is filled from the stored record."""
    expected = {"firstname": "Lee", "lastname": "Doe"}
    fields = _fields(WHOLE, contact(firstname="Lee"))

    assert expected == {name: fields[name] for name in expected}


@pytest.mark.parametrize(
    ("switch", "firstname", "properties", "wiped"),
    [("wipe", None, None, ["properties", "firstname"]), ("keep", "Kim", COUNTS, [])],
)
def test_without_merge_gaps_may_wipe(
    switch: str, firstname: object, properties: object, wiped: list[str]
) -> None:
    """Without `@merge` what is not sent is lost, or kept: the vendor says either may happen."""
    partial = _without(WHOLE, "@merge", "firstname", "properties")

    async def story(account: Account) -> Any:
        await push(account, WHOLE)
        await push(account, partial)
        [kept] = await account.state("contacts")
        fields = kept["fields"]
        return fields.get("firstname"), fields.get("properties"), kept["updates"][1]["wiped"]

    assert (firstname, properties, wiped) == tell(story, without_merge=switch)


@pytest.mark.parametrize("merge", [True, False])
@pytest.mark.parametrize("blank", [None, ""])
def test_blanks_wipe_and_are_flagged(blank: object, merge: bool) -> None:
    """A blank value is sent all the same; only the lenient reading without `@merge` ignores it."""
    sent = contact(firstname=blank, at_merge=merge)

    async def story(account: Account) -> Any:
        await push(account, WHOLE)
        await push(account, sent)
        [kept] = await account.state("contacts")
        flags = [(each["flag"], each["path"]) for each in await account.state("flags")]
        return kept["fields"]["firstname"], "firstname" in kept["updates"][1]["wiped"], flags

    flags = [("blank", "root > firstname")]

    assert (blank, True, flags) == tell(story)
    assert (blank if merge else "Kim", merge, flags) == tell(story, without_merge="keep")


@pytest.mark.parametrize(
    ("switch", "expected"),
    [("replace", {"a": {"y": 3}}), ("deep", {"a": {"x": 1, "y": 3}, "b": [1]})],
)
def test_how_deep_merge_goes(switch: str, expected: object) -> None:
    """Sent properties replace the whole set, or are merged into it: not documented."""
    sent = contact(properties={"a": {"y": 3}})

    assert expected == _fields(NESTED, sent, properties_merge=switch)["properties"]


def test_properties_that_are_not_sent_are_kept() -> None:
    """Replacing the set happens only where there is one."""
    assert COUNTS == _fields(contact(), _without(contact(), "properties"))["properties"]


@pytest.mark.parametrize(
    ("fields", "paths"),
    [
        pytest.param({}, [], id="none"),
        pytest.param(
            {"marketing_optin": "EXPLICITLY_OPTEDOUT"}, ["root > marketing_optin"], id="a word"
        ),
        pytest.param({"marketing_optin": True}, ["root > marketing_optin"], id="as it was"),
        pytest.param({"at_force_optin": False}, ["root > @force_optin"], id="forced"),
        pytest.param({"channels": {"sms": {"allow_marketing": True}}}, ["root > channels"], id="s"),
    ],
)
def test_consent_is_noted(fields: Any, paths: list[str]) -> None:
    """What speaks of consent is taken, and a test can see that it came."""

    async def story(account: Account) -> Any:
        await push(account, contact(**fields))
        flags = await account.state("flags")
        return row_fates(account)[0], [each["path"] for each in flags if each["flag"] == "optin"]

    assert (["accepted"], paths) == tell(story)


def test_consent_is_noted_even_where_the_record_fails() -> None:
    """A record that is not stored has still been sent."""

    async def story(account: Account) -> Any:
        await push(account, contact(at_force_optin=True, email="kim"))
        return await account.state("flags")

    flag = {"sequence": 1, "row": 0, "type": "contact", "id": "C-1", "flag": "optin"}

    assert [{**flag, "path": "root > @force_optin"}] == tell(story)


@pytest.mark.parametrize(
    ("identity", "contacts"),
    [
        ({"identity_email": "KIM@shop-demo.io"}, ["ordergroove/C-1", "shop/C-1"]),
        ({"identity_email": "lee@shop-demo.io"}, []),
        ({"identity_account_id": "C-1"}, ["ordergroove/C-1"]),
        ({"identity_account_id": "C-2"}, []),
        ({"identity_email": EMAIL, "identity_account_id": "C-9"}, 2),
    ],
)
@pytest.mark.parametrize("switch", ["trigger", "silent"])
def test_an_event_is_tied_to_its_contacts(identity: Any, contacts: Any, switch: str) -> None:
    """By e-mail address or customer id; without any it may start nothing."""
    event = {**_without(reminder(), "identity_email"), **identity}
    shop = contact(at_collection="shop", email="Kim@Shop-Demo.io")
    known = [contact(), _without(shop, "customer_id")]

    async def story(account: Account) -> Any:
        await push(account, *known)
        await push(account, event)
        [kept] = await account.state("events")
        return kept["contacts"], account.fates[1]

    tied, fate = tell(story, unknown_contact=switch)

    assert contacts == (len(tied) if isinstance(contacts, int) else tied)
    assert ("accepted" if contacts or switch == "trigger" else "silent:unknown_contact") == fate


def test_a_contact_is_found_by_its_newest_address() -> None:
    """After a change of address, events with the old one have no contact."""

    async def story(account: Account) -> Any:
        await push(account, contact())
        await push(account, contact(email="kim.doe@shop-demo.io"))
        await push(account, reminder("old"), reminder("new", identity_email="kim.doe@shop-demo.io"))
        return [(each["id"], each["contacts"]) for each in await account.state("events")]

    assert [("old", []), ("new", ["ordergroove/C-1"])] == tell(story)


@pytest.mark.parametrize("type_", ["order", "product"])
def test_other_types_are_kept_unexamined(type_: str) -> None:
    """Orders and products need an id, and are merged like contacts."""

    async def story(account: Account) -> Any:
        await push(account, {"@type": type_, "id": "O-1", "status": "pending", "total": 5})
        await push(account, {"@type": type_, "id": "O-1", "@merge": True, "status": "shipped"})
        await push(account, {"@type": type_, "status": "shipped"})
        state = await account.state()
        return account.fates, [each["fields"] for each in state["others"]], state["contacts"]

    fates = ["accepted", "accepted", "dropped:root > id"]

    assert (fates, [{"id": "O-1", "status": "shipped", "total": 5}], []) == tell(story)
