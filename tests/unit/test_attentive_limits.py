"""What is refused before Attentive could refuse it (contracts/attentive.md §2, §3, §6)."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from streams.model.delivery import Options, Outcome, Refusal
from streams.model.rules import Broken, Limit
from tests.support.attentive_page import PAGE
from tests.support.attentive_rendering import ATTENTIVE, asked, body
from tests.support.enriched import AT, KNOWN, NOBODY, bare
from tests.support.webhooks import CUSTOMER

PHONE = "+13125550148"
ADDRESS = "noor@shop-demo.io"
USER = {"email": ADDRESS}
OWN_IDS = Options(client_user_id=True)
IN_TYPES = "\"'(){}[]\\|,"
IN_KEYS = "\"'{}[]\\|,"


@pytest.mark.parametrize("part", ["profile", "event"])
@pytest.mark.parametrize(
    ("email", "phone", "sent"),
    [
        pytest.param(ADDRESS, PHONE, {"phone": PHONE, "email": ADDRESS}, id="both"),
        pytest.param(ADDRESS, None, {"email": ADDRESS}, id="address alone"),
        pytest.param(ADDRESS, "", {"email": ADDRESS}, id="empty number"),
        pytest.param(None, PHONE, {"phone": PHONE}, id="number alone"),
        pytest.param("", PHONE, {"phone": PHONE}, id="empty address"),
        pytest.param("noor", PHONE, {"phone": PHONE}, id="no address"),
        pytest.param("noor@shop-demo", PHONE, {"phone": PHONE}, id="no domain"),
        pytest.param("noor hale@shop-demo.io", PHONE, {"phone": PHONE}, id="space"),
        pytest.param("a@b@shop-demo.io", PHONE, {"phone": PHONE}, id="two at"),
        pytest.param(
            "n" * 87 + "@shop-demo.io", None, {"email": "n" * 87 + "@shop-demo.io"}, id="100 long"
        ),
        pytest.param("n" * 88 + "@shop-demo.io", PHONE, {"phone": PHONE}, id="101 long"),
        pytest.param(ADDRESS, "13125550148", {"email": ADDRESS}, id="no plus"),
        pytest.param(ADDRESS, "+03125550148", {"email": ADDRESS}, id="leading zero"),
        pytest.param(ADDRESS, "+1312555014890123", {"email": ADDRESS}, id="16 digits"),
        pytest.param(ADDRESS, "+1-312-555-0148", {"email": ADDRESS}, id="dashes"),
        pytest.param(ADDRESS, "+1" + "\u0663" * 10, {"email": ADDRESS}, id="other digits"),
        pytest.param(ADDRESS, PHONE + "\n", {"email": ADDRESS}, id="a line's end"),
    ],
)
def test_only_good_identifiers_are_sent(
    part: str, email: str | None, phone: str | None, sent: dict[str, str]
) -> None:
    """An identifier that is no use is left out while the other one is good."""
    who = replace(NOBODY, email=email, phone_number=phone, status="active")

    assert sent == body(bare("order.success", who), part)["user"]


@pytest.mark.parametrize(
    ("event_type", "names"),
    [("order.success", ["profile", "event"]), ("profile.changed", ["profile"])],
)
@pytest.mark.parametrize(
    ("email", "phone"), [(None, None), ("", ""), ("noor", None), (None, "555"), ("noor", "555")]
)
def test_nobody_to_tell_is_a_rejection(
    event_type: str, names: list[str], email: str | None, phone: str | None
) -> None:
    """With neither a good address nor a good number nothing is sent: never `user: {}`."""
    who = replace(NOBODY, email=email, phone_number=phone, status="active")

    assert [(name, Outcome.REJECTED, "no_identifier", "user") for name in names] == [
        (part.name, part.outcome, part.reason, part.field)
        for part in asked(bare(event_type, who)).values()
        if isinstance(part, Refusal)
    ]


@pytest.mark.parametrize("part", ["profile", "event"])
def test_the_shops_id_identifies_where_it_may(part: str) -> None:
    """`client_user_id` adds it, and then it is enough alone; otherwise it is never sent."""
    known = bare("order.success", replace(KNOWN, status="active"))
    unknown = bare("order.success", replace(NOBODY, status="active"))
    own = {"externalIdentifiers": {"clientUserId": CUSTOMER}}

    assert USER == body(known, part)["user"]
    assert {**USER, **own} == body(known, part, client_user_id=True)["user"]
    assert own == body(unknown, part, client_user_id=True)["user"]


@pytest.mark.parametrize(
    ("customer", "sent"),
    [("c" * 100, True), ("c" * 101, False), ("", False)],
    ids=["100 long", "101 long", "empty"],
)
def test_the_shops_id_has_a_length(customer: str, sent: bool) -> None:
    """One that is too long, or none, is left out while the address is good."""
    event = replace(bare("order.success"), customer_id=customer)
    own = {"externalIdentifiers": {"clientUserId": customer}}

    assert USER | (own if sent else {}) == body(event, client_user_id=True)["user"]


def test_a_bad_id_alone_is_nobody() -> None:
    """The option helps nobody whose id does not fit."""
    event = replace(bare("order.success", NOBODY), customer_id="c" * 101)

    assert {"event": Refusal("event", Outcome.REJECTED, "no_identifier", "user")} == asked(
        event, options=OWN_IDS
    )


@pytest.mark.parametrize("character", IN_TYPES)
def test_a_type_has_no_forbidden_character(character: str) -> None:
    """A name that a connection chose is refused before the vendor does; its profile goes."""
    options = Options(event_names={"order.success": f"Order {character} placed"})
    event = bare("order.success", replace(KNOWN, status="active"))
    parts = asked(event, options=options)

    assert ["profile", "event"] == list(parts)
    assert Refusal("event", Outcome.REJECTED, "forbidden_character", "type") == parts["event"]
    assert Outcome.DELIVERED == parts["profile"].outcome


@pytest.mark.parametrize("name", ["Order placed", "order-placed", "order_placed", "Bestellung ✓"])
def test_a_type_may_be_what_else_it_likes(name: str) -> None:
    """Only the listed characters are forbidden: dots, dashes, spaces and letters are fine."""
    assert name == body(bare("order.success"), event_names={"order.success": name})["type"]


def refused_keys(properties: dict[str, Any]) -> Broken | None:
    """What an event with such properties is refused for."""
    body = {"type": "t", "user": USER, "properties": properties}
    return ATTENTIVE.rules.broken("events-custom", body, AT, AT)


@pytest.mark.parametrize("character", IN_KEYS)
def test_a_key_has_no_forbidden_character(character: str) -> None:
    """The union of what the vendor's documents forbid, however deep the key lies."""
    key = f"a{character}b"
    nested = {"lines": [{"id": 1}, {"product": {key: 2}}]}

    assert ("forbidden_character", f"properties.{key}") == refused_keys({"id": 1, key: 2})
    assert ("forbidden_character", f"properties.lines.1.product.{key}") == refused_keys(nested)


