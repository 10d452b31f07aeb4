"""What a plan counts: who would be messaged, what the vendor ignores, what differs, how long."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from msgspec.structs import replace

from streams.delivery.fingerprints import Fingerprints
from streams.delivery.gate import Gate
from streams.destinations import DESTINATIONS
from streams.model.delivery import Options
from streams.model.enriched import EnrichedEvent, OrderView
from streams.model.ids import delivery_id
from streams.model.replayed import MODES, Replayed
from streams.model.rules import Batch, Limit
from streams.replay.differences import Paths
from streams.replay.pace import Pace, pace_of
from streams.replay.plan import Planner, Terms, id_bytes
from streams.replay.prospects import Expected, Plan, Told
from streams.replay.report import deviation
from streams.replay.selection import Profiles, Selection
from tests.support.enriched import AT, KNOWN, bare

HOUR = 3_600_000
FAST = Pace({}, 1e9, {})
PRINTS = Fingerprints(b"key")
ORDER = OrderView("o1", total="19.50", currency_code="USD")


def event(kind: str, customer: str = "c1", number: int = 1, version: int = 1) -> EnrichedEvent:
    """A customer's event."""
    who = replace(KNOWN, status="active", version=version)
    told: dict[str, Any] = {"order": ORDER} if kind.startswith("order.") else {}
    made = bare(kind, who, **told)
    return replace(made, event_id=f"{customer}-{number}", customer_id=customer)


def planned(
    vendor: str,
    *events: EnrichedEvent,
    told: dict[bytes, Told] | None = None,
    versions: dict[bytes, int] | None = None,
    paths: Paths | None = None,
    **terms: Any,
) -> Plan:
    """The plan of some deliveries of one partition."""
    known: dict[str, Any] = {
        "connection": vendor,
        "destination": DESTINATIONS[vendor],
        "options": Options(),
        "gate": Gate(mode="live"),
        "max_age": {},
        "modes": MODES,
        "new_ids": None,
        "now": AT,
        "pace": FAST,
        "partitions": 1,
        "version_of": lambda profile: profile.version,
        "hashes": PRINTS.fields,
        "unpacked": (paths or Paths()).unpacked,
    }
    planner = Planner(Terms(**(known | terms)))
    planner.begin(versions or {}, told or {})
    for each in events:
        planner.take(each)
    planner.end()
    return planner.plan


def own(vendor: str, event: EnrichedEvent) -> str:
    """Its delivery id."""
    return delivery_id(event.event_id, event.type, vendor)


def test_each_mode_is_counted_by_itself() -> None:
    """Two customers would be messaged by three events, and by none of them in the other modes."""
    events = [
        event("order.success"),
        event("order.cancel", number=2),
        event("order.skip_order", "c2"),
    ]
    plan = planned("klaviyo", *events)

    assert 3 == plan.selected.total()
    assert {"fill": 0, "profile-only": 0, "trigger": 2} == {
        mode: each.customers for mode, each in plan.prospects.items()
    }
    assert 3 == plan.prospects["trigger"].starts.total()
    assert {
        Expected(each.type, "event", "delivered_no_trigger", None): 1 for each in events
    } == plan.prospects["fill"].parts


def test_klaviyo_ignores_what_it_has() -> None:
    """First wins: who would be messaged is nobody, unless the ids are fresh."""
    one, other = event("order.success"), event("order.success", "c2")
    told = {id_bytes(own("klaviyo", one)): Told(event="delivered", accepted=True)}
    again = planned("klaviyo", one, other, told=told).prospects["trigger"]
    fresh = planned("klaviyo", one, other, told=told, new_ids="autumn").prospects["trigger"]

    assert (1, 1, 1) == (again.ignored, again.customers, again.starts.total())
    assert (0, 2, 2) == (fresh.ignored, fresh.customers, fresh.starts.total())


def test_a_label_that_was_used_is_ignored_too() -> None:
    """Fresh ids are fresh once."""
    one = event("order.success")
    used = Replayed("trigger", "r1", "autumn").id_of(own("klaviyo", one))
    told = {id_bytes(used): Told(event="delivered", accepted=True)}

    assert 1 == planned("klaviyo", one, told=told, new_ids="autumn").prospects["trigger"].ignored


def test_others_send_again_what_the_vendor_has() -> None:
    """Ometria and Yespo put it in the first one's place and start flows anew."""
    one = event("subscription.cancel")
    for vendor in ("ometria", "yespo", "attentive"):
        told = {id_bytes(own(vendor, one)): Told(event="delivered", accepted=True)}
        found = planned(vendor, one, told=told).prospects["trigger"]

        assert (0, 1, 1) == (found.ignored, found.again, found.customers)


@pytest.mark.parametrize(("vendor", "hours"), [("attentive", 12), ("ometria", 4)])
def test_age_is_that_of_the_time_of_sending(vendor: str, hours: int) -> None:
    """What is young enough now is too old when its turn comes, where the low lane is slow."""
    events = [event("subscription.cancel", f"c{n}") for n in range(10)]
    names = {limit.endpoint for limit in DESTINATIONS[vendor].rules.limits}
    slow = pace_of(
        [Limit(name, 1, HOUR / 1_000) for name in names], (),
        factor=1.0, share=1.0, concurrency=1, live=0.0,
    )  # fmt: skip
    now = AT + (hours - 4) * HOUR
    found = planned(vendor, *events, now=now, pace=slow).prospects["trigger"]

    assert 0 < found.starts.total() < 10


