"""How the demo's bookkeeping reads a webhook body: into plain dicts, or as a dead letter's reason.

A second reading of contracts/ordergroove.md §1.1 to §2.2, on purpose not the program's own: it
knows only what the bookkeeping needs. Times are epoch seconds, money stays decimal text; a key is
there only if the body tells it.
"""

from __future__ import annotations

import ast
import json
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

Json = dict[str, Any]

LARGEST = 1_000_000
_SOURCE_ZONE = ZoneInfo("America/Chicago")

_FAMILIES = {
    "subscriber": "create cancel subscriptions_created",
    "subscription": "create cancel reactivate change_live sku_swap change_frequency change_quantity"
    " change_shipping_address change_payment change_components refresh_one_click_token",
    "order": "create change_shipping_address change_payment change_billing change_next_order_date"
    " skip_order send_now cancel success generic_error retryable_placement_failure"
    " awaiting_retry_instructions reject reminder delete refresh_one_click_token"
    " credit_card_expiration_warning",
    "item": "create change_quantity remove item_subscribe update_price successfully_placed"
    " change_order sku_swap out_of_stock",
    "entitlement": "entitlements_granted entitlements_expiring entitlements_expired"
    " entitlements_grace_period_expired entitlements_expiration_modified entitlements_voided",
    "workflow": "send_communication",
}
TYPES = {f"{family}.{kind}" for family, kinds in _FAMILIES.items() for kind in kinds.split()}
"""Every event type of contracts/ordergroove.md §1.2."""


class Unreadable(Exception):
    """The body becomes a dead letter: why, and which field is at fault."""

    def __init__(self, reason: str, field: str | None = None) -> None:
        super().__init__(reason, field)
        self.reason = reason
        self.field = field


@dataclass(frozen=True)
class Webhook:
    """A readable body. `object` and `snapshot` are as they came."""

    id: str
    type: str
    created: int
    merchant: str
    customer: str
    imported: bool
    object: Json
    snapshot: Json

    @property
    def family(self) -> str:
        """`subscription` of `subscription.cancel`."""
        return self.type.partition(".")[0]

    def entities(self, name: str) -> list[Json]:
        """The snapshot's entities of that kind, `items`."""
        return self.snapshot.get(name) or []


def read(body: bytes) -> Webhook:
    """A body as a webhook.

    Raises:
        Unreadable: with the dead letter's reason.
    """
    envelope = _parsed(body)
    kind = _needed(envelope, "type", "type")
    if kind not in TYPES:
        raise Unreadable("unknown_type", "type")
    data = _needed(envelope, "data", "data")
    content = _needed(data, "object", "data.object")
    if not isinstance(content, dict):
        raise Unreadable("wrong_type", "data.object")
    whose = "merchant_user_id" if kind.startswith("subscriber.") else "customer"
    if not content.get(whose):
        raise Unreadable("no_customer", f"data.object.{whose}")
    context = envelope.get("context") or data.get("context") or {}
    hook = Webhook(
        id=_needed(envelope, "id", "id"),
        type=kind,
        created=_whole(_needed(envelope, "created", "created"), "created"),
        merchant=_needed(content, "merchant", "data.object.merchant"),
        customer=content[whose],
        imported=context.get("source") == "XML IMPORT",
        object=content,
        snapshot=envelope.get("snapshot") or data.get("snapshot") or {},
    )
    _checked(hook)
    return hook


def _parsed(body: bytes) -> Json:
    if len(body) > LARGEST:
        raise Unreadable("too_large")
    try:
        envelope = json.loads(body.decode())
    except ValueError:
        raise Unreadable("malformed") from None
    if not isinstance(envelope, dict):
        raise Unreadable("malformed")
    return envelope


def _needed(where: Json, name: str, path: str) -> Any:
    if where.get(name) is None:
        raise Unreadable("missing_field", path)
    return where[name]


