"""Our client of Ordergroove's REST API, against the simulated one over real sockets."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import pytest

from streams.errors import ConfigurationError
from streams.ingest.ordergroove_api import ApiAway, ApiRefused, ApiUnexpected, Entity
from streams.simulators.faults import Fault
from tests.support.ordergroove_simulator import (
    KEY,
    MERCHANT,
    Account,
    Waits,
    client,
    put,
    shop,
    tell,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.ingest.ordergroove_api import OrdergrooveApi
    from tests.support.ordergroove_simulator import JSON

KINDS: tuple[Entity, ...] = (
    "customers", "subscriptions", "orders", "items", "payments", "addresses", "products"
)  # fmt: skip


async def _all(
    api: OrdergrooveApi, kind: Entity, filters: Mapping[str, str] | None = None, **more: Any
) -> list[JSON]:
    """What all pages have."""
    return [each async for page in api.pages(kind, filters or {}, **more) for each in page.results]


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_is_read_to_its_end(kind: Entity) -> None:
    """A hundred a page, each entity once, as it is told: no value is read into anything else."""

    async def story(account: Account) -> Any:
        async with client(account.simulator.url) as api:
            found = await _all(api, kind)
        asked = [each for each in shop(account).received if each.path == f"/{kind}"]
        return found, (await account.state())[kind], {each.query["page_size"] for each in asked}

    found, count, sizes = tell(story, customers=230, odd_share=0.2)
    hidden = 2 if kind == "products" else 0
    assert count - hidden == len(found) == len({repr(each) for each in found})
    assert {"100"} == sizes


def test_every_request_says_who_asks_and_which_version() -> None:
    """The key, version 2: without it there would be no cursors."""

    async def story(account: Account) -> Any:
        async with client(account.simulator.url) as api:
            await api.retrieve("customers", "0000000")
            await _all(api, "customers")
        return [
            (each.headers["x-api-key"], each.headers["x-og-api-version"])
            for each in shop(account).received
        ]

    assert [("***", "2")] * 2 == tell(story, customers=3)


def test_a_cursor_is_gone_on_from_by_another_client() -> None:
    """As after a restart: it holds the filters, too, and is a text that can be stored."""

    async def story(account: Account) -> Any:
        filters = {"live": "true", "updated_start": "2025-01-01"}
        async with client(account.simulator.url) as api:
            whole = await _all(api, "subscriptions", filters)
            async for page in api.pages("subscriptions", filters):
                first, cursor = page.results, page.next
                break
        async with client(account.simulator.url) as api:
            rest = await _all(api, "subscriptions", cursor=cursor)
        return whole, first + rest, type(cursor)

    whole, parts, kind = tell(story, customers=250)
    assert whole == parts
    assert str is kind
    assert len(whole) > 200


def test_one_entity() -> None:
    """By its id, however odd; None where there is none, and where the id would be another path."""

    async def story(account: Account) -> Any:
        odd = "a/b ?ü#%2e"
        await put(account, "customers", {"merchant_user_id": odd, "email": "noor@shop-demo.io"})
        async with client(account.simulator.url) as api:
            found = await api.retrieve("customers", odd)
            missing = [await api.retrieve("customers", id_) for id_ in ("none", "", ".", "..")]
        return found, missing, len(shop(account).received)

    found, missing, asked = tell(story)
    assert found is not None
    assert "noor@shop-demo.io" == found["email"]
    assert ([None] * 4, 2) == (missing, asked)


def test_a_next_at_another_host_is_not_followed() -> None:
    """Nobody else gets the key: where to go on is taken from `next`, whom to ask never."""

    async def story(account: Account) -> Any:
        async with client(account.simulator.url) as api:
            return len(await _all(api, "customers")), len(shop(account).received)

    assert (250, 3) == tell(story, customers=250, next_host="elsewhere.shop-demo.io:1")


def test_a_redirect_is_not_followed() -> None:
    """Whoever it leads to does not get the key."""

    async def story(account: Account) -> int:
        async def redirect(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = f"HTTP/1.1 302 Found\r\nLocation: {account.simulator.url}/customers/7/\r\n"
            writer.write(f"{head}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(redirect, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with client(f"http://127.0.0.1:{port}") as api:
                with pytest.raises(ApiUnexpected, match="302"):
                    await api.retrieve("customers", "7")
        return len(shop(account).received)

    assert 0 == tell(story)


@pytest.mark.parametrize(
    ("fault", "slept"),
    [
        pytest.param({"status": 423}, [0.5, 1.0], id="locked"),
        pytest.param({"status": 423, "retry_after": 7}, [7.5, 7.5], id="locked, and until when"),
        pytest.param({"status": 500}, [0.5, 1.0], id="an error of theirs"),
        pytest.param({"status": 503, "retry_after": 9}, [9.5, 9.5], id="down, and until when"),
        pytest.param({"kind": "reset"}, [0.5, 1.0], id="the connection breaks"),
        pytest.param({"kind": "accept_then_reset"}, [0.5, 1.0], id="before its answer"),
    ],
)
def test_what_passes_is_waited_for(fault: dict[str, Any], slept: list[float]) -> None:
    """Longer from time to time, or as long as was asked for; then the list goes on, complete."""

    async def story(account: Account) -> Any:
        waits = Waits(account)
        account.simulator.set_faults([Fault(**{"kind": "status", "after": 1, "count": 2, **fault})])
        async with client(account.simulator.url, waits.manners()) as api:
            return len(await _all(api, "customers")), waits.slept

    found, waited = tell(story, customers=250)
    assert 250 == found
    assert slept == pytest.approx(waited, abs=0.02)


@pytest.mark.parametrize(("retry_after", "seconds"), [(None, 0.4), (30, 30)])
def test_a_limit_of_theirs_holds_back_all(retry_after: int | None, seconds: float) -> None:
    """429 to one client, which gives up: another one starts nothing before the pause is over."""

    async def story(account: Account) -> Any:
        waits = Waits(account)
        manners = waits.manners(6_000)
        fault = Fault(kind="status", status=429, retry_after=retry_after, count=1)
        account.simulator.set_faults([fault])
        async with client(account.simulator.url, manners) as api:
            with pytest.raises(ApiAway):
                await api.retrieve("customers", "0000000", patience=0.3)
        before = waits.now()
        async with client(account.simulator.url, manners) as api:
            await api.retrieve("customers", "0000000")
        return before, waits.now(), [each.status for each in shop(account).received]

    before, after, statuses = tell(story, customers=1)
    assert (0, [429, 200]) == (before, statuses)
    assert after >= seconds


def test_our_limit_is_kept_by_all_clients_together() -> None:
    """Two clients with one pace ask as much as they can, and are never refused."""

    async def story(account: Account) -> Any:
        waits = Waits(account)
        manners = waits.manners(60)

        async def ask() -> None:
            async with client(account.simulator.url, manners) as api:
                for _ in range(100):
                    await api.retrieve("products", "44120991")

        await asyncio.gather(ask(), ask())
        return {each.status for each in shop(account).received}, waits.now()

    statuses, seconds = tell(story, limits=0.01)
    assert {200} == statuses
    assert seconds >= 180


def test_a_client_without_our_limit_would_be_refused() -> None:
    """So the limit above is what keeps it from that; it is served in the end all the same."""

    async def story(account: Account) -> Any:
        waits = Waits(account)
        async with client(account.simulator.url, waits.manners()) as api:
            for _ in range(100):
                await api.retrieve("products", "44120991")
        return {each.status for each in shop(account).received}

    assert {200, 429} == tell(story, limits=0.01)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault(kind="status", status=503), id="an error of theirs"),
        pytest.param(Fault(kind="status", status=423), id="locked for good"),
        pytest.param(Fault(kind="status", status=429), id="no end of 429"),
        pytest.param(Fault(kind="reset"), id="every connection breaks"),
        pytest.param(Fault(kind="status", status=503, retry_after=60), id="longer than patience"),
    ],
)
def test_patience_ends(fault: Fault) -> None:
    """Within the time that the caller gives it, all waits and attempts together."""

    async def story(account: Account) -> Any:
        waits = Waits(account)
        account.simulator.set_faults([fault])
        async with client(account.simulator.url, waits.manners()) as api:
            with pytest.raises(ApiAway) as away:
                await api.retrieve("customers", "0088123", patience=30)
        return waits.now(), str(away.value)

    seconds, said = tell(story)
    assert seconds <= 30
    assert "customers" in said
    assert "0088123" not in said


def test_nobody_listens() -> None:
    """The address leads nowhere: away, after the caller's patience."""

    async def story(account: Account) -> float:
        waits = Waits()
        async with client("http://127.0.0.1:9", waits.manners()) as api:
            with pytest.raises(ApiAway):
                await _all(api, "orders", patience=20)
        return waits.now()

    assert 0 < tell(story) <= 20


