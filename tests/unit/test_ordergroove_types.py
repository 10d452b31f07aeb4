"""Every event type of contracts/ordergroove.md §1.2, by its sample."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from streams.avro import codec
from streams.model.events import Entitlements, Item, Order, Person, Subscription
from streams.sources.ordergroove import OBJECT_OF, event_reader, record_of
from streams.sources.ordergroove.types import LIVE_OF
from tests.support.samples import CUSTOMER, MERCHANT, SAMPLES, parsed, story

CONTRACT = Path(__file__).parents[3] / "shared" / "contracts" / "ordergroove.md"
SUBJECTS = {
    "subscriber": Person,
    "subscription": Subscription,
    "order": Order,
    "item": Item,
    "entitlement": Entitlements,
    "workflow": Person,
}
ACTORS = {"customer", "apikey", "user", "og-system-account", "og-system-process"}
MISSING = object()


def action_of(event_type: str) -> str:
    """What comes after the resource."""
    return event_type.partition(".")[2]


def form(value: Any) -> str:
    """How an envelope's part is written."""
    if value is MISSING:
        return "absent"
    if value is None:
        return "null"
    return "filled" if value else "{}"


def places(body: dict[str, Any], name: str) -> tuple[str, str]:
    """How a part stands at the top and inside `data`."""
    return form(body.get(name, MISSING)), form(body["data"].get(name, MISSING))


def test_each_type_has_its_sample() -> None:
    """Samples and types agree exactly, both ways, and a file is called after its type."""
    assert set(OBJECT_OF) == set(SAMPLES)
    assert list(SAMPLES) == [parsed(each)["type"] for each in SAMPLES]


@pytest.mark.parametrize("event_type", SAMPLES)
def test_a_sample_becomes_an_event(event_type: str) -> None:
    """It maps, is encoded, comes back as the same record, and that is an event of its type."""
    source = codec("sources/ordergroove")
    record = record_of(SAMPLES[event_type], 1_800_000_000_000)
    back = source.decode(source.encode(record))
    event = event_reader(source)(source.encode(record))

    assert record["object"][1].items() <= {**back["object"]}.items()
    assert {**record, "object": None, "snapshot": None} == {
        **back,
        "object": None,
        "snapshot": None,
    }
    assert (event_type, parsed(event_type)["id"], MERCHANT, CUSTOMER) == (
        event.type,
        event.event_id,
        event.merchant,
        event.customer_id,
    )
    assert parsed(event_type)["created"] * 1000 == event.created
    assert isinstance(event.subject, SUBJECTS[event_type.split(".", maxsplit=1)[0]])


@pytest.mark.parametrize(
    ("name", "forms"),
    [
        pytest.param(
            "context",
            {
                ("filled", "absent"),
                ("absent", "filled"),
                ("null", "absent"),
                ("absent", "null"),
                ("absent", "absent"),
            },
            id="context",
        ),
        pytest.param(
            "snapshot",
            {
                ("filled", "absent"),
                ("absent", "filled"),
                ("{}", "absent"),
                ("absent", "{}"),
                ("null", "absent"),
                ("absent", "absent"),
            },
            id="snapshot",
        ),
    ],
)
def test_the_samples_show_every_envelope(name: str, forms: set[tuple[str, str]]) -> None:
    """Context and snapshot stand at the top or inside data, empty, null or not at all."""
    assert forms == {places(parsed(each), name) for each in SAMPLES}


def test_the_samples_show_every_actor() -> None:
    """Customer, agent, API key and both of the system's own."""
    assert ACTORS == {record_of(body)["actor"] for body in SAMPLES.values()} - {None}


def test_a_snapshot_shows_every_entity() -> None:
    """Orders' and items' snapshots hold what may be configured, and none of it is lost."""
    names = ("subscriptions", "orders", "items", "addresses", "payments", "products")
    for event_type in ("order.reject", "order.reminder"):
        body = parsed(event_type)
        told = body.get("snapshot") or body["data"]["snapshot"]
        read = record_of(SAMPLES[event_type])["snapshot"]

        assert read["customer"]["email"] == told["customer"]["email"]
        assert [len(told[each]) for each in names] == [len(read[each]) for each in names]


def test_nobody_real_is_in_the_samples() -> None:
    """Every address of the samples is at the shop of the demo, and in one story."""
    domains = set(re.findall(rb"@([\w.-]+)", b"".join(SAMPLES.values())))
    times = [json.loads(body)["created"] for body in story()]

    assert {b"shop-demo.io"} == domains
    assert sorted(times) == times


@pytest.mark.parametrize("event_type", ["subscription.change_consumer", "order.paused", "create"])
def test_what_is_in_no_document_is_unknown(event_type: str) -> None:
    """subscription.change_consumer is in no source; a wildcard or half a name is no type."""
    assert event_type not in OBJECT_OF


def test_a_type_says_live_only_where_it_can() -> None:
    """Creation and reactivation mean live, cancellation dead; no other type says so."""
    assert {
        "subscription.create": True,
        "subscription.reactivate": True,
        "subscription.change_live": True,
        "subscription.cancel": False,
    } == LIVE_OF


def test_the_contract_names_the_same_types() -> None:
    """Where the contract lies beside this repository: its table of types is ours."""
    for text in (file.read_text("utf-8") for file in [CONTRACT] if file.exists()):
        table = text.partition("### 1.2 ")[2].partition("### 1.3 ")[0]
        cells = "".join(re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE))
        named = set(re.findall(r"(?<=[./_])[a-z][a-z_0-9]+(?=[`/])", cells))
        short = {action.removeprefix("entitlements_") for action in map(action_of, OBJECT_OF)}

        assert (short - {"granted"}) | {"entitlements_granted", "change_consumer"} == named
