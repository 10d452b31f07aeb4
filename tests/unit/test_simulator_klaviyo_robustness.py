"""The simulated Klaviyo: whatever is sent, it has an answer of its own (a property, no socket)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.simulators.klaviyo import Klaviyo
from streams.simulators.klaviyo_switches import Switches
from streams.simulators.vendor import Request
from tests.support.klaviyo import (
    BULK,
    DELETIONS,
    EVENTS,
    IMPORT,
    JOBS,
    NOW,
    bulk,
    changed,
    event,
    job,
    profile,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.klaviyo import JSON

KIM = {"email": "kim@shop-demo.io", "phone_number": "+12065550123", "external_id": "kim-1"}
PATCH = {"append": {"skus": ["a"]}, "unappend": {"skus": "a"}, "unset": ["n"]}
META = {"patch_properties": PATCH, "patch_identifiers": {"append": {"email": ["k@shop-demo.io"]}}}
FULL = {**KIM, "location": {"city": "Lisbon", "latitude": 38.7}, "properties": {"n": 1}}
LISTS = {"lists": {"data": [{"type": "list", "id": "L1"}]}}
WHOLE = {
    EVENTS: changed(event(), "/data/attributes/profile/data/attributes", {**FULL, "meta": META}),
    BULK: changed(
        bulk((KIM["email"], [{"unique_id": "a", "value": 1, "value_currency": "USD"}, {}])),
        "/data/attributes/events-bulk-create/data/0/attributes/profile/data/meta",
        META,
    ),
    IMPORT: changed(profile(**FULL), "/data/meta", META),
    JOBS: changed(job(FULL, KIM), "/data/relationships", LISTS),
    DELETIONS: {
        "data": {
            "type": "data-privacy-deletion-job",
            "attributes": {
                "profile": {"data": {"type": "profile", "attributes": {"email": KIM["email"]}}}
            },
        }
    },
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


def _pointers(value: Any, pointer: str = "") -> Iterator[str]:
    yield pointer
    if isinstance(value, dict | list):
        for name, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _pointers(item, f"{pointer}/{name}")


def _judge(vendor: Klaviyo, path: str, document: JSON) -> int:
    headers = {
        "authorization": "Klaviyo-API-Key pk_test",
        "revision": "2026-07-15",
        "content-type": "application/json",
    }
    request = Request(NOW, "POST", path, {}, headers, document, 0)
    vendor.traits(request)
    return vendor.answer(request, None).status


@pytest.mark.parametrize("path", WHOLE)
def test_the_whole_requests_are_good(path: str) -> None:
    """What the property below spoils is accepted as it is."""
    vendor = Klaviyo(Switches(lists=frozenset({"L1"})), limits=None)

    assert _judge(vendor, path, WHOLE[path]) in {201, 202}


@pytest.mark.parametrize("path", WHOLE)
@pytest.mark.parametrize(
    "switches",
    [
        Switches(),
        Switches(
            unknown_fields="ignore",
            over_limit="drop",
            time_out_of_bounds="drop",
            bulk_duplicates="drop",
            conflicting_identifiers="refuse",
            phone_check="numbering_plan",
            lists=frozenset({"L1"}),
        ),
    ],
    ids=["strict", "lenient"],
)
@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_every_spoiled_request_has_an_answer(
    path: str, switches: Switches, data: st.DataObject
) -> None:
    """Any value at any place of a whole request is accepted or refused, never an accident."""
    pointer = data.draw(st.sampled_from([each for each in _pointers(WHOLE[path]) if each]))
    document = changed(WHOLE[path], pointer, data.draw(VALUES))
    vendor = Klaviyo(switches, limits=None)

    statuses = {_judge(vendor, path, document) for _ in range(2)}

    assert statuses <= {200, 201, 202, 400, 404, 409}
