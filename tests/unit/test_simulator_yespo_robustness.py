"""The simulated Yespo: whatever is sent, it has an answer, and can tell what it keeps."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.simulators.vendor import Request
from streams.simulators.yespo import Yespo
from streams.simulators.yespo_switches import Switches
from tests.support.yespo_simulator import (
    CONTACT,
    CONTACTS,
    EVENT,
    EVENT_V1,
    HEADERS,
    NOW,
    ORDERS,
    PHONE,
    bulk,
    changed,
    contact,
    event,
    item,
    order,
    orders,
    tell,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.yespo_simulator import Account

STRICT = Switches(seed_strict=True)
LENIENT = Switches(
    unknown_fields="ignore",
    empty_values="absent",
    number_strings="accept",
    local_dates="accept",
    phone_form="plus",
    bad_name="drop",
    repeats="off",
    error_body="json",
    event_dedup=True,
)
FULL = contact(
    sms=PHONE,
    firstName="Kim",
    externalCustomerId="C-1",
    id=1_000_001,
    address={"town": "Lisbon"},
    fields=[{"id": 51001, "value": "active"}, {"id": 51003, "value": "2026-10-01"}],
)
WHOLE = {
    ORDERS: orders(
        order(additionalInfo={"subscription_id": "8f21"}, shipping=5, items=[item(), item()]),
        order("OG-2", status="DELIVERED"),
    ),
    EVENT: event(),
    EVENT_V1: event(),
    CONTACT: FULL,
    CONTACTS: bulk(
        FULL, contactFields=["firstName"], customFieldsIDs=[51001], restoreDeleted=False
    ),
}
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -(2**63), 1e308, -0.0])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9)
    | st.sampled_from(["", " ", "null", "²", "9" * 30, "2026-10-01T25:61:00Z", "a@b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


def _pointers(value: Any, pointer: str = "") -> Iterator[str]:
    yield pointer
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _pointers(inner, f"{pointer}/{name}")


def _judge(vendor: Yespo, path: str, document: object) -> int:
    request = Request(NOW, "POST", path, {}, HEADERS, document, 0, sequence=1)
    vendor.traits(request)
    return vendor.answer(request, None).status


@pytest.mark.parametrize("path", WHOLE)
@pytest.mark.parametrize("switches", [STRICT, LENIENT], ids=["strict", "lenient"])
def test_the_whole_requests_are_good(path: str, switches: Switches) -> None:
    """What the property below spoils is accepted as it is, each row of it."""
    request = Request(NOW, "POST", path, {}, HEADERS, WHOLE[path], 0)
    answer = Yespo(switches, limits=None).answer(request, None)

    assert 200 == answer.status
    assert not [fate for fate in answer.fates if fate != "accepted"]


@pytest.mark.parametrize("path", WHOLE)
@pytest.mark.parametrize("switches", [STRICT, LENIENT], ids=["strict", "lenient"])
@given(data=st.data())
@settings(deadline=None, max_examples=100)
def test_every_spoiled_request_has_an_answer(
    path: str, switches: Switches, data: st.DataObject
) -> None:
    """Any value at any place of a whole request is accepted or refused, and can be told."""
    pointer = data.draw(st.sampled_from([each for each in _pointers(WHOLE[path]) if each]))
    document = changed(WHOLE[path], pointer, data.draw(VALUES))
    vendor = Yespo(switches, limits=None)

    statuses = {_judge(vendor, path, each) for each in (WHOLE[path], document, document)}

    assert statuses <= {200, 400, 409}
    assert msgspec.json.decode(msgspec.json.encode(vendor.state())).keys() == vendor.state().keys()


@pytest.mark.parametrize("path", WHOLE)
@given(document=VALUES)
@settings(deadline=None, max_examples=50)
def test_every_document_has_an_answer(path: str, document: object) -> None:
    """JSON of any shape is refused, never an accident."""
    assert 400 == _judge(Yespo(LENIENT, limits=None), path, document)


@given(texts=st.lists(VALUES.map(json.dumps), min_size=10, max_size=10))
@settings(deadline=None, max_examples=5)
def test_every_body_has_an_answer_over_a_socket(texts: list[str]) -> None:
    """The same through the server, as a whole body and as one of its rows, and it can be told."""

    async def story(account: Account) -> tuple[set[int], int]:
        answers = set()
        for text in texts:
            for path, name in ((ORDERS, "orders"), (CONTACTS, "contacts"), (EVENT, "params")):
                beside = '"dedupeOn": "email", ' if path == CONTACTS else ""
                for body in (text, f'{{{beside}"{name}": [{text}]}}'):
                    answers.add((await account.post(path, body.encode())).status_code)
        told = await account.client.get("/_control/requests")
        return answers, told.status_code

    answers, told = tell(story)

    assert answers <= {200, 400, 409}
    assert 200 == told
