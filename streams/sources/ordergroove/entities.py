"""Ordergroove's entities as tables: our field, theirs, and how its value is read.

The names on the left are those of `avro_schemas/sources/ordergroove.avsc`, in its order; the names
on the right stand in contracts/ordergroove.md §1.3 and §2.2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from streams.errors import BadRecord

from . import quirks as q

Reader = Callable[[Any, q.Reading], Any]


class Field(NamedTuple):
    """One field: ours, theirs, its reader; a required one may not be missing or empty."""

    ours: str
    theirs: str
    read: Reader
    required: bool = False


SUBSCRIPTION = (
    Field("public_id", "public_id", q.text, required=True),
    Field("product", "product", q.text),
    Field("components", "components", q.components),
    Field("quantity", "quantity", q.integer),
    Field("price", "price", q.money),
    Field("currency_code", "currency_code", q.text),
    Field("frequency_days", "frequency_days", q.integer),
    Field("every", "every", q.integer),
    Field("every_period", "every_period", q.integer),
    Field("reminder_days", "reminder_days", q.integer),
    Field("live", "live", q.boolean),
    Field("cancelled", "cancelled", q.instant),
    Field("session_id", "session_id", q.text),
    Field("merchant_order_id", "merchant_order_id", q.text),
    Field("external_id", "external_id", q.text),
    Field("offer", "offer", q.text),
    Field("payment", "payment", q.text),
    Field("shipping_address", "shipping_address", q.text),
    Field("start_date", "start_date", q.day),
    Field("created", "created", q.instant),
    Field("updated", "updated", q.instant),
    Field("prepaid", "prepaid_subscription_context", q.prepaid),
    Field("extra_data", "extra_data", q.json_text),
)
REASON_CODE = (Field("cancel_reason_code", "cancel_reason_code", q.integer),)
ORDER = (
    Field("public_id", "public_id", q.text, required=True),
    Field("payment", "payment", q.text),
    Field("shipping_address", "shipping_address", q.text),
    Field("sub_total", "sub_total", q.money),
    Field("tax_total", "tax_total", q.money),
    Field("shipping_total", "shipping_total", q.money),
    Field("discount_total", "discount_total", q.money),
    Field("total", "total", q.money),
    Field("currency_code", "currency_code", q.text),
    Field("created", "created", q.instant),
    Field("place", "place", q.day),
    Field("cancelled", "cancelled", q.instant),
    Field("tries", "tries", q.integer),
    Field("generic_error_count", "generic_error_count", q.integer),
    Field("status", "status", q.integer),
    Field("order_merchant_id", "order_merchant_id", q.text),
    Field("extra_data", "extra_data", q.json_text),
)
ITEM = (
    Field("public_id", "public_id", q.text, required=True),
    Field("order", "order", q.text),
    Field("subscription", "subscription", q.text),
    Field("product", "product", q.text),
    Field("offer", "offer", q.text),
    Field("quantity", "quantity", q.integer),
    Field("price", "price", q.money),
    Field("total_price", "total_price", q.money),
    Field("first_placed", "first_placed", q.instant),
    Field("components", "components", q.components),
)
ENTITLEMENT = (
    Field("public_id", "public_id", q.text, required=True),
    Field("access_type", "access_type", q.text),
    Field("created", "created", q.instant),
    Field("last_updated", "last_updated", q.instant),
    Field("expiration", "expiration", q.instant),
    Field("grace_period", "grace_period", q.integer),
    Field("live", "live", q.boolean),
)
RESOURCE = (
    Field("resource_public_id", "public_id", q.text),
    Field("resource_name", "name", q.text),
    Field("resource_external_id", "external_id", q.text),
)
TRANSACTION = (
    Field("source_object", "source_object", q.text),
    Field("source_object_id", "source_object_id", q.text),
)
PERSON = (
    Field("email", "email", q.text),
    Field("phone_number", "phone_number", q.phone),
    Field("first_name", "first_name", q.text),
    Field("last_name", "last_name", q.text),
)
SUBSCRIBER = (
    *PERSON,
    Field("live", "live", q.boolean),
    Field("created", "created", q.instant),
    Field("last_updated", "last_updated", q.instant),
    Field("subscription", "subscription", q.text),
    Field("session_id", "session_id", q.text),
    Field("locale", "locale_display", q.text),
    Field("extra_data", "extra_data", q.json_text),
)
COMMUNICATION = PERSON
CUSTOMER = (
    *PERSON,
    Field("created", "created", q.instant),
    Field("last_updated", "last_updated", q.instant),
    Field("locale", "locale", q.text),
)
ADDRESS = (
    Field("public_id", "public_id", q.text, required=True),
    Field("address", "address", q.text),
    Field("address2", "address2", q.text),
    Field("city", "city", q.text),
    Field("state_province_code", "state_province_code", q.text),
    Field("zip_postal_code", "zip_postal_code", q.text),
    Field("country_code", "country_code", q.text),
)
PAYMENT = (
    Field("public_id", "public_id", q.text, required=True),
    Field("cc_number_ending", "cc_number_ending", q.text),
    Field("cc_exp_date", "cc_exp_date", q.card_expiry),
    Field("cc_type", "cc_type", q.integer),
    Field("payment_method", "payment_method", q.text),
)
PRODUCT = (
    Field("id", "external_product_id", q.text, required=True),
    Field("name", "name", q.text),
    Field("sku", "sku", q.text),
    Field("image_url", "image_url", q.text),
    Field("detail_url", "detail_url", q.text),
    Field("price", "price", q.money),
)


def read(
    table: tuple[Field, ...], body: Mapping[str, Any], reading: q.Reading, path: str
) -> dict[str, Any]:
    """The fields of one entity; raises `BadRecord` naming the field's path."""
    out: dict[str, Any] = {}
    prefix = f"{path}." if path else ""
    for field in table:
        try:
            value = field.read(body.get(field.theirs), reading)
        except (ValueError, OverflowError):
            raise BadRecord(
                "wrong_type", f"{prefix}{field.theirs}", "the value cannot be read"
            ) from None
        if field.required and value is None:
            raise BadRecord("missing_field", f"{prefix}{field.theirs}", "a record needs it")
        out[field.ours] = value
    return out


