"""Keyed hashes of bodies: `streams.delivery.fingerprints`."""

from __future__ import annotations

from typing import Any

import pytest

from streams.delivery.fingerprints import Fingerprints

BODY: dict[str, Any] = {
    "data": {
        "type": "event",
        "attributes": {
            "profile": {"email": "kim@shop-demo.io", "phone": "kim@shop-demo.io"},
            "properties": {"items": [{"id": "P1"}, {"id": "P2"}], "quantity": 2, "tags": {}},
        },
    }
}
PRINTS = Fingerprints(b"key")


def test_every_field_has_its_path() -> None:
    """Objects are walked to their leaves; a list, and an empty object, are one field."""
    assert {
        "data.type",
        "data.attributes.profile.email",
        "data.attributes.profile.phone",
        "data.attributes.properties.items",
        "data.attributes.properties.quantity",
        "data.attributes.properties.tags",
    } == set(PRINTS.fields(BODY))


def test_equal_values_do_not_show_as_equal() -> None:
    """The path is part of what is hashed."""
    profile = "data.attributes.profile."
    fields = PRINTS.fields(BODY)

    assert fields[f"{profile}email"] != fields[f"{profile}phone"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param({"a": 1}, {"a": "1"}, id="type"),
        pytest.param({"a": 1}, {"a": 2}, id="value"),
        pytest.param({"a": [1, 2]}, {"a": [2, 1]}, id="order of a list"),
    ],
)
def test_a_change_shows(one: dict[str, Any], other: dict[str, Any]) -> None:
    """A field that changed has another hash."""
    assert PRINTS.fields(one) != PRINTS.fields(other)


def test_the_order_of_an_objects_fields_does_not_show() -> None:
    """Objects inside lists that differ only in order are equal."""
    one, other = {"a": [{"x": 1, "y": 2}]}, {"a": [{"y": 2, "x": 1}]}

    assert PRINTS.fields(one) == PRINTS.fields(other)


def test_the_key_makes_the_hash() -> None:
    """Without the key nobody can try values against a hash; keys of any length will do."""
    keys = [b"key", b"other", b"", b"k" * 64, b"k" * 65, b"k" * 66]
    digests = {Fingerprints(key).digest(b"{}") for key in keys}
    hashes = {Fingerprints(key).fields({"a": 1})["a"] for key in keys}

    assert (6, 6) == (len(digests), len(hashes))


def test_hashes_are_stable_and_short() -> None:
    """Equal bodies have equal hashes in every process: 8 bytes a field, 16 for the body."""
    again = Fingerprints(b"key")

    assert PRINTS.fields(BODY) == again.fields(BODY)
    assert {8} == {len(each) for each in again.fields(BODY).values()}
    assert (32, PRINTS.digest(b"{}")) == (len(again.digest(b"{}")), again.digest(b"{}"))
