"""The simulated Attentive: what becomes of accepted events (contracts/attentive.md §2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.attentive_account import (
    EVENTS,
    KIM,
    STATUS,
    attributes,
    event,
    send,
    status,
    tell,
)
from tests.support.simulation import ABSENT, NOW, Account, changed

if TYPE_CHECKING:
    from tests.support.simulation import JSON

TOKENS = {"shop": {"app": "shop"}, "rotated": {"app": "shop"}, "other": {"app": "other"}}


def _seconds_ago(seconds: float) -> str:
    """`occurredAt` of so long before the simulator's clock."""
    moment = datetime.fromtimestamp(NOW, UTC) - timedelta(seconds=seconds)
    return moment.isoformat(timespec="milliseconds")


def test_an_event_is_accepted_without_a_body_and_kept() -> None:
    """A good event gets 200 with nothing in it, and is then known with its person."""

    async def story(account: Account) -> Any:
        response = await account.post(EVENTS, event(externalEventId="e-1"))
        return response.status_code, response.content, await account.state()

    code, body, state = tell(story)

    assert (200, b"") == (code, body)
    assert [
        {
            "sequence": 1,
            "received_at": "2026-10-01T12:00:00Z",
            "app": "app-1",
            "person": "person-1",
            "type": "ordergroove.subscription.cancel",
            "external_event_id": "e-1",
            "occurred_at": "2026-10-01T11:59:58Z",
            "properties": {"product_sku": "SKU-1", "quantity": 2},
            "attributes": {},
            "copy": 0,
            "silent": None,
            "unusable": [],
            "ignored": [],
            "conflicts": [],
        }
    ] == state["events"]
    assert [("person-1", {name: [value] for name, value in KIM.items()})] == [
        (person["id"], person["identifiers"]) for person in state["people"]
    ]


@pytest.mark.parametrize(
    ("switches", "expected"),
    [
        ({}, (200, b"")),
        ({"success_body": "object"}, (200, b"{}")),
        ({"success_status": 202, "success_body": "object"}, (202, b"{}")),
    ],
)
def test_how_acceptance_is_told(switches: Any, expected: object) -> None:
    """200 without a body; on demand with an empty object, or as 202."""

    async def story(account: Account) -> object:
        response = await account.post(EVENTS, event())
        return response.status_code, response.content

    assert expected == tell(story, **switches)


@pytest.mark.parametrize("path", [EVENTS, f"{EVENTS}/"])
def test_a_trailing_slash_makes_no_difference(path: str) -> None:
    """Both spellings of a path are the same endpoint."""

    async def story(account: Account) -> int:
        return (await account.post(path, event())).status_code

    assert 200 == tell(story)


def test_an_event_shows_the_attributes_of_its_moment() -> None:
    """The status that a journey's message would show is the one before the event, not after it."""
    sent = [event(), status("active"), event(), status("inactive"), event()]

    async def story(account: Account) -> Any:
        await send(account, sent)
        return [each["attributes"] for each in await account.state("events")]

    assert [{}, {STATUS: "active"}, {STATUS: "inactive"}] == tell(story)


def test_requests_and_state_have_one_count() -> None:
    """The sequence of events and of changes is that of the recorded requests."""
    sent = [status("active"), event(), {}, event(type="ordergroove.order.success")]

    async def story(account: Account) -> Any:
        await send(account, sent)
        state = await account.state()
        changes = [change["sequence"] for change in state["people"][0]["changes"]]
        requests = [record.sequence for record in account.simulator.received]
        return requests, changes, [each["sequence"] for each in state["events"]]

    assert ([1, 2, 3, 4], [1], [2, 4]) == tell(story)