def test_silence_ends_an_attempt_and_then_patience() -> None:
    """Who never answers is not waited for; the next attempt is given longer."""

    async def story(account: Account) -> Any:
        account.simulator.set_faults([Fault(kind="timeout", count=1)])
        async with client(account.simulator.url, Waits().manners(), timeout=0.2) as api:
            found = await api.retrieve("customers", "0000000")
            account.simulator.set_faults([Fault(kind="timeout")])
            with pytest.raises(ApiAway):
                await api.retrieve("customers", "0000000", patience=0.3)
        return found is not None

    assert tell(story, customers=1)


@pytest.mark.parametrize(
    ("key", "kind", "says"),
    [("another", "customers", "401"), ("single", "subscriptions", "Bulk Operations")],
)
def test_a_key_that_is_refused(key: str, kind: Entity, says: str) -> None:
    """Names the setting and the way out, never the key; it is not tried again."""

    async def story(account: Account) -> Any:
        async with client(account.simulator.url, key=key) as api:
            with pytest.raises(ApiRefused) as refused:
                await _all(api, kind)
        return refused.value, len(shop(account).received)

    refused, asked = tell(story, keys={"single": {"bulk": False}})
    assert f"ordergroove.api.{MERCHANT}.key" == refused.setting
    assert says in str(refused)
    assert key not in str(refused).split()
    assert 1 == asked


