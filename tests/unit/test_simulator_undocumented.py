"""What no page of a vendor says: each reading of it is a switch, at the start or while it runs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import attentive_account as attentive
from tests.support import ometria_simulator as ometria
from tests.support import yespo_simulator as yespo
from tests.support.attentive_account import ATTRIBUTES, EVENTS, attributes, event
from tests.support.ometria_simulator import contact, error_paths, reminder
from tests.support.simulation import NOW, Account, changed
from tests.support.yespo_simulator import CONTACTS, ORDERS, bulk, order, orders

HOUR = 3600


@pytest.mark.parametrize(
    ("switches", "silent"),
    [
        pytest.param({}, [None, "late", "late"], id="12 hours"),
        pytest.param({"fresh_hours": 24}, [None, None, "late"], id="24 hours"),
        pytest.param({"fresh_hours": 0}, ["late", "late", "late"], id="no hours"),
    ],
)
def test_how_old_an_event_of_attentive_may_be(
    switches: dict[str, Any], silent: list[str | None]
) -> None:
    """What is older is kept all the same, and starts nothing."""

    async def story(account: Account) -> list[str | None]:
        for hours in (11.99, 23.99, 24.01):
            account.now = NOW + hours * HOUR
            await account.post(EVENTS, event())
        return [each["silent"] for each in await account.state("events")]

    assert silent == attentive.tell(story, **switches)


@pytest.mark.parametrize(
    ("scope", "silent"),
    [
        ("account", [None, "duplicate", "duplicate", "duplicate"]),
        ("type", [None, None, "duplicate", "duplicate"]),
        ("person", [None, "duplicate", None, "duplicate"]),
    ],
)
def test_within_what_an_id_of_attentive_is_unique(scope: str, silent: list[str | None]) -> None:
    """The same id: another type, another person, and the first event again."""
    lee = {"email": "lee@shop-demo.io"}

    async def story(account: Account) -> Any:
        for sent in (event(), event(type="okendo.tier"), event(lee), event()):
            response = await account.post(EVENTS, sent | {"externalEventId": "e-1"})
            assert 200 == response.status_code
        return [each["silent"] for each in await account.state("events")]

    assert silent == attentive.tell(story, dedup=True, dedup_scope=scope)


def test_attentive_may_refuse_a_repeated_id() -> None:
    """409, and there is one event; another id passes."""

    async def story(account: Account) -> Any:
        sent = [event(externalEventId=each) for each in ("a", "a", "b")]
        codes = [(await account.post(EVENTS, each)).status_code for each in sent]
        return codes, account.fates, len(await account.state("events"))

    told = attentive.tell(story, dedup=True, dedup_reply="conflict")

    assert ([200, 409, 200], ["accepted", "refused:/externalEventId", "accepted"], 2) == told


def test_attentive_may_have_a_smaller_body_and_type() -> None:
    """413 for a body, 400 for a type: one more than there may be, and just as many."""
    size = len(b'{"user":{"email":"kim@shop-demo.io"},"properties":{"a":""}}')

    async def story(account: Account) -> Any:
        bodies = [
            b'{"user":{"email":"kim@shop-demo.io"},"properties":{"a":"%s"}}' % (b"x" * length)
            for length in (1, 2)
        ]
        told = [(await account.post(ATTRIBUTES, each)).status_code for each in bodies]
        await account.client.put(
            "/_control/switches", json={"switches": {"event_bytes": None, "longest_type": 5}}
        )
        sent = (event(type="12345"), event(type="123456"), attributes())
        return told + [(await account.post(_path(each), each)).status_code for each in sent]

    assert [200, 413, 200, 400, 200] == attentive.tell(story, event_bytes=size + 1)


@pytest.mark.parametrize(
    ("counted", "unusable"), [("over_time", [[], ["b0"]]), ("in_event", [[], []])]
)
def test_what_the_keys_of_attentive_are_counted_over(
    counted: str, unusable: list[list[str]]
) -> None:
    """Two events, of 200 names and of another one; then one of 201 names has one too many."""

    async def story(account: Account) -> Any:
        for properties in (_names("a", 200), _names("b", 1), _names("c", 201)):
            await account.post(EVENTS, event(properties=properties))
        *few, many = [each["unusable"] for each in await account.state("events")]
        assert "c200" == many[-1]
        return few

    assert unusable == attentive.tell(story, keys_counted=counted)


@pytest.mark.parametrize("status", [400, 413, 422])
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[", id="no JSON"),
        pytest.param({"records": []}, id="no array"),
        pytest.param([contact()] * 101, id="too many"),
    ],
)
def test_what_an_unusable_push_to_ometria_gets(body: object, status: int) -> None:
    """One status for all of them; and nothing waits."""

    async def story(account: Account) -> Any:
        response = await account.post(ometria.PUSH, body)
        return response.status_code, await account.state("backlog")

    assert (status, 0) == ometria.tell(story, unusable_body=status)


@pytest.mark.parametrize(("identity", "paths"), [("any", []), ("email", ["root > identity_email"])])
def test_what_ties_an_event_to_a_contact_of_ometria(identity: str, paths: list[str]) -> None:
    """A customer id alone is enough, or is not; an e-mail address always is."""
    whole = reminder(identity_account_id="C-1")
    alone = {name: value for name, value in whole.items() if name != "identity_email"}

    assert [] == error_paths(whole, event_identity=identity)
    assert paths == error_paths(alone, event_identity=identity)


@pytest.mark.parametrize("status", [400, 413])
def test_too_much_for_yespo(status: int) -> None:
    """More orders or contacts than a request may have; none at all is 400 always."""
    bodies: list[tuple[str, Any]] = [
        (ORDERS, {"orders": [order()] * 1001}),
        (CONTACTS, bulk(*[{}] * 3001)),
        (ORDERS, {"orders": []}),
        (CONTACTS, bulk()),
    ]

    async def story(account: Account) -> list[int]:
        return [(await account.post(path, body)).status_code for path, body in bodies]

    assert [status, status, 400, 400] == yespo.tell(story, too_many=status)


@pytest.mark.parametrize(("wrong_total", "fates"), [("accept", "accepted"), ("refuse", "refused")])
def test_yespo_may_add_up(wrong_total: str, fates: str) -> None:
    """An order whose items do not add up to its total fails, or is kept with a note."""
    wrong = changed(orders(), "orders/0/totalCost", 1.5)

    async def story(account: Account) -> list[str]:
        for sent in (orders(), changed(wrong, "orders/0/externalOrderId", "OG-other")):
            assert 200 == (await account.post(ORDERS, sent)).status_code
        return account.fates

    whole, odd = yespo.tell(story, wrong_total=wrong_total)

    assert "accepted" == whole
    assert fates == odd.partition(":")[0]


@pytest.mark.parametrize("older", [False, True])
def test_yespo_may_reply_as_it_used_to(older: bool) -> None:
    """Beside the number of the import there was an id, which was 0."""

    async def story(account: Account) -> Any:
        return (await account.post(CONTACTS, bulk(yespo.contact()))).json()

    reply = yespo.tell(story, older_reply=older)

    assert {"asyncSessionId"} | ({"id"} if older else set()) == set(reply)
    assert 0 == reply.get("id", 0)


def _path(sent: dict[str, Any]) -> str:
    return EVENTS if "type" in sent else ATTRIBUTES


def _names(letter: str, number: int) -> dict[str, int]:
    return {f"{letter}{each}": each for each in range(number)}