@pytest.mark.parametrize(
    ("seconds", "silent"),
    [
        pytest.param(0, None, id="now"),
        pytest.param(12 * 3600, None, id="12 hours"),
        pytest.param(12 * 3600 + 0.001, "late", id="a bit more"),
        pytest.param(400 * 86_400, "late", id="a year"),
        pytest.param(-3600, None, id="in an hour"),
    ],
)
def test_old_events_start_no_journey(seconds: float, silent: str | None) -> None:
    """What is older than 12 hours gets its 200 and is stored, and nothing starts from it."""

    async def story(account: Account) -> Any:
        code = await send(account, [event(occurredAt=_seconds_ago(seconds))])
        state = await account.state()
        return code, account.fates, [e["silent"] for e in state["events"]], len(state["journeys"])

    fate = "accepted" if silent is None else "silent:late"

    assert ([200], [fate], [silent], 1 if silent is None else 0) == tell(story)


def test_an_event_without_time_happened_when_it_came() -> None:
    """The default of `occurredAt` is the time of the call, so that it is never too old."""

    async def story(account: Account) -> Any:
        account.now += 86_400.25
        await send(account, [changed(event(), "/occurredAt", ABSENT)])
        [stored] = await account.state("events")
        return stored["occurred_at"], stored["silent"]

    assert ("2026-10-02T12:00:00.250000Z", None) == tell(story)


def test_a_misspelt_time_is_ignored_where_unknown_fields_are() -> None:
    """`occuredAt` then passes, and an event of last week starts a journey (pitfall 2)."""
    misspelt = changed(event(occuredAt=_seconds_ago(7 * 86_400)), "/occurredAt", ABSENT)

    async def story(account: Account) -> Any:
        code = await send(account, [misspelt])
        return code, [(e["ignored"], e["silent"]) for e in await account.state("events")]

    assert ([200], [(["occuredAt"], None)]) == tell(story, unknown_fields="ignore")
    assert ([400], []) == tell(story)


@pytest.mark.parametrize(
    ("tokens", "silents"),
    [
        pytest.param(["shop", "shop"], [None, None], id="one token"),
        pytest.param(["shop", "rotated"], [None, None], id="another token of the app"),
        pytest.param(["shop", "other"], [None, "other_app"], id="another app"),
        pytest.param(
            ["shop", "other", "shop"], [None, "other_app", None], id="the first app remains"
        ),
    ],
)
def test_a_type_belongs_to_the_app_that_created_it(tokens: list[str], silents: Any) -> None:
    """From another app the event is stored, and starts nothing."""

    async def story(account: Account) -> Any:
        for token in tokens:
            await send(account, [event()], token)
        state = await account.state()
        return [e["silent"] for e in state["events"]], [t["app"] for t in state["types"]]

    assert (silents, ["shop"]) == tell(story, tokens=TOKENS)


def test_another_apps_type_can_be_refused() -> None:
    """The "must" of the specification as 403; nothing is kept then, and other types still pass."""

    async def story(account: Account) -> Any:
        await send(account, [event()], "shop")
        codes = await send(
            account, [event({"email": "lee@shop-demo.io"}), event(type="b")], "other"
        )
        state = await account.state()
        return codes, account.fates[1], len(state["people"]), len(state["events"])

    assert ([403, 200], "refused:/type", 1, 2) == tell(story, tokens=TOKENS, other_app="refuse")


def test_unlisted_tokens_are_apps_of_their_own() -> None:
    """Without a list every token is taken, and each is another app."""

    async def story(account: Account) -> Any:
        for token in ("a", "b", "a"):
            await send(account, [event()], token)
        return [(e["app"], e["silent"]) for e in await account.state("events")]

    assert [("app-1", None), ("app-2", "other_app"), ("app-1", None)] == tell(story)


def test_every_copy_counts() -> None:
    """Nothing says that Attentive drops copies: each starts a journey, and is told as a copy."""
    sent = [event(externalEventId=id_) for id_ in ("a", "a", "b", "a")]

    async def story(account: Account) -> Any:
        await send(account, [*sent, event(), event()])
        state = await account.state()
        return account.fates, [e["copy"] for e in state["events"]], len(state["journeys"])

    assert (["accepted"] * 6, [0, 1, 0, 2, 0, 0], 6) == tell(story)