@pytest.mark.parametrize(
    ("filters", "cursor", "status"),
    [({"updated_start": "yesterday"}, None, "400"), ({}, "cursor=nonsense", "404")],
)
def test_an_answer_that_nobody_expects(
    filters: dict[str, str], cursor: str | None, status: str
) -> None:
    """A wrong filter or cursor is an error of ours: said at once."""

    async def story(account: Account) -> str:
        async with client(account.simulator.url) as api:
            with pytest.raises(ApiUnexpected) as unexpected:
                await _all(api, "orders", filters, cursor=cursor)
        return str(unexpected.value)

    assert status in tell(story)


def test_a_key_that_no_header_can_carry() -> None:
    """Is said by its setting, before anything is sent."""

    async def story(account: Account) -> int:
        async with client(account.simulator.url, key="two\nlines") as api:
            with pytest.raises(ConfigurationError, match=f"ordergroove.api.{MERCHANT}.key"):
                await api.retrieve("customers", "7")
        return len(shop(account).received)

    assert 0 == tell(story)


def test_nothing_secret_is_shown(caplog: pytest.LogCaptureFixture) -> None:
    """Not by the client itself, its errors, nor by what it logs while it waits."""
    caplog.set_level(logging.DEBUG, logger="streams")
    shown: list[str] = []

    async def story(account: Account) -> None:
        account.simulator.set_faults([Fault(kind="status", status=500)])
        async with client(account.simulator.url, Waits().manners()) as api:
            shown.append(repr(api))
            with pytest.raises(ApiAway) as away:
                await _all(api, "customers", {"email": "noor@shop-demo.io"}, patience=10)
            shown.append(f"{away.value!r} {away.value.__cause__} {away.value.__context__}")

    tell(story)
    told = " ".join([*shown, *(each.getMessage() for each in caplog.records)])
    assert "again in" in told
    assert KEY not in told
    assert "noor" not in told
