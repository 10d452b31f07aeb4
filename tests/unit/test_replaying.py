"""What each mode asks of each vendor: `fill` never what may start a flow, whoever renders."""

from __future__ import annotations

from itertools import product

import pytest
from msgspec.structs import replace

from streams.delivery.gate import Gate
from streams.delivery.replaying import MARGIN_MS, once_a_run, rendered_again, unwanted
from streams.destinations import DESTINATIONS
from streams.model.delivery import Options, Outcome, Part, Refusal
from streams.model.enriched import EnrichedEvent, OrderView
from streams.model.replayed import Replayed
from tests.support.enriched import AT, KNOWN, bare

HOUR = 3_600_000
OPTIONS = {"yespo": Options(contact_fields={"status": "51001"}, bulk=True)}
WHO = replace(KNOWN, status="active")
ORDER = OrderView("o1", total="19.50", currency_code="USD")
LIMITS = {"attentive": 12 * HOUR, "ometria": 4 * HOUR}
CASES = [(vendor, kind) for vendor, it in DESTINATIONS.items() for kind in sorted(it.takes)]


def known(kind: str) -> EnrichedEvent:
    """An event of a type, whose customer has a status."""
    told = {"order": ORDER} if kind.startswith("order.") else {}
    subject, dot, _ = kind.partition(".")
    if not dot or subject not in {"subscription", "subscriber", "order", "item"}:
        return replace(bare("order.success", WHO), type=kind, order=None)
    return replace(bare(kind, WHO, **told))


def parts(vendor: str, event: EnrichedEvent, mode: str, age: int) -> list[Part | Refusal]:
    """What the vendor would be asked so long after the event."""
    options = OPTIONS.get(vendor, Options(bulk=True))
    return rendered_again(
        DESTINATIONS[vendor], event, "6f1d2a52", AT + age, options, mode,  # type: ignore[arg-type]
        superseded=False,
    )  # fmt: skip


@pytest.mark.parametrize(("vendor", "kind"), CASES)
@pytest.mark.parametrize("late_events", ["data", "trigger"])
def test_fill_starts_no_flow(vendor: str, kind: str, late_events: str) -> None:
    """Whatever its age, and whether it is late: it is data, or it is not sent."""
    options = replace(OPTIONS.get(vendor, Options()), late_events=late_events)
    for age, late in product((0, 1, 4 * HOUR, 12 * HOUR, 400 * HOUR), (False, True)):
        found = rendered_again(
            DESTINATIONS[vendor], replace(known(kind), late=late), "6f1d2a52", AT + age,
            options, "fill", superseded=False,
        )  # fmt: skip
        for part in found:
            if part.name == "event" and isinstance(part, Part):
                assert Outcome.DELIVERED_NO_TRIGGER is part.outcome
                within = DESTINATIONS[vendor].rules.starts_flows_within
                assert within is None or age > within


@pytest.mark.parametrize("vendor", LIMITS)
def test_fill_waits_until_it_is_old_enough(vendor: str) -> None:
    """With a margin, since clocks differ; what is too young is said to be so."""
    event, limit = known("subscription.cancel"), LIMITS[vendor]

    *_, young = parts(vendor, event, "fill", limit + MARGIN_MS)
    *_, old = parts(vendor, event, "fill", limit + MARGIN_MS + 1)

    assert Refusal("event", Outcome.FILTERED, "would_trigger") == young
    assert isinstance(old, Part)


def test_fill_says_so_to_those_that_can_be_told() -> None:
    """`backfill` at Klaviyo, an event of the past at Yespo; no order of Yespo's can say it."""
    [klaviyo] = parts("klaviyo", known("order.success"), "fill", 0)
    *_, event = parts("yespo", known("subscription.cancel"), "fill", 0)
    *_, order = parts("yespo", known("order.success"), "fill", 0)

    assert isinstance(klaviyo, Part)
    [told] = klaviyo.request.body["attributes"]["events"]["data"]
    assert told["attributes"]["backfill"] is True
    assert isinstance(event, Part)
    assert "/v2/past_events" == event.request.path
    assert "2026" in event.request.body["occurred"] or event.request.body["occurred"]
    assert Refusal("event", Outcome.FILTERED, "would_trigger") == order


@pytest.mark.parametrize(("vendor", "kind"), CASES)
def test_profile_only_tells_the_profile_alone(vendor: str, kind: str) -> None:
    """At Klaviyo, where it rides in the event, by the profile's own call."""
    found = parts(vendor, known(kind), "profile-only", 0)

    assert ["profile"] == [each.name for each in found]
    assert all(isinstance(each, Part) for each in found)


@pytest.mark.parametrize(("vendor", "kind"), CASES)
def test_trigger_asks_what_was_asked_first(vendor: str, kind: str) -> None:
    """The event's own time stays what it was: age alone decides."""
    event, options = known(kind), OPTIONS.get(vendor, Options(bulk=True))
    for age in (0, 20 * HOUR):
        first = DESTINATIONS[vendor].render(event, "6f1d2a52", AT + age, options)

        assert first == parts(vendor, event, "trigger", age)


def test_what_is_not_wanted_by_mode() -> None:
    """`fill` tells what nobody would act on any more; no mode tells what is not asked for."""
    gate, options = Gate(mode="live"), Options()
    past = replace(known("order.reminder"), order=replace(ORDER, place="2020-01-02"))

    def found(mode: str | None, gate: Gate = gate) -> object:
        return unwanted(past, AT, gate, options, {}, mode)  # type: ignore[arg-type]

    assert (Outcome.EXPIRED, "place_date_passed") == found(None) == found("trigger")
    assert found("fill") is None
    assert found("profile-only") is None
    only = replace(gate, events=frozenset({"order.success"}))
    assert (Outcome.FILTERED, "option") == found("fill", only) == found("trigger", only)


def test_a_thing_is_sent_once_by_each_run() -> None:
    """Not held up by what was sent before, and the same to the same run."""
    *_, order = parts("yespo", known("order.success"), "trigger", 0)
    first, again, other = (
        once_a_run(order, Replayed("trigger", run)) for run in ("r1", "r1", "r2")
    )

    assert isinstance(order, Part)
    assert first == again
    assert 3 == len({getattr(each, "thing", None) for each in (order, first, other)})
