"""The simulated Attentive: whatever is sent, it has an answer of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.simulators.attentive import Attentive
from streams.simulators.attentive_switches import Switches
from streams.simulators.vendor import Request
from tests.support.attentive_account import ATTRIBUTES, EVENTS, KIM, STATUS, event, tell
from tests.support.simulation import NOW, changed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.simulation import JSON, Account

USER = {
    **KIM,
    "externalIdentifiers": {
        "clientUserId": "k",
        "customIdentifiers": [{"name": "loyalty", "value": "L-1"}],
    },
}
PROPERTIES = {"id": "8f0c", "total": 12.5, "items": [{"sku": "S1"}], "product": {"id": "P1"}}
WHOLE: dict[str, JSON] = {
    EVENTS: event(USER, externalEventId="e-1", properties=PROPERTIES),
    ATTRIBUTES: {"user": USER, "properties": {STATUS: "active", "Points": "24", "Since": 3}},
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
LENIENT = Switches(
    unknown_fields="ignore",
    key_characters="specification",
    nested_keys=False,
    phone_check="numbering_plan",
    longest_ahead=60,
    dedup=True,
    linking="merge",
    unknown_external_id="drop",
    type_mismatch="ignore",
    empty_attribute="ignore",
    null_attribute="clear",
)


def _pointers(value: Any, pointer: str = "") -> Iterator[str]:
    yield pointer
    if isinstance(value, dict | list):
        for name, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _pointers(item, f"{pointer}/{name}")


def _judge(vendor: Attentive, path: str, document: object) -> int:
    headers = {"authorization": "Bearer tok", "content-type": "application/json"}
    request = Request(NOW, "POST", path, {}, headers, document, 0, sequence=1)
    vendor.traits(request)
    return vendor.answer(request, None).status


@pytest.mark.parametrize("path", WHOLE)
def test_the_whole_requests_are_good(path: str) -> None:
    """What the property below spoils is accepted as it is."""
    assert 200 == _judge(Attentive(Switches(), limits=None), path, WHOLE[path])


@pytest.mark.parametrize("path", WHOLE)
@pytest.mark.parametrize("switches", [Switches(), LENIENT], ids=["strict", "lenient"])
@given(data=st.data())
@settings(deadline=None, max_examples=100)
def test_every_spoiled_request_has_an_answer(
    path: str, switches: Switches, data: st.DataObject
) -> None:
    """Any value at any place of a whole request is accepted or refused, and can be told."""
    pointer = data.draw(st.sampled_from([each for each in _pointers(WHOLE[path]) if each]))
    document = changed(WHOLE[path], pointer, data.draw(VALUES))
    vendor = Attentive(switches, limits=None)

    statuses = {_judge(vendor, path, each) for each in (WHOLE[path], document, document)}

    assert statuses <= {200, 400, 404}
    assert msgspec.json.decode(msgspec.json.encode(vendor.state())).keys() == vendor.state().keys()


@pytest.mark.parametrize("path", WHOLE)
@given(document=VALUES)
@settings(deadline=None, max_examples=50)
def test_every_document_has_an_answer(path: str, document: object) -> None:
    """JSON of any shape is refused, never an accident."""
    assert 400 == _judge(Attentive(LENIENT, limits=None), path, document)


@given(texts=st.lists(VALUES.map(json.dumps), min_size=30, max_size=30))
@settings(deadline=None, max_examples=5)
def test_every_body_has_an_answer_over_a_socket(texts: list[str]) -> None:
    """The same through the server, which can tell afterwards what it received."""

    async def story(account: Account) -> tuple[set[int], int, int]:
        bodies = [text.encode() for text in texts]
        answers = {(await account.post(EVENTS, body)).status_code for body in bodies}
        told = await account.client.get("/_control/requests")
        return answers, told.status_code, len(told.json()["requests"])

    assert ({400}, 200, 30) == tell(story)
