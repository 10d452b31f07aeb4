"""Profiles read back from the simulated Klaviyo, as its OpenAPI specification has it."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from streams.simulators import SIMULATORS, Options

HEADERS = {"authorization": "Klaviyo-API-Key pk_test", "revision": "2026-07-15"}
STATUS = "Ordergroove Subscriber Status"


def asked(
    *queries: dict[str, str], changes: list[dict[str, Any]] | None = None, **switches: object
) -> list[httpx2.Response]:
    """The answers about five people, after these changes."""

    async def ask() -> list[httpx2.Response]:
        options = Options(limits=None, switches=switches)
        async with (
            SIMULATORS["klaviyo"](options) as simulator,
            httpx2.AsyncClient(base_url=simulator.url, headers=HEADERS) as client,
        ):
            for n in range(5):
                told = {
                    "email": f"c{n}@shop-demo.io",
                    "first_name": f"Noor{n}",
                    "properties": {STATUS: "active"},
                }
                body = {"data": {"type": "profile", "attributes": told}}
                (await client.post("/api/profile-import", json=body)).raise_for_status()
            if changes is not None:
                answer = await client.post("/_control/changes", json={"changes": changes})
                if answer.status_code != 204:
                    return [answer]
            return [await client.get("/api/profiles", params=query) for query in queries]

    return asyncio.run(ask())


def emails(answer: httpx2.Response) -> list[str]:
    """Who is on a page."""
    return [each["attributes"]["email"] for each in answer.json()["data"]]


def test_those_who_are_asked_for() -> None:
    """`any` and `equals`, whatever the case of an address; who is not known is not there."""
    some, one, nobody = asked(
        {"filter": 'any(email,["C1@shop-demo.io","c3@shop-demo.io","x@shop-demo.io"])'},
        {"filter": 'equals(email,"c2@shop-demo.io")'},
        {"filter": 'any(phone_number,["+13125550148"])'},
    )

    assert ["c1@shop-demo.io", "c3@shop-demo.io"] == emails(some)
    assert ["c2@shop-demo.io"] == emails(one)
    assert [] == emails(nobody)


def test_pages_and_fields() -> None:
    """A page says where the next one begins; a field that is asked for and has no value is null."""
    first, second, sparse = asked(
        {"page[size]": "3"},
        {"page[size]": "3", "page[cursor]": "3"},
        {"page[size]": "1", "fields[profile]": "phone_number,properties"},
    )

    assert 3 == len(emails(first))
    assert "page[cursor]=3" in first.json()["links"]["next"]
    assert (["c3@shop-demo.io", "c4@shop-demo.io"], None) == (
        emails(second),
        second.json()["links"]["next"],
    )
    assert {"phone_number": None, "properties": {STATUS: "active"}} == sparse.json()["data"][0][
        "attributes"
    ]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"filter": 'contains(email,"a")'}, "filter"),
        ({"filter": 'any(first_name,["Noor"])'}, "filter"),
        ({"filter": 'any(email,"c1@shop-demo.io")'}, "filter"),
        ({"filter": f"any(email,{['a'] * 101})".replace("'", '"')}, "filter"),
        ({"page[size]": "101"}, "page[size]"),
        ({"page[cursor]": "99"}, "page[cursor]"),
        ({"fields[profile]": "nonsense"}, "fields[profile]"),
        ({"limit": "5"}, "limit"),
    ],
)
def test_what_the_endpoint_does_not_have(query: dict[str, str], parameter: str) -> None:
    """400, and the parameter is named."""
    [answer] = asked(query)

    assert 400 == answer.status_code
    assert {"parameter": parameter} == answer.json()["errors"][0]["source"]


def test_a_key_must_be_allowed_to_read() -> None:
    """A scope of its own: writing does not include it."""
    [answer] = asked({}, keys={"pk_test": {"scopes": ["profiles:write"]}})

    assert 403 == answer.status_code


def test_what_somebody_else_changes() -> None:
    """Fields, properties and identifiers of people; who is gone is nobody's profile any more."""
    changes = [
        {
            "who": {"email": "c1@shop-demo.io"},
            "set": {"first_name": None, "email": "n@shop-demo.io"},
        },
        {"who": {"email": "c2@shop-demo.io"}, "properties": {STATUS: None, "Tier": "Gold"}},
        {"who": {"email": "c3@shop-demo.io"}, "gone": True},
    ]
    [answer] = asked({}, changes=changes)
    found = {each["attributes"]["email"]: each["attributes"] for each in answer.json()["data"]}

    assert {"c0@shop-demo.io", "n@shop-demo.io", "c2@shop-demo.io", "c4@shop-demo.io"} == set(found)
    assert found["n@shop-demo.io"]["first_name"] is None
    assert {"Tier": "Gold"} == found["c2@shop-demo.io"]["properties"]


@pytest.mark.parametrize(
    "changes",
    [
        [{"who": {"email": "x@shop-demo.io"}}],
        [{"who": {}}],
        [{"who": {"email": "c1@shop-demo.io"}, "sets": {}}],
    ],
)
def test_a_change_of_nobody_changes_nothing(changes: list[dict[str, Any]]) -> None:
    """400 says why."""
    gone = {"who": {"email": "c0@shop-demo.io"}, "gone": True}
    [answer] = asked(changes=[gone, *changes])

    assert 400 == answer.status_code
    assert "error" in answer.json()
