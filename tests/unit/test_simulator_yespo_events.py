"""The simulated Yespo: generated events, in both versions (§3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.yespo_simulator import (
    ABSENT,
    CONTACT,
    EVENT,
    EVENT_V1,
    KIM,
    LEE,
    ORDERS,
    PHONE,
    contact,
    event,
    orders,
    tell,
)

if TYPE_CHECKING:
    from tests.support.yespo_simulator import JSON, Account

BOTH = pytest.mark.parametrize("path", [EVENT, EVENT_V1])


def _param(name: str, value: object) -> JSON:
    return {"name": name, "value": value}


def _named(**params: object) -> JSON:
    """An event without keyValue that has only these parameters."""
    listed = [_param(name, value) for name, value in params.items()]
    return event(keyValue=ABSENT, params=listed)


def _judged(document: object, path: str = EVENT, **switches: Any) -> str:
    """What becomes of an event of an account that knows Kim; `kept` stands for all success."""

    async def story(account: Account) -> str:
        await account.post(CONTACT, contact(sms=PHONE, externalCustomerId="C-1"))
        response = await account.post(path, document)
        kept = len(await account.state("events"))
        fate = account.fates[-1]
        assert (200, 1) if kept else (400, 0) == (response.status_code, kept)
        return "kept" if kept else fate

    return tell(story, **switches)


@BOTH
@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_an_event_is_kept(path: str, status: int) -> None:
    """Success without a body; the type is made on the fly; whom it is about is found."""

    async def story(account: Account) -> Any:
        await account.post(ORDERS, orders())
        response = await account.post(path, event())
        return response.status_code, response.content, await account.state()

    told, body, state = tell(story, event_status=status)
    kept = state["events"][1]

    assert (status, b"") == (told, body)
    assert ["orderINITIALIZED", "ordergroove.subscription.cancel"] == state["types"]
    assert ("8f21-1", True, True) == (kept["key"], kept["matched"], kept["starts"])
    assert state["contacts"][0]["id"] == kept["contact_id"]
    assert {"externalCustomerId": "C-1", "email": KIM, "product": "Oat bars"} == kept["params"]
    assert ["account", "request"] == [each["origin"] for each in state["events"]]


@BOTH
@pytest.mark.parametrize(
    ("field", "value", "where"),
    [
        ("eventTypeKey", ABSENT, "/eventTypeKey"),
        ("eventTypeKey", "", "/eventTypeKey"),
        ("eventTypeKey", 7, "/eventTypeKey"),
        ("eventTypeKey", "a" * 101, "/eventTypeKey"),
        ("eventTypeKey", "a" * 100, None),
        ("eventTypeKey", "a.b_c d-1é", None),
        ("keyValue", "", "/keyValue"),
        ("keyValue", 7, "/keyValue"),
        ("keyValue", "k" * 301, "/keyValue"),
        ("keyValue", "k" * 300, None),
        ("keyValue", "o'neil@shop-demo.io", "/keyValue"),
        ("params", {}, "/params"),
        ("params", [], None),
        ("params", ["a"], "/params/0"),
        ("params", [{"name": "a"}], "/params/0"),
        ("params", [{"value": "a"}], "/params/0"),
        ("params", [{"name": "a", "value": "b", "type": "c"}], "/params/0"),
        ("params", [_param("", "b")], "/params/0/name"),
        ("params", [_param("n" * 101, "b")], "/params/0/name"),
        ("params", [_param("n" * 100, "b")], None),
        ("params", [_param("a", "b"), _param("a", "c")], "/params/1/name"),
        ("params", [_param("a", "b"), _param("A", "c")], None),
        ("params", [_param("a", None)], "/params/0/value"),
        ("params", [_param("a", "")], None),
        ("occurred", "2026-10-01T11:59:58Z", "/occurred"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_an_event_must_be(path: str, field: str, value: object, where: str | None) -> None:
    """400 for what is too long, has a forbidden character, or is not there."""
    expected = "kept" if where is None else f"refused:{where}"
    fields: Any = {field: value}

    assert expected == _judged(event(**fields), path)


@pytest.mark.parametrize("character", "<>;,/\\|^?!'‘’\"`")  # noqa: RUF001 - curly quotes
@pytest.mark.parametrize("field", ["eventTypeKey", "keyValue"])
def test_forbidden_characters(field: str, character: str) -> None:
    """The same for type and key."""
    fields: Any = {field: f"a{character}b"}

    assert f"refused:/{field}" == _judged(event(**fields))


@pytest.mark.parametrize("value", [7, 2.5, True, ["a"], {"id": "77", "tags": ["a"]}])
def test_only_the_second_version_takes_more_than_texts(value: Any) -> None:
    """v1 wants strings; v2 nested JSON, by a switch only texts and objects."""
    document = event(params=[_param("product", value)])
    narrow = "kept" if isinstance(value, dict) else "refused:/params/0/value"

    assert "refused:/params/0/value" == _judged(document, EVENT_V1)
    assert "kept" == _judged(document)
    assert narrow == _judged(document, v2_values="text_or_object")


@pytest.mark.parametrize("document", [None, [], "event", 7])
def test_an_event_is_an_object(document: object) -> None:
    """Anything else is refused."""
    assert "refused:/" == _judged(document)


@BOTH
@pytest.mark.parametrize(
    ("document", "key"),
    [
        (_named(pushToken="t", phone=PHONE, email=KIM, externalCustomerId="C-1"), "C-1"),
        (_named(phone=PHONE, email=KIM), KIM),
        (_named(pushToken="t", phone=PHONE), PHONE),
        (_named(pushToken="t"), "t"),
        (_named(email=KIM, contactId="1000001"), "1000001"),
        (event(), "8f21-1"),
    ],
    ids=["external id", "email", "phone", "push token", "contact id", "given"],
)
def test_without_a_key_the_first_identity_is_the_key(path: str, document: JSON, key: str) -> None:
    """In the order of the contract, whatever their order in the request."""

    async def story(account: Account) -> Any:
        await account.post(path, document)
        [kept] = await account.state("events")
        return kept["key"]

    assert key == tell(story)


@pytest.mark.parametrize(
    ("document", "first", "second"),
    [
        pytest.param(_named(product="a"), "/keyValue", "/keyValue", id="nobody"),
        pytest.param(_named(Email=KIM), "/keyValue", "/keyValue", id="in capitals"),
        pytest.param(
            _named(email="o'neil@shop-demo.io"), "/params/email", "/params/email", id="apostrophe"
        ),
        pytest.param(
            _named(externalCustomerId=""), "/params/externalCustomerId", "/keyValue", id="empty"
        ),
        pytest.param(_named(externalCustomerId="", email=KIM), "/params/externalCustomerId", None),
        pytest.param(_named(externalCustomerId="null", email=KIM), None, None, id="the word null"),
        pytest.param(
            _named(externalCustomerId=None, email=KIM), "/params/0/value", None, id="null"
        ),
    ],
)
def test_somebody_must_be_named(document: JSON, first: str | None, second: str | None) -> None:
    """The second version does as if an empty or "null" externalCustomerId were not there."""
    expected = [f"refused:{where}" if where else "kept" for where in (first, second)]

    assert expected == [_judged(document, EVENT_V1), _judged(document)]


@pytest.mark.parametrize(
    ("document", "matched"),
    [
        pytest.param(_named(externalCustomerId="C-1"), True, id="external id"),
        pytest.param(_named(email=KIM.upper()), True, id="email in capitals"),
        pytest.param(_named(phone=PHONE), True, id="phone"),
        pytest.param(_named(contactId=1_000_001), True, id="contact id"),
        pytest.param(_named(externalCustomerId="C-9", email=KIM), True, id="the second one"),
        pytest.param(event(params=[], keyValue=KIM), True, id="by the key"),
        pytest.param(_named(email=LEE), False, id="somebody else"),
        pytest.param(_named(contactId="²"), False, id="no number"),
        pytest.param(event(params=[]), False, id="a key of nobody"),
    ],
)
def test_an_event_of_nobody_starts_nothing(document: JSON, matched: bool) -> None:
    """It is kept all the same; a switch lets it start workflows."""

    async def story(account: Account) -> Any:
        await account.post(CONTACT, contact(sms=PHONE, externalCustomerId="C-1"))
        await account.post(EVENT, document)
        account.simulator.set_switches({"unmatched_events": "start"})
        await account.post(EVENT, document)
        kept = await account.state("events")
        return account.fates[1:], [(each["matched"], each["starts"]) for each in kept]

    first = "accepted" if matched else "silent:unmatched"

    assert ([first, "accepted"], [(matched, matched), (matched, True)]) == tell(story)


def test_every_copy_of_an_event_counts() -> None:
    """Unless the switch says that a type and key make it the same."""

    async def story(account: Account) -> list[str]:
        await account.post(CONTACT, contact(externalCustomerId="C-1"))
        for document in (event(), event(), event("other")):
            await account.post(EVENT, document)
        return account.fates[1:]

    assert ["accepted"] * 3 == tell(story)
    assert ["accepted", "duplicate", "accepted"] == tell(story, event_dedup=True)


@BOTH
@pytest.mark.parametrize(("size", "status"), [(20_000, 200), (20_001, 400)])
def test_an_event_has_at_most_20_kilobytes(path: str, size: int, status: int) -> None:
    """All of the body counts; support can raise it."""
    bare = event(params=[_param("note", "")])

    async def story(account: Account) -> Any:
        await account.post(path, bare)
        missing = size - account.simulator.received[0].size
        document = event(params=[_param("note", "x" * missing)])
        answers = [await account.post(path, document)]
        account.simulator.set_switches({"event_bytes": 30_000})
        answers.append(await account.post(path, document))
        return [each.status_code for each in answers], account.simulator.received[1].size

    assert ([status, 200], size) == tell(story)


def test_a_type_can_ask_for_parameters() -> None:
    """400 with a sentence and the list; what is not required may be absent."""
    params = [{"name": "EmailAddress", "required": True}, {"name": "Name", "required": False}]
    named = event("welcome", params=[_param("EmailAddress", KIM)])

    async def story(account: Account) -> Any:
        answers = [await account.post(EVENT, each) for each in (event("welcome"), named, event())]
        return [each.status_code for each in answers], answers[0].text

    statuses, text = tell(story, event_params={"welcome": params})
    start, _, rest = text.partition("[")

    assert ([400, 200, 200], "The event should have the following params: ") == (statuses, start)
    assert '{\n        "name": "EmailAddress",\n        "required": true\n    }' in rest
