"""The simulated Klaviyo: keys, scopes, revisions, kinds and sizes of bodies (§1, §6)."""

from __future__ import annotations

import gzip
import json
import zlib
from datetime import UTC, datetime

import pytest

from tests.support.klaviyo import BULK, DELETIONS, EVENTS, IMPORT, JOBS, Account, event, tell

EVENT = json.dumps(event()).encode()


@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        pytest.param(None, (401, "not_authenticated"), id="absent"),
        pytest.param("pk_test", (401, "not_authenticated"), id="key without scheme"),
        pytest.param("Bearer pk_test", (401, "not_authenticated"), id="another scheme"),
        pytest.param("Klaviyo-API-Key", (401, "not_authenticated"), id="no key"),
        pytest.param("Klaviyo-API-Key test", (401, "not_authenticated"), id="no private key"),
        pytest.param("Klaviyo-API-Key pk_none", (401, "authentication_failed"), id="unknown key"),
        pytest.param("Klaviyo-API-Key pk_lists", (403, "permission_denied"), id="missing scope"),
        pytest.param("Klaviyo-API-Key pk_events", (202, None), id="right scope"),
        pytest.param("Klaviyo-API-Key pk_all", (202, None), id="all scopes"),
    ],
)
def test_keys_and_scopes(authorization: str | None, expected: tuple[int, str | None]) -> None:
    """401 for a key that is absent, of the wrong shape or unknown; 403 without the scope."""
    keys = {
        "pk_all": {},
        "pk_events": {"scopes": ["events:write"]},
        "pk_lists": {"scopes": ["lists:read"]},
    }

    async def story(account: Account) -> tuple[int, str | None]:
        response = await account.post(EVENTS, event(), authorization=authorization)
        code = response.json()["errors"][0]["code"] if response.content else None
        return response.status_code, code

    assert expected == tell(story, keys=keys)


@pytest.mark.parametrize(
    ("path", "scopes"),
    [
        (EVENTS, {"events:write"}),
        (BULK, {"events:write"}),
        (IMPORT, {"profiles:write"}),
        (JOBS, {"profiles:write", "lists:write"}),
        (f"{JOBS}/1", {"profiles:read", "lists:read"}),
        (f"{JOBS}/1/import-errors", {"profiles:read", "lists:read"}),
        (DELETIONS, {"data-privacy:write"}),
    ],
)
def test_every_endpoint_needs_its_scopes(path: str, scopes: set[str]) -> None:
    """A key with all but one of an endpoint's scopes is refused, one with all of them is not."""
    keys = {
        f"pk_{number}": {"scopes": sorted(scopes - {missing})}
        for number, missing in enumerate([*sorted(scopes), None])
    }

    async def story(account: Account) -> list[bool]:
        answers = []
        for key in keys:
            account.headers["authorization"] = f"Klaviyo-API-Key {key}"
            reads = path.startswith(f"{JOBS}/")
            response = await (account.get(path) if reads else account.post(path, {}))
            answers.append(response.status_code == 403)
        return answers

    assert [*[True] * len(scopes), False] == tell(story, keys=keys)


@pytest.mark.parametrize(
    ("path", "revision", "today", "status"),
    [
        pytest.param(EVENTS, "2026-07-15", "2026-10-01", 202, id="current"),
        pytest.param(EVENTS, None, "2026-10-01", 400, id="absent"),
        pytest.param(EVENTS, "latest", "2026-10-01", 400, id="no date"),
        pytest.param(EVENTS, "2026-07-16", "2026-10-01", 400, id="no revision of that day"),
        pytest.param(EVENTS, "2031-01-15", "2026-10-01", 400, id="future"),
        pytest.param(EVENTS, "2024-10-15", "2026-10-14", 202, id="last day of support"),
        pytest.param(EVENTS, "2022-10-17", "2026-10-15", 202, id="retired, falls forward"),
        pytest.param(BULK, "2024-02-15", "2025-10-01", 404, id="older than its endpoint"),
        pytest.param(EVENTS, "2026-07-15", "2031-10-01", 202, id="all retired: the newest"),
    ],
)
def test_revisions(path: str, revision: str | None, today: str, status: int) -> None:
    """A revision must be given, be known and have the endpoint; retired ones fall forward."""

    async def story(account: Account) -> int:
        account.now = datetime.fromisoformat(today).replace(tzinfo=UTC).timestamp()
        return (await account.post(path, event(time=None), revision=revision)).status_code

    assert status == tell(story)


