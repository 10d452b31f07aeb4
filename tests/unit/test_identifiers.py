"""What both pages share: an identifier that a vendor would refuse is not sent beside a good one."""

from __future__ import annotations

import pytest

from streams.destinations.fields import good_email

LONGEST = 100


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
    assert email == good_email(email, LONGEST)


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
    assert good_email(email, LONGEST) is None
