"""What a row's text shows of a person who was not asked for."""

from __future__ import annotations

import pytest
from msgspec import inspect as told

from streams.model.events import Subscription
from streams.model.masking import MASKS, initial, masked, masked_email, masked_phone
from streams.model.row_text import row_as_dict
from streams.model.subscriber import OrderKey, Profile, Subscriber, SubscriptionState

EMAILS = {
    "nina@shop-demo.io": "n***@shop-demo.io",
    "n@shop-demo.io": "n***@shop-demo.io",
    '"a@b"@shop-demo.io': '"***@shop-demo.io',
    "@shop-demo.io": "***@shop-demo.io",
    "nina": "***",
    "": "***",
}
PHONES = {"+12125550147": "***47", "0147": "***", "": "***"}
NAMES = {"Nina": "N.", "Émile": "É.", "": ""}
PERSONAL = frozenset(MASKS)
IMPERSONAL = frozenset(
    {
        "access_type",
        "cc_exp_date",
        "country_code",
        "currency_code",
        "cycle",
        "detail_url",
        "discount_total",
        "event_id",
        "event_type",
        "gone",
        "id",
        "image_url",
        "last_cancel",
        "members",
        "merchant_order_id",
        "name",
        "order",
        "order_merchant_id",
        "payment",
        "place",
        "price",
        "product",
        "public_id",
        "rejected_code",
        "renewal_behavior",
        "resource_name",
        "resource_public_id",
        "seen",
        "session_id",
        "shipping_address",
        "shipping_total",
        "sku",
        "source_object",
        "source_object_id",
        "state_province_code",
        "sub_total",
        "subscription",
        "tax_total",
        "total",
        "total_price",
    }
)
"""Ids of things, texts of products, words of the source: of no person."""


@pytest.mark.parametrize("email", EMAILS)
def test_an_email_keeps_its_first_letter_and_domain(email: str) -> None:
    """Whatever its length, the rest is three stars."""
    assert EMAILS[email] == masked_email(email)


@pytest.mark.parametrize("number", PHONES)
def test_a_phone_keeps_its_last_two_digits(number: str) -> None:
    """One that is too short to hide anything shows nothing."""
    assert PHONES[number] == masked_phone(number)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_keeps_its_initial(name: str) -> None:
    """A name that is unknown stays so."""
    assert NAMES[name] == initial(name)


def test_a_row_is_masked_at_every_depth() -> None:
    """Who it is and what they wrote is masked; what they bought, and what is unknown, is not."""
    content = Subscription("oats", live=False, updated=5, cancel_reason="Moving in with Nils")
    state = SubscriptionState(content, OrderKey(5, 5, 4, "e"))
    profile = Profile("nina@shop-demo.io", "+12125550147", "Nina", None)
    text = masked(row_as_dict(Subscriber(profile=profile, subscriptions={"oats": state})))
    shown = text["profile"]
    oats = text["subscriptions"]["oats"]["content"]

    assert ["n***@shop-demo.io", "***47", "N.", None] == [
        shown[name] for name in ("email", "phone_number", "first_name", "last_name")
    ]
    assert ("oats", "***", None) == (oats["public_id"], oats["cancel_reason"], oats["product"])


def test_every_text_of_a_row_is_judged() -> None:
    """A new field that holds text is put among the personal ones, or said to be none."""
    assert set() == _texts(told.type_info(Subscriber), "") - PERSONAL - IMPERSONAL


def _texts(type_: told.Type, name: str) -> set[str]:
    """Names of the fields, at any depth, that hold text or bytes which nobody can mask."""
    if isinstance(type_, told.StructType | told.NamedTupleType):
        return set().union(*(_texts(field.type, field.name) for field in type_.fields))
    if isinstance(type_, told.DictType):
        return _texts(type_.value_type, name)
    if isinstance(type_, told.VarTupleType | told.ListType):
        return _texts(type_.item_type, name)
    if isinstance(type_, told.UnionType | told.TupleType):
        inner = type_.types if isinstance(type_, told.UnionType) else type_.item_types
        return set().union(*(_texts(each, name) for each in inner))
    return {name} if isinstance(type_, told.StrType | told.BytesType) else set()
