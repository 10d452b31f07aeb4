"""The simulated Klaviyo: profile-import, and deletion (contracts/klaviyo.md §4, §7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.klaviyo import (
    DELETIONS,
    EVENTS,
    IMPORT,
    Account,
    changed,
    event,
    profile,
    tell,
)

if TYPE_CHECKING:
    from tests.support.klaviyo import JSON

KIM = {"email": "kim@shop-demo.io", "phone_number": "+12065550123", "external_id": "kim-1"}


def _deletion(**identifiers: str) -> JSON:
    owner: JSON = {"type": "profile", "attributes": identifiers}
    if "id" in identifiers:
        owner["id"] = identifiers.pop("id")
    attributes = {"profile": {"data": owner}}
    return {"data": {"type": "data-privacy-deletion-job", "attributes": attributes}}


async def _import(account: Account, *documents: JSON) -> list[int]:
    return [(await account.post(IMPORT, document)).status_code for document in documents]


async def _profiles(account: Account) -> list[Any]:
    return [each["attributes"] for each in (await account.state())["profiles"]]


def test_a_profile_is_created_then_updated() -> None:
    """201 the first time, 200 the second; the body is the profile with Klaviyo's id."""

    async def story(account: Account) -> list[tuple[int, Any]]:
        responses = [await account.post(IMPORT, profile(**KIM)) for _ in range(2)]
        return [(response.status_code, response.json()["data"]) for response in responses]

    (created, first), (updated, second) = tell(story)

    assert (201, 200) == (created, updated)
    assert first["id"] == second["id"]
    assert "profile" == first["type"]
    assert f"https://a.klaviyo.com/api/profiles/{first['id']}/" == first["links"]["self"]
    assert KIM == {name: first["attributes"][name] for name in KIM}


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"email": "KIM@shop-demo.io"}, 200),
        ({"phone_number": "+12065550123"}, 200),
        ({"external_id": "kim-1"}, 200),
        ({"email": "kim@shop-demo.io", "phone_number": "+12065550199"}, 200),
        ({"email": "lee@shop-demo.io"}, 201),
        ({"external_id": "kim-2"}, 201),
    ],
    ids=str,
)
def test_any_identifier_finds_a_profile(given: JSON, status: int) -> None:
    """E-mail, phone and external id each match what is stored under them."""

    async def story(account: Account) -> list[int]:
        return await _import(account, profile(**KIM), profile(**given))

    assert [201, status] == tell(story)


def test_a_new_phone_replaces_the_old_one() -> None:
    """A known e-mail with another phone: the old phone finds nobody any more."""
    moved = profile(email="kim@shop-demo.io", phone_number="+12065550199")

    async def story(account: Account) -> Any:
        statuses = await _import(
            account, profile(**KIM), moved, profile(phone_number="+12065550123")
        )
        return statuses, (await _profiles(account))[0]["phone_number"]

    assert ([201, 200, 201], "+12065550199") == tell(story)


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        pytest.param({}, {"first_name": "Kim", "properties": {"a": 1, "b": 2}}, id="absent"),
        pytest.param(
            {"first_name": None, "properties": {"a": None}},
            {"properties": {"b": 2}},
            id="null clears",
        ),
        pytest.param(
            {"first_name": "Lee", "properties": {"a": 0}},
            {"first_name": "Lee", "properties": {"a": 0, "b": 2}},
            id="values replace, 0 is one",
        ),
        pytest.param(
            {"phone_number": None},
            {"first_name": "Kim", "phone_number": None, "properties": {"a": 1, "b": 2}},
            id="null clears an identifier",
        ),
    ],
)
def test_null_clears_and_absent_leaves(second: JSON, expected: JSON) -> None:
    """What a request does not name stays as it is."""
    first = profile(**KIM, first_name="Kim", properties={"a": 1, "b": 2})
    phone = expected.pop("phone_number", KIM["phone_number"])

    async def story(account: Account) -> Any:
        await _import(account, first, profile(email=KIM["email"], **second))
        return (await _profiles(account))[0]

    stored = tell(story)

    assert expected == {n: stored[n] for n in ("first_name", "properties") if n in stored}
    assert phone == stored.get("phone_number")


