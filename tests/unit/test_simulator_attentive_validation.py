"""The simulated Attentive: what it refuses in events and attributes (§2, §3, pitfalls)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.attentive_account import ATTRIBUTES, EVENTS, attributes, event, tell
from tests.support.simulation import ABSENT, Account, changed

if TYPE_CHECKING:
    from tests.support.simulation import JSON

EXTERNAL = "/user/externalIdentifiers"
CUSTOM = f"{EXTERNAL}/customIdentifiers"
LOYALTY = {"name": "loyalty", "value": "L-1"}

USERS = [
    ("/user", ABSENT, "/user"),
    ("/user", None, "/user"),
    ("/user", [], "/user"),
    ("/user", {}, "/user"),
    ("/user/shopifyId", "1", "/user/shopifyId"),
    ("/user/phone_number", "+12065550123", "/user/phone_number"),
    ("/user/phone", None, "/user/phone"),
    ("/user/phone", "", "/user/phone"),
    ("/user/phone", "12065550123", "/user/phone"),
    ("/user/phone", "19148440001", "/user/phone"),
    ("/user/phone", "+1-206-555-0123", "/user/phone"),
    ("/user/phone", "+1 206 555 0123", "/user/phone"),
    ("/user/phone", "+02065550123", "/user/phone"),
    ("/user/phone", "+1206555012345678", "/user/phone"),
    ("/user/phone", 12065550123, "/user/phone"),
    ("/user/email", None, "/user/email"),
    ("/user/email", "", "/user/email"),
    ("/user/email", "kim", "/user/email"),
    ("/user/email", "kim@shop-demo", "/user/email"),
    ("/user/email", "kim lee@shop-demo.io", "/user/email"),
    ("/user/email", "k" * 88 + "@shop-demo.io", "/user/email"),
    (EXTERNAL, None, EXTERNAL),
    (EXTERNAL, {}, EXTERNAL),
    (f"{EXTERNAL}/klaviyoId", "1", f"{EXTERNAL}/klaviyoId"),
    (f"{EXTERNAL}/clientUserId", "", f"{EXTERNAL}/clientUserId"),
    (f"{EXTERNAL}/clientUserId", 7, f"{EXTERNAL}/clientUserId"),
    (f"{EXTERNAL}/clientUserId", "x" * 101, f"{EXTERNAL}/clientUserId"),
    (CUSTOM, [], CUSTOM),
    (CUSTOM, {"loyalty": "L-1"}, CUSTOM),
    (CUSTOM, [{}], f"{CUSTOM}/0"),
    (CUSTOM, ["L-1"], f"{CUSTOM}/0"),
    (CUSTOM, [{"key": "loyalty", "value": "L-1"}], f"{CUSTOM}/0/key"),
    (CUSTOM, [{"name": "loyalty"}], f"{CUSTOM}/0/value"),
    (CUSTOM, [{"name": "", "value": "L-1"}], f"{CUSTOM}/0/name"),
    (CUSTOM, [LOYALTY, {"name": "a", "value": "x" * 101}], f"{CUSTOM}/1/value"),
]
REFUSED = [
    ("/type", ABSENT, "/type"),
    ("/type", None, "/type"),
    ("/type", "", "/type"),
    ("/type", " ", "/type"),
    ("/type", 7, "/type"),
    *(("/type", f"order{character}success", "/type") for character in "\"'(){}[]\\|,"),
    ("/occuredAt", "2026-10-01T12:00:00Z", "/occuredAt"),
    ("/external_event_id", "a", "/external_event_id"),
    ("/properties", None, "/properties"),
    ("/properties", [], "/properties"),
    ("/externalEventId", None, "/externalEventId"),
    ("/externalEventId", "", "/externalEventId"),
    ("/externalEventId", 7, "/externalEventId"),
    ("/externalEventId", "x" * 101, "/externalEventId"),
    ("/occurredAt", None, "/occurredAt"),
    ("/occurredAt", 1790856000, "/occurredAt"),
    ("/occurredAt", "2026-10-01", "/occurredAt"),
    ("/occurredAt", "2026-10-01T12:00:03", "/occurredAt"),
    ("/occurredAt", "2026-10-01T12:00:03.000", "/occurredAt"),
    ("/occurredAt", "2026-10-01T12:00:03+0000", "/occurredAt"),
    ("/occurredAt", "2026-10-01 12:00:03Z", "/occurredAt"),
    ("/occurredAt", "2026-10-01T12:00Z", "/occurredAt"),
    ("/occurredAt", "2026-02-30T12:00:03Z", "/occurredAt"),
    ("/occurredAt", "0001-01-01T00:00:00+14:00", "/occurredAt"),
]
ACCEPTED = [
    ("/type", "ordergroove.subscription.cancel_2"),
    ("/type", "Order Success"),
    ("/externalEventId", "x" * 100),
    ("/occurredAt", "2026-10-01T12:00:03Z"),
    ("/occurredAt", "2026-10-01T12:00:03.123456789+02:00"),
    ("/occurredAt", "2026-10-01T12:00:03-00:00"),
    ("/occurredAt", "2036-10-01T12:00:03Z"),
    ("/properties/total", 12.5),
    ("/properties/total", None),
    ("/properties/total", ""),
    ("/properties/a.b-c d_é(1)", 1),
    ("/properties/items", [{"sku": "S1"}, [1], None]),
    ("/properties/large", 2**70),
]
ACCEPTED_USERS = [
    ("/user", {"phone": "+12065550123"}),
    ("/user", {"email": "kim@shop-demo.io"}),
    ("/user/email", "k" * 87 + "@shop-demo.io"),
    ("/user/email", "o'neil+club@münchen.shop-demo.io"),
    (f"{EXTERNAL}/clientUserId", "x" * 100),
    (CUSTOM, [LOYALTY, {"name": "pos", "value": "P-1"}]),
]
FORBIDDEN = "\"'{}[]\\|,"


def _judged(path: str, document: JSON, **switches: Any) -> tuple[int, str]:
    async def story(account: Account) -> tuple[int, str]:
        response = await account.post(path, document)
        return response.status_code, account.fates[0]

    return tell(story, **switches)


def _named(cases: list[Any]) -> list[Any]:
    return [pytest.param(*case, id=f"{case[0]}={str(case[1])[:30]}") for case in cases]


@pytest.mark.parametrize(("where", "value", "pointer"), _named(USERS + REFUSED))
def test_a_spoiled_event_is_refused(where: str, value: object, pointer: str) -> None:
    """Each field has its rule; the fate names the field that breaks it."""
    assert (400, f"refused:{pointer}") == _judged(EVENTS, changed(event(), where, value))


@pytest.mark.parametrize(("where", "value", "pointer"), _named(USERS))
def test_a_spoiled_user_of_attributes_is_refused(where: str, value: object, pointer: str) -> None:
    """Users are the same everywhere."""
    assert (400, f"refused:{pointer}") == _judged(ATTRIBUTES, changed(attributes(), where, value))


@pytest.mark.parametrize(("where", "value"), _named(ACCEPTED + ACCEPTED_USERS))
def test_values_at_the_edge_are_accepted(where: str, value: object) -> None:
    """The largest values that fit, and every single identifier that can be written to, pass."""
    assert (200, "accepted") == _judged(EVENTS, changed(event(), where, value))


@pytest.mark.parametrize(
    ("where", "value", "pointer"),
    _named(
        [
            ("/properties", ABSENT, "/properties"),
            ("/properties", {}, "/properties"),
            ("/properties", [], "/properties"),
            ("/properties", {"": 1}, "/properties"),
            ("/properties", {"n" * 201: 1}, "/properties"),
            ("/properties/skus", ["a"], "/properties/skus"),
            ("/properties/skus", [], "/properties/skus"),
            ("/properties/product", {"sku": "a"}, "/properties/product"),
            ("/properties/product", {}, "/properties/product"),
            ("/type", "a", "/type"),
            ("/occurredAt", "2026-10-01T12:00:00Z", "/occurredAt"),
        ]
    ),
)
def test_spoiled_attributes_are_refused(where: str, value: object, pointer: str) -> None:
    """Attributes have names of 1 to 200 characters and plain values."""
    assert (400, f"refused:{pointer}") == _judged(ATTRIBUTES, changed(attributes(), where, value))


@pytest.mark.parametrize(
    ("where", "value"), _named([("/properties", {"n" * 200: 1}), *ACCEPTED_USERS])
)
def test_attributes_at_the_edge_are_accepted(where: str, value: object) -> None:
    """A name of 200 characters, and every user that an event may have."""
    assert (200, "accepted") == _judged(ATTRIBUTES, changed(attributes(), where, value))


@pytest.mark.parametrize("character", FORBIDDEN)
@pytest.mark.parametrize(
    ("make", "pointer"),
    [
        pytest.param(lambda key: {key: 1}, "/properties/{}", id="top"),
        pytest.param(lambda key: {"p": {key: 1}}, "/properties/p/{}", id="nested"),
        pytest.param(lambda key: {"l": [1, {key: 1}]}, "/properties/l/1/{}", id="in a list"),
    ],
)
def test_characters_that_keys_must_not_have(make: Any, pointer: str, character: str) -> None:
    """All that any page forbids, at any depth."""
    key = f"size{character}colour"

    assert (400, "refused:" + pointer.format(key)) == _judged(EVENTS, event(properties=make(key)))


@pytest.mark.parametrize("character", FORBIDDEN)
def test_the_specifications_own_characters(character: str) -> None:
    """On demand only what the specification itself forbids: no apostrophe, no comma."""
    document = event(properties={f"size{character}": 1})
    status = 200 if character in "'," else 400

    assert status == _judged(EVENTS, document, key_characters="specification")[0]


@pytest.mark.parametrize(
    ("properties", "status"),
    [({"p": {"a|b": 1}}, 200), ({"l": [{"a|b": 1}]}, 200), ({"a|b": 1}, 400)],
)
def test_nested_keys_may_be_spared(properties: JSON, status: int) -> None:
    """Whether nested keys are checked is not stated: a switch."""
    assert status == _judged(EVENTS, event(properties=properties), nested_keys=False)[0]


@pytest.mark.parametrize(("path", "document"), [(EVENTS, event()), (ATTRIBUTES, attributes())])
def test_unknown_fields_can_be_ignored(path: str, document: JSON) -> None:
    """At the top of a body; a user with unknown fields is always refused (pitfall 4)."""
    lenient = {"unknown_fields": "ignore"}

    assert (200, "accepted") == _judged(path, changed(document, "/extra", 1), **lenient)
    assert (400, "refused:/user/extra") == _judged(
        path, changed(document, "/user/extra", 1), **lenient
    )


@pytest.mark.parametrize(
    ("time", "status"), [("2026-10-01T13:00:00Z", 200), ("2026-10-01T13:00:00.001Z", 400)]
)
def test_the_future_can_be_bounded(time: str, status: int) -> None:
    """No bound is stated; a switch sets one."""
    assert status == _judged(EVENTS, event(occurredAt=time), longest_ahead=3600)[0]


def test_phones_that_no_country_assigns() -> None:
    """By default the form of E.164 is enough; with the numbering plan it is not."""
    document = event({"phone": "+15555550123"})

    assert (200, "accepted") == _judged(EVENTS, document)
    assert (400, "refused:/user/phone") == _judged(EVENTS, document, phone_check="numbering_plan")