def test_values_may_have_any_character() -> None:
    """Only names are bound; what people write is not."""
    assert refused_keys({"note (1)": IN_TYPES, "lines": [{"note": IN_TYPES}]}) is None


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        pytest.param("n" * 200, "yes", None, id="200 long"),
        pytest.param("n" * 201, "yes", "name_length", id="201 long"),
        pytest.param("", "yes", "name_length", id="no name"),
        *(
            pytest.param(f"a{each}b", "yes", "forbidden_character", id=f"a name with {each}")
            for each in IN_KEYS
        ),
        pytest.param("Ordergroove (old) Status", "yes", None, id="brackets and spaces"),
        pytest.param("plan", "", "attribute_value", id="empty"),
        pytest.param("plan", None, "attribute_value", id="null"),
        pytest.param("plan", ["a"], "attribute_value", id="a list"),
        pytest.param("plan", ("a",), "attribute_value", id="a tuple"),
        pytest.param("plan", {"a": 1}, "attribute_value", id="an object"),
        pytest.param("plan", 0, None, id="zero"),
        pytest.param("plan", False, None, id="false"),
    ],
)
def test_attributes_are_plain(name: str, value: object, reason: str | None) -> None:
    """Names of at most 200 characters; no lists, objects, nulls or empty texts as values."""
    body = {"user": USER, "properties": {"first": 1, name: value}}
    refused = ATTENTIVE.rules.broken("attributes-custom", body, AT, AT)

    assert (None if reason is None else (reason, f"properties.{name}")) == refused


@pytest.mark.parametrize("event_type", PAGE)
def test_no_event_of_ours_is_refused(event_type: str) -> None:
    """The page's names and keys keep the vendor's rules."""
    assert Outcome.DELIVERED == asked(bare(event_type))["event"].outcome


def test_the_rates_are_the_published_ones() -> None:
    """150 requests a second, for each endpoint that is used."""
    assert {
        Limit("events-custom", 150, 1),
        Limit("attributes-custom", 150, 1),
        Limit("privacy-delete-request", 150, 1),
    } == set(ATTENTIVE.rules.limits)
