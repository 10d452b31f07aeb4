"""From webhook to record: what is read, under which names, and what is given up on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streams.avro import codec
from streams.errors import BadRecord
from streams.sources.okendo import (
    MAX_BODY,
    FieldPaths,
    Webhook,
    WebhookOptions,
    event_reader,
    record_of,
    webhook_of_line,
)
from streams.sources.okendo.record import STRUCTS
from tests.support.okendo import (
    ADJUSTMENT,
    CUSTOMER,
    EARNING,
    EMAIL,
    MEMBER,
    REDEMPTION,
    SAMPLES,
    SOURCE,
    START,
    STORE,
    deletion,
    iso,
    mapped,
    member,
    transaction,
    webhook,
    whose,
)

READ = event_reader(SOURCE)


def content(told: Webhook, options: WebhookOptions | None = None) -> dict[str, Any]:
    """The typed resource of a webhook."""
    _, found = mapped(told, options)["object"]
    return dict(found)


def changed(told: Webhook, **envelope: Any) -> Webhook:
    """A webhook with something else in its envelope; None takes it away."""
    body = json.loads(told.body) | envelope
    return Webhook(json.dumps({k: v for k, v in body.items() if v is not None}).encode())


def refusal(told: Webhook, options: WebhookOptions | None = None) -> tuple[str, str | None]:
    """Why a webhook is given up on."""
    with pytest.raises(BadRecord) as bad:
        mapped(told, options)
    return bad.value.reason, bad.value.field


def test_the_envelope() -> None:
    """Whose it is, what it is, and its place among its kind; the body is kept whole."""
    told = member("pending", 88_120_045)
    record = mapped(told)

    assert {
        "event_id": "loyalty_customer:update:88120045",
        "type": "loyalty_customer.update",
        "sequence": 88_120_045,
        "created": START,
        "received_at": START,
        "merchant": STORE,
        "customer_id": MEMBER,
        "kind": "event",
        "version": "2025-02-01",
        "raw": told.body,
    } == {name: value for name, value in record.items() if name != "object"}


@pytest.mark.parametrize("name", ["svix-id", "webhook-id"])
def test_the_message_is_known_by_its_header(name: str) -> None:
    """Svix's header, also under its neutral name: the same on every resend."""
    told = Webhook(member("pending").body, {name: "msg_demo01"})

    assert "msg_demo01" == mapped(told)["event_id"]


def test_a_member() -> None:
    """Every field, at the places that the contract guesses or knows."""
    told = member(
        "enrolled",
        points={"balance": 1240},
        vipTierName="Gold",
        dateEnrolled="2026-02-03T10:11:12.000Z",
        dateTierEntered="2026-06-01T00:00:00.000Z",
        dateTierExpires="2027-06-01",
        datePointsExpire="2027-02-03T01:00:00+01:00",
        birthday={"day": 29, "month": 2},
    )

    assert {
        "okendo_customer_id": "0f8e2b6a",
        "email": EMAIL,
        "status": "enrolled",
        "tier": "Gold",
        "balance": "1240",
        "enrolled_at": 1_770_113_472_000,
        "tier_entered_at": 1_780_272_000_000,
        "tier_expires_at": 1_811_808_000_000,
        "points_expire_at": 1_801_612_800_000,
        "birthday_month": 2,
        "birthday_day": 29,
    } == content(told)


def test_a_redemption() -> None:
    """The coupon's fields lie inside it; the source's sign is kept in the record."""
    told = transaction(
        REDEMPTION,
        amount=-500,
        description="5 off next order",
        coupon={"code": "OKE-5", "description": "5.00 off", "dateExpires": iso(START)},
        storeCreditAmount="2.50",
    )

    assert {
        "okendo_customer_id": "0f8e2b6a",
        "email": EMAIL,
        "transaction_id": "t1",
        "date": START,
        "status": "complete",
        "amount": "-500",
        "description": "5 off next order",
        "coupon_code": "OKE-5",
        "coupon_description": "5.00 off",
        "coupon_expires_at": START,
        "store_credit": "2.5",
    } == content(told)


