"""The simulated Ometria: keys, paths, kinds and sizes of bodies (contracts/ometria.md §1, §2)."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from streams.simulators import SIMULATORS, Options, read_options
from tests.support.ometria_simulator import (
    ERRORS,
    PUSH,
    contact,
    errors,
    push,
    reminder,
    row_fates,
    tell,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.simulation import JSON, Account

BODY = json.dumps([reminder()]).encode()
TOO_LARGE = "Payload invalid: Record is too large."
LIMIT = 60_000


@pytest.mark.parametrize(
    ("key", "status"),
    [
        pytest.param(None, 403, id="absent"),
        pytest.param("", 403, id="empty"),
        pytest.param("key-2", 403, id="unknown"),
        pytest.param("key-1", 202, id="known"),
        pytest.param("reads", 403, id="may not push"),
    ],
)
def test_keys(key: str | None, status: int) -> None:
    """403 for a key that is absent, unknown, or not allowed to push."""
    keys = {"key-1": {}, "reads": {"push": False}}

    async def story(account: Account) -> Any:
        response = await account.post(PUSH, [reminder()], x_ometria_auth=key)
        return response.status_code, account.fates[0]

    assert (status, "accepted" if status == 202 else "refused:key") == tell(story, keys=keys)


@pytest.mark.parametrize(
    ("key", "statuses"), [(None, [401, 401]), ("key-2", [401, 401]), ("reads", [403, 200])]
)
def test_a_bad_key_may_be_401(key: str | None, statuses: list[int]) -> None:
    """Both readings of a bad key; one that may not push is 403 either way, and may ask."""
    keys = {"key-1": {}, "reads": {"push": False}}

    async def story(account: Account) -> list[int]:
        pushed = await account.post(PUSH, [reminder()], x_ometria_auth=key)
        del account.headers["x-ometria-auth"]
        asked = await account.client.get(ERRORS, headers={"x-ometria-auth": key} if key else {})
        return [pushed.status_code, asked.status_code]

    assert statuses == tell(story, keys=keys, bad_key=401)


@pytest.mark.parametrize(("key", "status"), [("any", 202), ("", 403), (None, 403)])
def test_without_a_list_every_key_is_taken(key: str | None, status: int) -> None:
    """But there must be one; a list of errors without a key is refused too."""

    async def story(account: Account) -> Any:
        pushed = await account.post(PUSH, [reminder()], x_ometria_auth=key)
        asked = await account.client.get(ERRORS)
        return pushed.status_code, asked.status_code

    assert (status, 403) == tell(story)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", PUSH, (405, "refused:method")),
        ("PUT", PUSH, (405, "refused:method")),
        ("POST", ERRORS, (405, "refused:method")),
        ("POST", "/v1/push", (404, "refused:path")),
        ("GET", "/v2/push/1", (404, "refused:path")),
        ("GET", "/v2/profiles", (404, "refused:path")),
        ("GET", "/", (404, "refused:path")),
        ("GET", "/v2/%ff", (404, "refused:path")),
        ("GET", f"{ERRORS}/", (200, "accepted")),
    ],
)
def test_other_paths_and_methods(method: str, path: str, expected: tuple[int, str]) -> None:
    """What the simulator does not have is 404, or 405 where only the method is wrong."""

    async def story(account: Account) -> tuple[int, str]:
        response = await account.client.request(method, path, headers=account.headers)
        return response.status_code, account.fates[0]

    assert expected == tell(story)


@pytest.mark.parametrize(
    ("media_type", "status"),
    [
        ("application/json", 202),
        ("Application/JSON; charset=utf-8", 202),
        ("text/plain", 400),
        (None, 400),
    ],
)
def test_content_types(media_type: str | None, status: int) -> None:
    """Plain JSON is taken; anything else is 400, since no page names another status."""

    async def story(account: Account) -> int:
        return (await account.post(PUSH, BODY, content_type=media_type)).status_code

    assert status == tell(story)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b"", (400, "refused:/"), id="empty"),
        pytest.param(BODY[1:-1], (400, "refused:/"), id="an object"),
        pytest.param(b"null", (400, "refused:/"), id="null"),
        pytest.param(b"[]", (400, "refused:/"), id="no record"),
        pytest.param(BODY[:-1], (400, "refused:body"), id="cut off"),
        pytest.param(b'["\xff"]', (400, "refused:body"), id="not UTF-8"),
        pytest.param(b"[" * 998 + b"]" * 998, (400, "refused:body"), id="deep nesting"),
        pytest.param(b" " * 10_000_001, (413, "refused:body"), id="far too large"),
        pytest.param(b"[1]", (202, "dropped:root"), id="no object in it"),
    ],
)
def test_bodies(body: bytes, expected: tuple[int, str]) -> None:
    """What is not an array of records is 400; what is in it is looked into later."""

    async def story(account: Account) -> tuple[int, str]:
        response = await account.post(PUSH, body)
        return response.status_code, account.fates[0]

    assert expected == tell(story)


def test_compression_is_not_taken() -> None:
    """No page speaks of compressed requests."""

    async def story(account: Account) -> int:
        response = await account.post(PUSH, gzip.compress(BODY), content_encoding="gzip")
        return response.status_code

    assert 400 == tell(story)


@pytest.mark.parametrize(("number", "status"), [(1, 202), (100, 202), (101, 400)])
def test_at_most_100_records(number: int, status: int) -> None:
    """One more, and none of them is kept."""

    async def story(account: Account) -> Any:
        response = await push(account, *(reminder(str(row)) for row in range(number)))
        return response.status_code, len(await account.state("events"))

    assert (status, number if status == 202 else 0) == tell(story)


@pytest.mark.parametrize(
    ("records", "refused"),
    [
        pytest.param([contact(), reminder()], "/1/@type", id="contact and event"),
        pytest.param([reminder(), reminder(), {"@type": "order"}], "/2/@type", id="the third"),
        pytest.param([reminder(), {"id": "x"}], None, id="without a type"),
        pytest.param([reminder(), 5], None, id="no record"),
        pytest.param([contact(), contact("C-2", at_collection="shop")], None, id="collections"),
    ],
)
def test_one_type_in_a_call(records: list[Any], refused: str | None) -> None:
    """Mixed types sink the request; by the switch each record is taken for itself."""

    async def story(account: Account) -> Any:
        response = await push(account, *records)
        return response.status_code, account.fates[0]

    expected = (202, "accepted") if refused is None else (400, f"refused:{refused}")

    assert expected == tell(story)
    assert (202, "accepted") == tell(story, mixed_types="accept")


def _of_size(size: int) -> JSON:
    """A record of so many bytes, spelled compactly."""
    empty = contact(properties={"note": ["é"]})
    missing = size - len(json.dumps(empty, separators=(",", ":"), ensure_ascii=False).encode())
    return contact(properties={"note": ["é" + "x" * missing]})


@pytest.mark.parametrize(
    ("switches", "status", "rejected"),
    [({}, 202, 1), ({"large_record": "refuse", "error_body": "empty"}, 400, None)],
)
def test_a_record_over_60_kb(switches: Any, status: int, rejected: int | None) -> None:
    """It is counted as rejected, or sinks the request; the vendor's own wording is always told."""

    async def story(account: Account) -> Any:
        response = await push(account, reminder(), _of_size(LIMIT + 1))
        fine = await push(account, _of_size(LIMIT))
        body = response.json()
        said = body.get("error_message"), *await errors(account)
        return response.status_code, body.get("rejected"), said, fine.json()["rejected"]

    listed = (None, (TOO_LARGE, "root"))
    said = listed if rejected else (TOO_LARGE,)

    assert (status, rejected, said, 0) == tell(story, mixed_types="accept", **switches)


