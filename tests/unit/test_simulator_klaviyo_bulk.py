"""The simulated Klaviyo: events in bulk (contracts/klaviyo.md §3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.klaviyo import ABSENT, BULK, EVENTS, Account, bulk, changed, event, tell

if TYPE_CHECKING:
    from tests.support.klaviyo import JSON

KIM, LEE = "kim@shop-demo.io", "lee@shop-demo.io"
GROUPS = "/data/attributes/events-bulk-create/data"
TWO = bulk((KIM, [{"unique_id": "a"}, {"unique_id": "b"}]), (LEE, [{"unique_id": "a"}]))
OWNER = "attributes/profile/data/attributes"


def _judged(document: JSON, **switches: Any) -> tuple[int, list[str], list[str]]:
    """The status, the pointers of the errors, and the fates of the rows."""

    async def story(account: Account) -> tuple[int, list[str], list[str]]:
        response = await account.post(BULK, document)
        errors: list[Any] = response.json().get("errors", []) if response.content else []
        pointers = [error["source"]["pointer"] for error in errors]
        return response.status_code, pointers, list(account.simulator.received[0].fates)

    return tell(story, **switches)


def test_events_in_bulk_are_accepted_without_a_body() -> None:
    """202, no body, no job; each event has its own fate and is stored for its own profile."""

    async def story(account: Account) -> Any:
        response = await account.post(BULK, TWO)
        state = await account.state()
        owners = {p["id"]: p["attributes"]["email"] for p in state["profiles"]}
        stored = [(owners[e["profile_id"]], e["unique_id"]) for e in state["events"]]
        record = account.simulator.received[0]
        return response.status_code, response.content, record.fate, record.fates, stored

    expected = [(KIM, "a"), (KIM, "b"), (LEE, "a")]

    assert (202, b"", "accepted", ["accepted"] * 3, expected) == tell(story)


@pytest.mark.parametrize(
    ("where", "value", "pointer"),
    [
        ("/data/type", "event", "/data/type"),
        (GROUPS, ABSENT, GROUPS),
        (GROUPS, [], GROUPS),
        (f"{GROUPS}/1", "lee", f"{GROUPS}/1"),
        (f"{GROUPS}/1/type", "event", f"{GROUPS}/1/type"),
        (f"{GROUPS}/1/attributes", ABSENT, f"{GROUPS}/1/attributes"),
        (f"{GROUPS}/1/attributes/name", "x", f"{GROUPS}/1/attributes/name"),
        (f"{GROUPS}/1/attributes/backfill", 1, f"{GROUPS}/1/attributes/backfill"),
        (f"{GROUPS}/1/attributes/profile", {"email": LEE}, f"{GROUPS}/1"),
        (f"{GROUPS}/1/{OWNER}/email", "lee", f"{GROUPS}/1/{OWNER}/email"),
        (f"{GROUPS}/1/{OWNER}/meta", {}, f"{GROUPS}/1/{OWNER}/meta"),
        (f"{GROUPS}/1/attributes/events/data", [], f"{GROUPS}/1/attributes/events/data"),
        (
            f"{GROUPS}/0/attributes/events/data/1",
            "event",
            f"{GROUPS}/0/attributes/events/data/1",
        ),
        (
            f"{GROUPS}/0/attributes/events/data/1/attributes/properties",
            ABSENT,
            f"{GROUPS}/0/attributes/events/data/1/attributes/properties",
        ),
        (
            f"{GROUPS}/0/attributes/events/data/1/attributes/profile",
            {},
            f"{GROUPS}/0/attributes/events/data/1/attributes/profile",
        ),
        (
            f"{GROUPS}/0/attributes/events/data/1/attributes/properties/s",
            "x" * 100_001,
            f"{GROUPS}/0/attributes/events/data/1/attributes/properties/s",
        ),
    ],
    ids=lambda value: str(value).removeprefix(GROUPS)[:48],
)
def test_one_bad_row_sinks_a_bulk_request(where: str, value: object, pointer: str) -> None:
    """400 for the whole request, with a pointer to the row; nothing is stored."""
    assert (400, [pointer], []) == _judged(changed(TWO, where, value))


def test_every_bad_row_is_pointed_at() -> None:
    """Several bad rows make several errors, in order."""
    first, second = f"{GROUPS}/0/{OWNER}/email", f"{GROUPS}/1/{OWNER}/email"
    document = changed(changed(TWO, first, "kim"), second, "lee")

    assert (400, [first, second], []) == _judged(document)


@pytest.mark.parametrize(("count", "status"), [(1000, 202), (1001, 400)])
def test_a_bulk_request_has_at_most_1000_events(count: int, status: int) -> None:
    """The events of all groups count."""
    events: list[JSON] = [{"unique_id": str(number)} for number in range(count - 1)]

    assert status == _judged(bulk((KIM, events), (LEE, [{}])))[0]


@pytest.mark.parametrize(
    ("duplicates", "expected"),
    [
        pytest.param(
            "refuse",
            (400, [f"{GROUPS}/1/attributes/events/data/0/attributes/unique_id"], []),
            id="whole request",
        ),
        pytest.param("drop", (202, [], ["accepted", "duplicate"]), id="silently"),
    ],
)
def test_a_repetition_within_a_bulk_request(duplicates: str, expected: object) -> None:
    """A unique_id twice for a profile and metric: both readings of the documentation."""
    document = bulk((KIM, [{"unique_id": "a"}]), (KIM.upper(), [{"unique_id": "a"}]))

    assert expected == _judged(document, bulk_duplicates=duplicates)


@pytest.mark.parametrize(
    ("repeats", "status", "fates"),
    [("drop", 202, ["duplicate", "accepted"]), ("refuse", 400, [])],
)
def test_a_repetition_of_what_is_stored(repeats: str, status: int, fates: list[str]) -> None:
    """A unique_id that is stored already is dropped, or makes the request fail."""

    async def story(account: Account) -> Any:
        await account.post(EVENTS, event(unique_id="a"))
        response = await account.post(BULK, bulk((KIM, [{"unique_id": "a"}, {"unique_id": "b"}])))
        return response.status_code, list(account.simulator.received[1].fates)

    assert (status, fates) == tell(story, bulk_repeats=repeats)


def test_events_without_an_id_never_fail_a_bulk_request() -> None:
    """Two events of one second without unique_id: the second one disappears."""
    assert (202, [], ["accepted", "duplicate"]) == _judged(bulk((KIM, [{}, {}])))


@pytest.mark.parametrize(
    ("group", "own", "triggers"), [(True, None, False), (None, True, False), (False, False, True)]
)
def test_backfill_of_a_group_or_an_event(
    group: bool | None, own: bool | None, triggers: bool
) -> None:
    """Either level keeps flows from firing."""
    document = changed(bulk((KIM, [{"backfill": own}])), f"{GROUPS}/0/attributes/backfill", group)

    async def story(account: Account) -> Any:
        await account.post(BULK, document)
        return (await account.state())["events"][0]["triggers"]

    assert triggers is tell(story)


@pytest.mark.parametrize(
    ("rule", "status", "header"),
    [("partial_failure", 202, "phone_number"), ("ignore", 202, None), ("refuse", 400, None)],
)
def test_a_bad_phone_in_bulk_events(rule: str, status: int, header: str | None) -> None:
    """What happens is not confirmed: told by the header, silent, or 400."""
    document = changed(TWO, f"{GROUPS}/1/{OWNER}/phone_number", "1")

    async def story(account: Account) -> Any:
        response = await account.post(BULK, document)
        return response.status_code, response.headers.get("X-Klaviyo-Partial-Failure")

    assert (status, header) == tell(story, bulk_bad_phone=rule)


def test_a_drop_in_bulk_takes_its_row_only() -> None:
    """A test domain, and a value over a limit that drops, cost their own event only."""
    long = {"properties": {"s": "x" * 100_001}, "unique_id": "b"}
    document = bulk((KIM, [{"unique_id": "a"}, long]), ("lee@example.com", [{}]))
    fates = ["accepted", "dropped:over_limit", "dropped:test_domain"]

    assert (202, [], fates) == _judged(document, over_limit="drop")
