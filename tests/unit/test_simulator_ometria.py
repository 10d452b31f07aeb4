"""The simulated Ometria: what a push is told, and what is told later (contracts/ometria.md §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from tests.support.ometria_simulator import ERRORS, errors, push, reminder, row_fates, tell
from tests.support.simulation import ABSENT, changed

if TYPE_CHECKING:
    from tests.support.simulation import Account

BAD = reminder("bad", timestamp="yesterday")


def test_a_push_is_counted_and_queued() -> None:
    """202 with the counts and a request id, and how much room the queue has."""

    async def story(account: Account) -> Any:
        response = await push(account, reminder(), reminder("e-2"))
        return response.status_code, dict(response.headers), response.json()

    status, headers, body = tell(story)

    assert 202 == status
    assert ("50000", "49998") == (headers["x-queuesize-limit"], headers["x-queuesize-remaining"])
    assert {"status": "OK", "accepted": 2, "rejected": 0} == {
        name: value for name, value in body.items() if name != "request_id"
    }
    assert body["request_id"] == str(UUID(body["request_id"]))


def test_every_push_has_a_request_id_of_its_own() -> None:
    """Equal bodies get different ids, and the state tells which is whose."""

    async def story(account: Account) -> Any:
        replies = [(await push(account, reminder())).json() for _ in range(3)]
        return [each["request_id"] for each in replies], await account.state("pushes")

    ids, pushes = tell(story)

    assert 3 == len(set(ids))
    assert [(1, ids[0]), (2, ids[1]), (3, ids[2])] == [
        (each["sequence"], each["request_id"]) for each in pushes
    ]


@pytest.mark.parametrize(
    ("switches", "expected"),
    [
        ({}, (202, True, None)),
        ({"success_status": 200}, (200, True, None)),
        ({"queue_headers": False}, (202, False, None)),
        ({"rejected_items": True}, (202, True, [])),
    ],
)
def test_how_acceptance_is_told(switches: Any, expected: object) -> None:
    """What no page is sure of can be had either way."""

    async def story(account: Account) -> object:
        response = await push(account, reminder())
        headed = "x-queuesize-limit" in response.headers
        return response.status_code, headed, response.json().get("rejected_items")

    assert expected == tell(story, **switches)


def test_ok_is_not_validated() -> None:
    """A wrong record counts as accepted; later there is an error that names no record."""

    async def story(account: Account) -> Any:
        body = (await push(account, BAD, reminder())).json()
        counts = body["accepted"], body["rejected"]
        told = (await account.get(ERRORS)).json()
        stored = [each["id"] for each in await account.state("events")]
        return counts, told, stored, row_fates(account)[0]

    told = [{"error_message": "not a valid value", "error_path": "root > timestamp"}]

    assert ((2, 0), told, ["e-1"], ["dropped:root > timestamp", "accepted"]) == tell(story)


def test_the_state_names_the_record_of_an_error() -> None:
    """A test may know what the vendor keeps to itself."""

    async def story(account: Account) -> Any:
        await push(account, reminder(), BAD)
        return await account.state("errors")

    assert [
        {
            "sequence": 1,
            "row": 1,
            "type": "custom_event",
            "id": "bad",
            "error_message": "not a valid value",
            "error_path": "root > timestamp",
            "reason": "The field does not take this.",
        }
    ] == tell(story)


def test_errors_are_the_newest_100() -> None:
    """The newest comes first, and what is older than the hundredth is not told any more."""
    wrong = [reminder(str(number), **{f"f{number}": 1}) for number in range(102)]

    async def story(account: Account) -> Any:
        await push(account, *wrong[:60])
        await push(account, *wrong[60:])
        return [path for _, path in await errors(account)], len(await account.state("errors"))

    expected = [f"root > f{number}" for number in range(101, 1, -1)]

    assert (expected, 102) == tell(story)


def test_wrong_records_can_be_rejected_at_once() -> None:
    """Then they are counted in the reply, whose items (if any) do not name them either."""
    sent = [reminder(), BAD, changed(BAD, "/id", ABSENT)]
    switches: Any = {"wrong_record": "reject", "rejected_items": True}

    async def story(account: Account) -> Any:
        body = (await push(account, *sent)).json()
        paths = [each["error_path"] for each in body["rejected_items"]]
        counts = body["accepted"], body["rejected"]
        return counts, paths, [path for _, path in await errors(account)], row_fates(account)[0]

    fates = ["accepted", "refused:root > timestamp", "refused:root > id"]
    items = ["root > timestamp", "root > id", "root > timestamp"]

    assert ((1, 2), items, items[::-1], fates) == tell(story, **switches)
