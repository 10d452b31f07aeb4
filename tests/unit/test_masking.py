"""What a row's text shows of a person who was not asked for."""

from __future__ import annotations

import pytest
from msgspec import inspect as told

from streams.model.enriched import EnrichedEvent
from streams.model.events import Subscription
from streams.model.masking import MASKS, initial, masked, masked_email, masked_phone
from streams.model.member import Loyalty, Member
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
        "access_type", "action", "active_after", "active_before", "active_subscriptions",
        "amount", "announced", "at", "balance", "before", "begun", "cancel_reason_code",
        "cc_type", "check_at", "cleared", "closes", "complete", "country_code",
        "coupon_description", "coupon_expires_at", "created", "currency_code",
        "customer_created", "cycle", "detail_url", "died_in", "discount_total",
        "email_sequence", "enrolled_at", "enrolment_told", "erased_at", "erased_sequence",
        "event_id", "event_type", "ever_subscribed", "every", "every_period", "expiration",
        "expires_at", "first", "first_out_of_stock", "floor", "frequency_days", "generation",
        "gone", "grace_period", "id", "image_url", "is_upgrade", "items_count", "last",
        "last_cancel", "last_updated", "late", "live", "members", "merchant",
        "merchant_order_id", "name", "new", "occurred_at", "old", "order", "order_id",
        "order_merchant_id", "orders_per_billing", "orders_remaining", "payment", "place",
        "points_expire_at", "prepaid", "prepaid_orders_per_billing", "prepaid_orders_remaining",
        "prepaid_renewal_behavior", "price", "product", "public_id", "quantity", "rank",
        "rejected_code", "renewal_behavior", "resource_id", "resource_name",
        "resource_public_id", "seeded", "seen", "sequence", "session_id", "shipping_address",
        "shipping_total", "sku", "source_event_id", "source_object", "source_object_id",
        "spell", "stamped", "state_province_code", "stated", "status", "store_credit", "sub_total",
        "subscription", "subscriptions_count", "tax_total", "text", "tier", "tier_entered_at",
        "tier_expires_at", "tier_told", "told", "total", "total_price", "total_subscriptions",
        "touched", "transaction_id", "tries", "type", "updated", "version",
    }
)  # fmt: skip
"""Ids of things, texts of products, words of the source, counts, times: of no person."""


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


def test_what_is_no_text_is_masked_too() -> None:
    """A birthday is two numbers; the row keeps its shape, so that a change of it is seen."""
    loyalty = Loyalty(status="enrolled", birthday=(2, 29))
    text = masked(row_as_dict(Member(loyalty=loyalty, next_birthday="2027-02-28")))

    assert (["***", "***"], "***") == (text["loyalty"]["birthday"], text["next_birthday"])
    assert {"birthday": None, "tier": "gold"} == masked({"birthday": None, "tier": "gold"})
    assert {"birthday": {"day": "***"}} == masked({"birthday": {"day": 29}})


@pytest.mark.parametrize("kind", [Subscriber, Member, EnrichedEvent])
def test_every_value_of_what_is_shown_is_judged(kind: type) -> None:
    """A new field is put among the personal ones, or said to be none."""
    found = _values(told.type_info(kind), "") - {"customer_id"}  # masked by whoever shows it

    assert set() == found - PERSONAL - IMPERSONAL


def _values(type_: told.Type, name: str) -> set[str]:
    """Names of the fields, at any depth, that hold a value."""
    if isinstance(type_, told.StructType | told.NamedTupleType):
        return set().union(*(_values(field.type, field.name) for field in type_.fields))
    if isinstance(type_, told.DictType):
        return _values(type_.value_type, name)
    if isinstance(type_, told.VarTupleType | told.ListType):
        return _values(type_.item_type, name)
    if isinstance(type_, told.UnionType | told.TupleType):
        inner = type_.types if isinstance(type_, told.UnionType) else type_.item_types
        return set().union(*(_values(each, name) for each in inner))
    return set() if isinstance(type_, told.NoneType) else {name}
