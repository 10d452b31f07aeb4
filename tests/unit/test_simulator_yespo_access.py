"""The simulated Yespo: keys, paths, kinds and sizes of bodies, shapes of errors (§1, §5)."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from streams.simulators import SIMULATORS, Options, read_options
from tests.support.yespo_simulator import (
    BOOKS,
    CONTACT,
    EVENT,
    EVENT_V1,
    INFO,
    ORDERS,
    basic,
    contact,
    event,
    orders,
    tell,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.yespo_simulator import Account

WHOLE = json.dumps(orders()).encode()
NO_KEY = (401, "refused:authorization")
TAKEN = (200, "accepted")


@pytest.mark.parametrize(
    ("authorization", "listed", "unlisted"),
    [
        pytest.param(None, NO_KEY, NO_KEY, id="absent"),
        pytest.param("key-1", NO_KEY, NO_KEY, id="key without scheme"),
        pytest.param("Bearer key-1", NO_KEY, NO_KEY, id="another scheme"),
        pytest.param("Basic", NO_KEY, NO_KEY, id="no pair"),
        pytest.param("Basic %%%", NO_KEY, NO_KEY, id="not base64"),
        pytest.param("Basic /w==", NO_KEY, NO_KEY, id="not UTF-8"),
        pytest.param("Basic a2V5LTE=", NO_KEY, NO_KEY, id="no colon"),
        pytest.param(basic(""), NO_KEY, NO_KEY, id="empty password"),
        pytest.param(basic("key-2"), NO_KEY, TAKEN, id="another key"),
        pytest.param(basic("user", "key-1"), NO_KEY, TAKEN, id="key as the user"),
        pytest.param(basic("key-1", ""), TAKEN, TAKEN, id="no user"),
        pytest.param(basic("key-1", "anybody"), TAKEN, TAKEN, id="any user"),
        pytest.param(basic("key-1").replace("Basic", "basic"), TAKEN, TAKEN, id="small scheme"),
    ],
)
def test_the_password_is_the_key(
    authorization: str | None, listed: object, unlisted: object
) -> None:
    """401 for anything else; without a list of keys every password is one."""

    async def story(account: Account) -> tuple[int, str]:
        response = await account.post(ORDERS, orders(), authorization=authorization)
        return response.status_code, account.fates[0]

    assert listed == tell(story, keys={"key-1": {}})
    assert unlisted == tell(story)


@pytest.mark.parametrize(
    ("shape", "unauthorized", "refused"),
    [
        ("text", b"Unauthorized", b"orders is required."),
        ("empty", b"", b""),
        (
            "json",
            b'{"status":401,"message":"Unauthorized"}',
            b'{"status":400,"message":"orders is required."}',
        ),
    ],
)
def test_errors_have_one_of_three_shapes(shape: str, unauthorized: bytes, refused: bytes) -> None:
    """A text, nothing, or JSON with a numeric status; 401 has a switch of its own."""

    async def story(account: Account) -> list[bytes]:
        return [
            (await account.post(ORDERS, orders(), authorization=None)).content,
            (await account.post(ORDERS, {})).content,
        ]

    assert [unauthorized, refused] == tell(story, unauthorized_body=shape, error_body=shape)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", ORDERS, (405, "refused:method")),
        ("DELETE", ORDERS, (405, "refused:method")),
        ("PUT", CONTACT, (405, "refused:method")),
        ("POST", INFO, (405, "refused:method")),
        ("POST", BOOKS, (405, "refused:method")),
        ("POST", "/api/v1/importstatus/import-000001", (405, "refused:method")),
        ("GET", "/api/v1/importstatus/import-000001", (404, "refused:path")),
        ("GET", "/api/v1/importstatus/a/b", (404, "refused:path")),
        ("POST", "/v1/orders", (404, "refused:path")),
        ("POST", "/api/v2/orders", (404, "refused:path")),
        ("POST", "/api/v1/events", (404, "refused:path")),
        ("POST", "/api/v3/event", (404, "refused:path")),
        ("GET", "/", (404, "refused:path")),
    ],
)
def test_other_paths_and_methods(method: str, path: str, expected: object) -> None:
    """What the simulator does not have is 404, or 405 where only the method is wrong."""

    async def story(account: Account) -> tuple[int, str]:
        response = await account.client.request(method, path, headers=account.headers)
        return response.status_code, account.fates[0]

    assert expected == tell(story)


def test_a_slash_at_the_end_does_not_matter() -> None:
    """The vendor's own pages write some paths with it."""

    async def story(account: Account) -> list[int]:
        documents = {ORDERS: orders(), EVENT: event(), EVENT_V1: event(), CONTACT: contact()}
        sent = documents.items()
        return [(await account.post(f"{path}/", each)).status_code for path, each in sent]

    assert [200] * 4 == tell(story)


