"""The simulated Attentive: who is who (contracts/attentive.md §2, §5, pitfall 12)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.attentive_account import EMAIL, KIM, PHONE, STATUS, event, send, status, tell

if TYPE_CHECKING:
    from tests.support.simulation import JSON, Account

LEE: JSON = {"phone": "+12065550199", "email": "lee@shop-demo.io"}


def _external(**identifiers: Any) -> JSON:
    return {"externalIdentifiers": identifiers}


def _custom(value: str) -> JSON:
    return _external(customIdentifiers=[{"name": "loyalty", "value": value}])


SAME = [
    pytest.param(KIM, {"email": EMAIL}, id="e-mail"),
    pytest.param(KIM, {"email": "KIM@Shop-Demo.io"}, id="e-mail in other case"),
    pytest.param(KIM, {"phone": PHONE}, id="phone"),
    pytest.param(KIM, {"phone": PHONE, "email": "kim2@shop-demo.io"}, id="a new e-mail"),
    pytest.param(KIM, {"phone": "+12065550100", "email": EMAIL}, id="a new phone"),
    pytest.param({**KIM, **_external(clientUserId="k")}, _external(clientUserId="k"), id="client"),
    pytest.param({**KIM, **_custom("L-1")}, _custom("L-1"), id="custom"),
    pytest.param({**KIM, **_external(clientUserId="k")}, {"email": EMAIL}, id="less than before"),
]
OTHERS = [
    pytest.param(KIM, LEE, id="nothing alike"),
    pytest.param({**KIM, **_custom("L-1")}, {**LEE, **_custom("L-2")}, id="another custom value"),
    pytest.param(
        {**KIM, **_external(clientUserId="K")},
        {**LEE, **_external(clientUserId="k")},
        id="ids have a case",
    ),
    pytest.param(
        {**KIM, **_external(clientUserId="k")},
        {**LEE, **_external(customIdentifiers=[{"name": "clientUserId", "value": "k"}])},
        id="a custom identifier of the same name",
    ),
]


async def _people(account: Account, *users: JSON) -> list[str]:
    """Who got an event of each user."""
    assert [200] * len(users) == await send(account, [event(user) for user in users])
    return [each["person"] for each in await account.state("events")]


@pytest.mark.parametrize(("first", "second"), SAME)
def test_one_identifier_is_enough(first: JSON, second: JSON) -> None:
    """A person is found by phone, by e-mail, and by ids that were named beside these."""

    async def story(account: Account) -> list[str]:
        return await _people(account, first, second)

    assert ["person-1", "person-1"] == tell(story)


@pytest.mark.parametrize(("first", "second"), OTHERS)
def test_others_are_others(first: JSON, second: JSON) -> None:
    """Without an identifier in common they are two."""

    async def story(account: Account) -> list[str]:
        return await _people(account, first, second)

    assert ["person-1", "person-2"] == tell(story)


def test_events_and_attributes_share_their_people() -> None:
    """A status set by e-mail is that of the person of that e-mail and phone."""

    async def story(account: Account) -> Any:
        await send(account, [event(KIM), status("active", {"email": EMAIL})])
        await send(account, [event({"phone": PHONE})])
        return [each["attributes"] for each in await account.state("events")]

    assert [{}, {STATUS: "active"}] == tell(story)


@pytest.mark.parametrize(
    ("linking", "people", "phone"),
    [
        pytest.param("attach", ["person-1"] * 3, [PHONE], id="attached"),
        pytest.param("none", ["person-1", "person-1", "person-2"], None, id="not attached"),
        pytest.param("merge", ["person-1"] * 3, [PHONE], id="merged"),
    ],
)
def test_a_new_identifier_beside_a_known_one(linking: str, people: list[str], phone: Any) -> None:
    """It is attached, so that it finds the person alone; on demand nothing is linked."""

    async def story(account: Account) -> Any:
        found = await _people(account, {"email": EMAIL}, KIM, {"phone": PHONE})
        return found, (await account.state("people"))[0]["identifiers"].get("phone")

    assert (people, phone) == tell(story, linking=linking)


def test_identifiers_of_two_people() -> None:
    """The first in the specification's order decides: the phone; the other stays, and is told."""
    both = {"email": LEE["email"], "phone": PHONE}

    async def story(account: Account) -> Any:
        people = await _people(account, KIM, LEE, both, {"email": LEE["email"]})
        return people, [each["conflicts"] for each in await account.state("events")]

    people = ["person-1", "person-2", "person-1", "person-2"]

    assert (people, [[], [], ["email"], []]) == tell(story)


@pytest.mark.parametrize(
    "bridge",
    [
        pytest.param({"email": LEE["email"], "phone": PHONE}, id="addresses"),
        pytest.param({**KIM, **_external(clientUserId="l")}, id="a shared clientUserId"),
    ],
)
def test_people_can_become_one(bridge: JSON) -> None:
    """On demand, identifiers of two people make one of them, and the newest values hold."""
    lee = {**LEE, **_external(clientUserId="l")}

    async def story(account: Account) -> Any:
        await send(account, [status("active", KIM), status("inactive", lee), event(bridge)])
        await send(account, [event({"phone": LEE["phone"]})])
        state = await account.state()
        [kim] = state["people"]
        return kim, [(each["person"], each["attributes"]) for each in state["events"]]

    kim, events = tell(story, linking="merge")

    assert [("person-1", {STATUS: "inactive"})] * 2 == events
    assert (["person-2"], [1, 2]) == (
        kim["absorbed"],
        [each["sequence"] for each in kim["changes"]],
    )
    assert {
        "phone": [PHONE, LEE["phone"]],
        "email": [EMAIL, LEE["email"]],
        "clientUserId": ["l"],
    } == kim["identifiers"]


@pytest.mark.parametrize(
    ("switches", "expected"),
    [
        ({}, (404, "refused:/user/externalIdentifiers")),
        ({"unknown_external_id": "drop"}, (200, "dropped:unknown_person")),
    ],
)
@pytest.mark.parametrize("user", [_external(clientUserId="k"), _custom("L-1")])
def test_ids_that_belong_to_nobody(user: JSON, switches: Any, expected: Any) -> None:
    """An id that was never seen beside a phone or an e-mail address reaches nobody."""

    async def story(account: Account) -> Any:
        codes = await send(account, [event(user), status("active", user)])
        return list(zip(codes, account.fates, strict=True)), await account.state()

    told, state = tell(story, **switches)

    assert [expected] * 2 == told
    assert ([], [], []) == (state["people"], state["events"], state["attributes"])