def test_the_others_of_a_request_with_a_large_record_are_kept() -> None:
    """Only the large one is rejected."""

    async def story(account: Account) -> Any:
        await push(account, contact(), _of_size(LIMIT + 1), contact("C-2"))
        return row_fates(account)[0], [each["id"] for each in await account.state("contacts")]

    assert (["accepted", "refused:root", "accepted"], ["C-1", "C-2"]) == tell(story)


def test_switches_come_from_a_scenario_file(tmp_path: Path) -> None:
    """Keys and event types can be said in TOML, as for every vendor."""
    path = tmp_path / "account.toml"
    path.write_text(
        """
        [switches]
        requests_per_second = 4
        keys = { key-1 = { push = false } }
        event_types = { Reminder = { order_id = "String" } }
        """
    )
    switches: Any = dict(read_options("off", None, path).switches)

    async def story(account: Account) -> int:
        return (await push(account, reminder())).status_code

    assert 403 == tell(story, **switches)


@pytest.mark.parametrize(
    ("switches", "message"),
    [
        ({"mixed": True}, "unknown field `mixed`"),
        ({"wrong_record": "guess"}, r"Invalid enum value 'guess'.*wrong_record"),
        ({"event_types": {"a": {"b": "Text"}}}, "Invalid enum value 'Text'"),
        ({"bad_key": 404}, "bad_key"),
        ({"records_per_second": -1}, "records_per_second"),
    ],
)
def test_wrong_switches_are_named(switches: dict[str, object], message: str) -> None:
    """A switch that does not exist, or cannot have the value, is an error at once."""
    with pytest.raises(ValueError, match=message):
        SIMULATORS["ometria"](Options(switches=switches))
