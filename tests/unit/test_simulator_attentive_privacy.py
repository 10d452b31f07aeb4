"""The simulated Attentive: requests to forget somebody (contracts/attentive.md §5, Delete)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.attentive_account import EMAIL, KIM, PHONE, event, send, status, tell

if TYPE_CHECKING:
    from tests.support.simulation import JSON, Account

PATH = "/v1/privacy/delete-request"
LEE: JSON = {"phone": "+12065550199", "email": "lee@shop-demo.io"}


@pytest.mark.parametrize(
    "who", [{"subjectEmail": EMAIL.upper()}, {"subjectPhone": PHONE}, {"subjectEmail": EMAIL}]
)
def test_who_matches_is_forgotten(who: JSON) -> None:
    """Person, attributes and events; nobody else, and the answer names nobody."""

    async def story(account: Account) -> Any:
        await send(account, [event(KIM), status("active", KIM), event(LEE), status("active", LEE)])
        answer = await account.post(PATH, {**who, "requestMsg": "as asked"})
        return answer, await account.state()

    answer, state = tell(story)

    assert (200, {"id", "processed", "created"}) == (answer.status_code, answer.json().keys())
    assert not answer.json()["processed"]
    assert EMAIL not in answer.text + str(state)
    assert PHONE not in str(state)
    assert [1, 1] == [len(state["people"]), len(state["events"])]
    assert [1] == [each["found"] for each in state["deletions"]]


def test_a_request_is_followed_by_its_id() -> None:
    """First it is not processed, then it is; an unknown one is not found."""

    async def story(account: Account) -> Any:
        made = (await account.post(PATH, {"subjectEmail": EMAIL})).json()
        asked = [await account.get(f"{PATH}/{made['id']}") for _ in range(2)]
        other = await account.get(f"{PATH}/7")
        return [each.json()["processed"] for each in asked], other.status_code

    assert ([False, True], 404) == tell(story, deletion_polls=2)


@pytest.mark.parametrize(
    "body",
    [{}, {"requestMsg": "x"}, {"subjectEmail": "kim"}, {"subjectPhone": 5}, {"email": EMAIL}],
)
def test_a_request_names_somebody(body: JSON) -> None:
    """By one of three identifiers, in their form."""

    async def story(account: Account) -> int:
        return (await account.post(PATH, body)).status_code

    assert 400 == tell(story)
