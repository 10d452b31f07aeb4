"""Identifiers: one that a vendor would refuse is not sent beside a good one."""

from __future__ import annotations

import pytest

from streams.model.rules import Identifier

EMAIL = Identifier("email", "email", "email", 100, "§2")


@pytest.mark.parametrize(
    "email",
    [
        "kim@shop-demo.io",
        "kim.lee+tea@mail.shop-demo.io",
        "o'hara@shop-demo.io",
        "jürgen@bücher-demo.de",
        f"{'k' * 87}@shop-demo.io",
    ],
)
def test_an_address_identifies(email: str) -> None:
    """Plain, tagged, quoted by nobody, accented, and as long as may be."""
    assert email == EMAIL.good(email)


@pytest.mark.parametrize(
    "email",
    [
        None,
        "kim",
        "kim@shop-demo",
        "kim lee@shop-demo.io",
        "kim@lee@shop-demo.io",
        "kim..lee@shop-demo.io",
        ".kim@shop-demo.io",
        "kim.@shop-demo.io",
        "kim,lee@shop-demo.io",
        "<kim@shop-demo.io>",
        "kim@-shop.io",
        "kim@shop-.io",
        "kim@shop..io",
        "kim@shop-demo.io.",
        f"{'k' * 88}@shop-demo.io",
    ],
)
def test_what_vendors_refuse_identifies_nobody(email: str | None) -> None:
    """A bad address makes a vendor refuse the whole call, also beside a good phone number."""
    assert EMAIL.good(email) is None
