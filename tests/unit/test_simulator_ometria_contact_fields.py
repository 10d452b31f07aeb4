"""The simulated Ometria: what is wrong with single contacts, told late; ids of all (§1, §4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.ometria_simulator import contact, error_paths, flags_of, reminder
from tests.support.simulation import ABSENT, changed

if TYPE_CHECKING:
    from tests.support.simulation import JSON

SMS = {
    "allow_marketing": False,
    "allow_transactional": True,
    "dt_updated_marketing": "2026-10-01T12:00:00Z",
    "dt_updated_transactional": "2026-10-01T12:00:00Z",
}
CONTACT_FIELDS = [
    ("id", 5),
    ("id", None),
    ("email", "kim"),
    ("email", ""),
    ("email", ABSENT),
    ("customer_id", 5),
    ("@collection", 5),
    ("@merge", "true"),
    ("@force_optin", 1),
    ("@add_to_lists", "vip"),
    ("marketing_optin", "OPTED_OUT"),
    ("phone_number", "2065550123"),
    ("gender", "x"),
    ("date_of_birth", "1980-02-30"),
    ("timestamp_acquired", "2026-10-01"),
    ("store_ids", [1]),
    ("channels", {"email": {}}),
    ("channels", {"sms": {"allow_marketing": "yes"}}),
    ("properties", [1]),
    ("active_subscriptions", 1),
    ("@id", "C-1"),
]


@pytest.mark.parametrize(("field", "value"), CONTACT_FIELDS)
def test_what_a_contact_must_be(field: str, value: object) -> None:
    """Each field spoiled alone gives one error, whose path is that field."""
    assert [f"root > {field}"] == error_paths(changed(contact(), f"/{field}", value))


def test_a_contact_with_everything() -> None:
    """Every field that peers send, as they send it."""
    record = contact(
        phone_number="+12065550123", firstname="Kim", middlename="A.", lastname="Doe",
        prefix="Dr", gender="f", date_of_birth="1980-02-29", country_id="US",
        timezone="America/New_York", timestamp_acquired="2018-04-19T09:00:00+00",
        timestamp_subscribed="2026-10-01T12:00:00Z", store_ids=["shop-demo.io"],
        marketing_optin="NOT_SPECIFIED", at_add_to_lists=[7], at_remove_from_lists=["old"],
        channels={"sms": SMS},
    )  # fmt: skip

    assert [] == error_paths(record)


def test_a_contact_may_do_without_an_address() -> None:
    """Where the switch says so."""
    assert [] == error_paths(changed(contact(), "/email", ABSENT), email_required=False)


@pytest.mark.parametrize(
    ("properties", "switches", "paths"),
    [
        ({"a b": 1}, {}, ["root > properties > a b"]),
        ({"": 1}, {}, ["root > properties > "]),
        ({"note": "x" * 513}, {}, ["root > properties > note"]),
        ({f"f{number}": 1 for number in range(100)}, {}, []),
        ({f"f{number}": 1 for number in range(101)}, {}, ["root > properties"]),
        ({"count": 1}, {"contact_fields": {"count": "Number"}}, []),
        ({"count": "1"}, {"contact_fields": {"count": "Number"}}, ["root > properties > count"]),
        ({"other": 1}, {"contact_fields": {}}, ["root > properties > other"]),
    ],
)
def test_custom_fields(properties: Any, switches: Any, paths: list[str]) -> None:
    """Their ids have no spaces, there are at most 100, and they may have to exist."""
    assert paths == error_paths(contact(properties=properties), **switches)


@pytest.mark.parametrize(
    ("record", "field"),
    [
        (contact("kim@shop-demo.io"), "id"),
        (contact(customer_id="og:kim@shop-demo.io"), "customer_id"),
        (contact(customer_id="+1 206 555 0123"), "customer_id"),
        (contact("12065550123", phone_number="+12065550123", customer_id="C-1"), "id"),
        (reminder("kim@shop-demo.io-cancel"), "id"),
        (reminder(identity_account_id="+12065550123"), "identity_account_id"),
        (contact("12065550123"), None),
        (contact("shopify@7"), None),
    ],
)
def test_ids_without_personal_data(record: JSON, field: str | None) -> None:
    """An address in an id is flagged, or refused; a number that is nobody's phone is none."""
    path = f"root > {field}"

    assert ([] if field is None else [("personal_id", path)]) == [
        flag for flag in flags_of(record) if flag[1] == path
    ]
    assert (path in error_paths(record, personal_ids="refuse")) is (field is not None)