def test_null_clears_a_location() -> None:
    """A location changes by its fields and goes as a whole."""

    async def story(account: Account) -> list[Any]:
        seen = []
        for location in ({"city": "Lisbon", "zip": "1100"}, {"zip": None}, None):
            await _import(account, profile(email="kim@shop-demo.io", location=location))
            seen.append((await _profiles(account))[0]["location"])
        return seen

    assert [{"city": "Lisbon", "zip": "1100"}, {"city": "Lisbon"}, {}] == tell(story)


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ({"append": {"skus": "c"}}, {"skus": ["a", "b", "c"], "n": 1}),
        ({"append": {"skus": ["c", "d"]}}, {"skus": ["a", "b", "c", "d"], "n": 1}),
        ({"append": {"new": "c"}}, {"skus": ["a", "b"], "n": 1, "new": ["c"]}),
        ({"append": {"n": 2}}, {"skus": ["a", "b"], "n": [1, 2]}),
        ({"unappend": {"skus": "a"}}, {"skus": ["b"], "n": 1}),
        ({"unappend": {"skus": ["a", "b"], "none": "a"}}, {"skus": [], "n": 1}),
        ({"unset": "skus"}, {"n": 1}),
        ({"unset": ["skus", "n", "none"]}, {}),
    ],
    ids=str,
)
def test_properties_can_be_patched(patch: JSON, expected: JSON) -> None:
    """append, unappend and unset, with one value or several; `meta` sits beside attributes."""
    first = profile(email="kim@shop-demo.io", properties={"skus": ["a", "b"], "n": 1})
    second = changed(profile(email="kim@shop-demo.io"), "/data/meta/patch_properties", patch)

    async def story(account: Account) -> Any:
        return await _import(account, first, second), (await _profiles(account))[0]["properties"]

    assert ([201, 200], expected) == tell(story)


def test_secondary_addresses_find_the_profile() -> None:
    """patch_identifiers adds an address that matches, takes it away, and spares the primary."""
    place = "/data/meta/patch_identifiers"
    kim = profile(email="kim@shop-demo.io")

    async def story(account: Account) -> list[int]:
        return await _import(
            account,
            changed(kim, place, {"append": {"email": ["k.lee@shop-demo.io"]}}),
            profile(email="K.Lee@shop-demo.io", external_id="kim-1"),
            changed(kim, place, {"append": {"email": "Kim@shop-demo.io"}}),
            changed(kim, place, {"unappend": {"email": "Kim@shop-demo.io"}}),
            kim,
            changed(kim, place, {"unappend": {"email": "k.lee@shop-demo.io"}}),
            profile(email="k.lee@shop-demo.io"),
        )

    assert [201, 200, 200, 200, 200, 200, 201] == tell(story)


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        (profile(), "/data/attributes"),
        (profile(email="kim"), "/data/attributes/email"),
        (profile(phone_number="1"), "/data/attributes/phone_number"),
        (profile(email="k" * 88 + "@shop-demo.io"), "/data/attributes/email"),
        (profile(external_id="x" * 256), "/data/attributes/external_id"),
        (profile(**KIM, properties={"s": "x" * 100_000}), "/data/attributes"),
        (profile(**KIM, meta={}), "/data/attributes/meta"),
        (changed(profile(**KIM), "/data/type", "person"), "/data/type"),
    ],
    ids=lambda value: str(value)[:48],
)
def test_bad_profiles_are_refused(document: JSON, pointer: str) -> None:
    """400 with a pointer to the field, and nothing is kept."""

    async def story(account: Account) -> Any:
        response = await account.post(IMPORT, document)
        return (
            response.status_code,
            response.json()["errors"][0]["source"]["pointer"],
            (await _profiles(account)),
        )

    assert (400, pointer, []) == tell(story)


