"""The simulated Klaviyo: what becomes of events after their 202 (contracts/klaviyo.md §2, §6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.klaviyo import EVENTS, Account, changed, event, tell

if TYPE_CHECKING:
    from tests.support.klaviyo import JSON

PROFILE = "/data/attributes/profile/data/attributes"


async def _send(account: Account, *documents: JSON) -> list[int]:
    return [(await account.post(EVENTS, document)).status_code for document in documents]


def test_an_event_is_accepted_without_a_body_and_kept() -> None:
    """A good event gets 202 with nothing in it, and is then known with its profile."""

    async def story(account: Account) -> tuple[int, bytes, Any]:
        response = await account.post(EVENTS, event(unique_id="og-1", value=9.99))
        return response.status_code, response.content, await account.state()

    status, body, state = tell(story)

    assert (202, b"") == (status, body)
    assert [
        {
            "profile_id": state["profiles"][0]["id"],
            "metric": "ordergroove.subscription.cancel",
            "unique_id": "og-1",
            "time": 1_790_855_998,
            "properties": {"product_sku": "SKU-1", "quantity": 2},
            "ignored": [],
            "value": 9.99,
            "value_currency": None,
            "triggers": True,
        }
    ] == state["events"]
    assert "kim@shop-demo.io" == state["profiles"][0]["attributes"]["email"]


@pytest.mark.parametrize("path", ["/api/events", "/api/events/"])
def test_a_trailing_slash_makes_no_difference(path: str) -> None:
    """Both spellings of a path are the same endpoint."""

    async def story(account: Account) -> tuple[int, str]:
        response = await account.post(path, event())
        return response.status_code, account.simulator.received[0].path

    assert (202, "/api/events") == tell(story)


@pytest.mark.parametrize(
    ("first", "second", "fate"),
    [
        pytest.param({"unique_id": "a"}, {"unique_id": "a"}, "duplicate", id="same id"),
        pytest.param({"unique_id": "a"}, {"unique_id": "b"}, "accepted", id="another id"),
        pytest.param(
            {"unique_id": "a"},
            {"unique_id": "a", "metric": "ordergroove.order.success"},
            "accepted",
            id="same id, another metric",
        ),
        pytest.param(
            {"unique_id": "a"},
            {"unique_id": "a", "email": "lee@shop-demo.io"},
            "accepted",
            id="same id, another profile",
        ),
        pytest.param(
            {"unique_id": "a"},
            {"unique_id": "a", "email": "Kim@Shop-Demo.io"},
            "duplicate",
            id="same id, same address in other case",
        ),
        pytest.param({}, {"properties": {"other": 1}}, "duplicate", id="no id, same second"),
        pytest.param(
            {"time": "2026-10-01T11:00:00.100Z"},
            {"time": "2026-10-01T11:00:00.900Z"},
            "duplicate",
            id="no id, times cut off to the second",
        ),
        pytest.param(
            {"time": "2026-10-01T11:00:00Z"},
            {"time": "2026-10-01T11:00:01Z"},
            "accepted",
            id="no id, next second",
        ),
    ],
)
def test_the_first_of_an_id_wins(first: Any, second: Any, fate: str) -> None:
    """What repeats (profile, metric, unique_id) gets its 202 and disappears."""

    async def story(account: Account) -> tuple[list[int], list[str], int]:
        statuses = await _send(account, event(**first), event(**second))
        return statuses, account.fates, len((await account.state())["events"])

    stored = 2 if fate == "accepted" else 1

    assert ([202, 202], ["accepted", fate], stored) == tell(story)


def test_an_id_is_forgotten_after_its_retention() -> None:
    """With a retention, a repeat within it is a duplicate and a later one is not."""

    async def story(account: Account) -> list[str]:
        for seconds in (0, 60, 1):
            account.now += seconds
            await _send(account, event(unique_id="a"))
        return account.fates

    assert ["accepted", "duplicate", "accepted"] == tell(story, dedup_seconds=60)


@pytest.mark.parametrize(("updates", "name"), [(True, "Kim"), (False, None)])
def test_a_duplicate_updates_its_profile_or_not(updates: bool, name: str | None) -> None:
    """Whether a dropped duplicate still changes the profile is a switch."""

    async def story(account: Account) -> Any:
        again = changed(event(unique_id="a"), f"{PROFILE}/first_name", "Kim")
        await _send(account, event(unique_id="a"), again)
        return (await account.state())["profiles"][0]["attributes"].get("first_name")

    assert name == tell(story, duplicates_update_profile=updates)


@pytest.mark.parametrize(
    ("document", "why"),
    [
        pytest.param(event("kim@example.com"), "test_domain", id="example.com"),
        pytest.param(event("kim@TEST.com"), "test_domain", id="test.com"),
        pytest.param(
            changed(event(), "/data/attributes/profile/data/id", "01UNKNOWN"),
            "unknown_profile",
            id="an id that Klaviyo never gave",
        ),
    ],
)
def test_some_profiles_get_nothing(document: JSON, why: str) -> None:
    """Mail at test domains and unknown ids get 202, and neither event nor profile appears."""

    async def story(account: Account) -> tuple[list[int], list[str], Any]:
        return await _send(account, document), account.fates, await account.state()

    expected: Any = ([202], [f"dropped:{why}"], {"profiles": [], "events": [], "jobs": []})

    assert expected == tell(story)


def test_a_domain_that_only_ends_alike_is_real() -> None:
    """`latest.com` is not `test.com`."""

    async def story(account: Account) -> list[str]:
        await _send(account, event("kim@latest.com"))
        return account.fates

    assert ["accepted"] == tell(story)


def test_empty_values_are_noted_as_ignored() -> None:
    """0, null and empty text are as if unset; false, "0.00" and empty containers are values."""
    properties: Any = {
        "a": 0,
        "b": 0.0,
        "c": None,
        "d": "",
        "e": False,
        "f": "0.00",
        "g": [],
        "h": 1,
    }

    async def story(account: Account) -> Any:
        await _send(account, event(properties=properties))
        stored = (await account.state())["events"][0]
        return stored["properties"], stored["ignored"]

    assert (properties, ["a", "b", "c", "d"]) == tell(story)


@pytest.mark.parametrize(("backfill", "triggers"), [(True, False), (False, True), (None, True)])
def test_backfill_starts_no_flow(backfill: bool | None, triggers: bool) -> None:
    """`backfill: true` stores the event without firing flows."""

    async def story(account: Account) -> Any:
        await _send(account, event(backfill=backfill))
        return (await account.state())["events"][0]["triggers"]

    assert triggers is tell(story)


def test_a_metric_that_once_had_a_value_keeps_having_one() -> None:
    """Before the first value there is none; afterwards events without one count as 0."""

    async def story(account: Account) -> Any:
        given: list[Any] = [{"unique_id": "a"}, {"unique_id": "b", "value": 5}, {"unique_id": "c"}]
        await _send(account, *(event(**each) for each in given))
        return [each["value"] for each in (await account.state())["events"]]

    assert [None, 5, 0] == tell(story)


def test_an_event_without_time_happened_when_it_came() -> None:
    """The default of `time` is the receipt, cut off to the second."""

    async def story(account: Account) -> Any:
        account.now += 0.75
        await _send(account, event(time=None))
        return (await account.state())["events"][0]["time"], int(account.now)

    stored, received = tell(story)

    assert received == stored


def test_an_event_updates_its_profile() -> None:
    """Names, location, properties and patches within an event change the profile."""
    first = changed(event(unique_id="a"), f"{PROFILE}/properties", {"Status": "active", "n": 1})
    second = changed(event(unique_id="b"), f"{PROFILE}/properties", {"Status": "inactive"})
    second = changed(second, f"{PROFILE}/last_name", "Lee")
    second = changed(second, f"{PROFILE}/location", {"city": "Lisbon"})
    second = changed(second, f"{PROFILE}/meta/patch_properties/append", {"skus": "S1"})

    async def story(account: Account) -> Any:
        await _send(account, first, second)
        return (await account.state())["profiles"][0]["attributes"]

    attributes = tell(story)

    assert {"Status": "inactive", "n": 1, "skus": ["S1"]} == attributes["properties"]
    assert ("Lee", {"city": "Lisbon"}) == (attributes["last_name"], attributes["location"])


@pytest.mark.parametrize(
    ("conflicting", "fates"),
    [("email_first", ["accepted"] * 3), ("refuse", ["accepted"] * 2 + ["dropped:conflicting"])],
)
def test_identifiers_of_two_people(conflicting: str, fates: list[str]) -> None:
    """An e-mail and a phone of different profiles: the e-mail decides, or the event is lost."""
    phone = f"{PROFILE}/phone_number"

    async def story(account: Account) -> tuple[list[str], Any]:
        await _send(
            account,
            changed(event("kim@shop-demo.io", unique_id="a"), phone, "+12065550123"),
            event("lee@shop-demo.io", unique_id="a"),
            changed(event("lee@shop-demo.io", unique_id="b"), phone, "+12065550123"),
        )
        phones = [p["attributes"].get("phone_number") for p in (await account.state())["profiles"]]
        return account.fates, phones

    told, phones = tell(story, conflicting_identifiers=conflicting)

    assert fates == [fate.removesuffix("_identifiers") for fate in told]
    assert ["+12065550123", None] == phones