def test_an_adjustments_reason_stays_inside() -> None:
    """Its text is the one for the customer."""
    told = transaction(ADJUSTMENT, internalReason="fraud?", notificationText="Points corrected")

    assert "Points corrected" == content(told)["description"]
    assert "fraud?" not in str(content(told))


def test_a_delete_tells_its_id_alone() -> None:
    """No customer, no amount needed; the member is who it says."""
    record = mapped(deletion())

    assert MEMBER == record["customer_id"]
    assert {"okendo_customer_id": None, "email": None, "transaction_id": "t1", "date": None} == (
        content(deletion())
    )


@pytest.mark.parametrize("status", ["Enrolled", "PENDING", " blocked "])
def test_a_status_in_any_case(status: str) -> None:
    """Okendo writes it in lower case here and capitalised there."""
    assert (
        status.strip().lower()
        == content(webhook(CUSTOMER, "update", 1, whose(status=status)))["status"]
    )


@pytest.mark.parametrize(
    ("told", "expected"),
    [(120, "120"), (1240.50, "1240.5"), ("1e3", "1000"), (0, "0"), (-0.0, "0"), ("", None)],
)
def test_points_are_decimal_text(told: Any, expected: str | None) -> None:
    """No float on the way, and one form for one number."""
    assert expected == content(member("pending", points={"balance": told}))["balance"]


def test_every_field_that_is_a_guess_can_stand_elsewhere() -> None:
    """A path set for each of them is where it is read, and its name is what is complained of."""
    paths = FieldPaths(**{name: f"elsewhere.{name}" for name in FieldPaths.__struct_fields__})
    options = WebhookOptions(fields=paths)
    at, text = iso(START), "told"
    values = {
        "store": "shop",
        "status": "enrolled",
        "balance": 7,
        "birthday_month": 2,
        "store_credit": 3,
        **{name: at for name in FieldPaths.__struct_fields__ if name.endswith("_at")},
    }
    elsewhere = {name: values.get(name, text) for name in FieldPaths.__struct_fields__}
    resource = {
        "loyaltyCustomerId": MEMBER,
        "loyaltyTransactionId": "t1",
        "amount": 1,
        "status": "complete",
        "birthday": {"day": 1},
        "elsewhere": elsewhere,
    }
    found: dict[str, Any] = {
        "store": mapped(webhook(CUSTOMER, "update", 1, resource), options)["merchant"]
    }
    for kind in (CUSTOMER, EARNING, REDEMPTION):
        found |= {
            name: value
            for name, value in content(webhook(kind, "update", 1, resource), options).items()
            if kind == CUSTOMER or name != "status"
        }

    assert "shop" == found["store"]
    assert {"told"} == {
        found[name]
        for name in ("tier", "action", "description", "coupon_code", "coupon_description")
    }
    assert {START} == {value for name, value in found.items() if name.endswith("_at")}
    assert ("enrolled", "7", 2, "3") == (
        found["status"],
        found["balance"],
        found["birthday_month"],
        found["store_credit"],
    )
    assert ("missing_field", "resource.elsewhere.status") == refusal(
        webhook(CUSTOMER, "update", 1, resource | {"elsewhere": elsewhere | {"status": None}}),
        options,
    )


def test_a_store_that_is_not_told_is_the_configured_one() -> None:
    """One that is told wins."""
    options = WebhookOptions(store="beans")
    untold = member("pending", subscriberId=None)

    assert "beans" == mapped(untold, options)["merchant"]
    assert STORE == mapped(member("pending"), options)["merchant"]
    assert ("missing_field", "resource.subscriberId") == refusal(untold)


