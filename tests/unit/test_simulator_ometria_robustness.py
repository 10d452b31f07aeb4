"""The simulated Ometria: whatever is sent, it has an answer of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.simulators.ometria import Ometria
from streams.simulators.ometria_switches import Switches
from streams.simulators.vendor import Request
from tests.support.ometria_simulator import (
    ERRORS,
    HEADERS,
    PUSH,
    contact,
    reminder,
    subscription,
    tell,
)
from tests.support.simulation import NOW, changed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.simulation import JSON, Account

WHOLE: dict[str, JSON] = {
    "contact": contact(
        firstname="Kim",
        phone_number="+12065550123",
        marketing_optin="NOT_SPECIFIED",
        store_ids=["a"],
        at_add_to_lists=[1],
        channels={"sms": {"allow_marketing": True, "dt_updated_marketing": "2026-10-01T12:00:00Z"}},
        properties={"count": 1, "nested": {"a": [1]}},
    ),
    "reminder": reminder(identity_account_id="C-1", profile_id="p"),
    "subscription": subscription(),
    "order": {"@type": "order", "@collection": "c", "@merge": True, "id": "O-1", "properties": {}},
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
NAMES = st.sampled_from(sorted({name for record in WHOLE.values() for name in record}))
LENIENT = Switches(
    mixed_types="accept",
    wrong_record="reject",
    rejected_items=True,
    event_types=None,
    unknown_properties="ignore",
    unknown_fields="ignore",
    email_required=False,
    without_merge="keep",
    properties_merge="deep",
    repeated_event="silent",
    unknown_contact="silent",
)


def _pointers(value: Any, pointer: str = "") -> Iterator[str]:
    yield pointer
    if isinstance(value, dict | list):
        for name, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _pointers(item, f"{pointer}/{name}")


def _judge(vendor: Ometria, document: object) -> int:
    request = Request(NOW, "POST", PUSH, {}, HEADERS, document, 0, sequence=1)
    vendor.traits(request)
    return vendor.answer(request, None).status


def _can_be_told(vendor: Ometria) -> bool:
    asked = Request(NOW, "GET", ERRORS, {}, HEADERS, None, 0, sequence=2)
    told = msgspec.json.decode(msgspec.json.encode(vendor.state()))
    return vendor.answer(asked, None).status == 200 and told.keys() == vendor.state().keys()


@pytest.mark.parametrize("record", WHOLE)
def test_the_whole_records_are_good(record: str) -> None:
    """What the property below spoils is kept as it is."""
    vendor = Ometria(Switches(), limits=None)

    assert 202 == _judge(vendor, [WHOLE[record]])
    assert [] == vendor.state()["errors"]


@pytest.mark.parametrize("record", WHOLE)
@pytest.mark.parametrize("switches", [Switches(), LENIENT], ids=["strict", "lenient"])
@given(data=st.data())
@settings(deadline=None, max_examples=100)
def test_every_spoiled_record_has_an_answer(
    record: str, switches: Switches, data: st.DataObject
) -> None:
    """Any value at any place of a record is kept or an error, also over what is there already."""
    whole = WHOLE[record]
    pointer = data.draw(st.sampled_from([each for each in _pointers(whole) if each]))
    spoiled = changed(whole, pointer, data.draw(VALUES))
    vendor = Ometria(switches, limits=None)

    assert {202} == {_judge(vendor, [each]) for each in (whole, spoiled, spoiled, whole)}
    assert _can_be_told(vendor)


@pytest.mark.parametrize("switches", [Switches(), LENIENT], ids=["strict", "lenient"])
@given(records=st.lists(VALUES | st.dictionaries(NAMES, VALUES), min_size=1, max_size=5))
@settings(deadline=None, max_examples=100)
def test_every_list_has_an_answer(switches: Switches, records: list[object]) -> None:
    """Records of any shape are taken, or refused for their types; never an accident."""
    vendor = Ometria(switches, limits=None)

    assert _judge(vendor, records) in {202, 400}
    assert _can_be_told(vendor)


@given(texts=st.lists(VALUES.map(json.dumps), min_size=30, max_size=30))
@settings(deadline=None, max_examples=5)
def test_every_body_has_an_answer_over_a_socket(texts: list[str]) -> None:
    """The same through the server, which can tell afterwards what it received."""

    async def story(account: Account) -> tuple[bool, int, int]:
        bodies = [text.encode() for text in texts]
        answers = {(await account.post(PUSH, body)).status_code for body in bodies}
        told = await account.client.get("/_control/requests")
        return answers <= {202, 400}, told.status_code, len(told.json()["requests"])

    assert (True, 200, 30) == tell(story)
