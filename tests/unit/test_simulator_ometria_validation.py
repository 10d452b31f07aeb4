"""The simulated Ometria: what is wrong with single custom events, told late (§1, §3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.ometria_simulator import (
    error_paths,
    flags_of,
    push,
    reminder,
    row_fates,
    subscription,
    tell,
)
from tests.support.simulation import ABSENT, changed

if TYPE_CHECKING:
    from tests.support.simulation import JSON, Account

EVENT = reminder()
REASON = "root > properties > cancellation_reason"
ANY: Any = {"event_types": None}


@pytest.mark.parametrize(
    "record",
    [
        reminder(),
        subscription(),
        subscription(properties={}),
        changed(EVENT, "/properties", ABSENT),
    ],
)
def test_whole_events_have_no_errors(record: JSON) -> None:
    """The seed's two events as they are meant; properties may be missing."""
    assert [] == error_paths(record)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("@type", ABSENT),
        ("@type", "custom_events"),
        ("@type", 5),
        ("id", ABSENT),
        ("id", ""),
        ("id", 17),
        ("timestamp", ABSENT),
        ("timestamp", 1790856000),
        ("timestamp", "2026-10-01"),
        ("timestamp", "2026-10-01T12:00:00"),
        ("timestamp", "2026-13-01T12:00:00Z"),
        ("timestamp", "0001-01-01T00:00:00+14:00"),
        ("event_type", ABSENT),
        ("event_type", ""),
        ("event_type", None),
        ("identity_email", ABSENT),
        ("identity_email", None),
        ("identity_email", "kim"),
        ("identity_account_id", 4410),
        ("profile_id", ""),
        ("properties", []),
        ("properties", None),
        ("@merge", True),
        ("@collection", "ordergroove"),
        ("email", "kim@shop-demo.io"),
    ],
)
def test_what_an_event_must_be(field: str, value: object) -> None:
    """Each field spoiled alone gives one error, whose path is that field."""
    assert [f"root > {field}"] == error_paths(changed(EVENT, f"/{field}", value))


@pytest.mark.parametrize(
    "timestamp",
    ["2026-10-01T12:00:00Z", "2026-10-01T12:00:00.123456+02:00", "2026-10-01T12:00:00-0500"],
)
def test_times_have_a_zone(timestamp: str) -> None:
    """`Z` or an offset, as in the vendor's examples."""
    assert [] == error_paths(reminder(timestamp=timestamp))


def test_the_id_is_not_an_at_id() -> None:
    """`@id` is no field, and does not stand for `id`: two errors, the newest told first."""
    record = changed(changed(EVENT, "/id", ABSENT), "/@id", "e-1")

    assert ["root > @id", "root > id"] == error_paths(record)


@pytest.mark.parametrize("field", ["identity_email", "identity_account_id", "profile_id"])
def test_one_identity_is_enough(field: str) -> None:
    """An event must be tied to a contact, by whichever name."""
    record = changed(EVENT, "/identity_email", ABSENT)

    assert ["root > identity_email"] == error_paths(record)
    assert [] == error_paths({**record, field: "kim@shop-demo.io"})


PROPERTIES = [
    ("order_id", 7),
    ("order_id", None),
    ("order_id", ["7"]),
    ("total_value", 12.5),
    ("total_value", "12"),
    ("total_value", True),
    ("product_set", "77"),
    ("product_set", [77]),
    ("product_set", [""]),
    ("product_set", [{"product_id": "77"}]),
    ("order_total", 5),
]


@pytest.mark.parametrize(("name", "value"), PROPERTIES)
def test_properties_have_types(name: str, value: object) -> None:
    """As the merchant had them created, and no others; products are ids as texts."""
    record = changed(EVENT, f"/properties/{name}", value)

    assert [f"root > properties > {name}"] == error_paths(record)
    assert [] == error_paths(record, event_types=None)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("Boolean", [True, False], [1, "true"]),
        ("Number", [1, -0.5, 10**20], [True, "1"]),
        ("Integer", [0, 10**20], [1.0]),
        ("Date", ["2026-10-01T00:00:00+01:00"], ["2026-10-01", 5]),
        ("Products list", [[], ["a", "b"]], ["a", [1]]),
        ("Any", [None, {"a": [1]}, "x"], []),
    ],
)
def test_every_type_of_property(kind: str, good: list[Any], bad: list[Any]) -> None:
    """What each type takes."""
    types = {"Ordergroove_order_reminder": {"p": kind}}

    for value, expected in [(each, []) for each in good] + [
        (each, ["root > properties > p"]) for each in bad
    ]:
        assert expected == error_paths(reminder(properties={"p": value}), event_types=types), value


@pytest.mark.parametrize(("length", "paths"), [(512, []), (513, [REASON])])
@pytest.mark.parametrize("switches", [{}, ANY], ids=["defined", "any"])
def test_long_texts(length: int, paths: list[str], switches: Any) -> None:
    """A text has at most 512 characters, whether or not its property was defined."""
    record = subscription(properties={"cancellation_reason": "é" * length})

    assert paths == error_paths(record, **switches)


def test_unknown_names_can_be_taken() -> None:
    """On demand what was never created is kept and flagged."""
    record = changed(changed(EVENT, "/extra", 1), "/properties/more", 2)
    flags = [("unknown_field", "root > extra"), ("unknown_property", "root > properties > more")]

    assert flags == flags_of(record, unknown_fields="ignore", unknown_properties="ignore")


@pytest.mark.parametrize(
    ("event_type", "kept", "flags", "fate"),
    [
        ("a" * 32, "a" * 32, [], "accepted"),
        ("a" * 33, "a" * 32, ["cut"], "accepted"),
        ("b" * 33, "b" * 32, ["cut", "unknown_event_type"], "silent:unknown_event_type"),
        ("Ordergroove_order_reminders", None, ["unknown_event_type"], "silent:unknown_event_type"),
    ],
)
def test_event_types(event_type: str, kept: str | None, flags: list[str], fate: str) -> None:
    """Cut after 32 characters; a type that nobody created is stored and starts nothing."""

    async def story(account: Account) -> Any:
        await push(account, reminder(event_type=event_type))
        state = await account.state()
        noted = [each["flag"] for each in state["flags"]]
        return state["events"][0]["event_type"], noted, row_fates(account)[0]

    types: JSON = {"a" * 32: {"order_id": "String", "product_set": "Any", "total_value": "Any"}}

    assert (kept or event_type, flags, [fate]) == tell(story, event_types=types)
