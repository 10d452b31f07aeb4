"""What is refused before Klaviyo could refuse or lose it (contracts/klaviyo.md §2, §6)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from streams.model.delivery import Outcome, Part, Refusal
from streams.model.enriched import EnrichedEvent, ItemView, OrderView
from streams.model.events import Product
from streams.model.rules import Limit
from tests.support.enriched import AT, KLAVIYO, KNOWN, NOBODY, bare, render

PHONE = "+13125550148"
YEAR = 366 * 86_400_000
OLDEST = 631_152_000_000
"""1990-01-01."""


def profile_of(part: Part | Refusal) -> dict[str, Any]:
    """The profile in a request, or the refusal's reason and field."""
    if isinstance(part, Refusal):
        return {"refused": (part.name, part.outcome, part.reason, part.field)}
    found = part.request.body["data"]["attributes"]
    if "profile" in found:
        found = found["profile"]["data"]["attributes"]
    return dict(found)


@pytest.mark.parametrize("event_type", ["order.success", "profile.changed"])
@pytest.mark.parametrize(
    ("email", "phone", "sent"),
    [
        pytest.param("noor@shop-demo.io", PHONE, ("email", "phone_number"), id="both"),
        pytest.param("noor@shop-demo.io", None, ("email",), id="address alone"),
        pytest.param(None, PHONE, ("phone_number",), id="number alone"),
        pytest.param("noor", PHONE, ("phone_number",), id="no address"),
        pytest.param("noor@shop-demo", PHONE, ("phone_number",), id="no domain"),
        pytest.param("noor hale@shop-demo.io", PHONE, ("phone_number",), id="space"),
        pytest.param("noor@hale@shop-demo.io", PHONE, ("phone_number",), id="two at"),
        pytest.param("n" * 86 + "@shop-demo.io", PHONE, ("email", "phone_number"), id="99 long"),
        pytest.param("n" * 87 + "@shop-demo.io", PHONE, ("phone_number",), id="100 long"),
        pytest.param("noor@shop-demo.io", "3125550148", ("email",), id="no plus"),
        pytest.param("noor@shop-demo.io", "+03125550148", ("email",), id="leading zero"),
        pytest.param("noor@shop-demo.io", "+1312555014890123", ("email",), id="16 digits"),
        pytest.param("noor@shop-demo.io", "+1-312-555-0148", ("email",), id="not E.164"),
    ],
)
def test_only_good_identifiers_are_sent(
    event_type: str, email: str | None, phone: str | None, sent: tuple[str, ...]
) -> None:
    """An identifier that is no use is left out while the other one is good."""
    who = replace(NOBODY, email=email, phone_number=phone)

    assert sent == tuple(profile_of(render(bare(event_type, who))))


@pytest.mark.parametrize(
    ("event_type", "part"), [("order.success", "event"), ("profile.changed", "profile")]
)
@pytest.mark.parametrize(
    ("email", "phone"), [(None, None), ("noor", None), (None, "555"), ("noor", "555")]
)
def test_nobody_to_tell_is_a_rejection(
    event_type: str, part: str, email: str | None, phone: str | None
) -> None:
    """With neither a good address nor a good number nothing is sent."""
    who = replace(NOBODY, email=email, phone_number=phone, first_name="Noor", status="active")

    assert {"refused": (part, Outcome.REJECTED, "no_identifier", "email")} == profile_of(
        render(bare(event_type, who))
    )


@pytest.mark.parametrize(
    ("at", "now", "accepted"),
    [
        pytest.param(OLDEST, AT, True, id="the oldest"),
        pytest.param(OLDEST - 1, AT, False, id="older"),
        pytest.param(AT + YEAR, AT, True, id="a year ahead"),
        pytest.param(AT + YEAR + 1, AT, False, id="more than a year ahead"),
    ],
)
def test_an_events_time_has_bounds(at: int, now: int, accepted: bool) -> None:
    """An event before 1990 or more than a year ahead would vanish after its 202."""
    part = render(replace(bare("order.success"), occurred_at=at), now)

    if accepted:
        assert isinstance(part, Part)
    else:
        assert Refusal("event", Outcome.REJECTED, "time_out_of_range", "time") == part


def test_a_profile_has_no_time() -> None:
    """The bounds of an event's time do not concern a profile."""
    assert isinstance(render(replace(bare("profile.changed"), occurred_at=0)), Part)


def rejection(text: str) -> EnrichedEvent:
    """An order's rejection in some words."""
    return bare("order.reject", order=OrderView("o1", rejected_message=text))


def named(event_type: str, size: int) -> EnrichedEvent:
    """An event whose profile, as JSON, has so many bytes."""
    rest = len(msgspec.json.encode({"email": KNOWN.email, "first_name": ""}))
    return bare(event_type, replace(KNOWN, first_name="n" * (size - rest)))


def heavy() -> EnrichedEvent:
    """An order whose texts are each within bounds and together are not."""
    text = "n" * 99_000
    line = ItemView("i1", product=Product("44", text, text, text, text))
    return bare("order.success", order=OrderView("o1", items=[line] * 25, items_count=25))


@pytest.mark.parametrize(
    ("event", "field"),
    [
        pytest.param(rejection("n" * 100_001), "properties.rejected_message", id="a long text"),
        pytest.param(rejection("é" * 50_001), "properties.rejected_message", id="in bytes"),
        pytest.param(
            bare(
                "order.success",
                order=OrderView("o1", items=[ItemView("i1", product=Product("44", "n" * 100_001))]),
            ),
            "properties.items_subset.0.product.name",
            id="a long text inside a list",
        ),
        pytest.param(named("order.success", 95_001), "profile", id="an event's profile"),
        pytest.param(named("profile.changed", 100_001), "profile", id="a profile"),
        pytest.param(heavy(), None, id="the whole"),
    ],
)
def test_what_is_too_large_is_refused(event: EnrichedEvent, field: str | None) -> None:
    """Over a published limit nothing is sent, and the refusal names the field."""
    part = render(event)

    assert isinstance(part, Refusal)
    assert (Outcome.REJECTED, "too_large", field) == (part.outcome, part.reason, part.field)


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(rejection("n" * 100_000), id="a text"),
        pytest.param(rejection("é" * 50_000), id="in bytes"),
        pytest.param(named("order.success", 95_000), id="an event's profile"),
        pytest.param(named("profile.changed", 100_000), id="a profile"),
    ],
)
def test_what_is_just_small_enough_is_sent(event: EnrichedEvent) -> None:
    """At the limit it goes out."""
    assert isinstance(render(event), Part)


def test_the_rates_are_the_published_ones() -> None:
    """Burst and steady limit of each endpoint that is used, by account."""
    assert {
        Limit("events", 350, 1),
        Limit("events", 3_500, 60),
        Limit("event-bulk-create-jobs", 10, 1),
        Limit("event-bulk-create-jobs", 150, 60),
        Limit("profile-import", 75, 1),
        Limit("profile-import", 750, 60),
        Limit("profile-bulk-import-jobs", 10, 1),
        Limit("profile-bulk-import-jobs", 150, 60),
        Limit("data-privacy-deletion-jobs", 3, 1),
        Limit("data-privacy-deletion-jobs", 60, 60),
    } == set(KLAVIYO.rules.limits)