GIVEN_UP: dict[str, tuple[Webhook, str, str | None]] = {
    "not JSON": (Webhook(b"{"), "malformed", None),
    "no object": (Webhook(b"[]"), "malformed", None),
    "too large": (Webhook(b" " * (MAX_BODY + 1)), "too_large", None),
    "another product": (
        changed(member("pending"), resourceType="review"),
        "unknown_type",
        "resourceType",
    ),
    "no type": (changed(member("pending"), resourceType=None), "missing_field", "resourceType"),
    "another topic": (changed(member("pending"), topic="merge"), "unknown_type", "topic"),
    "no sequence": (
        changed(member("pending"), sequenceNumber=None),
        "missing_field",
        "sequenceNumber",
    ),
    "a sequence that is no number": (
        changed(member("pending"), sequenceNumber="12a"),
        "wrong_type",
        "sequenceNumber",
    ),
    "a negative sequence": (
        changed(member("pending"), sequenceNumber="-1"),
        "wrong_type",
        "sequenceNumber",
    ),
    "a sequence beyond 64 bits": (
        changed(member("pending"), sequenceNumber="9" * 19),
        "wrong_type",
        "sequenceNumber",
    ),
    "digits of another script": (
        changed(member("pending"), sequenceNumber="\u0661\u0662"),
        "wrong_type",
        "sequenceNumber",
    ),
    "no resource": (changed(member("pending"), resource=None), "missing_field", "resource"),
    "a resource that is none": (
        changed(member("pending"), resource="x"),
        "wrong_type",
        "resource",
    ),
    "no member": (
        member("pending", loyaltyCustomerId=None),
        "missing_field",
        "resource.loyaltyCustomerId",
    ),
    "an empty member": (
        member("pending", loyaltyCustomerId=" "),
        "missing_field",
        "resource.loyaltyCustomerId",
    ),
    "a store with a colon": (member("pending", subscriberId="a:b"), "wrong_type", "merchant"),
    "no status": (webhook(CUSTOMER, "update", 1, whose()), "missing_field", "resource.status"),
    "an unknown status": (member("paused"), "unknown_value", "resource.status"),
    "points of another kind": (
        member("pending", points="many"),
        "wrong_type",
        "resource.points",
    ),
    "a balance that is none": (
        member("pending", points={"balance": "NaN"}),
        "wrong_type",
        "resource.points.balance",
    ),
    "a balance beyond measure": (
        member("pending", points={"balance": "1e99999999"}),
        "wrong_type",
        "resource.points.balance",
    ),
    "a date that is none": (
        member("pending", dateEnrolled="yesterday"),
        "wrong_type",
        "resource.dateEnrolled",
    ),
    "a birthday without its month": (
        member("pending", birthday={"day": 3}),
        "missing_field",
        "resource.birthday.month",
    ),
    "a day that no year has": (
        member("pending", birthday={"day": 30, "month": 2}),
        "wrong_type",
        "resource.birthday.day",
    ),
    "a month that no year has": (
        member("pending", birthday={"day": 3, "month": 13}),
        "wrong_type",
        "resource.birthday.day",
    ),
    "no transaction": (
        transaction(loyaltyTransactionId=None),
        "missing_field",
        "resource.loyaltyTransactionId",
    ),
    "no amount": (transaction(amount=None), "missing_field", "resource.amount"),
    "no status of a transaction": (
        transaction(status=None),
        "missing_field",
        "resource.status",
    ),
}


@pytest.mark.parametrize(("told", "reason", "field"), GIVEN_UP.values(), ids=GIVEN_UP)
def test_what_is_given_up_on(told: Webhook, reason: str, field: str | None) -> None:
    """The reason, and the field by its path in the body."""
    assert (reason, field) == refusal(told)


