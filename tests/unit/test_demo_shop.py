"""The demo's shop: the same day for the same seed, with everything in it that a source can send."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest

from streams.avro import codec
from streams.demo.disorder import broken_records
from streams.demo.ledger import VENDORS
from streams.demo.reading import TYPES
from streams.demo.shop import OPENS, Shop, opens_for
from streams.errors import BadRecord
from tests.support.written_webhooks import books

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from streams.demo.expected import Bookkeeping

Json = dict[str, Any]

EVENTS = 3_000
SEED = 4


@pytest.fixture(scope="module")
def shop() -> Shop:
    """A shop whose day is still to be fed."""
    return Shop(SEED, events=EVENTS)


@pytest.fixture(scope="module")
def bodies(shop: Shop) -> list[bytes]:
    """Its day."""
    return list(shop)


@pytest.fixture(scope="module")
def webhooks(bodies: list[bytes]) -> list[Json]:
    """The bodies that are JSON objects."""
    read = []
    for body in bodies:
        try:
            envelope = json.loads(body)
        except ValueError:
            continue
        if isinstance(envelope, dict):
            read.append(envelope)
    return read


@pytest.fixture(scope="module")
def book(bodies: list[bytes]) -> Bookkeeping:
    """The books of that day, fed in ten seconds."""
    return books(bodies, gap=10_000 // EVENTS)


def test_a_day_is_the_same_for_the_same_seed(bodies: list[bytes]) -> None:
    """Seed and number of events decide every byte; another seed is another day."""
    assert bodies == list(Shop(SEED, events=EVENTS))
    assert bodies != list(Shop(SEED + 1, events=EVENTS))


@pytest.mark.parametrize("events", [1, 40, 777])
def test_a_day_has_as_many_bodies_as_asked_for(events: int) -> None:
    """Exactly so many, repeats and dirt included."""
    assert events == len(list(Shop(seed=1, events=events)))


def test_a_body_is_one_line(bodies: list[bytes]) -> None:
    """So a day can be fed as JSON lines, the broken bodies too."""
    odd = [body for body in bodies if not body.strip() or b"\n" in body]

    assert [] == odd


@pytest.mark.parametrize("seed", [0, 4, 11])
def test_every_event_type_appears(seed: int) -> None:
    """From 2,000 events on, whatever the seed; and each vendor is sent every type that it takes.

    So is what is rare: somebody who subscribes to 27 things at once.
    """
    day = list(Shop(seed, events=2_000))
    untold = {
        name: ledger.vendor.takes
        - {one.type for calls in ledger.requests.values() for one in calls}
        for name, ledger in books(day, gap=5).ledgers.items()
    }
    seen = {envelope.get("type") for envelope in map(_json, day) if isinstance(envelope, dict)}

    assert set() == TYPES - seen
    assert {name: set() for name in VENDORS} == untold
    assert 27 in {len(_listed(body)) for body in day}


def _listed(body: bytes) -> list[str]:
    """The subscriptions that a subscriber event lists."""
    envelope = _json(body)
    contents = _objects(envelope, "subscriber") if isinstance(envelope, dict) else []
    return [name for content in contents for name in content["subscriptions"]]


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def test_what_is_fed_is_old_enough() -> None:
    """Fed at the time that it opened for, all is over an hour and a half old, also in a trickle."""
    now = 1_800_000_000
    shop = Shop(seed=3, events=2_000, opens=opens_for(now))
    ages = [now - created for created in _created(shop)]
    later = list(_created(islice(shop.trickle(step=0.2), 1_000)))

    assert min(ages) > 90 * 60
    assert now + 1_000 * 0.2 - max(later) > 90 * 60


def _created(day: Iterable[bytes]) -> Iterator[int]:
    for envelope in map(_json, day):
        if isinstance(envelope, dict) and isinstance(envelope.get("created"), int):
            yield envelope["created"]


def test_most_of_it_lies_within_the_day(webhooks: list[Json]) -> None:
    """Only those who moved in before it, and what was out of stock for days, are older."""
    times = [one["created"] for one in webhooks if isinstance(one.get("created"), int)]
    before = [time for time in times if time < OPENS]

    assert 0 < len(before) < EVENTS / 20
    assert max(times) <= OPENS + 24.5 * 3_600


def test_the_shop_goes_on_after_its_day(shop: Shop, bodies: list[bytes]) -> None:
    """The trickle is of the same world: it knows the day's customers."""
    more = list(islice(shop.trickle(), 300))
    known = {_customer(body) for body in bodies}

    assert 300 == len(more)
    assert {_customer(body) for body in more} & known


