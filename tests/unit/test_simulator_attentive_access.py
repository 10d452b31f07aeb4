"""The simulated Attentive: tokens, scopes, paths, kinds and sizes of bodies (§1, §6)."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from streams.simulators import SIMULATORS, Options, read_options
from tests.support.attentive_account import (
    ATTRIBUTES,
    EMAIL,
    EVENTS,
    ME,
    attributes,
    event,
    tell,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.simulation import Account

EVENT = json.dumps(event()).encode()
READ = f"{ATTRIBUTES}?email={EMAIL}"


@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        pytest.param(None, (401, "refused:authorization"), id="absent"),
        pytest.param("tok_all", (401, "refused:authorization"), id="token without scheme"),
        pytest.param("Basic tok_all", (401, "refused:authorization"), id="another scheme"),
        pytest.param("Bearer", (401, "refused:authorization"), id="no token"),
        pytest.param("Bearer tok all", (401, "refused:authorization"), id="two words"),
        pytest.param("Bearer tok_none", (401, "refused:authorization"), id="unknown token"),
        pytest.param("Bearer tok_attributes", (403, "refused:scope"), id="missing scope"),
        pytest.param("Bearer tok_events", (200, "accepted"), id="right scope"),
        pytest.param("Bearer tok_all", (200, "accepted"), id="all scopes"),
    ],
)
def test_tokens_and_scopes(authorization: str | None, expected: tuple[int, str]) -> None:
    """401 for a token that is absent or unknown; 403 for one without the permission to write."""
    tokens = {
        "tok_all": {},
        "tok_events": {"scopes": ["events:write"]},
        "tok_attributes": {"scopes": ["attributes:write"]},
    }

    async def story(account: Account) -> tuple[int, str]:
        response = await account.post(EVENTS, event(), authorization=authorization)
        return response.status_code, account.fates[0]

    assert expected == tell(story, tokens=tokens)


@pytest.mark.parametrize(
    ("authorization", "status"),
    [("Bearer any", 200), ("Bearer", 401), ("Bearer two words", 401)],
)
def test_without_a_list_every_token_is_taken(authorization: str, status: int) -> None:
    """But it must look like one."""

    async def story(account: Account) -> int:
        return (await account.post(EVENTS, event(), authorization=authorization)).status_code

    assert status == tell(story)


@pytest.mark.parametrize(
    ("scopes", "statuses"),
    [
        pytest.param(["events:write"], [200, 403, 403, 200], id="events"),
        pytest.param(["attributes:write"], [403, 200, 200, 200], id="attributes"),
        pytest.param([], [403, 403, 403, 200], id="none"),
        pytest.param(None, [200] * 4, id="all"),
    ],
)
def test_every_endpoint_needs_its_scope(scopes: object, statuses: list[int]) -> None:
    """Events and attributes have a scope each; asking whose token it is needs none."""

    async def story(account: Account) -> list[int]:
        responses = [
            await account.post(EVENTS, event()),
            await account.post(ATTRIBUTES, attributes()),
            await account.get(READ),
            await account.get(ME),
        ]
        return [response.status_code for response in responses]

    assert statuses == tell(story, tokens={"tok": {"scopes": scopes}})


@pytest.mark.parametrize(("tokens", "app"), [({}, "app-1"), ({"tok": {"app": "shop"}}, "shop")])
def test_me(tokens: Any, app: str) -> None:
    """`GET /v1/me` tells whose token it is."""

    async def story(account: Account) -> Any:
        response = await account.get(ME)
        return response.status_code, response.json()

    status, body = tell(story, tokens=tokens)

    assert (200, app) == (status, body["applicationName"])
    assert {
        "applicationName",
        "attentiveDomainName",
        "companyName",
        "contactEmail",
        "companyId",
    } == set(body)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", EVENTS, (405, "refused:method")),
        ("PUT", EVENTS, (405, "refused:method")),
        ("DELETE", ATTRIBUTES, (405, "refused:method")),
        ("POST", ME, (405, "refused:method")),
        ("POST", "/v1/events", (404, "refused:path")),
        ("POST", "/v1/events/bulk", (404, "refused:path")),
        ("POST", "/v2/user/attributes", (404, "refused:path")),
        ("POST", "/v1/identity-resolution/user-identifiers", (404, "refused:path")),
        ("GET", "/", (404, "refused:path")),
        ("GET", "/v1/%ff", (404, "refused:path")),
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
        ("application/json", 200),
        ("Application/JSON; charset=utf-8", 200),
        ("application/vnd.api+json", 400),
        ("text/plain", 400),
        (None, 400),
    ],
)
def test_content_types(media_type: str | None, status: int) -> None:
    """Plain JSON is taken; anything else is 400, since no page names another status."""

    async def story(account: Account) -> int:
        return (await account.post(EVENTS, EVENT, content_type=media_type)).status_code

    assert status == tell(story)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b"", (400, "refused:/"), id="empty"),
        pytest.param(b"[]", (400, "refused:/"), id="a list"),
        pytest.param(b"null", (400, "refused:/"), id="null"),
        pytest.param(b"{", (400, "refused:body"), id="cut off"),
        pytest.param(b'"\xff"', (400, "refused:body"), id="not UTF-8"),
        pytest.param(b"[" * 5_000, (400, "refused:body"), id="endless nesting"),
        pytest.param(b"[" * 998 + b"]" * 998, (400, "refused:body"), id="deep nesting"),
        pytest.param(EVENT.ljust(1_048_576), (200, "accepted"), id="1 MiB"),
        pytest.param(EVENT.ljust(1_048_577), (413, "refused:body"), id="over 1 MiB"),
        pytest.param(EVENT.ljust(5_000_000), (413, "refused:body"), id="far over 1 MiB"),
    ],
)
def test_bodies(body: bytes, expected: tuple[int, str]) -> None:
    """What is not a JSON object is 400; what is over 1 MiB is 413."""

    async def story(account: Account) -> tuple[int, str]:
        response = await account.post(EVENTS, body)
        return response.status_code, account.fates[0]

    assert expected == tell(story)


def test_compression_is_not_taken() -> None:
    """No page speaks of compressed requests."""

    async def story(account: Account) -> int:
        body = gzip.compress(EVENT)
        return (await account.post(EVENTS, body, content_encoding="gzip")).status_code

    assert 400 == tell(story)


def test_switches_come_from_a_scenario_file(tmp_path: Path) -> None:
    """Tokens, options and shapes can be said in TOML, as for every vendor."""
    path = tmp_path / "account.toml"
    path.write_text(
        """
        [switches]
        error_body = "text"
        options = { "Ordergroove Subscriber Status" = ["active", "inactive"] }
        tokens = { tok = { app = "shop", scopes = ["events:write"] } }
        """
    )
    switches = read_options("off", None, path).switches

    async def story(account: Account) -> tuple[int, int]:
        responses = [
            await account.post(EVENTS, event()),
            await account.post(ATTRIBUTES, attributes()),
        ]
        return responses[0].status_code, responses[1].status_code

    assert (200, 403) == tell(story, **dict(switches))  # type: ignore[arg-type]  # only switches


@pytest.mark.parametrize(
    ("switches", "message"),
    [
        ({"dedupe": True}, "unknown field `dedupe`"),
        ({"linking": "guess"}, r"Invalid enum value 'guess'.*linking"),
        ({"tokens": {"tok": {"application": "a"}}}, "unknown field `application`"),
        ({"success_status": 204}, "success_status"),
    ],
)
def test_wrong_switches_are_named(switches: dict[str, object], message: str) -> None:
    """A switch that does not exist, or cannot have the value, is an error at once."""
    with pytest.raises(ValueError, match=message):
        SIMULATORS["attentive"](Options(switches=switches))