@pytest.mark.parametrize(
    ("media_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=UTF-8", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        (None, 415),
    ],
)
def test_content_types(media_type: str | None, status: int) -> None:
    """Only JSON."""

    async def story(account: Account) -> int:
        return (await account.post(ORDERS, WHOLE, content_type=media_type)).status_code

    assert status == tell(story)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b"", (400, "refused:/orders"), id="empty"),
        pytest.param(b"null", (400, "refused:/orders"), id="null"),
        pytest.param(b"{", (400, "refused:body"), id="cut off"),
        pytest.param(b'"\xff"', (400, "refused:body"), id="not UTF-8"),
        pytest.param(b"[" * 5_000, (400, "refused:body"), id="endless nesting"),
        pytest.param(WHOLE.ljust(10_000_000), TAKEN, id="10 MB"),
        pytest.param(WHOLE.ljust(10_000_001), (413, "refused:body"), id="over 10 MB"),
    ],
)
def test_bodies(body: bytes, expected: object) -> None:
    """What cannot be parsed is 400; what is far too large is 413 (assumed)."""

    async def story(account: Account) -> tuple[int, str]:
        response = await account.post(ORDERS, body)
        return response.status_code, account.fates[0]

    assert expected == tell(story)


def test_compression_is_not_taken() -> None:
    """No page speaks of compressed requests."""

    async def story(account: Account) -> int:
        packed = gzip.compress(WHOLE)
        return (await account.post(ORDERS, packed, content_encoding="gzip")).status_code

    assert 415 == tell(story)


def test_whose_key_it_is() -> None:
    """`GET /v1/account/info` is the check of a connection."""

    async def story(account: Account) -> Any:
        response = await account.get(INFO)
        return response.status_code, set(response.json()), response.headers["content-type"]

    told = tell(story)

    assert (200, {"userEmail", "organisationName"}, "application/json; charset=UTF-8") == told


def test_the_key_is_not_recorded() -> None:
    """The header is masked where requests are shown."""

    async def story(account: Account) -> str:
        await account.post(ORDERS, orders())
        return (await account.client.get("/_control/requests")).text

    told = tell(story)

    assert '"Basic ***"' in told
    assert basic("key-1").partition(" ")[2] not in told


def test_switches_come_from_a_scenario_file(tmp_path: Path) -> None:
    """Keys, fields and shapes can be said in TOML, as for every vendor."""
    path = tmp_path / "account.toml"
    path.write_text(
        """
        [switches]
        single_failure = "array"
        keys = { key-1 = { account = "shop" } }
        event_params = { welcome = [{ name = "EmailAddress" }] }
        [[switches.custom_fields]]
        id = 7
        name = "Tier"
        """
    )
    switches = read_options("off", None, path).switches

    async def story(account: Account) -> Any:
        books = (await account.get(BOOKS)).json()
        welcome = await account.post(EVENT, event("welcome"))
        return books["addressBook"][0]["fieldGroups"][0]["fields"][0]["id"], welcome.status_code

    assert (7, 400) == tell(story, **dict(switches))  # type: ignore[arg-type]  # only switches


@pytest.mark.parametrize(
    ("switches", "message"),
    [
        ({"seed_strikt": True}, "unknown field `seed_strikt`"),
        ({"repeats": "maybe"}, r"Invalid enum value 'maybe'.*repeats"),
        ({"keys": {"key-1": {"scope": "a"}}}, "unknown field `scope`"),
        ({"event_status": 400}, "event_status"),
        ({"custom_fields": [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]}, "the same id"),
        ({"custom_fields": [{"id": 1, "name": "a", "type": "TAGS"}]}, "TAGS"),
    ],
)
def test_wrong_switches_are_named(switches: dict[str, object], message: str) -> None:
    """A switch that does not exist, or cannot have the value, is an error at once."""
    with pytest.raises(ValueError, match=message):
        SIMULATORS["yespo"](Options(switches=switches))