def _customer(body: bytes) -> str | None:
    envelope = _json(body)
    data = envelope.get("data") if isinstance(envelope, dict) else None
    content = data.get("object") if isinstance(data, dict) else None
    return content.get("customer") if isinstance(content, dict) else None


def test_the_books_notice_all_the_dirt(bodies: list[bytes]) -> None:
    """What the shop put in by label is what the books find, no more and no less."""
    shop = Shop(SEED, events=EVENTS)
    book = books(shop)
    repeats = {name: book.noticed[name] for name in ("repeated_id", "repeated_fact")}

    assert shop.injected == dict(book.dead_letters) | repeats
    assert book.bodies == book.records + sum(book.dead_letters.values())


def test_there_is_disorder(book: Bookkeeping) -> None:
    """Overtaken events, customers first seen dead, imports, people whom nobody can reach."""
    missing = {"stale", "late", "first_seen_dead", "imported"} - (+book.noticed).keys()

    assert set() == missing
    assert 0 < book.ledgers["klaviyo"].dead_letters["rejected"] < EVENTS / 50
    assert 1 == book.dead_letters["too_large"]


def _objects(one: Json, family: str) -> list[Json]:
    """`data.object`, if it is of that family."""
    data = one.get("data")
    content = data.get("object") if isinstance(data, dict) else None
    right = str(one.get("type", "")).startswith(f"{family}.")
    return [content] if right and isinstance(content, dict) else []


def _snapshots(one: Json) -> list[Json]:
    data = one.get("data")
    inner = data.get("snapshot") if isinstance(data, dict) else None
    return [found for found in (one.get("snapshot"), inner) if found]


def _field(family: str, name: str, test: Callable[[Any], bool]) -> Callable[[Json], bool]:
    return lambda one: any(name in o and test(o[name]) for o in _objects(one, family))


def _created_as(name: str, test: Callable[[Any], bool]) -> Callable[[Json], bool]:
    of_create = _field("subscription", name, test)
    return lambda one: one.get("type") == "subscription.create" and of_create(one)


def _entity(kind: str, name: str, test: Callable[[Any], bool]) -> Callable[[Json], bool]:
    return lambda one: any(test(e[name]) for s in _snapshots(one) for e in s.get(kind, []))


def _in_data(name: str) -> Callable[[Json], bool]:
    return lambda one: isinstance(one.get("data"), dict) and bool(one["data"].get(name))