def subscription(
    body: Mapping[str, Any], reading: q.Reading, path: str, *, live: bool | None = None
) -> dict[str, Any]:
    """A subscription with its reason taken apart.

    `live` is what the event's type says where the object does not; `updated`, where missing, is
    the event's own time.
    """
    out = read(SUBSCRIPTION, body, reading, path)
    if out["live"] is None:
        out["live"] = live
    if out["live"] is None:
        raise BadRecord("missing_field", f"{path}.live", "a record needs it")
    if out["updated"] is None:
        out["updated"] = reading.created
    code = read(REASON_CODE, body, reading, path)["cancel_reason_code"]
    try:
        out["cancel_reason"], out["cancel_reason_code"] = q.cancel_reason(
            body.get("cancel_reason"), code, reading
        )
    except ValueError:
        raise BadRecord("wrong_type", f"{path}.cancel_reason", "the value cannot be read") from None
    return out


def order(body: Mapping[str, Any], reading: q.Reading, path: str) -> dict[str, Any]:
    """An order with its rejection taken apart."""
    out = read(ORDER, body, reading, path)
    try:
        out["rejected_code"], out["rejected_message"] = q.rejection(
            body.get("rejected_message"), reading
        )
    except ValueError:
        raise BadRecord(
            "wrong_type", f"{path}.rejected_message", "the value cannot be read"
        ) from None
    return out


def entitlement(body: Mapping[str, Any], reading: q.Reading, path: str) -> dict[str, Any]:
    """An entitlement with its resource and the transaction that granted it."""
    resource = body.get("resource")
    transaction = body.get("entitlement_transaction")
    return {
        **read(ENTITLEMENT, body, reading, path),
        **read(RESOURCE, resource if isinstance(resource, dict) else {}, reading, path),
        **read(TRANSACTION, transaction if isinstance(transaction, dict) else {}, reading, path),
    }