def test_profiles_are_played_along() -> None:
    """An older one is superseded; the same again goes in `profile-only`, once a run."""
    events = [event("order.success", number=n, version=v) for n, v in enumerate((1, 2, 2, 3))]
    versions = {f"{events[0].merchant}:c1".encode(): 2}
    plan = planned("attentive", *events, versions=versions)
    trigger, alone = plan.prospects["trigger"], plan.prospects["profile-only"]
    kind = "order.success"

    assert 1 == trigger.parts[Expected(kind, "profile", "superseded", None)]
    assert 2 == trigger.parts[Expected(kind, "profile", "duplicate", "unchanged")]
    assert 1 == trigger.parts[Expected(kind, "profile", "delivered", None)]
    assert 1 == alone.parts[Expected(kind, "profile", "superseded", None)]
    assert 2 == alone.parts[Expected(kind, "profile", "delivered", None)]
    assert (3, 1) == (alone.deliveries, alone.left_out)


def test_the_same_order_goes_once() -> None:
    """Yespo's orders fire by themselves: of equal ones each run sends one."""
    events = [event("order.success", number=n) for n in range(3)]
    found = planned("yespo", *events).prospects["trigger"]

    assert 1 == found.starts["order.success"]
    assert 2 == found.parts[Expected("order.success", "event", "duplicate", "unchanged")]


def test_gates_hold() -> None:
    """In shadow nobody is messaged."""
    found = planned("klaviyo", event("order.success"), gate=Gate(mode="shadow"))

    assert 0 == found.prospects["trigger"].customers
    assert {Expected("order.success", "event", "filtered", "shadow"): 1} == found.prospects[
        "trigger"
    ].parts


def test_what_differs_is_told_by_path() -> None:
    """Of a body that was sent: changed, added, removed; an equal one is compared all the same."""
    one, other, paths = event("order.success"), event("order.success", "c2"), Paths()
    klaviyo, told = DESTINATIONS["klaviyo"], {}
    for each in (one, other):
        [part] = klaviyo.render(each, own("klaviyo", each), AT, Options())
        body = part.request.body  # type: ignore[union-attr]
        hashes = PRINTS.fields(body)
        if each is other:
            hashes["data.attributes.time"] = b"another!"
            hashes["data.attributes.value"] = b"it is no"
            del hashes["data.attributes.unique_id"]
        told[id_bytes(own("klaviyo", each))] = Told(
            event="delivered", accepted=True, sent={"event": paths.packed(hashes)}
        )
    found = planned("klaviyo", one, other, told=told, paths=paths).differences

    assert (2, 1) == (found.compared, found.different)
    assert {
        ("event", "data.attributes.time", "changed"): 1,
        ("event", "data.attributes.unique_id", "added"): 1,
        ("event", "data.attributes.value", "removed"): 1,
    } == found.paths


def test_what_has_an_outcome_is_counted() -> None:
    """The last one of the event part, else of the profile's."""
    events = [event("order.success", f"c{n}") for n in range(3)]
    told = {
        id_bytes(own("klaviyo", events[0])): Told(event="rejected"),
        id_bytes(own("klaviyo", events[1])): Told(profile="delivered"),
    }
    plan = planned("klaviyo", *events, told=told)

    assert {"rejected": 1, "delivered": 1} == plan.standing
    assert 2 == plan.concluded["order.success"]


def test_hours_are_those_of_the_slowest_endpoint() -> None:
    """Beside live traffic, at a share of the limit, so many records to a request."""
    limits = [Limit("one", 10, 1), Limit("one", 300, 60), Limit("many", 2, 1)]
    batches = [Batch("crowd", 100, 1_000, 1.0, "")]
    pace = pace_of(limits, batches, factor=1.0, share=0.5, concurrency=64, live=4.0)

    assert (1.0, 5.0, 4.0) == pace.shares["one"]
    assert pytest.approx(3_600) == pace.seconds({("one", ""): 3_600})
    assert pytest.approx(200 / pace.shares["many"].rate) == pace.seconds(
        {("many", "crowd"): 20_000}
    )
    assert pytest.approx(1.0) == pace_of(
        limits, batches, factor=None, share=0.5, concurrency=64, live=4.0, latency=0.2
    ).seconds({("one", ""): 160})


def test_a_selection_means_all_that_it_says() -> None:
    """Types, merchants and customers; within the offsets of a partition."""
    one = event("order.success")
    merchant = one.merchant

    def takes(**what: Any) -> bool:
        return Selection(**what).takes(one, lambda _: "h1")

    assert takes()
    assert takes(types=frozenset({"order.success"}), merchants=frozenset({merchant}))
    assert takes(customers=frozenset({"h1"}))
    assert not takes(types=frozenset({"order.cancel"}))
    assert not takes(types=frozenset({"order.success"}), merchants=frozenset({"other"}))
    assert not takes(customers=frozenset({"h2"}))
    only = Selection(offsets={1: (10, 20)})
    assert (12, 20) == only.bounded(1, 12, 100)
    assert (100, 100) == only.bounded(0, 12, 100)


def test_a_profile_is_new_once() -> None:
    """The customer's last version, and nobody else's."""
    told = Profiles()

    assert [True, False, True, True] == [
        told.is_new(*each) for each in ((b"a", 1), (b"a", 1), (b"a", 2), (b"b", 2))
    ]


def test_a_plan_that_missed_is_seen() -> None:
    """What is missing counts, what is too much counts, and what is something else."""
    one, two = Expected("a", "event", "delivered", None), Expected("a", "event", "rejected", None)
    counted: type[Counter[Expected]] = Counter

    assert 0.0 == deviation(counted(), counted())
    assert 0.0 == deviation(counted({one: 3}), counted({one: 3}))
    assert 0.25 == deviation(counted({one: 4}), counted({one: 3, two: 1}))
    assert 0.25 == deviation(counted({one: 4}), counted({one: 3}))
    assert 0.25 == deviation(counted({one: 3}), counted({one: 4}))