def _whole(value: Any, path: str) -> int:
    if not isinstance(value, int):
        raise Unreadable("wrong_type", path)
    return value


def _checked(hook: Webhook) -> None:
    """The object's own fields that nobody can do without, or that are of a wrong type."""
    if hook.family in {"subscription", "order", "item"}:
        _needed(hook.object, "public_id", "data.object.public_id")
    if hook.family == "subscription":
        if hook.object.get("live") not in (True, False, "True", "False"):
            raise Unreadable("wrong_type", "data.object.live")
        for name in ("quantity", "updated"):
            if hook.object.get(name) is not None:
                _whole(hook.object[name], f"data.object.{name}")


def moment(value: int | str | None) -> int | None:
    """Epoch seconds of a webhook's whole number or of the REST API's naive Chicago time.

    An hour that the clocks show twice is taken as the later one: it is the nearer one to when the
    demo is fed.
    """
    if value is None or isinstance(value, int):
        return value
    naive = datetime.strptime(value, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007
    return int(naive.replace(tzinfo=_SOURCE_ZONE, fold=1).timestamp())


def known(**fields: Any) -> Json:
    """The fields that are told: neither None nor empty text."""
    return {name: value for name, value in fields.items() if value is not None and value != ""}


def person(raw: Json) -> Json:
    """Who somebody is: `email`, `phone_number`, `first_name`, `last_name`, as far as told."""
    return known(
        email=(raw.get("email") or "").strip(),
        phone_number=_e164(raw.get("phone_number") or ""),
        first_name=(raw.get("first_name") or "").strip(),
        last_name=(raw.get("last_name") or "").strip(),
    )


def _e164(text: str) -> str | None:
    """A US number in any spelling; what has no ten digits is no number."""
    digits = re.sub(r"\D", "", text)
    if len(digits) == 11 and digits[0] == "1":
        digits = digits[1:]
    return f"+1{digits}" if len(digits) == 10 else None


def subscription(raw: Json, created: int) -> Json:
    """A subscription; `created` of the envelope stands in for a missing `updated`."""
    reason, code = _reason(raw.get("cancel_reason"), raw.get("cancel_reason_code"))
    return known(
        id=raw["public_id"],
        live=raw["live"] in (True, "True"),
        updated=moment(raw.get("updated")) or created,
        created=moment(raw.get("created")),
        product=raw.get("product"),
        quantity=raw.get("quantity"),
        frequency_days=raw.get("frequency_days"),
        every=raw.get("every"),
        every_period=raw.get("every_period"),
        currency_code=raw.get("currency_code"),
        prepaid=raw.get("prepaid_subscription_context") or {},
        reason=reason,
        code=code,
    )


def _reason(text: str | None, code: int | str | None) -> tuple[str | None, int | None]:
    """`8|Costs too much` is code 8 and a text; the code's own field may say it too, as `4|`."""
    head, pipe, tail = (text or "").partition("|")
    coded = bool(pipe) and head.strip().isdigit()
    told = str(code).rstrip("|") if code is not None else ""
    number = told or (head.strip() if coded else "")
    return (tail if coded else text) or None, int(number) if number else None


def refusal(raw: Any) -> tuple[str | None, str | None]:
    """Code and text of what a platform wrote into `rejected_message`."""
    if not raw:
        return None, None
    with suppress(ValueError):
        return _coded(json.loads(raw))
    with suppress(ValueError, SyntaxError):
        return _coded(ast.literal_eval(raw))
    return None, raw


def _coded(parsed: Json) -> tuple[str | None, str | None]:
    return parsed.get("code"), parsed.get("message")


def product(raw: Json) -> Json:
    """A product's texts and its unit price."""
    return known(
        id=raw["external_product_id"],
        name=raw.get("name"),
        sku=raw.get("sku"),
        image_url=raw.get("image_url"),
        detail_url=raw.get("detail_url"),
        price=float(raw["price"]) if raw.get("price") else None,
    )