@pytest.mark.parametrize(("today", "status"), [("2026-10-14", 202), ("2026-10-15", 410)])
def test_falling_forward_can_be_declined(today: str, status: int) -> None:
    """With the opt-out header a revision is 410 from two years after its release."""

    async def story(account: Account) -> int:
        account.now = datetime.fromisoformat(today).replace(tzinfo=UTC).timestamp()
        opt_out = {"x_klaviyo_revision_fall_forward_opt_out": "1"}
        return (await account.post(EVENTS, event(), revision="2024-10-15", **opt_out)).status_code

    assert status == tell(story)


@pytest.mark.parametrize(
    ("attributes", "revision", "status"),
    [
        pytest.param({"backfill": True}, "2026-07-15", 202, id="backfill now"),
        pytest.param({"backfill": True}, "2026-04-15", 400, id="backfill before"),
        pytest.param({"time": "1990-06-01T00:00:00Z"}, "2026-07-15", 202, id="1990 now"),
        pytest.param({"time": "1999-12-31T23:59:59Z"}, "2026-04-15", 400, id="1999 before"),
        pytest.param({"time": "2000-01-01T00:00:00Z"}, "2026-04-15", 202, id="2000 before"),
    ],
)
def test_what_differs_between_revisions(
    attributes: dict[str, object], revision: str, status: int
) -> None:
    """`backfill` and times before 2000 came with 2026-07-15."""

    async def story(account: Account) -> int:
        document = event(**attributes)  # type: ignore[arg-type]  # no e-mail among them
        return (await account.post(EVENTS, document, revision=revision)).status_code

    assert status == tell(story)


@pytest.mark.parametrize(
    ("media_type", "status"),
    [
        ("application/vnd.api+json", 202),
        ("application/json", 202),
        ("Application/JSON; charset=utf-8", 202),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        (None, 415),
    ],
)
def test_content_types(media_type: str | None, status: int) -> None:
    """The JSON:API type and plain JSON are taken, anything else is 415."""

    async def story(account: Account) -> int:
        return (await account.post(EVENTS, EVENT, content_type=media_type)).status_code

    assert status == tell(story)


@pytest.mark.parametrize(
    ("body", "encoding", "gzip_taken", "status"),
    [
        pytest.param(gzip.compress(EVENT), "gzip", True, 202, id="gzip"),
        pytest.param(zlib.compress(EVENT), "deflate", True, 202, id="deflate"),
        pytest.param(EVENT, "identity", True, 202, id="identity"),
        pytest.param(gzip.compress(EVENT), "gzip", False, 415, id="gzip not taken"),
        pytest.param(EVENT, "br", True, 415, id="unknown"),
        pytest.param(EVENT, "gzip", True, 415, id="not compressed at all"),
        pytest.param(gzip.compress(EVENT)[:-9], "gzip", True, 415, id="cut off"),
    ],
)
def test_compression(body: bytes, encoding: str, gzip_taken: bool, status: int) -> None:
    """Gzip is taken unless switched off; what cannot be unpacked is 415."""

    async def story(account: Account) -> int:
        return (await account.post(EVENTS, body, content_encoding=encoding)).status_code

    assert status == tell(story, gzip=gzip_taken)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(b"", 400, id="empty"),
        pytest.param(b"{", 400, id="cut off"),
        pytest.param(b'"\xff"', 400, id="not UTF-8"),
        pytest.param(b"[" * 5_000, 400, id="endless nesting"),
        pytest.param(b'{"data": NaN}', 400, id="NaN"),
        pytest.param(EVENT.ljust(5_000_000), 202, id="5 MB"),
        pytest.param(EVENT.ljust(5_000_001), 413, id="over 5 MB"),
        pytest.param(EVENT.ljust(21_000_000), 413, id="far over 5 MB"),
    ],
)
def test_bodies(body: bytes, status: int) -> None:
    """What is not JSON is 400; what is over 5 MB is 413."""

    async def story(account: Account) -> tuple[int, int | None]:
        response = await account.post(EVENTS, body)
        return response.status_code, account.simulator.received[0].status

    assert (status, status) == tell(story)


def test_size_counts_after_decompression() -> None:
    """A small request that unpacks to over 5 MB is 413."""

    async def story(account: Account) -> int:
        body = gzip.compress(EVENT.ljust(5_000_001))
        return (await account.post(EVENTS, body, content_encoding="gzip")).status_code

    assert 413 == tell(story)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", EVENTS, 405),
        ("POST", f"{JOBS}/1", 405),
        ("POST", "/api/event", 404),
        ("GET", f"{JOBS}/1/lists", 404),
        ("GET", f"{JOBS}/1/2/import-errors", 404),
        ("GET", "/", 404),
    ],
)
def test_other_paths_and_methods(method: str, path: str, status: int) -> None:
    """What the simulator does not have is 404, or 405 where only the method is wrong."""

    async def story(account: Account) -> int:
        return (await account.client.request(method, path, headers=account.headers)).status_code

    assert status == tell(story)
