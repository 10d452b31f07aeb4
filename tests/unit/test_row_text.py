"""The row as named text and back: nothing is lost, nothing is guessed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from streams.model.events import Product, Subscription
from streams.model.row_text import row_as_dict, row_of_dict
from streams.model.subscriber import (
    OrderKey,
    Profile,
    SeenProduct,
    Stamp,
    Subscriber,
    SubscriptionState,
)
from tests.support.rows import rows

ROW = Subscriber(
    version=3,
    profile=Profile(email="nina@shop-demo.io", stamps=(Stamp(5, 6, "e"),), stamped=(0, -1, -1, -1)),
    subscriptions={
        "oats": SubscriptionState(Subscription("oats", True, 5), OrderKey(1, 2, 3, "e"))
    },
    ever_subscribed=True,
    seen={20_500: b"\x01\xff"},
    products={"p": SeenProduct(Product("p", name="Oats"), 3)},
)


@settings(derandomize=True, deadline=None)
@given(rows())
def test_a_row_comes_back_whole(row: Subscriber) -> None:
    """Any row, made a dict, sent as JSON and made a row again, is the row."""
    assert row == row_of_dict(json.loads(json.dumps(row_as_dict(row))))


def test_every_level_has_names() -> None:
    """Structs and named tuples, however they are kept, show their fields; bytes are hex."""
    named = row_as_dict(ROW)
    oats = named["subscriptions"]["oats"]

    assert {"last_updated": 5, "created": 6, "event_id": "e"} == named["profile"]["stamps"][0]
    assert {"updated": 1, "created": 2, "rank": 3, "event_id": "e"} == oats["key"]
    assert ("oats", True, None) == tuple(oats["content"][f] for f in ("public_id", "live", "every"))
    assert ("Oats", 3) == (
        named["products"]["p"]["product"]["name"],
        named["products"]["p"]["seen"],
    )
    assert {"20500": "01ff"} == named["seen"]


def test_what_is_left_out_has_its_default() -> None:
    """A row of an earlier time, or one written by hand, need not name every field."""
    named = {"version": 3, "profile": {"email": "nina@shop-demo.io"}}

    assert Subscriber(3, Profile("nina@shop-demo.io")) == row_of_dict(named)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no such field": ({"versoin": 3}, "versoin"),
    "no such field, deeper": ({"profile": {"mail": "nina"}}, r"mail.*\$\.profile"),
    "missing": ({"subscriptions": {"oats": {"died_in": 0}}}, r"content.*\$\.subscriptions"),
    "text for a number": ({"version": "nina"}, "int"),
    "positional": ({"profile": 3}, "array"),
    "not hex": ({"seen": {"1": "nina"}}, r"hexadecimal.*\$\.seen"),
    "no day": ({"seen": {"nina": "00"}}, "int"),
    "too few": ({"profile": {"stamped": [0]}}, "array"),
}


@pytest.mark.parametrize(("named", "message"), WRONG.values(), ids=WRONG)
def test_what_is_no_row_is_refused(named: dict[str, Any], message: str) -> None:
    """What does not fit is told by its place, without its value."""
    with pytest.raises(ValueError, match=message) as raised:
        row_of_dict(named)

    assert "nina" not in str(raised.value)