def _text(start: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value.startswith(start)


VARIANTS: dict[str, Callable[[Json], bool]] = {
    "context at the top": lambda one: bool(one.get("context")),
    "context in data": _in_data("context"),
    "context null": lambda one: "context" in one and one["context"] is None,
    "snapshot at the top": lambda one: bool(one.get("snapshot")),
    "snapshot in data": _in_data("snapshot"),
    "snapshot empty": lambda one: one.get("snapshot") == {},
    "snapshot null": lambda one: "snapshot" in one and one["snapshot"] is None,
    "snapshot absent": lambda one: "snapshot" not in one and not _in_data("snapshot")(one),
    "an import": lambda one: (one.get("context") or {}).get("source") == "XML IMPORT",
    "extra_data as an object": _field("order", "extra_data", lambda v: isinstance(v, dict)),
    "extra_data as JSON text": _field("order", "extra_data", _text("{")),
    "extra_data empty": _field("order", "extra_data", lambda v: v == ""),
    "extra_data null": _field("order", "extra_data", lambda v: v is None),
    "true as text": _field("subscription", "live", lambda v: v == "True"),
    "false as text": _field("subscription", "live", lambda v: v == "False"),
    "reason with code": _field("subscription", "cancel_reason", _text("8|")),
    "reason of three parts": _field("subscription", "cancel_reason", lambda v: "|other|" in str(v)),
    "reason code as text": _field(
        "subscription", "cancel_reason_code", lambda v: isinstance(v, str)
    ),
    "reason code with a pipe": _field(
        "subscription", "cancel_reason_code", lambda v: str(v).endswith("|")
    ),
    "not prepaid, null": _field(
        "subscription", "prepaid_subscription_context", lambda v: v is None
    ),
    "not prepaid, empty": _field("subscription", "prepaid_subscription_context", lambda v: v == {}),
    "prepaid": _field("subscription", "prepaid_subscription_context", bool),
    "a bundle's components": _field("subscription", "components", bool),
    "components as text": _entity("subscriptions", "components", lambda v: isinstance(v, str)),
    "naive time": _entity("subscriptions", "updated", _text("2026-09-2")),
    "place as a time": _field("order", "place", lambda v: v.endswith(" 00:00:00")),
    "refusal as JSON": _field("order", "rejected_message", _text('{"')),
    "refusal as Python": _field("order", "rejected_message", _text("{'")),
    "refusal empty": _field("order", "rejected_message", lambda v: v == "{}"),
    "card filler": _entity("payments", "cc_exp_date", lambda v: v == "12/2099"),
    "phone with dashes": _field("subscriber", "phone_number", lambda v: "-555-" in str(v)),
    "phone in brackets": _field("subscriber", "phone_number", _text("(")),
    "no phone": _field("subscriber", "phone_number", lambda v: not v),
    "no e-mail": _field("subscriber", "email", lambda v: not v),
    "blanks around an e-mail": _field("subscriber", "email", _text(" ")),
    "a customer's id with zeros": _field("subscription", "customer", _text("00")),
    "money as text": _field("order", "total", lambda v: isinstance(v, str)),
    "more than 25 lines": lambda one: any(len(s.get("items", [])) > 25 for s in _snapshots(one)),
    "a line of no subscription": _entity("items", "subscription", lambda v: v is None),
    "no order number, null": _created_as("merchant_order_id", lambda v: v is None),
    "no order number, empty": _created_as("merchant_order_id", lambda v: v == ""),
    "no session": _created_as("session_id", lambda v: v is None),
    "a session": _created_as("session_id", bool),
    "several at once": _field("subscriber", "subscriptions", lambda v: len(v) > 1),
    "a period of years": _field("subscription", "every_period", lambda v: v == 4),
}


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS.keys())
def test_a_variant_of_the_contract_appears(
    webhooks: list[Json], variant: Callable[[Json], bool]
) -> None:
    """The forms that contracts/ordergroove.md names are all in a day."""
    assert any(map(variant, webhooks))


def test_checkouts_are_of_every_kind(book: Bookkeeping) -> None:
    """Of one, of several, of 27; told in the course of the day, at its end, and once more."""
    kinds = {"checkout of 1", "checkout of 2", "checkout of 3", "checkout of 5", "checkout of 27"}
    noticed = book.noticed
    told = sum(count for name, count in noticed.items() if name.startswith("checkout of "))

    assert set() == kinds - noticed.keys()
    assert 0 < noticed["checkout, again"]
    assert 0 < noticed["checkout, last"] < told


def test_lines_wait_for_days(book: Bookkeeping) -> None:
    """Some are out of stock for the first time, some for longer than a day."""
    days = {
        one.body["data"]["attributes"]["properties"]["days_since_first_attempt"]
        for calls in book.ledgers["klaviyo"].requests.values()
        for one in calls
        if one.type == "item.out_of_stock"
    }

    assert 0 in days
    assert max(days) > 1


@pytest.mark.parametrize("record", broken_records(seed=5, count=8), ids=lambda one: one.reason)
def test_a_broken_record_is_refused_for_its_reason(record: Any) -> None:
    """The codec of the source topic gives the very reason that the record is labelled with."""
    with pytest.raises(BadRecord) as refused:
        codec("sources/ordergroove").decode(record.value)

    assert record.reason == refused.value.reason


def test_broken_records_are_the_same_for_the_same_seed() -> None:
    """As many as asked for, of both reasons."""
    made = broken_records(seed=5, count=9)

    assert made == broken_records(seed=5, count=9)
    assert 9 == len(made)
    assert {"malformed", "unknown_schema"} == {one.reason for one in made}