def test_copies_can_be_dropped() -> None:
    """With deduplication a copy gets its 200 and starts nothing."""
    sent = [event(externalEventId=id_) for id_ in ("a", "a", "b", "a")]

    async def story(account: Account) -> Any:
        codes = await send(account, sent)
        journeys = [each["sequence"] for each in await account.state("journeys")]
        return codes, account.fates, journeys

    fates = ["accepted", "duplicate", "accepted", "duplicate"]

    assert ([200] * 4, fates, [1, 3]) == tell(story, dedup=True)


def test_an_id_is_forgotten_after_its_retention() -> None:
    """With a retention, a copy within it is dropped and a later one is not."""

    async def story(account: Account) -> list[str]:
        for seconds in (0, 60, 1, 60):
            account.now += seconds
            await send(account, [event(externalEventId="a")])
        return account.fates

    assert ["accepted", "duplicate", "accepted", "duplicate"] == tell(
        story, dedup=True, dedup_seconds=60
    )


def test_a_refused_event_is_no_copy() -> None:
    """What was refused is not remembered by its id."""

    async def story(account: Account) -> Any:
        await send(account, [event(externalEventId="a", user={}), event(externalEventId="a")])
        return account.fates

    assert ["refused:/user", "accepted"] == tell(story, dedup=True)


def test_journeys_name_their_events() -> None:
    """A test can ask which events would have started a journey, and for whom."""
    sent = [event(externalEventId="a"), event(externalEventId="b", occurredAt=_seconds_ago(9e5))]

    async def story(account: Account) -> Any:
        await send(account, sent)
        return await account.state("journeys")

    assert [
        {
            "sequence": 1,
            "person": "person-1",
            "type": "ordergroove.subscription.cancel",
            "external_event_id": "a",
        }
    ] == tell(story)


KEYS = [
    pytest.param([{"a": 1}, {"b": 2, "a": 1}], ["a", "b"], id="over time"),
    pytest.param([{"p": {"id": 1, "o": {}}}], ["p", "p.id", "p.o"], id="nested"),
    pytest.param([{"l": [{"a": 1}, {"b": 2}]}], ["l", "l.a", "l.b"], id="lists of objects"),
    pytest.param([{"l": [1, 2]}, {"e": []}], ["l", "e"], id="lists of values"),
    pytest.param([{"l": [[{"a": 1}]]}], ["l", "l.a"], id="lists of lists"),
]


@pytest.mark.parametrize(("sent", "keys"), KEYS)
def test_keys_of_a_type(sent: list[JSON], keys: list[str]) -> None:
    """A type's keys are all names at any depth of all its events."""

    async def story(account: Account) -> Any:
        await send(account, [event(properties=properties) for properties in sent])
        return [(each["keys"], each["unusable"]) for each in await account.state("types")]

    assert [(keys, [])] == tell(story)


def test_keys_over_200_are_of_no_use() -> None:
    """They are accepted and noted; the first 200 stay usable, and other types have their own."""
    sent = [
        event(properties={f"k{number}": 1 for number in range(150)}),
        event(properties={f"k{number}": 1 for number in range(100, 202)}),
        event(properties={"k201": 1, "k0": 1}),
        event(type="ordergroove.order.success", properties={"k201": 1}),
    ]

    async def story(account: Account) -> Any:
        codes = await send(account, sent)
        state = await account.state()
        counts = [(len(each["keys"]), each["unusable"]) for each in state["types"]]
        return codes, [each["unusable"] for each in state["events"]], counts

    surplus = ["k200", "k201"]
    expected = ([200] * 4, [[], surplus, ["k201"], []], [(200, surplus), (1, [])])

    assert expected == tell(story)


def test_properties_are_optional() -> None:
    """An event may have none, or an empty object."""
    sent = [changed(event(), "/properties", ABSENT), event(properties={})]

    async def story(account: Account) -> Any:
        codes = await send(account, sent)
        return codes, [each["properties"] for each in await account.state("events")]

    assert ([200, 200], [{}, {}]) == tell(story)


def test_attributes_alone_start_nothing() -> None:
    """They are kept with the person; there is no event and no journey."""

    async def story(account: Account) -> Any:
        await send(account, [attributes(Points=3)])
        state = await account.state()
        return state["people"][0]["attributes"], state["events"], state["journeys"]

    assert ({"Points": 3}, [], []) == tell(story)