@pytest.mark.parametrize(
    ("headers", "told", "expected"),
    [
        ({"svix-timestamp": "1760000000"}, transaction(), 1_760_000_000_000),
        ({"webhook-timestamp": "1760000000"}, transaction(), 1_760_000_000_000),
        ({"svix-timestamp": "soon"}, transaction(), START),
        ({}, transaction(), START),
        ({}, member("enrolled", dateEnrolled=iso(START - 5)), START - 5),
        ({}, member("pending"), 0),
    ],
)
def test_when_nobody_says_when_it_came(
    headers: dict[str, str], told: Webhook, expected: int
) -> None:
    """The time of sending, else the transaction's date, else the newest date of the past."""
    assert expected == record_of(Webhook(told.body, headers))["received_at"]


def test_a_line_may_have_the_headers_beside_the_body() -> None:
    """Header names count in any case; the body is taken as it stands."""
    body = b'{"resourceType": "loyalty_customer", "x": 1.50}'
    line = b'{"headers": {"Svix-Id": "msg_1"}, "body": %s}' % body

    assert Webhook(body, {"svix-id": "msg_1"}) == webhook_of_line(line)
    assert Webhook(body) == webhook_of_line(body)


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_record_comes_back_as_an_event(sample: str) -> None:
    """What was mapped, written and read is what was told."""
    record = mapped(webhook_of_line(SAMPLES[sample]))
    event = READ(SOURCE.encode(record))
    _, told = record["object"]

    assert (record["event_id"], record["type"], record["sequence"]) == (
        event.event_id,
        event.type,
        event.sequence,
    )
    assert {name: told[name] for name in told if name != "okendo_customer_id"} == {
        name: getattr(event.subject, name) for name in told if name != "okendo_customer_id"
    }


def test_every_struct_has_fields_of_the_schema_alone() -> None:
    """What a struct asks for, the schema has."""
    schema = codec("sources/okendo").schema
    declared = {schema["name"].rpartition(".")[2]: schema} | {
        each["name"].rpartition(".")[2]: each
        for field in schema["fields"]
        if field["name"] == "object"
        for each in field["type"]
        if each != "null"
    }

    for name, struct in STRUCTS.items():
        fields = {field["name"] for field in declared[name]["fields"]}

        assert set(struct.__struct_fields__) <= fields


BY_OTHERS: dict[str, tuple[dict[str, Any], str, str]] = {
    "no event id": ({"event_id": ""}, "missing_field", "event_id"),
    "no store": ({"merchant": ""}, "missing_field", "merchant"),
    "a store with a colon": ({"merchant": "a:b"}, "wrong_type", "merchant"),
    "no member": ({"customer_id": ""}, "missing_field", "customer_id"),
    "another type": ({"type": "review.create"}, "unknown_type", "type"),
    "no resource": ({"object": None}, "missing_field", "object"),
    "a resource of another type": ({"type": f"{EARNING}.create"}, "wrong_type", "object"),
    "an unknown status": (
        {"object": ("streams.sources.okendo.LoyaltyCustomer", {"status": "paused"})},
        "unknown_value",
        "object.status",
    ),
    "a transaction without its id": (
        {
            "type": f"{EARNING}.create",
            "object": ("streams.sources.okendo.LoyaltyTransaction", {"transaction_id": ""}),
        },
        "missing_field",
        "object.transaction_id",
    ),
}


@pytest.mark.parametrize(("wrong", "reason", "field"), BY_OTHERS.values(), ids=BY_OTHERS)
def test_what_somebody_elses_bridge_forgot(wrong: dict[str, Any], reason: str, field: str) -> None:
    """Records are checked again where they are read."""
    with pytest.raises(BadRecord) as bad:
        READ(SOURCE.encode(mapped(member("pending")) | wrong))

    assert (reason, field) == (bad.value.reason, bad.value.field)


def test_an_erase_needs_no_resource() -> None:
    """Whom to forget is all that it says."""
    event = READ(SOURCE.encode(mapped(member("pending")) | {"kind": "erase", "object": None}))

    assert ("erase", MEMBER) == (event.kind, event.customer_id)