def test_an_address_of_100_characters_fits() -> None:
    """A profile's e-mail address may have 100 characters (an event's: 99)."""

    async def story(account: Account) -> list[int]:
        return await _import(account, profile(email="k" * 87 + "@shop-demo.io"))

    assert [201] == tell(story)


def test_a_bad_phone_is_ignored_beside_an_address() -> None:
    """The phone rule holds for profile-import too, with its header."""

    async def story(account: Account) -> Any:
        response = await account.post(IMPORT, profile(email=KIM["email"], phone_number="1"))
        return response.status_code, response.headers.get("X-Klaviyo-Partial-Failure")

    assert (201, "phone_number") == tell(story)


@pytest.mark.parametrize(
    ("conflicting", "status", "code"), [("email_first", 200, None), ("refuse", 409, "duplicate")]
)
def test_identifiers_of_two_profiles(conflicting: str, status: int, code: str | None) -> None:
    """E-mail and phone of different profiles: the e-mail decides, or 409 names the other one."""
    both = profile(email="lee@shop-demo.io", phone_number=KIM["phone_number"])

    async def story(account: Account) -> Any:
        await _import(account, profile(**KIM), profile(email="lee@shop-demo.io"))
        response = await account.post(IMPORT, both)
        kim = (await account.state())["profiles"][0]["id"]
        return response.status_code, response.json(), kim

    answered, body, kim = tell(story, conflicting_identifiers=conflicting)

    assert status == answered
    if code is not None:
        [error] = body["errors"]
        assert ("duplicate_profile", kim) == (error["code"], error["meta"]["duplicate_profile_id"])


@pytest.mark.parametrize(
    ("given_id", "email", "status"),
    [
        pytest.param("kim's", "kim@shop-demo.io", 200, id="both of one profile"),
        pytest.param("kim's", "new@shop-demo.io", 200, id="a new address"),
        pytest.param("kim's", "lee@shop-demo.io", 404, id="an address of somebody else"),
        pytest.param("01UNKNOWN", "kim@shop-demo.io", 404, id="an unknown id"),
    ],
)
def test_an_id_must_agree(given_id: str, email: str, status: int) -> None:
    """Klaviyo's id together with somebody else's address, or an unknown id, is 404."""

    async def story(account: Account) -> int:
        await _import(account, profile(**KIM), profile(email="lee@shop-demo.io"))
        kim = (await account.state())["profiles"][0]["id"]
        known = kim if given_id == "kim's" else given_id
        document = changed(profile(email=email), "/data/id", known)
        return (await account.post(IMPORT, document)).status_code

    assert status == tell(story)


@pytest.mark.parametrize("name", ["email", "phone_number", "id"])
def test_a_deletion_forgets_a_profile_and_its_events(name: str) -> None:
    """202; afterwards an event with the same unique_id creates the profile anew."""

    async def story(account: Account) -> Any:
        await _import(account, profile(**KIM))
        await account.post(EVENTS, event(unique_id="a"))
        [stored] = (await account.state())["profiles"]
        value = stored["id"] if name == "id" else KIM[name]
        response = await account.post(DELETIONS, _deletion(**{name: value}))
        after = await account.state()
        await account.post(EVENTS, event(unique_id="a"))
        return response.status_code, after["profiles"], after["events"], account.fates[-1]

    assert (202, [], [], "accepted") == tell(story)


@pytest.mark.parametrize(
    "identifiers", [{}, {"email": KIM["email"], "phone_number": KIM["phone_number"]}], ids=str
)
def test_a_deletion_names_exactly_one_identifier(identifiers: dict[str, str]) -> None:
    """None and several are 400; nothing is deleted."""

    async def story(account: Account) -> Any:
        await _import(account, profile(**KIM))
        response = await account.post(DELETIONS, _deletion(**identifiers))
        return response.status_code, len(await _profiles(account))

    assert (400, 1) == tell(story)
